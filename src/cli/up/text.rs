//! What happened, for people: a line each.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use chrono::TimeDelta;

use crate::cli::present::span;
use crate::cli::up::happening::{Ended, Followed, Happening};
use crate::cli::up::naming::Naming;
use crate::cli::up::tally::Tally;
use crate::cronjob::Outcome;
use crate::manifest::{DEFAULT_NAMESPACE, Paint, render_all};
use crate::policy::{Note, Severity};
use crate::schedule::Timestamp;
use crate::standalone::runtime::{self, What};
use crate::telemetry::Told;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const NOTICE: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();
const PLAIN: Style = Style::new();

/// The colours that Jobs are told apart by.
const JOB_COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
];

/// The line for what happened, or `None` where another line says it already.
pub(super) fn line(happening: &Happening, naming: &Naming) -> Option<String> {
    match happening {
        Happening::Decision(told) => decision(told),
        Happening::Process(event) => process(
            event,
            &subject(&event.origin.namespace, &naming.of(&event.origin)),
        ),
        Happening::Ended(ended) => work_ended(ended),
        Happening::Followed(followed) => follow(followed),
    }
}

/// What is said on standard error of what happened.
pub(super) fn complaint(happening: &Happening) -> Option<String> {
    match happening {
        Happening::Followed(Followed::Diagnosed {
            file,
            diagnostics,
            is_broken,
            goes_on,
        }) => {
            let mut text = render_all(diagnostics, Paint::Coloured).trim_end().to_owned();
            if *is_broken {
                text.push('\n');
                text.push_str(&not_taken(file, *goes_on));
            }
            Some(text)
        }
        Happening::Followed(Followed::Refused { file, message }) => Some(format!("error: {file}: {message}")),
        _ => None,
    }
}

/// What is said of a broken file.
pub(super) fn not_taken(file: &str, goes_on: bool) -> String {
    let before = if goes_on {
        "; what it held before goes on"
    } else {
        ""
    };
    format!("{file} is not taken like this{before}")
}

fn follow(followed: &Followed) -> Option<String> {
    let (at, key, text) = match followed {
        Followed::Applied { at, file, object } => {
            let next = object
                .timing
                .as_ref()
                .and_then(|timing| timing.next_local.as_ref());
            let next = next.map(|next| format!(", next due {next}")).unwrap_or_default();
            (at, &object.key, format!("applied from {file}{next}"))
        }
        Followed::Pruned { at, file, id } => (at, &id.key, format!("deleted, as {file} has it no more")),
        Followed::Diagnosed { .. } | Followed::Refused { .. } => return None,
    };
    Some(format!(
        "{} {} {}",
        clock(*at),
        name(&subject(&key.namespace, &key.name)),
        paint(QUIET, &text)
    ))
}

fn decision(told: &Told) -> Option<String> {
    let subject = subject(&told.cronjob.namespace, &told.cronjob.name);
    let (style, text) = match &told.note {
        Note::Started { job, lateness, .. } => (
            PLAIN,
            format!("started {job}, {} after its time", span(*lateness)),
        ),
        Note::Blocked { behind, .. } => (
            NOTICE,
            format!(
                "due, but waits for {} (concurrencyPolicy: Forbid)",
                behind.join(", ")
            ),
        ),
        Note::StartFailed { job, error, .. } => {
            (BAD, format!("could not start {job}: {error} (it is tried again)"))
        }
        // The line of the Job's own end says it.
        Note::Completed { .. } => return None,
        Note::Deleted { .. } => (QUIET, told.note.to_string()),
        note if note.severity() == Some(Severity::Warning) => (NOTICE, note.to_string()),
        note => (QUIET, note.to_string()),
    };
    Some(format!(
        "{} {} {}",
        clock(told.at),
        name(&subject),
        paint(style, &text)
    ))
}

