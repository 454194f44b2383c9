//! One CronJob of a simulation: its runs, and what is decided about it.

use chrono::TimeDelta;

use crate::cronjob::{CronJob, JobRef, Origin, Outcome, Run, RunState};
use crate::foresight::{End, Happening, Life, What};
use crate::policy::{
    Decision, Deletion, DeletionOutcome, DeletionResult, Group, Memory, NEXT_AFTER, Note, Situation, Start,
    StartResult, decide_in_group, settle, tell_pruned,
};
use crate::schedule::Timestamp;

/// Whom what happens is shown to.
pub(super) type See<'a> = &'a mut dyn FnMut(&Happening<'_>);

/// One CronJob of a simulation.
pub(super) struct Member {
    pub(super) number: usize,
    pub(super) cronjob: CronJob,
    pub(super) life: Life,
    pub(super) runs: Vec<Run>,
    pub(super) memory: Memory,
    /// The notes of the last decision: what is said again at once is not told again.
    pub(super) told: Vec<Note>,
    /// How many runs were started so far.
    started: u64,
    /// When it is to be decided on next; entries of the queue for other moments are out of date.
    pub(super) wake: Option<Timestamp>,
}

/// A run that was started: when it will end, and how.
pub(super) struct Begun {
    pub(super) uid: String,
    pub(super) after: TimeDelta,
    pub(super) end: End,
}

impl Member {
    pub(super) fn new(number: usize, cronjob: CronJob, life: Life) -> Member {
        Member {
            number,
            cronjob,
            life,
            runs: vec![],
            memory: Memory::default(),
            told: vec![],
            started: 0,
            wake: None,
        }
    }

    /// A controller that was just started knows only what is recorded.
    pub(super) fn forget(&mut self) {
        self.memory = Memory::default();
        self.told.clear();
    }

    /// Decides once and carries it out, without failure; whether there may be more to do at this moment.
    pub(super) fn decide(
        &mut self,
        group: &Group,
        now: Timestamp,
        begun: &mut Vec<Begun>,
        see: See<'_>,
    ) -> bool {
        let decision = decide_in_group(
            Situation {
                cronjob: &self.cronjob,
                runs: &self.runs,
                memory: &self.memory,
            },
            group,
            now,
        );
        let told = &self.told;
        let is_fresh = |note: &&Note| !told.iter().any(|before| note.repeats(before));
        for note in decision.notes.iter().filter(is_fresh) {
            self.show(now, What::Noted(note), see);
        }
        self.wake = decision.wake;
        if !decision.is_nothing(&self.cronjob.status) {
            self.carry_out(&decision, now, begun, see);
        }
        let may_be_more = frees_the_way(&decision, now);
        self.told = decision.notes;
        self.memory = decision.memory;
        may_be_more
    }

    /// In the order of [`Submitter::carry_out`](crate::submit::Submitter): the run, the history, the status.
    fn carry_out(&mut self, decision: &Decision, now: Timestamp, begun: &mut Vec<Begun>, see: See<'_>) {
        let mut deleted = Vec::new();
        for replaced in &decision.replace {
            self.end_for_next(replaced, End::Replaced, now, see);
            deleted.push(self.delete(replaced));
        }
        let result = decision.start.as_ref().map(|start| self.start(start, now, begun));
        for stopped in &decision.stop {
            self.end_for_next(stopped, End::Stopped, now, see);
            deleted.push(self.delete(stopped));
        }
        let (status, mut notes) = settle(decision, &deleted, result);
        self.cronjob.status = status;
        let pruned: Vec<DeletionResult> = decision
            .prune
            .jobs
            .iter()
            .map(|pruned| self.delete(pruned))
            .collect();
        notes.extend(tell_pruned(&decision.prune, &pruned));
        for note in &notes {
            self.show(now, What::Noted(note), see);
        }
    }

    fn start(&mut self, start: &Start, now: Timestamp, begun: &mut Vec<Begun>) -> StartResult {
        if let Some(run) = self.runs.iter().find(|run| run.name == start.name) {
            return match run.origin {
                Origin::Schedule | Origin::Backfill => StartResult::AlreadyStarted {
                    active: run.is_active().then(|| JobRef::from(run)),
                },
                Origin::Manual => StartResult::NameTaken,
            };
        }
        let job = JobRef::from(self.begin(start.name.clone(), Origin::Schedule, now, begun));
        StartResult::Started { job, at: now }
    }

    /// A run begins.
    pub(super) fn begin(
        &mut self,
        name: String,
        origin: Origin,
        now: Timestamp,
        begun: &mut Vec<Begun>,
    ) -> &Run {
        self.started += 1;
        let uid = format!("{}-{}", self.number, self.started);
        if let Some((after, end)) = self.life.ending(self.started) {
            let uid = uid.clone();
            begun.push(Begun { uid, after, end });
        }
        self.runs.push(Run {
            name,
            uid,
            resource_version: String::new(),
            origin,
            state: RunState::Active,
            started: Some(now),
            began: true,
            deleting: false,
        });
        &self.runs[self.runs.len() - 1]
    }

    /// A run ends by itself; whether it was still there and active.
    pub(super) fn end(&mut self, uid: &str, end: End, now: Timestamp, see: See<'_>) -> bool {
        let Some(run) = self.runs.iter_mut().find(|run| run.uid == uid && run.is_active()) else {
            return false;
        };
        let outcome = end.outcome();
        run.state = RunState::Finished {
            outcome,
            completed: (outcome == Outcome::Succeeded).then_some(now),
        };
        let (job, after) = (
            run.name.clone(),
            run.started.map_or(TimeDelta::zero(), |at| now - at),
        );
        self.show(
            now,
            What::Ended {
                job: &job,
                after,
                end,
            },
            see,
        );
        true
    }

    fn end_for_next(&self, deletion: &Deletion, end: End, now: Timestamp, see: See<'_>) {
        let active = self
            .runs
            .iter()
            .find(|run| run.uid == deletion.uid && run.is_active());
        if let Some(run) = active {
            let after = run.started.map_or(TimeDelta::zero(), |at| now - at);
            let job = run.name.as_str();
            self.show(now, What::Ended { job, after, end }, see);
        }
    }

    fn delete(&mut self, deletion: &Deletion) -> DeletionResult {
        let outcome = if self.remove(&deletion.uid) {
            DeletionOutcome::Deleted
        } else {
            DeletionOutcome::WasGone
        };
        DeletionResult {
            deletion: deletion.clone(),
            outcome,
        }
    }

    /// A Job is gone; whether it was there.
    pub(super) fn remove(&mut self, uid: &str) -> bool {
        let before = self.runs.len();
        self.runs.retain(|run| run.uid != uid);
        self.runs.len() < before
    }

    fn show(&self, at: Timestamp, what: What<'_>, see: See<'_>) {
        see(&Happening {
            at,
            cronjob: &self.cronjob.key,
            number: self.number,
            what,
        });
    }
}

/// Whether a decision, carried out, lets others start that wait for their turn: those behind a run that is stopped, and
/// whoever is next in line behind one that starts, for whom it wants to be asked again soon.
fn frees_the_way(decision: &Decision, now: Timestamp) -> bool {
    let is_soon = |wake: &Timestamp| *wake <= now + NEXT_AFTER;
    !decision.stop.is_empty() || (decision.start.is_some() && decision.wake.as_ref().is_some_and(is_soon))
}
