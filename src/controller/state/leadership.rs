//! What changes when another controller leads, or this one does.

use crate::controller::queue::DueQueue;
use crate::controller::state::State;
use crate::controller::state::groups::Claim;
use crate::controller::state::tidying::Tidying;
use crate::cronjob::Key;
use crate::policy::Note;
use crate::schedule::Timestamp;

impl State {
    /// In place of [`State::ready`] while another controller leads: nothing is decided or told, but what has to be
    /// known to take over is noticed.
    pub(in crate::controller) fn stand_by(&mut self, now: Timestamp) {
        // What is wrong with an object stays wrong, and is told by whoever leads; the rest is the leader's news.
        self.noticed.retain(|news| {
            matches!(
                news.note,
                Note::BadAnnotation { .. } | Note::Malformed { .. } | Note::NotUnderstood { .. }
            )
        });
        self.edited.clear();
        for key in std::mem::take(&mut self.dirty) {
            let Some(entry) = self.cache.entry(&key) else {
                continue;
            };
            let standing = self.standing.entry(key).or_default();
            standing.notice_edit(&entry.cronjob, now);
            standing.notice_lost(now);
            standing.forget_gone(&entry.cronjob.status);
        }
    }

    /// From now on this controller leads: everything is decided anew.
    pub(in crate::controller) fn take_over(&mut self) {
        self.dirty = self.cache.keys().cloned().collect();
    }

    /// Nothing is decided any more, and what is under way is waited for: deletions end with the one that was sent.
    pub(in crate::controller) fn stop(&mut self) {
        for standing in self.standing.values() {
            standing.tidying.overtake();
        }
    }

    /// From now on another controller leads; what was under way has been given up.
    pub(in crate::controller) fn step_down(&mut self) {
        self.busy.clear();
        self.rounds.clear();
        for standing in self.standing.values_mut() {
            standing.claim = Claim::None;
            standing.waits_for = None;
            standing.refused_since = None;
            standing.tidying = Tidying::default();
        }
        self.wakes = DueQueue::default();
        if let Some(pacer) = &mut self.pacer {
            pacer.clear();
        }
        let everybody: Vec<Key> = self.cache.keys().cloned().collect();
        for key in &everybody {
            self.seat(key);
        }
        self.dirty = everybody.into_iter().collect();
    }
}
