//! Looking on: decisions are compared with what others do, and nothing is carried out.

use crate::controller::shadow::{Finding, Shadow};
use crate::controller::state::State;
use crate::cronjob::{Key, Origin};
use crate::policy::Decision;
use crate::schedule::Timestamp;
use crate::submit::JobView;

/// What looking on takes.
#[derive(Default)]
pub(super) struct Shadowing {
    shadow: Shadow,
    /// Runs that the watch showed since decisions were last asked for.
    started: Vec<(Key, Timestamp)>,
    found: Vec<Finding>,
}

impl State {
    /// From now on nothing is carried out; what is found instead is in [`State::findings`].
    pub(in crate::controller) fn look_on(&mut self) {
        self.shadowing = Some(Shadowing::default());
    }

    /// What was found since this was last asked for.
    pub(in crate::controller) fn findings(&mut self) -> Vec<Finding> {
        let shadowing = self.shadowing.as_mut();
        shadowing
            .map(|shadowing| std::mem::take(&mut shadowing.found))
            .unwrap_or_default()
    }

    /// The watch shows a new Job of `key`.
    pub(super) fn look_at(&mut self, key: &Key, job: &JobView) {
        if let Some(shadowing) = &mut self.shadowing
            && job.run().origin == Origin::Schedule
            && let Some(scheduled) = job.scheduled(&key.name)
        {
            shadowing.started.push((key.clone(), scheduled));
        }
    }

    /// Takes note of a decision instead of having it carried out; false where it is to be carried out.
    pub(super) fn only_look_on(&mut self, key: &Key, decision: &Decision, now: Timestamp) -> bool {
        let Some(Shadowing { shadow, found, .. }) = &mut self.shadowing else {
            return false;
        };
        if let Some(start) = &decision.start {
            shadow.decide(key, start.scheduled, now, found);
        }
        true
    }

    /// Compares what was started meanwhile with what was decided.
    pub(super) fn compare(&mut self, now: Timestamp) {
        let Some(Shadowing {
            shadow,
            started,
            found,
        }) = &mut self.shadowing
        else {
            return;
        };
        for (key, scheduled) in std::mem::take(started) {
            shadow.see(&key, scheduled, now, found);
        }
        shadow.give_up(now, found);
    }

    /// When there is something to compare although nothing happens.
    pub(super) fn next_comparison(&self) -> Option<Timestamp> {
        self.shadowing.as_ref()?.shadow.next()
    }

    /// The CronJob is gone.
    pub(super) fn look_away(&mut self, key: &Key) {
        if let Some(shadowing) = &mut self.shadowing {
            shadowing.shadow.forget(key);
        }
    }
}
