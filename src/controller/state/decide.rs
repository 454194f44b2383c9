//! A decision on one CronJob: what has to be known first, what is kept of it, and the task that carries it out.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::controller::fault::soundly;
use crate::controller::retry;
use crate::controller::state::pacing::Fate;
use crate::controller::state::standing::{Attempt, Standing, unaccounted};
use crate::controller::state::{News, State, Task};
use crate::cronjob::{CronJob, Key};
use crate::policy::{Decision, Group, Note, Pruning, Situation};
use crate::schedule::Timestamp;
use crate::submit::{Overtaken, Retry};
use crate::telemetry::Wellbeing;

impl State {
    /// Decides on one CronJob. Its start is held back where there is a pace, unless its turn has come: then `turn` says
    /// how long it waited.
    pub(super) fn decide(
        &mut self,
        key: &Key,
        now: Timestamp,
        turn: Option<TimeDelta>,
        news: &mut Vec<News>,
    ) -> Option<Task> {
        // Whatever it was marked for is taken into account now.
        self.dirty.remove(key);
        if !self.knows(&key.namespace) {
            return None;
        }
        let entry = self.cache.entry(key)?;
        if entry.names_calendars() && !self.calendars_listed.are_complete() {
            return None;
        }
        let cronjob = &entry.cronjob;
        let runs = self.cache.runs(cronjob);
        let standing = self.standing.entry(key.clone()).or_default();
        standing.notice_lost(now);
        let jobs: Vec<_> = unaccounted(&cronjob.status, &runs, Some(standing))
            .cloned()
            .collect();
        if !jobs.is_empty() {
            self.begin_task(key, Pruning::default());
            let key = key.clone();
            return Some(Task::LookUp { key, jobs });
        }
        let situation = Situation {
            cronjob,
            runs: &runs,
            memory: &standing.memory,
        };
        let alone = Group::default();
        let group = self.groups.of(key).unwrap_or(&alone);
        let rules = self.rules;
        let ruled = soundly(|| {
            let decision = rules(situation, group, now);
            let wellbeing = wellbeing(cronjob, &decision, now);
            (decision, wellbeing)
        });
        let (mut decision, wellbeing) = match ruled {
            Ok(ruled) => ruled,
            Err(error) => {
                news.extend(self.broke_down(key, error, now));
                return None;
            }
        };
        let look_at = std::mem::take(&mut decision.look_at);
        let prune = standing.tidying.next_round(&mut decision, now);
        let failing = standing.streak.observe(cronjob, &runs, now);
        let fresh = standing.take_note(cronjob, &decision);
        let wellbeing = Wellbeing {
            failing,
            refused: standing.is_refused(now),
            ..wellbeing
        };
        self.wellbeing.insert(key.clone(), Some(wellbeing));
        news.extend(fresh.into_iter().map(|note| News {
            cronjob: key.clone(),
            uid: cronjob.uid.clone(),
            note,
        }));
        self.wakes.set(key, decision.wake);
        let task = self.submit(key, decision, prune, turn, now);
        self.standing.get_mut(key)?.looks_next = task.is_some() && !look_at.is_empty();
        if task.is_some() || self.shadowing.is_some() || look_at.is_empty() {
            return task;
        }
        self.begin_task(key, Pruning::default());
        let (key, jobs) = (key.clone(), look_at);
        Some(Task::LookAt { key, jobs })
    }

    /// A fault of ours keeps a CronJob from being decided on. It is tried again, when it has changed or after a pause: what it
    /// depends on may be the time. Returns what there is to tell.
    fn broke_down(&mut self, key: &Key, error: String, now: Timestamp) -> Option<News> {
        let (entry, standing) = (self.cache.entry(key)?, self.standing.get_mut(key)?);
        standing.failures += 1;
        standing.waits_for = None;
        let again = now + retry::pause(Retry::Backoff, standing.failures, key);
        standing.patient_until = Some(again);
        let note = Note::Fault { error };
        let told = std::mem::replace(&mut standing.told, vec![note.clone()]);
        let news = News {
            cronjob: key.clone(),
            uid: entry.cronjob.uid.clone(),
            note,
        };
        let held = Wellbeing {
            held: true,
            ..Wellbeing::default()
        };
        self.wellbeing.insert(key.clone(), Some(held));
        self.wakes.set(key, Some(again));
        self.seat(key);
        (!told.contains(&news.note)).then_some(news)
    }

    /// Has a decision carried out, as far as it is to be now; then `prune` may go.
    fn submit(
        &mut self,
        key: &Key,
        mut decision: Decision,
        prune: Pruning,
        turn: Option<TimeDelta>,
        now: Timestamp,
    ) -> Option<Task> {
        if self.only_look_on(key, &decision, now) {
            let starts = decision.start.is_some();
            let fate = if starts { Fate::UnderWay } else { Fate::None };
            self.standing.get_mut(key)?.claim(&decision, fate);
            self.seat(key);
            return None;
        }
        let fate = self.hold_back(key, &mut decision, turn, now);
        self.standing.get_mut(key)?.claim(&decision, fate);
        self.seat(key);
        let (entry, standing) = (self.cache.entry(key)?, self.standing.get_mut(key)?);
        if decision.is_nothing(&entry.cronjob.status) {
            if fate == Fate::None {
                standing.forgive();
            }
            self.begin_round(key, prune, Overtaken::default());
            return None;
        }
        if let Some(start) = &decision.start {
            standing.attempt = Some(Attempt {
                scheduled: start.scheduled,
                deadline: start.deadline,
                again_at: None,
            });
        }
        Some(Task::Submit {
            key: key.clone(),
            object: Arc::clone(&entry.object),
            decision: Box::new(decision),
            overtaken: self.begin_task(key, prune),
        })
    }
}

impl Standing {
    /// Takes note of a decision. Returns what of it is to be told: what was said last time is not said again.
    fn take_note(&mut self, cronjob: &CronJob, decision: &Decision) -> Vec<Note> {
        self.memory = decision.memory.clone();
        self.forget_gone(&cronjob.status);
        if decision.start.is_none() && !decision.notes.iter().any(|note| note.waits_for_group().is_some()) {
            self.refused_since = None;
        }
        let is_fresh = |note: &&Note| !self.told.iter().any(|before| note.repeats(before));
        let fresh = decision.notes.iter().filter(is_fresh).cloned().collect();
        self.told.clone_from(&decision.notes);
        fresh
    }
}

/// How a CronJob is doing, as far as a decision says so.
fn wellbeing(cronjob: &CronJob, decision: &Decision, now: Timestamp) -> Wellbeing {
    Wellbeing {
        suspended: cronjob.is_suspended(now),
        held: decision.notes.iter().any(Note::is_about_unusable),
        expected_success: decision.expected_success,
        last_success: cronjob.status.last_successful_time,
        next_due: cronjob.next_due(now),
        ..Wellbeing::default()
    }
}
