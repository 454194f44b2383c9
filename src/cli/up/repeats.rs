//! What need not be said again at once: why a CronJob can't be started. It is tried again and again, on a full disk several
//! times a second, and each time it is told.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::cli::up::happening::Happening;
use crate::cronjob::Key;
use crate::policy::Note;
use crate::schedule::Timestamp;

/// How often the same is said, to people who have to act in the end.
const SAY_EVERY: TimeDelta = TimeDelta::minutes(10);

/// What was said a short while ago, and when, of each CronJob that can't be started.
#[derive(Debug, Default)]
pub(super) struct Repeats(HashMap<Key, (String, Timestamp)>);

impl Repeats {
    /// Whether the same was said a short while ago; what is not is taken for said now.
    pub(super) fn hold(&mut self, happening: &Happening) -> bool {
        let Happening::Decision(told) = happening else {
            return false;
        };
        match &told.note {
            Note::StartFailed { error, .. } => {
                // A clock that is put back makes nobody wait longer.
                self.0.retain(|_, (_, at)| (told.at - *at).abs() < SAY_EVERY);
                let said = self.0.get(&told.cronjob);
                let is_said = said.is_some_and(|(said, _)| said == error);
                if !is_said {
                    self.0.insert(told.cronjob.clone(), (error.clone(), told.at));
                }
                is_said
            }
            Note::Started { .. } => {
                self.0.remove(&told.cronjob);
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Told;

    const FULL: &str = "the disk is full";

    fn decision(cronjob: &str, second: i64, note: Note) -> Happening {
        Happening::Decision(Told {
            at: Timestamp::from_timestamp(second, 0).unwrap(),
            cronjob: Key {
                namespace: "default".into(),
                name: cronjob.into(),
            },
            uid: cronjob.into(),
            note,
        })
    }

    fn failed(cronjob: &str, second: i64, error: &str) -> Happening {
        let note = Note::StartFailed {
            job: format!("{cronjob}-{second}"),
            scheduled: Timestamp::UNIX_EPOCH,
            error: error.into(),
        };
        decision(cronjob, second, note)
    }

    fn started(cronjob: &str, second: i64) -> Happening {
        let note = Note::Started {
            job: format!("{cronjob}-{second}"),
            scheduled: Timestamp::UNIX_EPOCH,
            lateness: TimeDelta::zero(),
            held_back: TimeDelta::zero(),
            waited: false,
        };
        decision(cronjob, second, note)
    }

    #[test]
    fn the_same_is_said_of_a_cronjob_once_in_a_while_until_it_starts() {
        let mut repeats = Repeats::default();
        for (happening, is_said) in [
            (failed("a", 0, FULL), true),
            (failed("a", 0, FULL), false),
            (failed("b", 0, FULL), true),
            (failed("a", 1, "the store failed"), true),
            (failed("a", 2, FULL), true),
            (failed("a", 601, FULL), false),
            (failed("a", 602, FULL), true),
            (started("a", 603), true),
            (failed("a", 604, FULL), true),
            (failed("a", -3_600, FULL), true),
        ] {
            assert_eq!(!repeats.hold(&happening), is_said, "{happening:?}");
        }
        assert_eq!(repeats.0.len(), 1, "what was said long ago is forgotten");
    }
}
