//! What holds once everything has come to rest: the status is true, and nothing is left undone.

use std::collections::BTreeSet;

use punctual::cronjob::extension::{MissedRuns, Policies};
use punctual::cronjob::{Concurrency, CronJob, Origin, Outcome, Run};
use punctual::schedule::Timestamp;

use super::{Onlooker, Verdict};
use crate::language::moment;
use crate::world::World;

impl Onlooker {
    /// Looks at what must hold once everything has come to rest.
    pub(in crate::random) async fn look_at_the_end(&mut self, world: &World) -> Verdict {
        self.look(world).await?;
        for cronjob in &self.cronjobs {
            self.check_active(cronjob)?;
            self.check_last_schedule(cronjob)?;
            self.check_history(cronjob)?;
            self.check_all(cronjob, world.now())?;
        }
        Ok(())
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
        let Ok(schedule) = &spec.schedule else {
            return Ok(());
        };
        if !is_plain
            || self.was_set_back
            || spec.is_suspended(now)
            || spec.starting_deadline.is_some()
            || spec.schedule_text.starts_with('@')
        {
            return Ok(());
        }
        let lost = schedule.due(self.owed_after(cronjob), now).find(|due| {
            !self.ever_started.contains(&(cronjob.uid.clone(), *due)) && !self.is_taken(cronjob, *due)
        });
        match lost {
            Some(due) => Err(format!(
                "{} was due at {} and was never started",
                cronjob.key,
                moment(due)
            )),
            None => Ok(()),
        }
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
        let newest = started.clone().map(|(_, scheduled)| *scheduled).max();
        let remembered = started.filter(|run| !self.forgotten.contains(run));
        let newest_remembered = remembered.map(|(_, scheduled)| *scheduled).max();
        let recorded = cronjob.status.last_schedule_time;
        // As in Kubernetes, an instant whose name is somebody else's counts as dealt with.
        let is_taken = recorded > newest && recorded.is_some_and(|at| self.is_taken(cronjob, at));
        if recorded == newest || recorded == newest_remembered || is_taken || self.was_set_back {
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
}
