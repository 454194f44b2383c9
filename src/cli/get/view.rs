//! What there is to say about a CronJob, from the object and its Jobs. No I/O, no clock.

use chrono::TimeDelta;
use serde::Serialize;

use crate::cli::present::{rfc3339, wall_clock};
use crate::cronjob::{CronJob, HistoryLimits, Origin, Outcome, Run, scheduled_by_name};
use crate::manifest;
use crate::schedule::{Schedule, Timestamp};
use crate::submit::JobView;

/// Why a CronJob is suspended whose owner has not done it (`punctual.dev/suspend-after-failures`).
const FOR_FAILURES: &str = "its runs failed";

/// What is shown of a CronJob. Serialized, it is what programs read: names are part of the contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) schedule: String,
    /// The zone whose wall clock counts.
    pub(super) time_zone: String,
    /// What is wrong with the schedule or the zone, if they can't be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
    /// The schedule matches no date there is.
    #[serde(skip)]
    pub(super) never_fires: bool,
    pub(super) suspended: bool,
    #[serde(serialize_with = "instant")]
    pub(super) suspended_until: Option<Timestamp>,
    pub(super) suspend_reason: Option<String>,
    /// Instants to come that are not started.
    #[serde(serialize_with = "instants")]
    pub(super) skipped: Vec<Timestamp>,
    /// The Jobs that run now.
    pub(super) active: Vec<String>,
    /// `status.lastScheduleTime`: the due instant of the newest run.
    #[serde(serialize_with = "instant")]
    pub(super) last_due: Option<Timestamp>,
    #[serde(serialize_with = "instant")]
    pub(super) last_successful_time: Option<Timestamp>,
    /// The next instant that is due and not covered by a pause.
    #[serde(serialize_with = "instant")]
    pub(super) next_due: Option<Timestamp>,
    /// The same as a wall clock in the zone shows it, with its offset.
    #[serde(skip)]
    pub(super) next_due_local: Option<String>,
    /// The newest run that has ended.
    pub(super) last_result: Option<Ended>,
    pub(super) streak: Option<Streak>,
    /// How long after its due instant the newest run was created, in the whole seconds that Kubernetes keeps.
    pub(super) lateness_seconds: Option<i64>,
    #[serde(serialize_with = "instant")]
    pub(super) created: Option<Timestamp>,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ended {
    /// Its Job, if that is kept.
    pub(super) job: Option<String>,
    #[serde(serialize_with = "outcome")]
    pub(super) outcome: Outcome,
    /// When its Job was created; where that is not kept, when it ended.
    #[serde(serialize_with = "instant")]
    pub(super) created: Option<Timestamp>,
    /// When it ended, where that is told.
    #[serde(rename = "ended", serialize_with = "instant")]
    pub(super) at: Option<Timestamp>,
}

/// How many of the newest runs ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Streak {
    #[serde(serialize_with = "outcome")]
    pub(super) outcome: Outcome,
    pub(super) runs: usize,
    /// There may have been more: older Jobs are deleted by the history limits.
    pub(super) at_least: bool,
}