fn process(event: &runtime::Event, subject: &str) -> Option<String> {
    let (style, text) = match &event.what {
        What::Line { text, .. } => {
            let text = printable(text);
            return Some(format!(
                "{} {} {} {text}",
                clock(event.at),
                name(subject),
                paint(QUIET, "|")
            ));
        }
        What::LeftOut { lines } => (
            NOTICE,
            format!(
                "… {lines} lines not shown, as nobody read them in time; {} has them",
                event.origin.logs_command()
            ),
        ),
        What::Started { .. } | What::Ended { exit_code: 0, .. } => return None,
        What::Ended {
            signal: Some(signal), ..
        } => (NOTICE, format!("was ended by signal {signal}")),
        What::Ended {
            unseen: Some(why), ..
        } => (BAD, format!("ended, and nobody knows how: {why}")),
        What::Ended { exit_code, .. } => (NOTICE, format!("exited with code {exit_code}")),
        What::NotStarted { reason, message } => (BAD, format!("could not start: {message} ({reason})")),
        What::Unread { message } => (BAD, message.clone()),
        What::Unseen { message } => (BAD, format!("can't be seen: {message}")),
        What::RestartsAfter { delay } => {
            let delay = TimeDelta::from_std(*delay).unwrap_or(TimeDelta::MAX);
            (QUIET, format!("is started again in {}", span(delay)))
        }
    };
    Some(format!(
        "{} {} {}",
        clock(event.at),
        name(subject),
        paint(style, &text)
    ))
}

fn work_ended(ended: &Ended) -> Option<String> {
    let took = format!(" after {}", span(ended.took));
    // Whoever has deleted one knows; where that was decided, the line of the decision says it.
    let text = match ended.outcome? {
        Outcome::Succeeded => paint(GOOD, &format!("succeeded{took}")),
        Outcome::Failed => {
            let why = ended
                .why
                .as_deref()
                .map(|why| format!(": {why}"))
                .unwrap_or_default();
            paint(BAD, &format!("failed{took}{why}"))
        }
    };
    let subject = subject(&ended.work.namespace, &ended.work.name);
    Some(format!("{} {} {text}", clock(ended.at), name(&subject)))
}

/// What is said when it begins to stop.
pub(super) const STOPPING: &str =
    "stopping: no new runs; running ones get SIGTERM and their grace period (Ctrl-C ends them at once)";

/// What is said at a stop that did not wait for all lines to be read.
pub(super) const CUT_OFF: &str = "… the last lines are not all shown, as nobody read them in time; kubectl logs has them after the next start";

/// What is said when lines were left out whatever they were.
pub(super) fn left_out(lines: u64) -> String {
    let text = format!(
        "… {lines} lines not shown, as nobody read them in time; kubectl get events, kubectl get jobs and kubectl logs have \
         what they said"
    );
    paint(NOTICE, &text)
}

/// The last lines: what it came to.
pub(super) fn summary(tally: &Tally) -> String {
    let skipped = tally.skipped();
    let mut text = format!(
        "{} started, {} succeeded, {} failed, {} skipped",
        tally.started,
        tally.succeeded,
        tally.failed,
        skipped.values().sum::<u64>()
    );
    let waiting = tally.waiting();
    let others = [
        (tally.carried_over, "carried over from before"),
        (tally.deleted, "replaced or deleted"),
        (tally.stopped(), "stopped before the end"),
        (tally.pending(), "pending"),
        (waiting.values().sum(), "waiting"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, ", {count} {what}");
    }
    for (why, count) in &skipped {
        let _ = write!(text, "\n  {count} skipped: {why}");
    }
    if tally.pending() > 0 {
        let _ = write!(text, "\n  {} pending: no process has started", tally.pending());
    }
    for (what, count) in &waiting {
        let _ = write!(text, "\n  {count} waiting {what}");
    }
    text
}

fn clock(at: Timestamp) -> String {
    paint(QUIET, &at.format("%H:%M:%S").to_string())
}

