//! What was asked?
//!
//! A [`CronJob`] as the policy sees it: what its owner wrote ([`Spec`]), what is recorded of it ([`Status`]), and
//! the Jobs that were started for it ([`Run`]). What goes beyond `batch/v1` stands in annotations ([`extension`]). These
//! are plain values. Where they come from (YAML, a watch, a test) is the business of the parts after this one.

pub mod extension;

mod calendars;
mod name;
mod pod_labels;
mod record;
mod run;
mod spec;

pub use calendars::{CalendarPlaces, Calendars};
pub use name::{LONGEST_JOB_NAME, rerun_name, run_name, scheduled_by_name};
pub use pod_labels::{CONTROLLER_UID_LABEL, JOB_NAME_LABEL, pod_labels};
pub use record::{BadRecord, Record};
pub use run::{Origin, Outcome, Run, RunState};
pub use spec::{BadSchedule, Concurrency, CronJob, HistoryLimits, JobRef, Key, Owner, Spec, Status};
