//! The register: every annotation that Punctual knows.

use super::mistake::{ExtensionError, Fault, Meanwhile, Problem};
use super::{ANNOTATION_PREFIX, Extensions};
use super::{clock_changes, exclude, expected, failures, group, hand_over, hindsight, jitter, missed_runs};
use super::{overlap, pause, pending, runtime, schedules, state, tooling, window};
use crate::cronjob::Key;
use crate::schedule::distance;

/// An annotation that Punctual knows.
#[derive(Debug)]
pub struct Extension {
    /// Its whole name, such as `punctual.dev/schedules`.
    pub name: &'static str,
    /// What it may say, for people.
    pub values: &'static str,
    /// What holds without it, for people.
    pub default: &'static str,
    /// What it is for, in a sentence.
    pub doc: &'static str,
    /// What is done while its value is wrong.
    pub meanwhile: Meanwhile,
    /// Takes a value in, or says what is wrong with it.
    pub(super) read: fn(&str, &Key, &mut Extensions) -> Result<(), Vec<Fault>>,
}

/// Every annotation there is, in the order in which they are read and explained. What others depend on comes before them.
pub static REGISTER: [Extension; 32] = [
    hand_over::MANAGED,
    hand_over::SUSPEND,
    pause::SUSPEND_UNTIL,
    pause::SUSPEND_REASON,
    pause::SKIP,
    schedules::DIALECT,
    schedules::SCHEDULES,
    window::START_AT,
    window::END_AT,
    exclude::EXCLUDE,
    exclude::ON_EXCLUDED,
    clock_changes::CLOCK_GAP,
    clock_changes::CLOCK_REPEAT,
    jitter::JITTER,
    missed_runs::MISSED_RUNS,
    missed_runs::MISSED_RUNS_LIMIT,
    overlap::OVERLAP,
    overlap::QUEUE_LIMIT,
    overlap::MAX_ACTIVE,
    pending::PENDING_DEADLINE,
    group::GROUP,
    group::GROUP_SLOTS,
    group::PRIORITY,
    hindsight::ON_RESUME,
    hindsight::ON_EDIT,
    failures::SUSPEND_AFTER_FAILURES,
    failures::SUSPENDED,
    expected::EXPECTED_WITHIN,
    state::STATE,
    tooling::LINT_IGNORE,
    tooling::APPLIED_FROM,
    runtime::RUNTIME,
];

/// Names further from a known one than this many letters are not taken for it.
const MEANT_WITHIN: usize = 3;

/// The annotation of this name.
pub(super) fn find(name: &str) -> Option<&'static Extension> {
    REGISTER.iter().find(|extension| extension.name == name)
}

/// What is said of an annotation that is not in the register.
pub(super) fn unknown(name: &str, value: &str) -> ExtensionError {
    let nearest = REGISTER
        .iter()
        .map(|known| (distance(name, known.name), known.name))
        .min();
    let meant = nearest.filter(|(letters, _)| *letters <= MEANT_WITHIN);
    ExtensionError {
        name: name.to_owned(),
        value: value.to_owned(),
        span: 0..value.len(),
        problem: Problem::Unknown {
            meant: meant.map(|(_, name)| name),
        },
        meanwhile: Meanwhile::Default("it has no effect"),
    }
}

impl Extension {
    /// Its name without `punctual.dev/`.
    pub fn short_name(&self) -> &'static str {
        self.name.strip_prefix(ANNOTATION_PREFIX).unwrap_or(self.name)
    }

    /// Takes a value in, and says what is wrong with it.
    pub(super) fn read(&self, value: &str, cronjob: &Key, extensions: &mut Extensions) -> Vec<Fault> {
        (self.read)(value, cronjob, extensions).err().unwrap_or_default()
    }

    pub(super) fn mistake(&self, value: &str, fault: Fault) -> ExtensionError {
        let meanwhile = match fault.problem {
            Problem::Needs { .. } => Meanwhile::Default("nothing comes of it"),
            _ => self.meanwhile,
        };
        ExtensionError {
            name: self.name.to_owned(),
            value: value.to_owned(),
            span: fault.span,
            problem: fault.problem,
            meanwhile,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ours_and_there_is_one_of_each() {
        for extension in &REGISTER {
            assert!(
                extension.name.starts_with(ANNOTATION_PREFIX),
                "{}",
                extension.name
            );
            let of_that_name = REGISTER.iter().filter(|other| other.name == extension.name);
            assert_eq!(of_that_name.count(), 1, "{}", extension.name);
        }
    }
}
