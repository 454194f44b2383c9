//! The language of scripts: one command a line, `#` begins a comment.
//!
//! ```text
//! at 2026-03-08T01:59:00Z                          move the clock there, whatever is due on the way included
//! tick 10s                                         move it on by this much
//! step clock +1h                                   set the wall clock; no time passes
//! apply backup schedule="*/5 * * * *" policy=Forbid  create a CronJob, or change what is named of it
//! apply load x200 schedule="0 * * * *"             two hundred of them: load-001 to load-200
//! edit backup                                      another client changes a label
//! delete cronjob backup | job NAME | namespace N
//! release backup                                   take the finalizers off
//! create namespace team
//! start job NAME of backup manual                  a Job that a person made of the CronJob (or: stray, lookalike, foreign)
//! finish NAME failed | oldest backup succeeded     write a Job's status as the Job controller does
//! auto-finish backup after 90s succeeded           … of every run of this CronJob, from now on
//! stop | restart                                   the controller is killed; killed, if it runs, and started
//! pace 2                                           restart, with --max-start-rate 2
//! fail next create with 500 x3                     (or: creates, deletes, statuses … for 30s)
//! fail creates with 429 retry-after 5 for 30s
//! lose next create                                 it goes through, the answer is lost
//! hang next create for 10s                         it reaches the API only then
//! slow next create by 10s                          it goes through, the answer comes only then
//! crash before next status                         the controller dies at that point (or: after)
//! edit backup before next status                   another client is quicker
//! delay watch of jobs by 2s                        from now on
//! expire watch of jobs | break watch of cronjobs   410 Gone; a broken connection
//! malform backup | heal backup                     the API serves it with a field of the wrong type
//! summarise                                        from here on, count what happens at the same moment
//! hush                                             from here on, list nothing that happens; only what is shown
//! write events                                     from here on, what the controller says becomes Events, too
//! show status backup | show jobs | show events
//! ```
//!
//! Names are in the namespace `default` unless they are written `namespace/name`. An instant is RFC 3339, a duration is
//! written as `1h30m`, `90s` or `500ms`.

mod command;
mod fault;
mod object;
mod parse;
mod print;
mod quantity;
mod tokens;

pub use command::{Apply, Command, CutKind, JobKind, Watched, Which};
pub use fault::{Answer, Effect, Extent, Fault, Verb};
pub use object::job_spec;
pub use parse::{Line, Script};
pub use print::{in_full, name, outcome_word};
pub use quantity::{moment, parse_duration, print_duration};
