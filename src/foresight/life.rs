//! How long runs take and how they end: what a simulation has to assume, because nothing is run.

use chrono::TimeDelta;

use crate::cronjob::Outcome;
use crate::foresight::End;
use crate::manifest;

/// The life of the runs of one CronJob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Life {
    /// How long a run takes, whatever becomes of it; `None` when it goes on until somebody ends it.
    pub run_time: Option<TimeDelta>,
    /// Which runs fail.
    pub failing: Failing,
    /// The Job's `activeDeadlineSeconds`: a run that takes longer fails then.
    pub active_deadline: Option<TimeDelta>,
    /// The Job's `ttlSecondsAfterFinished`: it is deleted this long after its end.
    pub time_to_live: Option<TimeDelta>,
}

/// Which runs fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Failing {
    /// None.
    #[default]
    Never,
    /// Every run of this number: with 3, the third, the sixth and so on.
    Every(u64),
}

impl Life {
    /// What the Job template of a CronJob says about it. A field that is missing or malformed sets no limit.
    pub fn of(object: &manifest::CronJob) -> Life {
        let template = object.spec.job_template.to_value();
        let seconds = |field: &str| {
            let seconds = template.get("spec")?.get(field)?.as_i64()?;
            TimeDelta::try_seconds(seconds).filter(|time| *time >= TimeDelta::zero())
        };
        Life {
            active_deadline: seconds("activeDeadlineSeconds"),
            time_to_live: seconds("ttlSecondsAfterFinished"),
            ..Life::default()
        }
    }

    /// How long a run goes on; `None` when it does until somebody ends it.
    pub fn length(&self) -> Option<TimeDelta> {
        self.run_time.into_iter().chain(self.active_deadline).min()
    }

    /// When and how the run of the given number, counted from one, ends.
    pub(super) fn ending(&self, number: u64) -> Option<(TimeDelta, End)> {
        let fails = match self.failing {
            Failing::Never => false,
            Failing::Every(runs) => number.is_multiple_of(runs.max(1)),
        };
        let outcome = if fails {
            Outcome::Failed
        } else {
            Outcome::Succeeded
        };
        let by_itself = self.run_time.map(|time| (time, End::Finished(outcome)));
        let out_of_time = self.active_deadline.map(|time| (time, End::OutOfTime));
        by_itself
            .into_iter()
            .chain(out_of_time)
            .min_by_key(|(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_by_itself_or_when_its_time_is_up() {
        let life = |run_time: Option<i64>, deadline: Option<i64>| Life {
            run_time: run_time.map(TimeDelta::seconds),
            active_deadline: deadline.map(TimeDelta::seconds),
            failing: Failing::Every(3),
            ..Life::default()
        };
        let (succeeds, fails) = (End::Finished(Outcome::Succeeded), End::Finished(Outcome::Failed));
        for (run_time, deadline, number, ending) in [
            (None, None, 1, None),
            (Some(90), None, 1, Some((90, succeeds))),
            (Some(90), None, 3, Some((90, fails))),
            (Some(90), None, 4, Some((90, succeeds))),
            (Some(90), Some(60), 1, Some((60, End::OutOfTime))),
            (Some(60), Some(60), 1, Some((60, succeeds))),
            (None, Some(60), 1, Some((60, End::OutOfTime))),
        ] {
            let found = life(run_time, deadline).ending(number);
            let expected = ending.map(|(seconds, end)| (TimeDelta::seconds(seconds), end));
            assert_eq!(found, expected, "{run_time:?} {deadline:?} run {number}");
        }
    }
}