/// How an object is called: with its namespace, where it is in one, and not in that where most manifests are.
fn subject(namespace: &str, name: &str) -> String {
    if matches!(namespace, "" | DEFAULT_NAMESPACE) {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

/// The name of a Job or CronJob, in a colour of its own.
fn name(name: &str) -> String {
    let sum: usize = name.bytes().map(usize::from).sum();
    paint(
        JOB_COLOURS[sum % JOB_COLOURS.len()].on_default(),
        &format!("{name:<24}"),
    )
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// What a process wrote, without the control characters that could move the cursor or change the terminal's title.
/// Colours (`ESC [ … m`) stay.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match rest.strip_prefix("\x1b[") {
            Some(sequence) => {
                2 + sequence
                    .find(|c: char| c.is_ascii_alphabetic())
                    .map_or(0, |end| end + 1)
            }
            None => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        let is_colour = piece.len() > 2 && piece.ends_with('m') && piece.starts_with('\x1b');
        if is_colour || c == '\t' || !c.is_control() {
            out.push_str(piece);
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use anstream::adapter::strip_str;

    use super::*;
    use crate::cronjob::Key;
    use crate::manifest::Diagnostic;

    fn of_a_process(what: What) -> runtime::Event {
        let origin = runtime::Origin {
            namespace: "reports".into(),
            job: Some("nightly-29384400".into()),
            index: None,
            pod: "nightly-29384400-x7k2p".into(),
            container: "main".into(),
            is_alone: true,
        };
        runtime::Event {
            origin: Arc::new(origin),
            at: Timestamp::UNIX_EPOCH,
            what,
        }
    }

    #[test]
    fn an_end_that_nobody_saw_says_why() {
        let event = of_a_process(What::Ended {
            exit_code: 137,
            signal: None,
            unseen: Some("the machine was restarted while the process ran".to_owned()),
        });
        let line = process(&event, "nightly-29384400").unwrap();
        insta::assert_snapshot!(strip_str(&line), @"00:00:00 nightly-29384400         ended, and nobody knows how: the machine was restarted while the process ran");
    }

    #[test]
    fn what_was_left_out_says_where_it_is() {
        let event = of_a_process(What::LeftOut { lines: 123 });
        let lines = [
            process(&event, "nightly-29384400").unwrap(),
            left_out(45),
            CUT_OFF.to_owned(),
        ];
        insta::assert_snapshot!(strip_str(&lines.join("\n")), @r"
        00:00:00 nightly-29384400         … 123 lines not shown, as nobody read them in time; kubectl logs nightly-29384400-x7k2p -n reports -c main has them
        … 45 lines not shown, as nobody read them in time; kubectl get events, kubectl get jobs and kubectl logs have what they said
        … the last lines are not all shown, as nobody read them in time; kubectl logs has them after the next start
        ");
    }

    #[test]
    fn what_is_in_no_namespace_is_called_by_its_name() {
        let called = ["", "default", "reports"].map(|namespace| subject(namespace, "shop"));
        assert_eq!(called, ["shop", "shop", "reports/shop"]);
    }

    /// Two that are called alike are told apart.
    #[test]
    fn what_is_in_another_namespace_is_called_by_it() {
        let lines = |namespace: &str| {
            let origin = runtime::Origin {
                namespace: namespace.into(),
                job: Some("nightly-29384400".into()),
                index: None,
                pod: "nightly-29384400-x7k2p".into(),
                container: "main".into(),
                is_alone: true,
            };
            let at = Timestamp::UNIX_EPOCH;
            let wrote = Happening::Process(runtime::Event {
                origin: Arc::new(origin.clone()),
                at,
                what: What::Line {
                    stream: runtime::Stream::Stdout,
                    text: "hello".into(),
                    ends: true,
                },
            });
            let decided = Happening::Decision(Told {
                cronjob: Key {
                    namespace: namespace.into(),
                    name: "nightly".into(),
                },
                uid: String::new(),
                at,
                note: Note::Suspended,
            });
            let ended = Happening::Ended(Ended {
                at,
                work: origin.work(),
                outcome: Some(Outcome::Succeeded),
                took: TimeDelta::seconds(2),
                why: None,
            });
            let lines = [wrote, decided, ended].map(|it| line(&it, &Naming::default()).unwrap());
            strip_str(&lines.join("\n")).to_string()
        };
        insta::assert_snapshot!([lines("default"), lines("shop")].join("\n"), @r"
        00:00:00 nightly-29384400         | hello
        00:00:00 nightly                  Suspended: nothing is started
        00:00:00 nightly-29384400         succeeded after 2.0 s
        00:00:00 shop/nightly-29384400    | hello
        00:00:00 shop/nightly             Suspended: nothing is started
        00:00:00 shop/nightly-29384400    succeeded after 2.0 s
        ");
    }

    #[test]
    fn a_broken_file_has_something_that_goes_on_where_it_held_something() {
        let said = |goes_on| {
            let diagnosed = Happening::Followed(Followed::Diagnosed {
                file: "cron.d/a.yaml".into(),
                diagnostics: vec![Diagnostic::error("syntax", "this is no manifest")],
                is_broken: true,
                goes_on,
            });
            strip_str(&complaint(&diagnosed).unwrap()).to_string()
        };
        insta::assert_snapshot!([said(true), said(false)].join("\n\n"), @r"
        error: this is no manifest
        cron.d/a.yaml is not taken like this; what it held before goes on

        error: this is no manifest
        cron.d/a.yaml is not taken like this
        ");
    }
}
