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

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use kube::Api;
use kube::api::ListParams;
use punctual::cronjob::extension::{MissedRuns, Overlap, Policies};
use punctual::cronjob::{Concurrency, CronJob, Key, Origin, Outcome, Run};
use punctual::manifest;
use punctual::policy::CLOCK_SLACK;
use punctual::schedule::{TimeZones, Timestamp};
use punctual::submit::JobView;

use crate::language::{Command, moment};
use crate::world::{Created, World};

/// Whether it broke, and what.
type Verdict = Result<(), String>;

/// Looks on.
#[derive(Default)]
pub(super) struct Onlooker {
    cronjobs: Vec<CronJob>,
    /// The runs by the UID of their CronJob.
    runs: HashMap<String, Vec<Run>>,
    /// How many creations have been looked at.
    seen: usize,
    /// What was started, since the clock was set back over it.
    started: BTreeSet<(String, Timestamp)>,
    /// Everything that was ever started.
    ever_started: BTreeSet<(String, Timestamp)>,
    /// Nothing up to here is owed: the schedule was another, or the clock was.
    owed_after: HashMap<String, Timestamp>,
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
            Command::Apply(apply) if apply.schedule.is_some() => self.edited(&apply.name, world.now()),
            _ => {}
        }
    }

    fn edited(&mut self, name: &Key, now: Timestamp) {
        let edited = self.cronjobs.iter().find(|cronjob| cronjob.key == *name);
        if let Some(cronjob) = edited {
            self.owed_after.insert(cronjob.uid.clone(), now);
        }
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
        let is_calm = world.wire().is_calm();
        for created in &world.wire().created()[self.seen..] {
            self.seen += 1;
            self.check_created(created, is_calm)?;
        }
        if is_calm {
            self.check_limits()?;
            for cronjob in &self.cronjobs {
                self.check_owed(cronjob, world.now())?;
            }
        }
        Ok(())
    }

    /// Looks at what must hold once everything has come to rest.
    pub(super) async fn look_at_the_end(&mut self, world: &World) -> Verdict {
        self.look(world).await?;
        for cronjob in &self.cronjobs {
            self.check_active(cronjob)?;
            self.check_last_schedule(cronjob)?;
            self.check_history(cronjob)?;
            self.check_all(cronjob, world.now())?;
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
                self.runs.entry(owner.to_owned()).or_default().push(job.run());
            }
        }
    }

    fn check_created(&mut self, created: &Created, is_calm: bool) -> Verdict {
        let Created {
            at,
            scheduled,
            job,
            cronjob_uid,
            beside,
        } = created;
        let run = (cronjob_uid.clone(), *scheduled);
        self.ever_started.insert(run.clone());
        let is_first = self.started.insert(run);
        if scheduled > at {
            return Err(format!("{} was created before its time", job.name));
        }
        let Some(cronjob) = self.cronjobs.iter().find(|cronjob| cronjob.uid == *cronjob_uid) else {
            return Ok(());
        };
        // (What is created for a CronJob that was deleted is collected, and its answer may be lost more than once.)
        if !is_first {
            return Err(format!("{} was created twice", job.name));
        }
        self.check_policies(cronjob, created, is_calm)?;
        let policy = cronjob.spec.concurrency;
        // What is to be replaced may take its time to be deleted.
        let is_prompt = is_calm || policy != Concurrency::Replace;
        let jitter = cronjob.spec.policies.jitter_of(&cronjob.uid);
        let is_late = |deadline| *at - *scheduled >= deadline + jitter + TimeDelta::seconds(1);
        if is_prompt && cronjob.spec.starting_deadline.is_some_and(is_late) {
            return Err(format!(
                "{} was created after its starting deadline, at {}",
                job.name,
                moment(*at)
            ));
        }
        if cronjob.spec.policies.overlap.is_some() {
            return Ok(());
        }
        let is_alone = match policy {
            Concurrency::Allow => true,
            Concurrency::Forbid => beside.is_empty(),
            // While a watch is down, a run whose creation was not heard of is not known to be there.
            Concurrency::Replace => beside.is_empty() || !is_calm,
        };
        if is_alone {
            return Ok(());
        }
        Err(format!(
            "{} was created beside {}, but the policy is {policy:?}",
            job.name,
            beside.join(", ")
        ))
    }

    /// What the annotations of a CronJob ask for.
    fn check_policies(&self, cronjob: &CronJob, created: &Created, is_calm: bool) -> Verdict {
        let (policies, job) = (&cronjob.spec.policies, &created.job.name);
        let terms = &policies.terms;
        if terms.excluded.contains(created.scheduled.date_naive()) {
            return Err(format!("{job} was created for an excluded day"));
        }
        if terms.start_at.is_some_and(|start| created.scheduled < start)
            || terms.end_at.is_some_and(|end| created.scheduled > end)
        {
            return Err(format!("{job} was created for an instant outside its window"));
        }
        if is_calm && cronjob.spec.suspend {
            return Err(format!("{job} was created during a pause"));
        }
        let most = match policies.overlap {
            Some(Overlap::Queue) => policies.max_active.or(Some(1)),
            Some(Overlap::Skip) => Some(1),
            Some(Overlap::ReplaceWhenStopped) => Some(1).filter(|_| is_calm),
            None if cronjob.spec.concurrency == Concurrency::Allow => policies.max_active,
            None => None,
        };
        if most.is_some_and(|most| created.beside.len() >= most) {
            let beside = created.beside.join(", ");
            return Err(format!(
                "{job} was created beside {beside}, which is more than may be"
            ));
        }
        if policies.group.is_some() && is_calm && self.of_the_group() > self.slots_of_the_group() {
            return Err(format!(
                "{job} was created while all slots of its group were taken"
            ));
        }
        let of_it = self.ever_started.iter().filter(|(uid, _)| *uid == cronjob.uid);
        let newest = of_it
            .map(|(_, scheduled)| *scheduled)
            .filter(|at| *at != created.scheduled)
            .max();
        if !self.was_set_back && newest.is_some_and(|newest| newest > created.scheduled) {
            return Err(format!("{job} was created after a newer one"));
        }
        Ok(())
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

    /// The smallest number that a member of the group names.
    fn slots_of_the_group(&self) -> usize {
        let memberships = self
            .cronjobs
            .iter()
            .filter_map(|cronjob| cronjob.spec.policies.group.as_ref());
        memberships
            .map(|membership| membership.slots)
            .min()
            .unwrap_or(usize::MAX)
    }

    /// The active runs of all members of the group, without those that people have started.
    fn of_the_group(&self) -> usize {
        let members = self
            .cronjobs
            .iter()
            .filter(|cronjob| cronjob.spec.policies.group.is_some());
        let runs = members.flat_map(|member| self.unfinished(member));
        runs.filter(|job| !job.starts_with("extra")).count()
    }

    /// With `missed-runs: All`, every instant that nothing speaks against has been started.
    fn check_all(&self, cronjob: &CronJob, now: Timestamp) -> Verdict {
        let (spec, policies) = (&cronjob.spec, &cronjob.spec.policies);
        let everything_runs = Policies {
            missed_runs: MissedRuns::All,
            missed_runs_limit: 1_000,
            ..Policies::default()
        };
        let is_plain = *policies == everything_runs && spec.concurrency == Concurrency::Allow;
        let (Ok(schedule), Some(owed_after)) = (&spec.schedule, self.owed_after(cronjob)) else {
            return Ok(());
        };
        if !is_plain
            || spec.suspend
            || spec.starting_deadline.is_some()
            || spec.schedule_text.starts_with('@')
        {
            return Ok(());
        }
        let lost = schedule
            .due(owed_after, now)
            .find(|due| !self.ever_started.contains(&(cronjob.uid.clone(), *due)));
        match lost {
            Some(due) => Err(format!(
                "{} was due at {} and was never started",
                cronjob.key,
                moment(due)
            )),
            None => Ok(()),
        }
    }

    /// Nothing up to here is owed, unless the clock was set back.
    fn owed_after(&self, cronjob: &CronJob) -> Option<Timestamp> {
        let after = self.owed_after.get(&cronjob.uid);
        (!self.was_set_back).then(|| after.map_or(cronjob.created, |after| cronjob.created.max(*after)))
    }

    /// The newest due instant has been started.
    fn check_owed(&self, cronjob: &CronJob, now: Timestamp) -> Verdict {
        let spec = &cronjob.spec;
        let is_interval = spec.schedule_text.starts_with('@');
        let Ok(schedule) = &spec.schedule else {
            return Ok(());
        };
        if spec.suspend || is_interval || spec.policies != Policies::default() {
            return Ok(());
        }
        let owed_after = self
            .owed_after
            .get(&cronjob.uid)
            .map_or(cronjob.created, |after| cronjob.created.max(*after));
        let Some(due) = schedule.previous(now).filter(|due| *due > owed_after) else {
            return Ok(());
        };
        let is_too_late = spec
            .starting_deadline
            .is_some_and(|deadline| now - due >= deadline - TimeDelta::seconds(1));
        let is_blocked = spec.concurrency == Concurrency::Forbid && !self.unfinished(cronjob).is_empty();
        if is_too_late || is_blocked || self.ever_started.contains(&(cronjob.uid.clone(), due)) {
            return Ok(());
        }
        Err(format!(
            "{} was due at {} and is not started at {}",
            cronjob.key,
            moment(due),
            moment(now)
        ))
    }

    /// The status names exactly what runs.
    fn check_active(&self, cronjob: &CronJob) -> Verdict {
        let recorded: BTreeSet<&str> = cronjob
            .status
            .active
            .iter()
            .map(|job| job.name.as_str())
            .collect();
        let running: BTreeSet<&str> = self.unfinished(cronjob).into_iter().collect();
        if recorded == running {
            return Ok(());
        }
        Err(format!(
            "the status of {} says that {recorded:?} are active, but {running:?} are",
            cronjob.key
        ))
    }

    /// The status names the newest instant that was started.
    fn check_last_schedule(&self, cronjob: &CronJob) -> Verdict {
        let started = self.ever_started.iter().filter(|(uid, _)| *uid == cronjob.uid);
        let newest = started.map(|(_, scheduled)| *scheduled).max();
        let recorded = cronjob.status.last_schedule_time;
        if recorded == newest || self.was_set_back {
            return Ok(());
        }
        let shown = |instant: Option<Timestamp>| instant.map_or_else(|| "never".into(), moment);
        Err(format!(
            "the status of {} says that it was last scheduled {}, but that was {}",
            cronjob.key,
            shown(recorded),
            shown(newest)
        ))
    }

    fn check_history(&self, cronjob: &CronJob) -> Verdict {
        let history = cronjob.spec.history;
        if self.was_set_back {
            // Runs of instants that come by once more are kept, as their locks.
            return Ok(());
        }
        for (outcome, limit) in [
            (Outcome::Succeeded, history.successful),
            (Outcome::Failed, history.failed),
        ] {
            let runs = self.runs.get(&cronjob.uid).into_iter().flatten();
            let counts = |run: &&Run| run.outcome() == Some(outcome) && run.origin != Origin::Backfill;
            let kept = runs.filter(counts).count();
            if limit.is_some_and(|limit| kept > limit) {
                return Err(format!(
                    "{kept} runs of {} that {outcome:?} are left, beyond the limit",
                    cronjob.key
                ));
            }
        }
        Ok(())
    }

    /// The runs that have not ended, without those that people have started by hand.
    fn unfinished(&self, cronjob: &CronJob) -> Vec<&str> {
        let runs = self.runs.get(&cronjob.uid).into_iter().flatten();
        let unfinished = runs.filter(|run| run.is_in_the_way());
        unfinished.map(|run| run.name.as_str()).collect()
    }
}
