//! Starts that wait for their turn, where there is a limit on how many there are in a second.

use chrono::TimeDelta;

use crate::controller::pace::{Pace, Pacer};
use crate::controller::state::{News, State, Task};
use crate::cronjob::Key;
use crate::policy::Decision;
use crate::schedule::Timestamp;

/// What becomes of the start that a decision asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It asks for none.
    None,
    /// It is sent now.
    UnderWay,
    /// It failed a moment ago and is tried again later.
    Paused,
    /// The start of this instant waits for its turn.
    InTurn(Timestamp),
}

impl State {
    /// From now on runs start at this pace, or as soon as they are due.
    pub(in crate::controller) fn keep_pace(&mut self, pace: Option<Pace>) {
        self.pacer = pace.map(Pacer::new);
    }

    /// Takes the start out of a decision if it has to wait, because it failed a moment ago or for its turn; the rest is
    /// carried out now. When its `turn` has come, that says how long it waited.
    pub(super) fn hold_back(
        &mut self,
        key: &Key,
        decision: &mut Decision,
        turn: Option<TimeDelta>,
        now: Timestamp,
    ) -> Fate {
        let Some(start) = &mut decision.start else {
            if let Some(pacer) = &mut self.pacer {
                pacer.withdraw(key);
            }
            return Fate::None;
        };
        let standing = self.standing.get(key);
        let paused = standing.and_then(|standing| standing.pauses_until(start.scheduled, now));
        let (fate, wake) = match (paused, turn, &mut self.pacer) {
            // Whatever happens to the CronJob's Jobs meanwhile, it is not tried again before its pause is over.
            (Some(again), _, _) => (Fate::Paused, Some(again)),
            (None, None, Some(pacer)) => {
                pacer.ask(key, start.scheduled, now);
                // It is told as missed then, and not when its turn would have come.
                (Fate::InTurn(start.scheduled), start.deadline)
            }
            (None, turn, _) => {
                start.held_back = turn.unwrap_or_default();
                return Fate::UnderWay;
            }
        };
        if let Some(wake) = wake {
            self.wakes.set_at_latest(key, wake);
        }
        decision.start = None;
        decision.replace.clear();
        fate
    }

    /// The starts whose turn has come, each decided on anew.
    pub(super) fn release(&mut self, now: Timestamp, news: &mut Vec<News>) -> Vec<Task> {
        let mut tasks = Vec::new();
        while let Some((key, held_back)) = self.next_turn(now) {
            tasks.extend(self.decide(&key, now, Some(held_back), news));
        }
        tasks
    }

    /// Whether a start of `key` waits for nothing but its turn.
    pub(super) fn waits_for_its_turn(&self, key: &Key) -> bool {
        self.pacer.as_ref().is_some_and(|pacer| pacer.holds(key))
    }

    fn next_turn(&mut self, now: Timestamp) -> Option<(Key, TimeDelta)> {
        let busy = &self.busy;
        self.pacer.as_mut()?.release(now, |key| !busy.contains_key(key))
    }

    /// When the next turn comes.
    pub(super) fn next_release(&self) -> Option<Timestamp> {
        self.pacer
            .as_ref()?
            .next_release(|key| !self.busy.contains_key(key))
    }
}
