//! What must always hold, and who looks whether it does.
//!
//! - No instant is started twice: its Job is created once.
//! - Nothing is started before its time, or after its starting deadline.
//! - No instant is lost: whenever nothing has gone wrong for a while, the newest one that is due has been started, unless
//!   a rule says no. On time, that is, for the onlooker looks at every due instant.
//! - Forbid never overlaps, and Replace leaves at most one. No more runs are active than `max-active`, nor more of a group
//!   than it has slots.
//! - Instants are started in their order, and no more wait than `queue-limit`.
//! - With `missed-runs: All`, each instant is started in the end, if nothing speaks against it.
//! - Nothing of an excluded day is started, nothing outside its window, and nothing during a pause.
//! - The controller never goes round in circles: it asks for a limited number of things at one moment.
//! - In the end the status is true: active is what runs, the last scheduled is the newest that was started, and no more
//!   ended Jobs are left than the history has room for.
//!
//! | file | when it is looked at |
//! |---|---|
//! | `starts` | when a Job has been created |
//! | `at_rest` | once everything has come to rest |

mod at_rest;
mod starts;

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use kube::Api;
use kube::api::ListParams;
use punctual::cronjob::extension::{Overlap, Policies};
use punctual::cronjob::{Concurrency, CronJob, Run, run_name, scheduled_by_name};
use punctual::manifest;
use punctual::policy::CLOCK_SLACK;
use punctual::schedule::{TimeZones, Timestamp};
use punctual::submit::JobView;

use crate::language::{Command, moment};
use crate::world::World;

/// Whether it broke, and what.
type Verdict = Result<(), String>;

/// Looks on.
#[derive(Default)]
pub(super) struct Onlooker {
    cronjobs: Vec<CronJob>,
    /// What CronJobs were before they were edited, since the controller was last up to date: it may not have heard of it.
    earlier: Vec<CronJob>,
    /// The runs by the UID of their CronJob.
    runs: HashMap<String, Vec<Run>>,
    /// How many creations have been looked at.
    seen: usize,
    /// What was started, since the clock was set back over it.
    started: BTreeSet<(String, Timestamp)>,
    /// Everything that was ever started.
    ever_started: BTreeSet<(String, Timestamp)>,
    /// What was started and may be forgotten, as its Job went before anybody could record it.
    forgotten: BTreeSet<(String, Timestamp)>,
    /// Nothing up to here is owed: the schedule was another, or the clock was.
    owed_after: HashMap<String, Timestamp>,
    /// The names of runs that somebody else has given to a Job.
    taken: BTreeSet<String>,
    /// The clock was set back far enough for records to be taken back.
    was_set_back: bool,
}

impl Onlooker {
    /// A command is about to be performed.
    pub(super) fn before(&mut self, world: &World, command: &Command) {
        match command {
            Command::StepClock(by) if *by < TimeDelta::zero() => {
                let now = world.now() + *by;
                self.started.retain(|(_, scheduled)| *scheduled <= now);
                if -*by > CLOCK_SLACK {
                    self.was_set_back = true;
                    for cronjob in &self.cronjobs {
                        self.owed_after.insert(cronjob.uid.clone(), now);
                    }
                }
            }
            Command::Apply(apply) => {
                let edited = self.cronjobs.iter().find(|cronjob| cronjob.key == apply.name);
                self.earlier.extend(edited.cloned());
                let is_other =
                    apply.schedule.is_some() || apply.zone.is_some() || !apply.extensions.is_empty();
                if let Some(cronjob) = edited.filter(|_| is_other) {
                    self.owed_after.insert(cronjob.uid.clone(), world.now());
                }
            }
            Command::StartJob { name, .. } => {
                self.taken.insert(name.name.clone());
            }
            // Whether it was started, nothing but its Job may have said.
            Command::DeleteJob(job) if !world.wire().is_calm() => {
                let instants = self.cronjobs.iter().filter_map(|cronjob| {
                    let scheduled = scheduled_by_name(&cronjob.key.name, &job.name)?;
                    Some((cronjob.uid.clone(), scheduled))
                });
                for run in instants {
                    self.started.remove(&run);
                    self.forgotten.insert(run);
                }
            }
            _ => {}
        }
    }