/// What there is to say at the time `now` about a CronJob with these Jobs.
pub(super) fn view(object: &manifest::CronJob, cronjob: &CronJob, jobs: &[&JobView], now: Timestamp) -> View {
    let mut jobs: Vec<(&JobView, Run)> = jobs.iter().map(|job| (*job, job.run())).collect();
    jobs.sort_by(|(a, _), (b, _)| (b.created(), b.name()).cmp(&(a.created(), a.name())));
    // What was backfilled says nothing of how the schedule is doing.
    let of_now = || jobs.iter().filter(|(_, run)| run.origin != Origin::Backfill);
    let mut ended: Vec<Ended> = of_now().filter_map(ended).collect();
    ended.splice(0..0, unkept_success(cronjob, ended.first()));
    let spec = &cronjob.spec;
    let schedule = spec.schedule.as_ref().ok();
    let zone = schedule.map(Schedule::zone);
    let next_due = cronjob.next_due(now).filter(|_| !cronjob.deleting);
    let (extensions, _) = object.extensions();
    let suspended = cronjob.is_suspended(now);
    let for_its_failures = cronjob
        .status
        .record
        .suspended
        .map(|_since| FOR_FAILURES.to_owned());
    View {
        namespace: cronjob.key.namespace.clone(),
        name: cronjob.key.name.clone(),
        schedule: spec.schedule_text.clone(),
        time_zone: zone
            .map(|zone| zone.name().to_owned())
            .or(spec.time_zone.clone())
            .unwrap_or_default(),
        problem: spec.schedule.as_ref().err().map(ToString::to_string),
        never_fires: schedule.is_some_and(Schedule::never_fires),
        suspended,
        suspended_until: spec
            .suspend_until
            .filter(|_| suspended && for_its_failures.is_none()),
        suspend_reason: for_its_failures.or(extensions.pause_reason.filter(|_| suspended)),
        skipped: extensions.skip.into_iter().filter(|at| *at > now).collect(),
        active: jobs
            .iter()
            .filter(|(_, run)| run.is_active())
            .map(|(_, run)| run.name.clone())
            .collect(),
        last_due: cronjob.status.last_schedule_time,
        last_successful_time: cronjob.status.last_successful_time,
        next_due,
        next_due_local: next_due.zip(zone).map(|(at, zone)| wall_clock(at, zone)),
        streak: streak(&ended, spec.history),
        last_result: ended.into_iter().next(),
        lateness_seconds: of_now().find_map(|job| lateness(&cronjob.key.name, job)),
        created: object
            .metadata
            .creation_timestamp
            .as_ref()
            .and_then(manifest::timestamp),
    }
}

fn ended((job, run): &(&JobView, Run)) -> Option<Ended> {
    run.outcome().map(|outcome| Ended {
        job: Some(run.name.clone()),
        outcome,
        created: job.created(),
        at: job.ended(),
    })
}

/// A success that is newer than every run that is kept. Its Job is not, where the history keeps no successes; what
/// failed and is not kept leaves no trace.
fn unkept_success(cronjob: &CronJob, newest: Option<&Ended>) -> Option<Ended> {
    let at = cronjob.status.last_successful_time?;
    let keeps_none = cronjob.spec.history.successful == Some(0);
    let is_newest = newest.is_none_or(|newest| newest.created < Some(at));
    (keeps_none && is_newest).then_some(Ended {
        job: None,
        outcome: Outcome::Succeeded,
        created: Some(at),
        at: Some(at),
    })
}

/// The runs that ended as the newest did, newest first. Where as many are kept as the history has room for, there may
/// have been more.
fn streak(ended: &[Ended], history: HistoryLimits) -> Option<Streak> {
    let outcome = ended.first()?.outcome;
    let runs = ended.iter().take_while(|run| run.outcome == outcome).count();
    let limit = match outcome {
        Outcome::Succeeded => history.successful,
        Outcome::Failed => history.failed,
    };
    Some(Streak {
        outcome,
        runs,
        at_least: limit.is_some_and(|limit| runs >= limit),
    })
}

/// How late a run was created; `None` for one that a person started, which was not due, whatever it is called
/// (`kubectl create job --from=cronjob/a a-1`).
fn lateness(cronjob: &str, (job, run): &(&JobView, Run)) -> Option<i64> {
    if run.origin != Origin::Schedule {
        return None;
    }
    let scheduled = scheduled_by_name(cronjob, &run.name)?;
    let late: TimeDelta = job.created()? - scheduled;
    Some(late.num_seconds().max(0))
}

#[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
fn instant<S: serde::Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(rfc3339).serialize(serializer)
}

