//! Who waits for a start, and who goes first (`missed-runs`, `overlap: Queue`, `overlap: Skip`).
//!
//! Without these policies there is no line: at most one instant is to be started, the newest that is due, and it is found
//! anew with every decision. With them, instants wait in order, or are skipped for good, and that has to be remembered; and
//! so has who waits when an instant behind it passes without a run, as somebody asked or by a clock change.
//! It is written down with the status ([`Record`](crate::cronjob::Record)), in the same request that records a start, so
//! an instant is started or skipped once and only once, whenever a controller dies. The common case, one instant that
//! starts when it is due, needs no record.

use chrono::TimeDelta;

use crate::cronjob::Record;
use crate::cronjob::extension::{MissedRuns, Overlap, Policies};
use crate::policy::concurrency::{Admission, Succession};
use crate::policy::missed::{Stretch, Window};
use crate::policy::situation::Decision;
use crate::policy::{MISSED_COUNT_CAP, Note, Ruling, SkipReason, WaitReason};
use crate::schedule::Timestamp;

/// What is started later than this was missed: by then a request has had its time to fail, and another controller its
/// time to take over.
pub const MISSED_AFTER: TimeDelta = TimeDelta::seconds(10);

/// After a start, whoever is next in line waits no longer than this, should no watch show that it has started.
pub const NEXT_AFTER: TimeDelta = TimeDelta::seconds(1);

/// The instants that are to be started.
#[derive(Debug)]
pub(super) struct Line<'a> {
    policies: &'a Policies,
    window: &'a Window<'a>,
    /// Those that nobody could start when they came due, oldest first.
    missed: Vec<Timestamp>,
    /// The others, oldest first.
    prompt: Vec<Timestamp>,
    /// The newest instant that is skipped for good.
    skipped: Option<Timestamp>,
}