    /// Whether the name of a run was somebody else's.
    fn is_taken(&self, cronjob: &CronJob, scheduled: Timestamp) -> bool {
        self.taken.contains(&run_name(&cronjob.key.name, scheduled))
    }

    /// The next instant at which any CronJob is due.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let schedules = self
            .cronjobs
            .iter()
            .filter_map(|cronjob| cronjob.spec.schedule.as_ref().ok());
        schedules.filter_map(|schedule| schedule.next(now)).min()
    }

    /// Looks at everything that must hold now.
    pub(super) async fn look(&mut self, world: &World) -> Verdict {
        if world.wire().went_in_circles() {
            return Err("the controller goes round in circles".into());
        }
        self.read(world).await;
        for created in &world.wire().created()[self.seen..] {
            self.seen += 1;
            self.check_created(created)?;
        }
        if world.wire().is_calm() {
            self.earlier.clear();
            self.check_limits()?;
            for cronjob in &self.cronjobs {
                self.check_owed(cronjob, world.now())?;
            }
        }
        Ok(())
    }

    async fn read(&mut self, world: &World) {
        let params = ListParams::default();
        let zones = TimeZones::built_in();
        let cronjobs = Api::<manifest::CronJob>::all(world.client().clone())
            .list(&params)
            .await;
        let cronjobs = cronjobs.map(|list| list.items).unwrap_or_default();
        self.cronjobs = cronjobs
            .iter()
            .map(|object| manifest::lower(object, &zones, None))
            .collect();
        let jobs = Api::<JobView>::all(world.client().clone()).list(&params).await;
        self.runs.clear();
        for job in jobs.map(|list| list.items).unwrap_or_default() {
            if let Some(owner) = job.owner() {
                self.runs.entry(owner.uid).or_default().push(job.run());
            }
        }
    }

    /// No more wait than may.
    fn check_limits(&self) -> Verdict {
        for cronjob in &self.cronjobs {
            let policies = &cronjob.spec.policies;
            // The one that is being started is still in the queue.
            if policies.overlap == Some(Overlap::Queue)
                && cronjob.status.record.queue.len() > policies.queue_limit + 1
            {
                return Err(format!("more wait for {} than may", cronjob.key));
            }
        }
        Ok(())
    }

    /// Nothing up to here is owed.
    fn owed_after(&self, cronjob: &CronJob) -> Timestamp {
        let after = self.owed_after.get(&cronjob.uid);
        after.map_or(cronjob.created, |after| cronjob.created.max(*after))
    }

    /// The newest due instant has been started.
    fn check_owed(&self, cronjob: &CronJob, now: Timestamp) -> Verdict {
        let spec = &cronjob.spec;
        let is_interval = spec.schedule_text.starts_with('@');
        let Ok(schedule) = &spec.schedule else {
            return Ok(());
        };
        if spec.is_suspended(now) || is_interval || spec.policies != Policies::default() {
            return Ok(());
        }
        let owed_after = self.owed_after(cronjob);
        let Some(due) = schedule.previous(now).filter(|due| *due > owed_after) else {
            return Ok(());
        };
        let is_too_late = spec
            .starting_deadline
            .is_some_and(|deadline| now - due >= deadline - TimeDelta::seconds(1));
        let is_blocked = spec.concurrency == Concurrency::Forbid && !self.unfinished(cronjob).is_empty();
        if is_too_late
            || is_blocked
            || self.is_taken(cronjob, due)
            || self.ever_started.contains(&(cronjob.uid.clone(), due))
        {
            return Ok(());
        }
        Err(format!(
            "{} was due at {} and is not started at {}",
            cronjob.key,
            moment(due),
            moment(now)
        ))
    }

    /// The runs that have not ended, without those that people have started by hand. One of theirs that has the name of a run
    /// is taken for it when it comes due, as in Kubernetes.
    fn unfinished(&self, cronjob: &CronJob) -> Vec<&str> {
        let runs = self.runs.get(&cronjob.uid).into_iter().flatten();
        let is_taken_for_it = |run: &Run| {
            let is_named_so = scheduled_by_name(&cronjob.key.name, &run.name).is_some();
            is_named_so && run.is_active() && cronjob.status.is_active(&run.uid)
        };
        let unfinished = runs.filter(|run| run.is_in_the_way() || is_taken_for_it(run));
        unfinished.map(|run| run.name.as_str()).collect()
    }
}
