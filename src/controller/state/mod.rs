//! What happened goes in, tasks come out. No I/O, no clock: everything here can be tested by calling it.
//!
//! | file | what happens |
//! |---|---|
//! | `observe` | the watches report CronJobs and Jobs |
//! | `not_run` | one of them can't be read or understood |
//! | `calendars` | the watch of calendars reports |
//! | `leadership` | this controller takes over, steps down, or stands by |
//! | `decide` | a decision is taken on one CronJob |
//! | `groups` | it takes a slot of its group, or waits for one |
//! | `pacing` | its start waits for its turn |
//! | `shadowing` | it is compared with what others do, and not carried out |
//! | `task` | what is asked for, what came of it, and what is to be told |
//! | `tidying` | what the history has no room for goes, beside everything else |
//! | `under_way` | a task is under way, and something has to follow it |
//! | `ended` | a task has ended: what it showed, and when to try again |
//! | `standing` | what all of it leaves behind for the next decision |

mod calendars;
mod decide;
mod ended;
mod groups;
mod leadership;
mod not_run;
mod observe;
mod pacing;
mod shadowing;
mod standing;
mod task;
mod tidying;
mod under_way;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::controller::cache::Cache;
use crate::controller::charge::{Charge, Scope};
use crate::controller::early::EarlyJobs;
use crate::controller::listing::Listings;
use crate::controller::pace::Pacer;
use crate::controller::queue::DueQueue;
use crate::controller::rival;
use crate::controller::state::groups::Groups;
use crate::controller::state::shadowing::Shadowing;
use crate::controller::upcoming::Upcoming;
use crate::cronjob::extension::ExtensionError;
use crate::cronjob::{Calendars, Key};
use crate::manifest::Adoption;
use crate::policy::{CLOCK_SLACK, Decision, Group, Note, SeenSchedule, Situation, decide_in_group};
use crate::schedule::{TimeZones, Timestamp};
use crate::telemetry::Wellbeing;

use not_run::NotRun;
use standing::Standing;
pub(super) use task::{Done, News, Task};
use under_way::Busy;

