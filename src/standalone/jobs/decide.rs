//! What a Job needs now.
//!
//! One pure function, from a Job, its pods and the time to a [`JobDecision`] that leaves no choice to whoever carries
//! it out. The rules are those of Kubernetes' Job controller (`pkg/controller/job`), in its order:
//!
//! 0. take over the pods that are the Job's by their labels, and let go of those that no longer are;
//! 1. count the pods that have ended;
//! 2. is the Job's fate decided: by what is written already, by a pod failure policy, by too many failures, by its
//!    deadline, by its indexes, by its success policy?
//! 3. if so, end the pods that are at work, and seal the fate when the last has ended;
//! 4. if not, discard pods that are too many, or make pods that are missing, or wait for a back-off to pass.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use chrono::TimeDelta;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;

use super::claim::Claim;
use super::conditions::{Fate, sealed, set};
use super::decision::{JobDecision, JobEvent};
use super::failure_policy::{Judge, Judgement};
use super::key::owns;
use super::manage::{self, Plan};
use super::past::Past;
use super::pods::{is_succeeded, is_tracked, name, uid};
use super::success_policy;
use super::tally::{Tally, Uncounted, is_failed, settle, valid};
use super::ttl;
use super::wanted::{Wanted, is_managed_elsewhere};
use crate::schedule::Timestamp;
use crate::standalone::instants::{from_time, to_time};

/// How many pods are counted in one go: their uids are written into the Job's status, which must not grow without
/// bound. Kubernetes has the same limit.
pub(super) const UNCOUNTED_AT_ONCE: usize = 500;

/// Decides what a Job needs at `now`.
///
/// `pods` are all pods that are, or may become, the Job's; `past` is what is known of those that it had.
pub fn decide<P: Borrow<Pod>>(job: &Job, pods: &[P], past: &Past, now: Timestamp) -> JobDecision {
    let Some(spec) = &job.spec else {
        return JobDecision::default();
    };
    let pods: Vec<&Pod> = pods.iter().map(Borrow::borrow).collect();
    let own: Vec<&Pod> = pods.iter().copied().filter(|pod| owns(job, pod)).collect();
    // Of a Job that another controller manages only the time to live is ours, as in Kubernetes' `ttlafterfinished`.
    if is_managed_elsewhere(job) {
        return finished(job, &[], now);
    }
    let mut status = job.status.clone().unwrap_or_default();
    if sealed(&status).is_some() {
        return finished(job, &own, now);
    }
    let Claim { adopt, disown } = Claim::of(job, &pods);
    if !adopt.is_empty() || !disown.is_empty() {
        return JobDecision {
            adopt,
            disown,
            ..JobDecision::default()
        };
    }
    let wanted = Wanted::of(spec);
    settle(&mut status, &own);
    let tally = Tally::of(own, &wanted, Judge::of(spec, &wanted), &status);
    let step = Step {
        job,
        wanted,
        tally,
        status,
        now,
        decision: JobDecision::default(),
    };
    let taken = pods.iter().map(|pod| name(pod));
    let taken = taken.chain(past.names()).collect();
    step.decide(past, taken)
}

/// A Job that has finished: its pods are let go, and it is deleted when its time has come.
fn finished(job: &Job, own: &[&Pod], now: Timestamp) -> JobDecision {
    let release = own
        .iter()
        .filter(|pod| is_tracked(pod))
        .map(|pod| uid(pod).to_owned())
        .collect();
    let expiry = ttl::expiry(job).filter(|_| job.metadata.deletion_timestamp.is_none());
    JobDecision {
        release,
        delete_job: expiry.is_some_and(|expiry| expiry <= now),
        wake: expiry.filter(|expiry| *expiry > now),
        ..JobDecision::default()
    }
}

/// A decision in the making.
struct Step<'j> {
    job: &'j Job,
    wanted: Wanted,
    tally: Tally<'j>,
    status: JobStatus,
    now: Timestamp,
    decision: JobDecision,
}

