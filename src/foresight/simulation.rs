//! Simulated time: what will happen next, and the CronJobs that it happens to.
//!
//! Nothing is waited for and nothing is asked over a network.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::cronjob::{CronJob, Key, Origin, Run};
use crate::foresight::groups::Groups;
use crate::foresight::member::{Begun, Member, See};
use crate::foresight::{End, Life};
use crate::policy::CLOCK_SLACK;
use crate::schedule::Timestamp;

/// How often one CronJob is decided on at one moment. Runs are started one at a time, so there can be several decisions;
/// more than these would be a fault of ours, and must not become an endless loop.
const DECISIONS_AT_ONCE: usize = 1_000;

/// CronJobs, a clock and a controller, all of them imagined.
pub struct Simulation {
    /// How much time has passed, by a clock that nobody sets.
    time: Timestamp,
    /// How far the wall clock, by which everybody goes, is ahead of it.
    ahead: TimeDelta,
    controller_runs: bool,
    pub(super) members: Vec<Member>,
    pub(super) numbers: BTreeMap<Key, usize>,
    /// Who shares slots with whom.
    pub(super) groups: Groups,
    /// When to decide on whom, by the wall clock.
    pub(super) wakes: BTreeSet<(Timestamp, usize)>,
    /// What becomes of runs, by the time that passes; those of one moment in the order in which they were foreseen.
    fates: BTreeMap<(Timestamp, u64), Fate>,
    foreseen: u64,
}

/// What becomes of a run.
struct Fate {
    number: usize,
    uid: String,
    what: What,
}

enum What {
    Ends(End),
    /// Its Job is deleted, for its `ttlSecondsAfterFinished`.
    Expires,
}

impl Simulation {
    /// A simulation in which it is `now`, with a controller that has nothing to do.
    pub fn starting_at(now: Timestamp) -> Simulation {
        Simulation {
            time: now,
            ahead: TimeDelta::zero(),
            controller_runs: true,
            members: vec![],
            numbers: BTreeMap::new(),
            groups: Groups::default(),
            wakes: BTreeSet::new(),
            fates: BTreeMap::new(),
            foreseen: 0,
        }
    }

    /// What the wall clock reads.
    pub fn now(&self) -> Timestamp {
        self.time + self.ahead
    }

    /// The CronJobs, by name.
    pub fn cronjobs(&self) -> impl Iterator<Item = &CronJob> {
        self.numbers.values().map(|number| &self.members[*number].cronjob)
    }

    /// The CronJob of a name, if it is there.
    pub fn cronjob(&self, key: &Key) -> Option<&CronJob> {
        self.numbers.get(key).map(|number| &self.members[*number].cronjob)
    }

    /// How long the runs of a CronJob go on, if that is known.
    pub fn run_time(&self, key: &Key) -> Option<TimeDelta> {
        let number = self.numbers.get(key)?;
        self.members[*number].life.length()
    }

    /// Adds a CronJob whose runs have the given life, in place of one that has its name.
    pub fn add(&mut self, cronjob: CronJob, life: Life) {
        self.delete(&cronjob.key.clone());
        let number = self.members.len();
        self.numbers.insert(cronjob.key.clone(), number);
        self.groups.enter(number, &cronjob);
        self.members.push(Member::new(number, cronjob, life));
        self.mark(number);
    }

    /// Changes what the owner of a CronJob wrote, or how its runs go; false when it is not there.
    pub fn edit(&mut self, key: &Key, change: impl FnOnce(&mut CronJob, &mut Life)) -> bool {
        let Some(number) = self.numbers.get(key).copied() else {
            return false;
        };
        self.mark_waiting(number);
        let member = &mut self.members[number];
        self.groups.leave(number, &member.cronjob);
        change(&mut member.cronjob, &mut member.life);
        self.groups.enter(number, &member.cronjob);
        self.mark(number);
        true
    }

    /// Deletes a CronJob with its Jobs; false when it is not there.
    pub fn delete(&mut self, key: &Key) -> bool {
        let Some(number) = self.numbers.remove(key) else {
            return false;
        };
        self.wake(number, None);
        self.groups.leave(number, &self.members[number].cronjob);
        self.members[number].runs.clear();
        true
    }

    /// The controller is killed.
    pub fn stop_controller(&mut self) {
        self.controller_runs = false;
    }

    /// A controller is started in place of the one that runs, if one does. It knows only what is recorded.
    pub fn restart_controller(&mut self) {
        self.controller_runs = true;
        let numbers: Vec<usize> = self.numbers.values().copied().collect();
        for number in numbers {
            self.members[number].forget();
            self.mark(number);
        }
    }

    /// Somebody sets the wall clock. No time passes.
    pub fn step_clock(&mut self, by: TimeDelta) {
        self.ahead += by;
        // As the controller does: wake-ups that were computed by a clock that was ahead would come late by as much.
        if by < -CLOCK_SLACK {
            let numbers: Vec<usize> = self.numbers.values().copied().collect();
            for number in numbers {
                self.mark(number);
            }
        }
    }

    /// Somebody other than the controller starts a run of a CronJob; false when the CronJob is not there.
    pub fn start_job(&mut self, of: &Key, job: &str, origin: Origin) -> bool {
        let Some(number) = self.numbers.get(of).copied() else {
            return false;
        };
        let mut begun = vec![];
        let now = self.now();
        self.members[number].begin(job.to_owned(), origin, now, &mut begun);
        self.foresee(number, begun);
        self.mark(number);
        true
    }