impl<'a> Line<'a> {
    /// Who is to be started: what is recorded as waiting, and what has come due since, as `missed-runs` says.
    pub(super) fn form(decision: &mut Decision, policies: &'a Policies, window: &'a Window<'a>) -> Line<'a> {
        let mut line = Line {
            policies,
            window,
            missed: vec![],
            prompt: vec![],
            skipped: None,
        };
        line.recall(decision);
        if !policies.keep_a_line() {
            line.prompt.append(&mut line.missed);
            line.prompt.sort();
            line.prompt.extend(window.newest_due());
            return line;
        }
        line.miss_those_that_could_not_start();
        let seen_since = decision
            .memory
            .seen_since
            .filter(|_| policies.missed_runs == MissedRuns::All);
        let (late, prompt) = window.late_and_prompt(MISSED_AFTER, seen_since);
        match policies.missed_runs {
            MissedRuns::Skip => line.skip(decision, late.count(), late.newest(), SkipReason::Missed),
            MissedRuns::Latest if prompt.newest().is_none() => line.missed.extend(late.newest()),
            MissedRuns::Latest => {}
            MissedRuns::All if policies.overlap.is_none() => line.catch_up(decision, &window.whole()),
            MissedRuns::All => line.catch_up(decision, &late),
        }
        if policies.missed_runs != MissedRuns::All || policies.overlap.is_some() {
            line.prompt.extend(prompt.list());
        }
        line
    }

    /// What the record says, without what has started, passed its starting deadline or was left out meanwhile, and without
    /// what an edit that nobody saw has left no schedule for.
    fn recall(&mut self, decision: &mut Decision) {
        let started = decision.status.last_schedule_time;
        let Record { missed, queue, .. } = &decision.status.record;
        let is_left_out = |at: &Timestamp| self.window.is_left_out(*at);
        let is_over = |at: &Timestamp| !is_left_out(at) && self.window.is_too_late(*at);
        let is_missed = |at: &Timestamp| is_over(at) && !self.window.is_pardoned(*at);
        let waits =
            |at: &&Timestamp| Some(**at) > started && self.window.has_come(**at) && self.window.knows(**at);
        let those = |list: &[Timestamp], are: &dyn Fn(&Timestamp) -> bool| -> Vec<Timestamp> {
            list.iter().filter(waits).filter(|at| are(at)).copied().collect()
        };
        let both = [missed.as_slice(), queue].concat();
        let (too_late, left_out) = (those(&both, &is_missed), those(&both, &is_left_out));
        let is_open = |at: &Timestamp| !is_over(at) && !is_left_out(at);
        (self.missed, self.prompt) = (those(missed, &is_open), those(queue, &is_open));
        decision
            .notes
            .extend(too_late.iter().max().map(|newest| Note::DeadlinePassed {
                count: counted(too_late.len()),
                newest: *newest,
            }));
        self.skip(
            decision,
            counted(left_out.len()),
            left_out.into_iter().max(),
            SkipReason::Asked,
        );
    }

    /// Behind an active run nobody waits with `overlap: Skip`, so what is in the line for long is what could not be started,
    /// and those behind it: they were missed.
    fn miss_those_that_could_not_start(&mut self) {
        if self.policies.overlap == Some(Overlap::Skip) && self.policies.missed_runs == MissedRuns::All {
            let is_late = |at: &Timestamp| self.window.is_late(*at, MISSED_AFTER);
            let (late, prompt): (Vec<_>, Vec<_>) = self.prompt.drain(..).partition(is_late);
            self.missed.extend(late);
            self.prompt = prompt;
        }
    }

    /// All missed instants, up to the limit: the newest.
    fn catch_up(&mut self, decision: &mut Decision, arrivals: &Stretch<'_>) {
        let limit = self.policies.missed_runs_limit;
        let newest = arrivals.newest_of(limit);
        let unlisted = arrivals.count().saturating_sub(counted(newest.len()));
        let newest_unlisted = newest.first().and_then(|oldest| arrivals.newest_before(*oldest));
        self.missed.extend(&newest);
        let too_many = self.missed.len().saturating_sub(limit);
        let pushed_out: Vec<Timestamp> = self.missed.drain(..too_many).collect();
        let newest = newest_unlisted.max(pushed_out.last().copied());
        let reason = SkipReason::BeyondLimit(limit);
        self.skip(decision, unlisted + counted(too_many), newest, reason);
    }

    /// Tells of instants that are not started, for good.
    fn skip(&mut self, decision: &mut Decision, count: u64, newest: Option<Timestamp>, why: SkipReason) {
        let Some(newest) = newest.filter(|_| count > 0) else {
            return;
        };
        self.skipped = self.skipped.max(Some(newest));
        let skipped = Ruling::Skipped { count, newest, why };
        decision.notes.push(Note::Ruled(skipped));
    }

    /// Whoever goes first.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.everybody().min()
    }

    /// The newest of those that wait.
    pub(super) fn newest_but(&self, starting: Option<Timestamp>) -> Option<Timestamp> {
        self.everybody().filter(|at| Some(*at) != starting).max()
    }

    fn everybody(&self) -> impl Iterator<Item = Timestamp> {
        self.missed.iter().chain(&self.prompt).copied()
    }

    /// Where only the newest counts, the others leave the line.
    pub(super) fn close_up(&mut self, decision: &mut Decision, rule: Succession) {
        let newest = match rule {
            Succession::Everyone => return,
            Succession::NewestOfPrompt => self.prompt.last().copied(),
            Succession::Newest => self.everybody().max(),
        };
        let Some(newest_runs) = newest else { return };
        let is_superseded = |at: &Timestamp| *at < newest_runs;
        let mut superseded: Vec<Timestamp> = self.prompt.iter().copied().filter(is_superseded).collect();
        if rule == Succession::Newest {
            superseded.extend(self.missed.iter().copied().filter(is_superseded));
            self.missed.retain(|at| *at >= newest_runs);
        }
        self.prompt.retain(|at| *at >= newest_runs);
        self.skipped = self.skipped.max(superseded.iter().max().copied());
        decision
            .notes
            .extend(superseded.iter().min().map(|oldest| Note::PassedOver {
                count: counted(superseded.len()),
                oldest: *oldest,
                newest_runs,
            }));
    }

