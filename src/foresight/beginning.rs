//! How a CronJob enters a simulation: everything before it is done.

use chrono::TimeDelta;

use crate::cronjob::{CronJob, HistoryLimits, Record, Status};
use crate::schedule::Timestamp;

/// The CronJob at the begin of a simulation: what was due before has had its run, nothing is active, and an instant that
/// is due at `from` is still to come.
///
/// Of what is recorded, only the instants that `@every` counts from matter, and whether too many failures suspended it. No more
/// finished Jobs are kept than by default: what happens does not depend on them, and each decision looks at all.
pub fn caught_up(mut cronjob: CronJob, from: Timestamp) -> CronJob {
    let is_known = cronjob.created > Timestamp::UNIX_EPOCH && cronjob.created < from;
    if !is_known {
        cronjob.created = from;
    }
    if cronjob.uid.is_empty() {
        cronjob.uid = cronjob.key.to_string();
    }
    let recorded = cronjob.status.last_schedule_time.filter(|last| *last < from);
    let anchor = recorded.unwrap_or(cronjob.created);
    let before = from - TimeDelta::seconds(1);
    let schedule = cronjob.spec.schedule.as_ref().ok();
    let last = schedule.and_then(|schedule| schedule.anchored(anchor).previous(before));
    let record = Record {
        passed: Some(before),
        suspended: cronjob.status.record.suspended,
        ..Record::default()
    };
    let usual = HistoryLimits::default();
    let at_most = |limit: Option<usize>, most: Option<usize>| limit.into_iter().chain(most).min();
    cronjob.spec.history = HistoryLimits {
        successful: at_most(cronjob.spec.history.successful, usual.successful),
        failed: at_most(cronjob.spec.history.failed, usual.failed),
    };
    cronjob.status = Status {
        last_schedule_time: last.or(recorded),
        record,
        ..Status::default()
    };
    cronjob
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cronjob::Key;
    use crate::foresight::script::Apply;
    use crate::manifest;
    use crate::schedule::TimeZones;

    /// The first instant that is due in a simulation from 12:00 on.
    #[test]
    fn the_first_instant_is_the_first_of_the_schedule() {
        for (schedule, created, recorded, first) in [
            ("0 * * * *", None, None, "12:00:00"),
            ("0 * * * *", Some("09:30:00"), Some("10:00:00"), "12:00:00"),
            ("30 * * * *", None, None, "12:30:00"),
            // Counts from the begin of the simulation, from its creation, from its last run.
            ("@every 50m", None, None, "12:50:00"),
            ("@every 50m", Some("11:30:00"), None, "12:20:00"),
            ("@every 50m", Some("09:30:00"), Some("11:20:00"), "12:10:00"),
            ("@every 50m", Some("09:30:00"), Some("11:10:00"), "12:00:00"),
            // What is recorded for later is not believed.
            ("@every 50m", Some("13:30:00"), Some("14:20:00"), "12:50:00"),
        ] {
            let cronjob = caught_up(cronjob(schedule, created, recorded), at("12:00:00"));
            let anchor = cronjob.status.last_schedule_time.unwrap_or(cronjob.created);
            let schedule_of = cronjob.spec.schedule.expect("a schedule");
            let next = schedule_of.anchored(anchor).next(anchor);
            assert_eq!(next, Some(at(first)), "{schedule} {created:?} {recorded:?}");
        }
    }

    #[test]
    fn no_more_finished_jobs_are_kept_than_by_default() {
        for (limit, kept) in [(None, 3), (Some(0), 0), (Some(2), 2), (Some(10_000), 3)] {
            let mut given = cronjob("0 * * * *", None, None);
            given.spec.history.successful = limit;
            let kept_now = caught_up(given, at("12:00:00")).spec.history.successful;
            assert_eq!(kept_now, Some(kept), "{limit:?}");
        }
    }

    fn cronjob(schedule: &str, created: Option<&str>, recorded: Option<&str>) -> CronJob {
        let mut apply = Apply::of(Key {
            namespace: "default".into(),
            name: "report".into(),
        });
        apply.schedule = Some(schedule.into());
        let object = apply.new_cronjob(&apply.name).to_string();
        let object = serde_json::from_str(&object).expect("a CronJob");
        let mut cronjob = manifest::lower(&object, &TimeZones::built_in(), None);
        cronjob.created = created.map_or(Timestamp::UNIX_EPOCH, at);
        cronjob.status.last_schedule_time = recorded.map(at);
        cronjob
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-11-24T{time}Z").parse().expect("a time")
    }
}
