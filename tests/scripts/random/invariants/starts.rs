//! What a Job was created for, when, and beside which others.

use chrono::TimeDelta;
use punctual::cronjob::extension::Overlap;
use punctual::cronjob::{Concurrency, CronJob};
use punctual::schedule::Schedule;

use super::{Onlooker, Verdict};
use crate::language::moment;
use crate::world::Created;

impl Onlooker {
    pub(super) fn check_created(&mut self, created: &Created) -> Verdict {
        let Created {
            at,
            scheduled,
            job,
            cronjob_uid,
            ..
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
        let verdict = self.check_asked(cronjob, created);
        let mut earlier = self.earlier.iter().filter(|earlier| earlier.uid == *cronjob_uid);
        if !created.was_calm && earlier.any(|earlier| self.check_asked(earlier, created).is_ok()) {
            return Ok(());
        }
        verdict
    }

    /// What a CronJob asks for, as it was when the run was decided on.
    fn check_asked(&self, cronjob: &CronJob, created: &Created) -> Verdict {
        let Created {
            at,
            scheduled,
            job,
            beside,
            was_calm: is_calm,
            ..
        } = created;
        self.check_policies(cronjob, created)?;
        let policy = cronjob.spec.concurrency;
        // What is to be replaced may take its time to be deleted.
        let is_prompt = *is_calm || policy != Concurrency::Replace;
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
    fn check_policies(&self, cronjob: &CronJob, created: &Created) -> Verdict {
        let (policies, job, is_calm) = (&cronjob.spec.policies, &created.job.name, created.was_calm);
        let terms = &policies.terms;
        let zone = cronjob.spec.schedule.iter().map(Schedule::zone);
        let ahead: i32 = zone.map(|zone| zone.offset_seconds(created.scheduled)).sum();
        let reading = created.scheduled + TimeDelta::seconds(ahead.into());
        if terms.excluded.contains(reading.date_naive()) {
            return Err(format!("{job} was created for an excluded day"));
        }
        let mut skips = cronjob.spec.schedule.iter().flat_map(Schedule::skips);
        if skips.any(|skip| skip == created.scheduled) {
            return Err(format!("{job} was created for an instant that is to be skipped"));
        }
        if terms.start_at.is_some_and(|start| created.scheduled < start)
            || terms.end_at.is_some_and(|end| created.scheduled > end)
        {
            return Err(format!("{job} was created for an instant outside its window"));
        }
        if is_calm && cronjob.spec.is_suspended(created.at) {
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
}