fn instants<S: serde::Serializer>(list: &[Timestamp], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.iter().map(|at| rfc3339(*at)))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
fn outcome<S: serde::Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    outcome.condition().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::TimeZones;
    use serde_json::{Value, json};

    /// One row a history: the kept Jobs, oldest first (`S`ucceeded, `F`ailed, `a`ctive), the limits, and what is said.
    #[test]
    fn a_streak_is_as_long_as_the_history_can_tell() {
        for (kept, successful, failed, said) in [
            ("", 3, 1, "-"),
            ("a", 3, 1, "-"),
            ("S", 3, 1, "1 Complete"),
            ("SS", 3, 1, "2 Complete"),
            ("SSS", 3, 1, "3+ Complete"),
            ("FSS", 3, 1, "2 Complete"),
            ("SSF", 3, 1, "1+ Failed"),
            ("SFFF", 3, 5, "3 Failed"),
            ("SFFFa", 3, 5, "3 Failed"),
            ("FSSSSS", 5, 1, "5+ Complete"),
        ] {
            let view = view_of(
                &json!({ "successfulJobsHistoryLimit": successful, "failedJobsHistoryLimit": failed }),
                &history(kept),
            );
            let streak = view.streak.map_or("-".into(), |streak| {
                let more = if streak.at_least { "+" } else { "" };
                format!("{}{more} {}", streak.runs, streak.outcome.condition())
            });
            assert_eq!(streak, said, "{kept}");
        }
    }

    /// A success is known by its time, where its Job goes at once; and whether a failure that is kept is older.
    #[test]
    fn a_result_is_known_though_no_success_is_kept() {
        let none = json!({ "successfulJobsHistoryLimit": 0, "lastSuccessfulTime": "2026-11-23T11:58:25Z" });
        let some = json!({ "successfulJobsHistoryLimit": 3, "lastSuccessfulTime": "2026-11-23T11:58:25Z" });
        let failed = |created| vec![job("tick-29923920", created, "Failed")];
        for (spec, jobs, said) in [
            (&none, vec![], "Complete - 1+"),
            (&none, failed(-3600), "Complete - 1+"),
            (&none, failed(0), "Failed tick-29923920 1+"),
            (&some, vec![], "-"),
        ] {
            let view = view_of(spec, &jobs);
            let said_now = view
                .last_result
                .zip(view.streak)
                .map_or("-".to_owned(), |(last, streak)| {
                    let job = last.job.as_deref().unwrap_or("-");
                    let more = if streak.at_least { "+" } else { "" };
                    format!("{} {job} {}{more}", last.outcome.condition(), streak.runs)
                });
            assert_eq!(said_now, said, "{spec}");
        }
    }

    #[test]
    fn what_is_due_next_depends_on_schedule_and_pause() {
        for (spec, next) in [
            (json!({}), Some("2026-11-23T12:05:00Z")),
            (json!({ "suspend": true }), None),
            (json!({ "failed": "2026-11-23T11:00:00Z" }), None),
            (
                json!({ "failed": "2026-11-23T11:00:00Z", "suspend": true, "until": "2026-11-23T13:00:00Z" }),
                None,
            ),
            (
                json!({ "suspend": true, "until": "2026-11-23T13:00:00Z" }),
                Some("2026-11-23T13:00:00Z"),
            ),
            (
                json!({ "suspend": true, "until": "2026-11-23T11:00:00Z" }),
                Some("2026-11-23T12:05:00Z"),
            ),
            (
                json!({ "skip": "2026-11-23T12:05:00Z" }),
                Some("2026-11-23T12:10:00Z"),
            ),
            (json!({ "schedule": "0 0 30 2 *" }), None),
            (json!({ "schedule": "every day" }), None),
            (json!({ "timeZone": "Mars/Olympus" }), None),
            (
                json!({ "schedule": "0 3 * * *", "timeZone": "Asia/Tokyo" }),
                Some("2026-11-23T18:00:00Z"),
            ),
            // Counted from the last run, which was 100 seconds ago.
            (json!({ "schedule": "@every 3m" }), Some("2026-11-23T12:01:20Z")),
        ] {
            let view = view_of(&spec, &[]);
            assert_eq!(view.next_due, next.map(at), "{spec}");
        }
    }

    #[test]
    fn a_pause_has_a_reason_also_where_failures_made_it() {
        for (spec, said) in [
            (json!({}), (false, None)),
            (json!({ "suspend": true }), (true, None)),
            (
                json!({ "failed": "2026-11-23T11:00:00Z" }),
                (true, Some("its runs failed")),
            ),
        ] {
            let view = view_of(&spec, &[]);
            assert_eq!((view.suspended, view.suspend_reason.as_deref()), said, "{spec}");
        }
    }

    #[test]
    fn only_runs_of_the_schedule_are_late() {
        let on_time = job("tick-29923920", 3, "Complete");
        let by_hand = |name: &str| {
            let mut job = object(name, 40, "Complete");
            job["metadata"]["annotations"] = json!({ "cronjob.kubernetes.io/instantiate": "manual" });
            serde_json::from_value(job).expect("a Job")
        };
        let jobs = [on_time, by_hand("tick-manual-7xkq2"), by_hand("tick-1")];
        assert_eq!(view_of(&json!({}), &jobs).lateness_seconds, Some(3));
    }

    #[test]
    fn programs_read_every_field() {
        let jobs = [
            job("tick-29923920", 0, "Failed"),
            job("tick-manual-7xkq2", 40, ""),
        ];
        let view = view_of(&json!({ "timeZone": "Europe/Berlin" }), &jobs);
        insta::assert_snapshot!(serde_json::to_string_pretty(&view).expect("JSON"));
    }

    fn view_of(spec: &Value, jobs: &[JobView]) -> View {
        let mut object = json!({
            "metadata": {
                "name": "tick", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-01T00:00:00Z",
            },
            "spec": { "schedule": "*/5 * * * *", "jobTemplate": {} },
            "status": { "lastScheduleTime": "2026-11-23T11:58:20Z" },
        });
        let mut spec = spec.clone();
        for (short, annotation) in [
            ("until", "punctual.dev/suspend-until"),
            ("skip", "punctual.dev/skip"),
            ("failed", "punctual.dev/suspended"),
        ] {
            if let Some(value) = spec.as_object_mut().and_then(|fields| fields.remove(short)) {
                object["metadata"]["annotations"][annotation] = value;
            }
        }
        if let Some(at) = spec
            .as_object_mut()
            .and_then(|fields| fields.remove("lastSuccessfulTime"))
        {
            object["status"]["lastSuccessfulTime"] = at;
        }
        json_patch::merge(&mut object["spec"], &spec);
        let object: manifest::CronJob = serde_json::from_str(&object.to_string()).expect("a CronJob");
        let cronjob = manifest::lower(&object, &TimeZones::built_in(), None);
        let jobs: Vec<&JobView> = jobs.iter().collect();
        view(&object, &cronjob, &jobs, at("2026-11-23T12:00:00Z"))
    }

    fn history(kept: &str) -> Vec<JobView> {
        let jobs = kept.chars().zip(0i64..).map(|(state, index)| {
            let condition = match state {
                'S' => "Complete",
                'F' => "Failed",
                _ => "",
            };
            job(&format!("tick-{}", 29_923_920 + index), 60 * index, condition)
        });
        jobs.collect()
    }

    /// A Job created so many seconds after noon, with a condition if it has ended.
    fn job(name: &str, created: i64, condition: &str) -> JobView {
        serde_json::from_value(object(name, created, condition)).expect("a Job")
    }

    fn object(name: &str, created: i64, condition: &str) -> Value {
        let created = at("2026-11-23T12:00:00Z") + TimeDelta::seconds(created);
        let conditions = if condition.is_empty() {
            json!([])
        } else {
            let ended = created + TimeDelta::seconds(15);
            json!([{ "type": condition, "status": "True", "lastTransitionTime": ended.to_rfc3339() }])
        };
        json!({
            "metadata": { "name": name, "uid": name, "creationTimestamp": created.to_rfc3339() },
            "status": { "conditions": conditions },
        })
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
}
