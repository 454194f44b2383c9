//! What a CronJob asks for beyond `batch/v1`: the annotations under `punctual.dev/`.
//!
//! They stand on plain CronJobs, so a manifest still works, reduced, on any cluster. Each is opt-in: a CronJob without
//! them is run as Kubernetes runs it. [`Extensions::read`] turns the annotations of an object into values, once, where a
//! manifest is lowered; nobody else looks at their text.
//!
//! | file | what it is for |
//! |---|---|
//! | `register` | every annotation there is: its name, what it may say, what it is for |
//! | `mistake` | what is wrong with a value, where, what to write, and what is done meanwhile |
//! | `word` | how values are written: choices, numbers, durations, instants |
//! | `policies` | what the policies come to, for those who decide |
//! | the others | one annotation each, or those that make sense together: type, parsing, documentation, tests |
//!
//! A mistake is never a silent default. Where the default of Kubernetes would start runs that the annotation was written
//! to move or to prevent, nothing is started until it is mended ([`Meanwhile::Held`]).

mod clock_changes;
mod exclude;
mod expected;
mod failures;
mod group;
mod hand_over;
mod hindsight;
mod jitter;
mod missed_runs;
mod mistake;
mod overlap;
mod pause;
mod pending;
mod policies;
mod register;
mod runtime;
mod schedules;
mod state;
mod tooling;
mod window;
mod word;

pub use exclude::{CALENDAR_LABEL, no_calendar};
pub use failures::SUSPENDED_ANNOTATION;
pub use group::Membership;
pub use hand_over::is_managed;
pub use hindsight::Hindsight;
pub use missed_runs::MissedRuns;
pub use mistake::{ExtensionError, Meanwhile, Problem};
pub use overlap::Overlap;
pub use pause::{SKIP_ANNOTATION, SUSPEND_REASON_ANNOTATION, SUSPEND_UNTIL_ANNOTATION};
pub use policies::Policies;
pub use register::{Extension, REGISTER};
pub use runtime::Runtime;
pub use schedules::DIALECT_ANNOTATION;
pub use state::STATE_ANNOTATION;
pub use tooling::APPLIED_FROM_ANNOTATION;

use crate::cronjob::Key;
use crate::schedule::{Dialect, Expression, Timestamp};

/// What the names of all our annotations begin with.
pub const ANNOTATION_PREFIX: &str = "punctual.dev/";

/// What the annotations of a CronJob say, defaults applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extensions {
    /// `managed`: Punctual runs it beside the built-in controller.
    pub managed: bool,
    /// `suspend`: the pause of a CronJob that is `managed`.
    pub paused: bool,
    /// `suspend-until`: when a pause ends by itself.
    pub paused_until: Option<Timestamp>,
    /// `suspend-reason`: why there is one.
    pub pause_reason: Option<String>,
    /// `skip`: instants that are not started.
    pub skip: Vec<Timestamp>,
    /// `dialect`: what `schedules` are written in.
    pub dialect: Dialect,
    /// `schedules`, which win over `spec.schedule`.
    pub schedules: Option<Vec<Expression>>,
    /// What decisions are made by.
    pub policies: Policies,
}

impl Default for Extensions {
    /// A CronJob without annotations.
    fn default() -> Self {
        Extensions {
            managed: false,
            paused: false,
            paused_until: None,
            pause_reason: None,
            skip: vec![],
            dialect: Dialect::Extended,
            schedules: None,
            policies: Policies::default(),
        }
    }
}

impl Extensions {
    /// Reads the annotations of a CronJob, ours and others', and says what is wrong with ours, in the order of the
    /// [`REGISTER`]; those that are not known come last.
    pub fn read<'a>(
        cronjob: &Key,
        annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> (Extensions, Vec<ExtensionError>) {
        let ours: Vec<(&str, &str)> = annotations
            .into_iter()
            .filter(|(name, _)| name.starts_with(ANNOTATION_PREFIX))
            .collect();
        let (mut extensions, mut mistakes) = (Extensions::default(), Vec::new());
        if ours.is_empty() {
            return (extensions, mistakes);
        }
        for extension in &REGISTER {
            let Some((_, value)) = ours.iter().find(|(name, _)| *name == extension.name) else {
                continue;
            };
            let faults = extension.read(value, cronjob, &mut extensions);
            mistakes.extend(faults.into_iter().map(|fault| extension.mistake(value, fault)));
        }
        let unknown = ours.iter().filter(|(name, _)| register::find(name).is_none());
        mistakes.extend(unknown.map(|(name, value)| register::unknown(name, value)));
        (extensions, mistakes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_our_annotations_is_as_kubernetes_has_it() {
        let others = [
            ("kubectl.kubernetes.io/restartedAt", "x"),
            ("punctual.device/x", "y"),
        ];
        let read = Extensions::read(&key(), others);
        assert_eq!(read, (Extensions::default(), vec![]));
    }

    #[test]
    fn a_name_that_is_not_known_is_told_and_so_is_what_was_meant() {
        insta::assert_snapshot!(said(&[("punctual.dev/shedules", "0 9 * * *")]), @"annotation punctual.dev/shedules is not known (was punctual.dev/schedules meant?). Until then it has no effect");
        insta::assert_snapshot!(said(&[("punctual.dev/colour", "blue")]), @"annotation punctual.dev/colour is not known. Until then it has no effect");
    }

    /// What is said of some annotations, a line each.
    pub(super) fn said(annotations: &[(&str, &str)]) -> String {
        let (_, mistakes) = Extensions::read(&key(), annotations.iter().copied());
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    /// What an annotation of this name and value comes to.
    pub(super) fn read(annotations: &[(&str, &str)]) -> Extensions {
        let (extensions, mistakes) = Extensions::read(&key(), annotations.iter().copied());
        assert_eq!(mistakes, [], "{annotations:?}");
        extensions
    }

    fn key() -> Key {
        Key {
            namespace: "shop".into(),
            name: "report".into(),
        }
    }
}