impl Step<'_> {
    fn decide(mut self, past: &Past, taken: BTreeSet<&str>) -> JobDecision {
        if self.status.start_time.is_none() && !self.wanted.suspended {
            self.status.start_time = Some(to_time(self.now));
        }
        let mut fate = self.fate();
        let plan = if fate.is_some() {
            Plan {
                end: self.tally.active.clone(),
                ..Plan::default()
            }
        } else if self.is_being_deleted() {
            Plan::default()
        } else {
            manage::plan(self.job, &self.wanted, &self.tally, past, taken, self.now)
        };
        let active = self.tally.active.len() + plan.create.len() - plan.discard.len() - plan.end.len();
        if fate.is_none() && active == 0 && self.wanted.is_complete(self.tally.succeeded) {
            fate = Some(Fate::completions_reached());
        } else if fate.is_none() && !self.is_being_deleted() {
            self.suspend_or_resume();
        }
        self.record(&plan, fate.as_ref());
        self.write_counts(active, &plan);
        if let Some(fate) = fate {
            self.finish(&fate);
        }
        self.conclude(plan)
    }

    /// Whether the Job is being deleted and somebody's finalizer holds it: its pods are let go, whatever they do, no more are
    /// made, and what becomes of them is still recorded.
    fn is_being_deleted(&self) -> bool {
        self.job.metadata.deletion_timestamp.is_some()
    }

    /// How the Job ends, if that is decided.
    fn fate(&mut self) -> Option<Fate> {
        Fate::written(&self.status)
            .or_else(|| self.failed_by_policy())
            .or_else(|| self.failed_too_often())
            .or_else(|| self.past_deadline())
            .or_else(|| self.decided_by_indexes())
    }

    fn failed_by_policy(&self) -> Option<Fate> {
        let mut failed = self.tally.failed_pods.iter();
        failed.find_map(|pod| match self.tally.judge(pod) {
            Judgement::FailsJob(message) => Some(Fate::failure("PodFailurePolicy", message)),
            _ => None,
        })
    }

    /// Failed pods count, and where containers are restarted in place, so do their restarts.
    fn failed_too_often(&self) -> Option<Fate> {
        let limit = self.wanted.backoff_limit;
        let running = self.tally.all.iter().filter(|pod| !super::pods::is_over(pod));
        let restarts = running
            .map(|pod| super::pods::restarts(pod))
            .fold(0, i32::saturating_add);
        let restarted_too_often = self.wanted.restarts_in_place && restarts > 0 && restarts >= limit;
        (self.tally.failed > limit || restarted_too_often).then(Fate::backoff_limit_exceeded)
    }

    /// The start is known to the second only, so a second more has to pass before the time is certainly over: a Job
    /// that may take one second gets one, and not what was left of the second in which it started.
    fn past_deadline(&mut self) -> Option<Fate> {
        let deadline = self.wanted.active_deadline.filter(|_| !self.wanted.suspended)?;
        let start = from_time(self.status.start_time.as_ref()?);
        let end = start
            .checked_add_signed(deadline)?
            .checked_add_signed(TimeDelta::seconds(1))?;
        if self.now < end {
            self.decision.wake = Some(end);
            return None;
        }
        Some(Fate::deadline_exceeded())
    }

    fn decided_by_indexes(&self) -> Option<Fate> {
        let completions = self.wanted.completions.filter(|_| self.wanted.indexed)?;
        let failed = self.tally.failed_indexes.count();
        if self.wanted.max_failed_indexes.is_some_and(|limit| failed > limit) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(Fate::failure("MaxFailedIndexesExceeded", message));
        }
        if failed > 0 && failed.saturating_add(self.tally.succeeded) >= completions {
            return Some(Fate::failure("FailedIndexes", "Job has failed indexes"));
        }
        let policy = self.job.spec.as_ref()?.success_policy.as_ref();
        success_policy::judge(policy, completions, &self.tally.completed_indexes)
    }

    /// Tells whether the Job is suspended. Resuming starts its time anew.
    fn suspend_or_resume(&mut self) {
        let (holds, condition, event, message) = if self.wanted.suspended {
            (true, "JobSuspended", "Suspended", "Job suspended")
        } else {
            (false, "JobResumed", "Resumed", "Job resumed")
        };
        if set(&mut self.status, "Suspended", holds, condition, message, self.now) {
            self.decision.events.push(JobEvent::normal(event, message));
            self.status.start_time = (!holds).then(|| to_time(self.now));
        }
    }

    /// Writes down the pods that have ended, and lets them go. When the Job has failed, the pods that are ended for
    /// it count as failed.
    fn record(&mut self, plan: &Plan<'_>, fate: Option<&Fate>) {
        let has_failed = fate.is_some_and(|fate| !fate.success);
        let all_go = fate.is_some() || self.is_being_deleted();
        let mut uncounted = Uncounted::of(&self.status);
        for pod in self.tally.all.iter().filter(|pod| is_tracked(pod)) {
            if uncounted.len() >= UNCOUNTED_AT_ONCE {
                break;
            }
            let failed = is_failed(pod, &self.wanted);
            let kept = plan.keep.contains(uid(pod)) && !all_go;
            if kept || !(failed || is_succeeded(pod) || all_go) {
                continue;
            }
            self.decision.release.push(uid(pod).to_owned());
            if uncounted.contains(uid(pod)) || !valid(pod, &self.wanted) {
                continue;
            }
            if is_succeeded(pod) {
                if !self.wanted.indexed {
                    uncounted.succeeded.push(uid(pod).to_owned());
                }
            } else if (failed || has_failed) && self.tally.judge(pod) != Judgement::Ignored {
                uncounted.failed.push(uid(pod).to_owned());
            }
        }
        uncounted.write(&mut self.status);
    }

    fn write_counts(&mut self, active: usize, plan: &Plan<'_>) {
        let ended = plan.discard.iter().chain(&plan.end);
        let unready = ended.clone().filter(|pod| super::pods::is_ready(pod)).count();
        let whole = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        self.status.active = Some(whole(active)).filter(|active| *active > 0);
        self.status.ready = Some(self.tally.ready - whole(unready));
        self.status.terminating = Some(self.tally.terminating + whole(ended.count()));
        if self.wanted.indexed {
            self.status.succeeded = Some(self.tally.succeeded).filter(|succeeded| *succeeded > 0);
            let completed = self.tally.completed_indexes.to_string();
            self.status.completed_indexes = Some(completed).filter(|completed| !completed.is_empty());
            let per_index = self.wanted.backoff_limit_per_index.is_some();
            self.status.failed_indexes = per_index.then(|| self.tally.failed_indexes.to_string());
        }
    }

    /// Writes the fate, and seals it when nothing is left to wait for.
    fn finish(&mut self, fate: &Fate) {
        if Fate::written(&self.status).is_none() {
            fate.announce(&mut self.status, self.now);
        }
        self.decision.wake = None;
        if self.status.terminating.unwrap_or_default() > 0 || !Uncounted::of(&self.status).is_empty() {
            return;
        }
        // DIFFERENCE: a suspension has taken the start away, and only a Job that was never to begin can finish without one.
        // The status that Kubernetes would write is refused by its own API server, again and again.
        if self.wanted.completions != Some(0) {
            self.status.start_time.get_or_insert(to_time(self.now));
        }
        fate.seal(&mut self.status, self.now);
        self.decision.events.push(if fate.success {
            JobEvent::normal("Completed", "Job completed")
        } else {
            JobEvent::warning(&fate.reason, fate.message.clone())
        });
    }

    fn conclude(self, plan: Plan<'_>) -> JobDecision {
        let mut decision = self.decision;
        decision.create = plan.create;
        decision.wake = decision.wake.into_iter().chain(plan.wake).min();
        // A discarded pod is released first, so that it does not count.
        let discarded = plan
            .discard
            .iter()
            .filter(|pod| is_tracked(pod))
            .map(|pod| uid(pod).to_owned());
        decision.release.extend(discarded);
        decision.delete = plan
            .discard
            .iter()
            .chain(&plan.end)
            .map(|pod| uid(pod).to_owned())
            .collect();
        if Some(&self.status) != self.job.status.as_ref() {
            decision.status = Some(self.status);
        }
        decision
    }
}