    /// The Jobs that there are, with their CronJobs.
    pub fn jobs(&self) -> impl Iterator<Item = (&CronJob, &Run)> {
        let all = self.members.iter();
        all.flat_map(|member| member.runs.iter().map(move |run| (&member.cronjob, run)))
    }

    /// The names of the unfinished runs of a CronJob, oldest first.
    pub fn unfinished(&self, of: &Key) -> Vec<String> {
        let member = self.numbers.get(of).map(|number| &self.members[*number]);
        let runs = member.into_iter().flat_map(|member| &member.runs);
        runs.filter(|run| run.is_active())
            .map(|run| run.name.clone())
            .collect()
    }

    /// Ends a run now; false when there is no unfinished Job of that name.
    pub fn finish(&mut self, namespace: &str, job: &str, end: End, see: See<'_>) -> bool {
        let Some((number, uid)) = self.find_job(namespace, job) else {
            return false;
        };
        let now = self.now();
        let ended = self.members[number].end(&uid, end, now, see);
        self.mark(number);
        ended
    }

    /// Deletes a Job; false when it is not there.
    pub fn delete_job(&mut self, namespace: &str, job: &str) -> bool {
        let Some((number, uid)) = self.find_job(namespace, job) else {
            return false;
        };
        self.mark(number);
        self.members[number].remove(&uid)
    }

    /// Lets time pass until the wall clock reads `until`, and shows what happens on the way, its own moment included.
    pub fn pass_until(&mut self, until: Timestamp, see: See<'_>) {
        while self.advance(until, see) {}
    }

    /// Lets time pass to what happens next, or to `until` where nothing happens before; whether something happened. Whoever
    /// has seen enough need not go on.
    pub fn advance(&mut self, until: Timestamp, see: See<'_>) -> bool {
        let fate = self.fates.first_key_value().map(|((at, _), _)| *at);
        let wake = self.next_wake().map(|at| (at - self.ahead).max(self.time));
        // Who ends at the moment at which another is due, ends first.
        let next = fate.into_iter().chain(wake).min();
        let until = until - self.ahead;
        let Some(next) = next.filter(|next| *next <= until) else {
            self.time = self.time.max(until);
            return false;
        };
        self.time = self.time.max(next);
        if fate == Some(next) {
            self.fulfil(see);
        } else if let Some(number) = self.next_in_turn() {
            self.decide(number, see);
        }
        true
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.wakes
            .first()
            .filter(|_| self.controller_runs)
            .map(|(at, _)| *at)
    }

    /// The next fate comes true.
    fn fulfil(&mut self, see: See<'_>) {
        let Some((_, Fate { number, uid, what })) = self.fates.pop_first() else {
            return;
        };
        let now = self.now();
        let member = &mut self.members[number];
        let changed = match what {
            What::Ends(end) => member.end(&uid, end, now, see),
            What::Expires => member.remove(&uid),
        };
        if !changed {
            return;
        }
        if let (What::Ends(_), Some(time_to_live)) = (&what, member.life.time_to_live) {
            self.foresee_one(
                time_to_live,
                Fate {
                    number,
                    uid,
                    what: What::Expires,
                },
            );
        }
        self.mark(number);
    }

    fn decide(&mut self, number: usize, see: See<'_>) {
        let now = self.now();
        let mut begun: Vec<Begun> = vec![];
        let group = self.group_of(number);
        let member = &mut self.members[number];
        let (active, waited_for) = (member.taken(), member.waits_for());
        for _ in 0..DECISIONS_AT_ONCE {
            if !member.decide(&group, now, &mut begun, see) {
                break;
            }
        }
        let wake = member.wake;
        let gave_way = waited_for.is_some() && member.waits_for() != waited_for;
        if gave_way || member.taken() != active {
            self.mark_waiting(number);
        }
        self.foresee(number, begun);
        self.members[number].wake = None;
        self.wake(number, wake);
    }

    fn foresee(&mut self, number: usize, begun: Vec<Begun>) {
        for Begun { uid, after, end } in begun {
            let what = What::Ends(end);
            self.foresee_one(after, Fate { number, uid, what });
        }
    }

    fn foresee_one(&mut self, after: TimeDelta, fate: Fate) {
        // What is farther away than time can be told never comes.
        let Some(at) = self.time.checked_add_signed(after) else {
            return;
        };
        self.foreseen += 1;
        self.fates.insert((at, self.foreseen), fate);
    }

    /// A decision is to be taken now.
    fn mark(&mut self, number: usize) {
        let now = self.now();
        self.mark_waiting(number);
        self.wake(number, Some(now));
    }

    /// Sets when a decision is to be taken.
    pub(super) fn wake(&mut self, number: usize, at: Option<Timestamp>) {
        let before = std::mem::replace(&mut self.members[number].wake, at);
        if let Some(before) = before {
            self.wakes.remove(&(before, number));
        }
        if let Some(at) = at {
            self.wakes.insert((at, number));
        }
    }

    fn find_job(&self, namespace: &str, job: &str) -> Option<(usize, String)> {
        let here = self.numbers.iter().filter(|(key, _)| key.namespace == namespace);
        let mut runs = here.flat_map(|(_, number)| {
            let runs = &self.members[*number].runs;
            runs.iter().map(|run| (*number, run))
        });
        runs.find(|(_, run)| run.name == job)
            .map(|(number, run)| (number, run.uid.clone()))
    }
}
