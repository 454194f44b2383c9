//! What it came to: the counts that are shown at the end.

use std::collections::BTreeMap;

use crate::cli::up::happening::Happening;
use crate::cronjob::Outcome;
use crate::policy::Note;

/// The counts of one `up`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) started: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    /// Runs that were due and did not start, by reason.
    pub(super) skipped: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Counts what happened.
    pub(super) fn count(&mut self, happening: &Happening) {
        match happening {
            Happening::JobEnded(ended) => match ended.outcome {
                Outcome::Succeeded => self.succeeded += 1,
                Outcome::Failed => self.failed += 1,
            },
            Happening::Decision(told) => self.count_note(&told.note),
            Happening::Process(_) => {}
        }
    }

    fn count_note(&mut self, note: &Note) {
        let (why, count) = match note {
            Note::Started { .. } => {
                self.started += 1;
                return;
            }
            Note::PassedOver { count, .. } => ("a newer run took their place", *count),
            Note::DeadlinePassed { count, .. } => ("the starting deadline passed", *count),
            Note::NameTaken { .. } => ("another job has the name", 1),
            _ => return,
        };
        *self.skipped.entry(why).or_default() += count;
    }

    /// All runs that were due and did not start.
    pub(super) fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }
}