    /// Sends away whoever may not wait, for what is active or for what else keeps the first one.
    pub(super) fn send_away(&mut self, decision: &mut Decision, admission: &Admission) {
        let first = self.first();
        let (stays, may_wait, why) = match (self.policies.overlap, admission) {
            // Whether it will be active is not known before it has started.
            (Some(Overlap::Skip), Admission::Start { .. })
            | (Some(Overlap::ReplaceWhenStopped) | None, _) => return,
            (
                Some(Overlap::Skip),
                Admission::Wait {
                    why: WaitReason::Group { .. },
                    ..
                },
            ) => {
                let Some(first) = first else { return };
                (Some(first), 0, SkipReason::Behind(first))
            }
            (Some(Overlap::Skip), Admission::Wait { .. } | Admission::Stop { .. }) => {
                let active = decision.status.active.iter().map(|job| job.name.clone());
                (None, 0, SkipReason::Active(active.collect()))
            }
            (Some(Overlap::Queue), _) => {
                let limit = self.policies.queue_limit;
                let starting = first.filter(|_| admission.is_start());
                (starting, limit, SkipReason::QueueFull(limit))
            }
        };
        let waiting = self.prompt.iter().copied().filter(|at| Some(*at) != stays);
        let away: Vec<Timestamp> = waiting.skip(may_wait).collect();
        self.prompt.retain(|at| !away.contains(at));
        self.skip(decision, counted(away.len()), away.last().copied(), why);
    }

    /// Writes down who waits and who was dealt with, where the schedule alone does not tell.
    pub(super) fn record(&self, decision: &mut Decision, starting: Option<Timestamp>) {
        let Record { missed, queue, .. } = &decision.status.record;
        let arrivals: Vec<Timestamp> = self
            .everybody()
            .filter(|at| !missed.contains(at) && !queue.contains(at))
            .collect();
        let passed_over = match (self.policies.missed_runs, arrivals.iter().min()) {
            (MissedRuns::Latest, Some(oldest)) => self.window.passed_over_before(*oldest),
            _ => vec![],
        };
        // Another controller may be the next to tell of it, or to read a list of what is left out that was tidied up.
        let without_run = self.window.newest_without_run();
        let tells_itself = if self.policies.keep_a_line() {
            let nobody_waits = arrivals.iter().all(|at| Some(*at) == starting);
            nobody_waits && self.skipped < arrivals.first().copied()
        } else {
            missed.is_empty() && queue.is_empty()
        };
        if tells_itself && without_run.is_none() {
            // If the start fails, everything is as before.
            decision
                .once_started
                .extend(passed_over.into_iter().filter(|_| starting.is_some()));
            return;
        }
        decision.notes.extend(passed_over);
        let record = &mut decision.status.record;
        record.missed.clone_from(&self.missed);
        record.queue.clone_from(&self.prompt);
        let newest = arrivals.into_iter().max();
        record.passed = record.passed.max(self.skipped).max(newest).max(without_run);
    }

    /// When to look again at who waits: the next in line follows at once, and a starting deadline may pass.
    pub(super) fn wake(&self, starting: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        if starting.is_none() {
            self.window.deadline_of(self.first()?)
        } else {
            (self.everybody().count() > 1).then(|| now + NEXT_AFTER)
        }
    }

    /// What there is to say of those that wait.
    pub(super) fn waits(&self, behind: Vec<String>, why: WaitReason) -> Option<Note> {
        let scheduled = self.first()?;
        Some(match why {
            WaitReason::Forbid if !self.policies.keep_a_line() => Note::Blocked { scheduled, behind },
            _ => Note::Ruled(Ruling::Waiting {
                scheduled,
                waiting: self.everybody().count(),
                behind,
                why,
            }),
        })
    }
}

fn counted(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(MISSED_COUNT_CAP)
}
