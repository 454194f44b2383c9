//! `punctual skip-next`: lets the next due instants of some CronJobs pass without a run.

use serde_json::json;

use crate::cli::calendars::CalendarArgs;
use crate::cli::change::{ChangeArgs, Planned, change, change_by_calendars};
use crate::cli::exit::{Exit, Failure};
use crate::cli::present::{rfc3339, wall_clock};
use crate::cli::zoneinfo::TzdataArgs;
use crate::clock::{Clock, SystemClock};
use crate::cronjob::CronJob;
use crate::cronjob::extension::SKIP_ANNOTATION;
use crate::manifest;
use crate::schedule::Timestamp;
use crate::telemetry::chain;

/// Arguments of `punctual skip-next`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual skip-next backup
  punctual skip-next backup -c 3
  punctual skip-next backup --undo

The instants are written into the annotation punctual.dev/skip, which only punctual knows: the
built-in controller would run them.")]
pub(super) struct SkipNextArgs {
    #[command(flatten)]
    which: ChangeArgs,

    #[command(flatten)]
    calendars: CalendarArgs,

    /// How many instants to skip, beside those that are skipped already
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=50), conflicts_with = "undo")]
    count: u8,

    /// Run what was to be skipped after all
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    tzdata: TzdataArgs,
}

/// Skips instants, or takes that back.
///
/// # Errors
///
/// As those of [`change`].
pub(super) fn skip_next(args: &SkipNextArgs) -> Result<Exit, Failure> {
    let zones = args.tzdata.load()?;
    let now = SystemClock.now();
    if args.undo {
        return change(&args.which, "run what was to be skipped of", |object| {
            undo(object, &manifest::lower(object, &zones, None), now)
        });
    }
    let count = usize::from(args.count);
    let calendars = Some(&args.calendars);
    change_by_calendars(
        &args.which,
        calendars,
        "skip the next run of",
        |object, calendars| {
            let cronjob = manifest::lower_with(object, &zones, calendars, None);
            plan(object, &cronjob, count, now)
        },
    )
}

fn plan(object: &manifest::CronJob, cronjob: &CronJob, count: usize, now: Timestamp) -> Planned {
    let next: Vec<Timestamp> = std::iter::successors(cronjob.next_due(now), |due| cronjob.next_due(*due))
        .take(count)
        .collect();
    let schedule = match &cronjob.spec.schedule {
        Ok(schedule) => schedule,
        Err(problem) => {
            return Planned::Refused {
                why: format!(
                    "its schedule can't be used ({}), so nothing is due",
                    chain(problem)
                ),
            };
        }
    };
    if next.is_empty() {
        let why = if cronjob.is_suspended(now) {
            "it is suspended"
        } else {
            "its schedule never fires"
        };
        return Planned::Refused {
            why: format!("{why}, so nothing is due"),
        };
    }
    let mut skipped = object.extensions().0.skip;
    skipped.retain(|at| *at > dealt_with(cronjob));
    skipped.extend(&next);
    skipped.sort();
    let shown: Vec<String> = next.iter().map(|at| wall_clock(*at, schedule.zone())).collect();
    Planned::Patch {
        patch: json!({ "metadata": { "annotations": { SKIP_ANNOTATION: text(skipped) } } }),
        said: format!("skips {}", shown.join(", ")),
        prevents: next,
    }
}

/// Up to here nothing will be started, whatever is left out: the rest of the list still keeps it from being.
fn dealt_with(cronjob: &CronJob) -> Timestamp {
    let status = &cronjob.status;
    let newest = status.last_schedule_time.max(status.record.passed);
    newest.map_or(cronjob.created, |newest| newest.max(cronjob.created))
}

