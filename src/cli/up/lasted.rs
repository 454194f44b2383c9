//! How long work took that ended while no `up` was there: until its last process ended, which is recorded, and not until
//! somebody looked again.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::cli::up::happening::Happening;
use crate::schedule::Timestamp;
use crate::standalone::runtime::{What, Work};

/// When those ended that nobody saw end.
#[derive(Debug)]
pub(super) struct Lasted {
    /// Since when this `up` is there.
    since: Timestamp,
    /// When the last process of some work ended before that.
    ends: BTreeMap<Work, Timestamp>,
}

impl Lasted {
    /// For an `up` that is there since then.
    pub(super) fn since(since: Timestamp) -> Self {
        Lasted {
            since,
            ends: BTreeMap::new(),
        }
    }

    /// Takes in what happens, in its order, and sets right how long what has ended took.
    pub(super) fn hear(&mut self, happening: &mut Happening) {
        match happening {
            Happening::Process(event) => match event.what {
                What::Ended { .. } if event.at < self.since => {
                    self.ends.insert(event.origin.work(), event.at);
                }
                // It goes on, and ends while somebody looks.
                What::Started { .. } | What::NotStarted { .. } | What::Ended { .. } => {
                    self.ends.remove(&event.origin.work());
                }
                What::Line { .. }
                | What::LeftOut { .. }
                | What::Unread { .. }
                | What::Unseen { .. }
                | What::RestartsAfter { .. } => {}
            },
            Happening::Ended(ended) => {
                if let Some(at) = self.ends.remove(&ended.work) {
                    // Its start is recorded to the second, so nothing finer can be said.
                    let began = ended.at - ended.took;
                    let seconds = at.timestamp() - began.timestamp();
                    ended.took = TimeDelta::seconds(seconds.max(0));
                }
            }
            Happening::Decision(_) | Happening::Followed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cli::up::happening::Ended;
    use crate::cronjob::Outcome;
    use crate::standalone::runtime::{Event, Origin, WorkKind};

    const ENDED: What = What::Ended {
        exit_code: 0,
        signal: None,
        unseen: None,
    };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(millis).unwrap()
    }

    fn process(pod: &str, millis: i64, what: What) -> Happening {
        let origin = Origin {
            namespace: "default".into(),
            job: Some("work".into()),
            index: None,
            pod: pod.into(),
            container: "main".into(),
            is_alone: true,
        };
        Happening::Process(Event {
            origin: Arc::new(origin),
            at: at(millis),
            what,
        })
    }

    /// What is said of work that began at second 100, after these events, seen to be at its end at 190.5 by an `up` that is
    /// there since 180.
    fn took(events: impl IntoIterator<Item = Happening>) -> TimeDelta {
        let mut lasted = Lasted::since(at(180_000));
        for mut event in events {
            lasted.hear(&mut event);
        }
        let mut happening = Happening::Ended(Ended {
            at: at(190_500),
            work: Work {
                kind: WorkKind::Job,
                namespace: "default".into(),
                name: "work".into(),
            },
            outcome: Some(Outcome::Succeeded),
            took: at(190_500) - at(100_000),
            why: None,
        });
        lasted.hear(&mut happening);
        assert!(lasted.ends.is_empty());
        let Happening::Ended(ended) = happening else {
            panic!("it is an end");
        };
        ended.took
    }

    #[test]
    fn work_that_ended_unseen_took_until_its_last_process_ended() {
        let as_seen = TimeDelta::milliseconds(90_500);
        assert_eq!(took([]), as_seen);
        assert_eq!(took([process("a", 103_400, ENDED)]), TimeDelta::seconds(3));
        let one_after_the_other = [process("a", 103_400, ENDED), process("b", 108_000, ENDED)];
        assert_eq!(took(one_after_the_other), TimeDelta::seconds(8));
        let seen = [process("a", 103_400, ENDED), process("b", 181_000, ENDED)];
        assert_eq!(took(seen), as_seen);
        let again = [
            process("a", 103_400, ENDED),
            process("b", 181_000, What::Started { pid: 7 }),
        ];
        assert_eq!(took(again), as_seen);
        assert_eq!(
            took([process("a", 99_000, ENDED)]),
            TimeDelta::zero(),
            "a clock was put back"
        );
    }
}