/// How it is decided about a CronJob in its group.
type Rules = fn(Situation<'_>, &Group, Timestamp) -> Decision;

/// Everything the controller knows, and what it is to do next.
pub(super) struct State {
    zones: Arc<TimeZones>,
    adoption: Adoption,
    /// Those of policy, which a test has break down.
    pub(super) rules: Rules,
    pub(super) cache: Cache,
    standing: HashMap<Key, Standing>,
    groups: Groups,
    wakes: DueQueue,
    /// Starts that wait for their turn, where there is a limit on them.
    pacer: Option<Pacer>,
    /// Where others act and this controller only looks on.
    shadowing: Option<Shadowing>,
    /// CronJobs to decide on at once.
    dirty: BTreeSet<Key>,
    /// CronJobs whose schedule may have been edited since decisions were last asked for.
    edited: BTreeSet<Key>,
    /// CronJobs with a task under way.
    busy: HashMap<Key, Busy>,
    /// Rounds of deletions that are to begin.
    rounds: Vec<Task>,
    /// When decisions were last asked for.
    asked: Option<Timestamp>,
    /// Jobs that were shown before their CronJobs.
    early: EarlyJobs,
    /// CronJobs that can't be read or understood.
    not_run: HashMap<Key, NotRun>,
    /// What the watches showed and is to be told.
    noticed: Vec<News>,
    /// What is wrong with annotations and was told.
    mistakes: HashMap<Key, Vec<ExtensionError>>,
    /// How CronJobs are doing that have changed.
    wellbeing: BTreeMap<Key, Option<Wellbeing>>,
    scopes: Vec<Scope>,
    /// Scopes that may not be listed, as far as is known, and never have been.
    refused: BTreeSet<Scope>,
    cronjobs_listed: Listings<Key>,
    jobs_listed: Listings<String>,
    calendars_listed: Listings<Key>,
}

impl State {
    /// Nothing known, nothing to do.
    pub(super) fn new(zones: Arc<TimeZones>, charge: &Charge) -> Self {
        let scopes = charge.scopes();
        State {
            zones,
            adoption: charge.adoption,
            rules: decide_in_group,
            cache: Cache::new(Calendars::new(charge.calendars, charge.calendars_in.clone())),
            standing: HashMap::new(),
            groups: Groups::default(),
            wakes: DueQueue::default(),
            pacer: None,
            shadowing: None,
            dirty: BTreeSet::new(),
            edited: BTreeSet::new(),
            busy: HashMap::new(),
            rounds: Vec::new(),
            asked: None,
            early: EarlyJobs::default(),
            not_run: HashMap::new(),
            noticed: Vec::new(),
            mistakes: HashMap::new(),
            wellbeing: BTreeMap::new(),
            cronjobs_listed: Listings::new(&scopes),
            jobs_listed: Listings::new(&scopes),
            calendars_listed: Listings::new(&charge.calendar_scopes()),
            scopes,
            refused: BTreeSet::new(),
        }
    }

    /// Takes over which schedules an earlier controller saw.
    pub(super) fn remember(&mut self, seen: impl IntoIterator<Item = (Key, SeenSchedule)>) {
        for (key, schedule) in seen {
            self.standing.entry(key).or_default().memory.schedule = Some(schedule);
        }
    }

    /// Whether everything that is watched has been listed once, but for scopes that may not be listed: they hold up no
    /// other. Nothing is decided before.
    pub(super) fn is_synced(&self) -> bool {
        let mut scopes = self.scopes.iter();
        let is_answered = |scope| self.has_listed(scope) || self.refused.contains(scope);
        scopes.clone().all(is_answered) && scopes.any(|scope| self.has_listed(scope))
    }

    /// Whether all of a scope has been listed once.
    pub(super) fn has_listed(&self, scope: &Scope) -> bool {
        self.cronjobs_listed.have(scope) && self.jobs_listed.have(scope)
    }

    /// Whether what there is in a namespace is known. Nothing is decided there before.
    fn knows(&self, namespace: &str) -> bool {
        self.cronjobs_listed.cover(namespace) && self.jobs_listed.cover(namespace)
    }

    /// A scope may not be listed. If it never has been, the others go on without it. Whether that is news.
    pub(super) fn listing_refused(&mut self, scope: &Scope) -> bool {
        !self.has_listed(scope) && self.refused.insert(scope.clone())
    }

    /// The scopes that may not be listed and never have been.
    pub(super) fn refused(&self) -> &BTreeSet<Scope> {
        &self.refused
    }

    /// A listing has come to its end. What the others did not wait for is decided on from now on.
    fn join(&mut self, scope: &Scope) {
        if self.has_listed(scope) && self.refused.remove(scope) {
            let known = self.cache.keys().filter(|key| scope.covers(&key.namespace));
            let known: Vec<Key> = known.cloned().collect();
            for key in known {
                self.mark(key);
            }
        }
    }

    /// How often in a row a CronJob could not be dealt with.
    pub(super) fn failures(&self, key: &Key) -> u32 {
        self.standing.get(key).map_or(0, |standing| standing.failures)
    }

    /// When something is to be done although nothing happens.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let wakes = [
            self.wakes.next(),
            self.groups.next_free(),
            self.next_release(),
            self.next_comparison(),
        ];
        wakes.into_iter().flatten().min()
    }

    /// What will be due next.
    pub(super) fn upcoming(&self) -> Option<Upcoming> {
        self.wakes.upcoming()
    }

    /// The tasks to start at `now`, the oldest due first, and what there is to tell. Every decision of the moment is taken
    /// before the first task is started.
    pub(super) fn ready(&mut self, now: Timestamp) -> (Vec<Task>, Vec<News>) {
        if !self.is_synced() {
            return (vec![], vec![]);
        }
        self.notice_edits(now);
        let mut news = self.what_was_noticed(now);
        // DIFFERENCE (D11): wake-ups that were computed by a clock that was ahead would come late by as much.
        let before = self.asked.replace(now);
        if before.is_some_and(|before| now + CLOCK_SLACK < before) {
            let everybody: Vec<Key> = self.cache.keys().cloned().collect();
            for key in everybody {
                self.mark(key);
            }
            for standing in self.standing.values_mut() {
                standing.forgive_all();
            }
        }
        while let Some(key) = self.wakes.pop(now) {
            self.mark(key);
        }
        self.free_slots(now);
        let mut tasks = self.decide_marked(now, &mut news);
        tasks.extend(self.release(now, &mut news));
        // Who gave a slot back is followed by who waited for it.
        tasks.extend(self.decide_marked(now, &mut news));
        tasks.sort_by_key(Task::scheduled);
        tasks.append(&mut self.rounds);
        self.compare(now);
        debug_assert!(self.groups_are_in_order(now), "a slot is forgotten");
        (tasks, news)
    }

    /// Decides on those that are to be decided on at once, and on those for whom that makes room.
    fn decide_marked(&mut self, now: Timestamp, news: &mut Vec<News>) -> Vec<Task> {
        let mut tasks = Vec::new();
        while !self.dirty.is_empty() {
            let dirty = std::mem::take(&mut self.dirty).into_iter().collect();
            for key in self.in_order(dirty, now) {
                match self.patient_until(&key).filter(|until| *until > now) {
                    Some(until) => self.wakes.set_at_latest(&key, until),
                    None => tasks.extend(self.decide(&key, now, None, news)),
                }
            }
        }
        tasks
    }

    /// An edit counts from now on, also where no decision is taken now.
    fn notice_edits(&mut self, now: Timestamp) {
        for key in std::mem::take(&mut self.edited) {
            if let (Some(entry), Some(standing)) = (self.cache.entry(&key), self.standing.get_mut(&key)) {
                standing.notice_edit(&entry.cronjob, now);
            }
        }
    }

    fn patient_until(&self, key: &Key) -> Option<Timestamp> {
        self.standing.get(key)?.patient_until
    }

    /// What the watches showed. A rival is told of once in a while only, and nothing of Jobs whose CronJob is none of ours.
    fn what_was_noticed(&mut self, now: Timestamp) -> Vec<News> {
        let mut noticed = std::mem::take(&mut self.noticed);
        noticed.retain(|news| match news.note {
            Note::MalformedJob { .. } => {
                let owner = self
                    .cache
                    .entry(&news.cronjob)
                    .map(|entry| &entry.object.metadata);
                owner.is_some_and(|owner| owner.uid.as_ref() == Some(&news.uid))
            }
            Note::OtherController { .. } => {
                let Some(standing) = self.standing.get_mut(&news.cronjob) else {
                    return true;
                };
                let told = standing.rival_told.filter(|told| now - *told < rival::TELL_EVERY);
                standing.rival_told = told.or(Some(now));
                told.is_none()
            }
            _ => true,
        });
        noticed
    }

    /// How those CronJobs are doing that were decided on since the last call; `None` for those that are gone.
    pub(super) fn take_wellbeing(&mut self) -> BTreeMap<Key, Option<Wellbeing>> {
        std::mem::take(&mut self.wellbeing)
    }

    /// How many CronJobs wait for what was decided to be carried out.
    pub(super) fn backlog(&self) -> usize {
        self.busy.len()
    }

    /// How many CronJobs wait for their turn, where there is a limit on the rate of starts.
    pub(super) fn held_back(&self) -> usize {
        self.pacer.as_ref().map_or(0, Pacer::len)
    }

    /// How many CronJobs wait for a success that is overdue.
    pub(super) fn overdue(&self) -> usize {
        let standings = self.standing.values();
        standings
            .filter(|standing| standing.memory.overdue.is_some())
            .count()
    }
}