fn undo(object: &manifest::CronJob, cronjob: &CronJob, now: Timestamp) -> Planned {
    let jitter = cronjob.spec.policies.jitter_of(&cronjob.uid);
    let skipped = object.extensions().0.skip.into_iter();
    let (passed, to_come): (Vec<_>, Vec<_>) = skipped.partition(|at| *at + jitter <= now);
    if to_come.is_empty() {
        return Planned::Nothing {
            said: "skips nothing".into(),
        };
    }
    // What was skipped does not start after all.
    let kept: Vec<Timestamp> = passed
        .into_iter()
        .filter(|at| *at > dealt_with(cronjob))
        .collect();
    let left = (!kept.is_empty()).then(|| text(kept));
    Planned::Patch {
        patch: json!({ "metadata": { "annotations": { SKIP_ANNOTATION: left } } }),
        said: "skips nothing any more".into(),
        prevents: vec![],
    }
}

fn text(instants: Vec<Timestamp>) -> String {
    let instants: Vec<String> = instants.into_iter().map(rfc3339).collect();
    instants.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::cli::suspend::tests::cronjob;
    use crate::schedule::TimeZones;

    /// One row an hourly CronJob at half past eleven: what it has, how many are to be skipped, and what is then.
    #[test]
    fn the_next_instants_that_would_run_are_skipped() {
        for (has, count, expected) in [
            (json!({}), 1, "2026-11-23T12:00:00Z"),
            (json!({}), 2, "2026-11-23T12:00:00Z,2026-11-23T13:00:00Z"),
            (
                json!({ "skip": "2026-11-23T12:00:00Z" }),
                1,
                "2026-11-23T12:00:00Z,2026-11-23T13:00:00Z",
            ),
            // What has passed is of no more use once it is dealt with, and not before.
            (
                json!({ "skip": "2026-11-23T09:00:00Z", "last": "2026-11-23T10:00:00Z" }),
                1,
                "2026-11-23T12:00:00Z",
            ),
            (
                json!({ "skip": "2026-11-23T09:00:00Z", "state": "passed=2026-11-23T09:00:00Z" }),
                1,
                "2026-11-23T12:00:00Z",
            ),
            (
                json!({ "skip": "2026-11-23T11:00:00Z", "last": "2026-11-23T10:00:00Z" }),
                1,
                "2026-11-23T11:00:00Z,2026-11-23T12:00:00Z",
            ),
            (
                json!({ "paused": true, "until": "2026-11-23T15:30:00Z" }),
                1,
                "2026-11-23T16:00:00Z",
            ),
            (json!({ "paused": true }), 1, "it is suspended, so nothing is due"),
        ] {
            let now = "2026-11-23T11:30:00Z".parse().expect("an instant");
            let object = cronjob(&has);
            let lowered = manifest::lower(&object, &TimeZones::built_in(), None);
            let found = match plan(&object, &lowered, count, now) {
                Planned::Patch { patch, .. } => patch["metadata"]["annotations"][SKIP_ANNOTATION].clone(),
                Planned::Refused { why } => why.into(),
                Planned::Nothing { .. } => Value::Null,
            };
            assert_eq!(found, expected, "{has}");
        }
    }

    /// One row an hourly CronJob at half past eleven that ran at ten: what it skips, and what it skips after that was undone.
    #[test]
    fn what_has_been_skipped_stays_so() {
        for (skips, left) in [
            ("2026-11-23T12:00:00Z", Value::Null),
            ("2026-11-23T09:00:00Z,2026-11-23T12:00:00Z", Value::Null),
            (
                "2026-11-23T11:00:00Z,2026-11-23T12:00:00Z",
                "2026-11-23T11:00:00Z".into(),
            ),
            ("2026-11-23T11:00:00Z", "skips nothing".into()),
            ("", "skips nothing".into()),
        ] {
            let now = "2026-11-23T11:30:00Z".parse().expect("an instant");
            let object = cronjob(&json!({ "skip": skips, "last": "2026-11-23T10:00:00Z" }));
            let found = match undo(
                &object,
                &manifest::lower(&object, &TimeZones::built_in(), None),
                now,
            ) {
                Planned::Patch { patch, .. } => patch["metadata"]["annotations"][SKIP_ANNOTATION].clone(),
                Planned::Nothing { said } => said.into(),
                Planned::Refused { why } => why.into(),
            };
            assert_eq!(found, left, "{skips}");
        }
    }
}
