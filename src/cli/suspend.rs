//! `punctual suspend`: starts no runs of some CronJobs for now, and says why and until when.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::cli::asked::instant;
use crate::cli::change::{ChangeArgs, Planned, change};
use crate::cli::duration::duration;
use crate::cli::exit::{Exit, Failure};
use crate::cli::present::rfc3339;
use crate::clock::{Clock, SystemClock};
use crate::cronjob::extension::{SUSPEND_REASON_ANNOTATION, SUSPEND_UNTIL_ANNOTATION};
use crate::manifest::{CronJob, SUSPEND_ANNOTATION, suspended};
use crate::schedule::Timestamp;

/// Arguments of `punctual suspend`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual suspend backup --reason 'disk is being replaced' --until 2026-12-01T08:00:00Z
  punctual suspend -A -l tier=batch --until 2h

Running Jobs go on. A CronJob that is handed over to punctual (punctual.dev/managed) is paused by
its annotation, since its spec.suspend keeps the built-in controller away. Only punctual knows of
--until: where the built-in controller is in charge, the pause lasts until somebody ends it.")]
pub(super) struct SuspendArgs {
    #[command(flatten)]
    which: ChangeArgs,

    /// Why, for whoever wonders later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// End the pause by itself at this instant (RFC 3339) or after this long, e.g. 2h
    #[arg(long, value_name = "WHEN", value_parser = until)]
    until: Option<Until>,
}

/// When a pause ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Until {
    At(Timestamp),
    After(Duration),
}

fn until(text: &str) -> Result<Until, String> {
    let at = instant(text).map(Until::At);
    at.or_else(|_| duration(text).map(Until::After))
        .map_err(|error| format!("{error}, or an instant like 2026-11-23T12:00:00Z"))
}

impl Until {
    /// The instant, in whole seconds.
    fn from(self, now: Timestamp) -> Result<Timestamp, Failure> {
        let at = match self {
            Until::At(at) => Some(at),
            Until::After(duration) => TimeDelta::from_std(duration)
                .ok()
                .and_then(|after| now.checked_add_signed(after)),
        };
        at.filter(|at| *at > now)
            .ok_or_else(|| Failure::usage("the end of the pause, --until, is not in the future"))
    }
}

/// Suspends CronJobs.
///
/// # Errors
///
/// As those of [`change`], and when the pause is to end in the past.
pub(super) fn suspend(args: &SuspendArgs) -> Result<Exit, Failure> {
    let now = SystemClock.now();
    let until = args.until.map(|until| until.from(now)).transpose()?.map(rfc3339);
    change(&args.which, "suspend", |object| {
        plan(object, args.reason.as_deref(), until.as_deref())
    })
}

fn plan(object: &CronJob, reason: Option<&str>, until: Option<&str>) -> Planned {
    let annotations = object.metadata.annotations.as_ref();
    let written = |name| annotations.and_then(|all| all.get(name)).map(String::as_str);
    let so_already = suspended(object, &object.extensions().0)
        && written(SUSPEND_REASON_ANNOTATION) == reason
        && written(SUSPEND_UNTIL_ANNOTATION) == until;
    if so_already {
        return Planned::Nothing {
            said: "was suspended already".into(),
        };
    }
    let end = until.map(|until| format!(" until {until}")).unwrap_or_default();
    Planned::Patch {
        patch: pause(object, true, reason, until),
        said: format!("suspended{end}"),
        prevents: vec![],
    }
}

/// The merge patch that pauses a CronJob or ends its pause, by whichever of the two says so.
pub(super) fn pause(object: &CronJob, paused: bool, reason: Option<&str>, until: Option<&str>) -> Value {
    let mut annotations = json!({ SUSPEND_REASON_ANNOTATION: reason, SUSPEND_UNTIL_ANNOTATION: until });
    if object.extensions().0.managed {
        annotations[SUSPEND_ANNOTATION] = paused.then_some("true").into();
        json!({ "metadata": { "annotations": annotations } })
    } else {
        json!({ "metadata": { "annotations": annotations }, "spec": { "suspend": paused } })
    }
}

#[cfg(test)]
pub(in crate::cli) mod tests {
    use super::*;

    /// One row a CronJob: what it has, what is asked, and what is done to it.
    #[test]
    fn a_pause_is_written_where_the_controller_in_charge_looks() {
        for (has, reason, until, spec, annotations) in [
            (
                json!({}),
                None,
                None,
                Some(true),
                json!({ "reason": null, "until": null }),
            ),
            (
                json!({}),
                Some("x"),
                Some("T"),
                Some(true),
                json!({ "reason": "x", "until": "T" }),
            ),
            (
                json!({ "managed": "true" }),
                Some("x"),
                None,
                None,
                json!({ "reason": "x", "until": null, "suspend": "true" }),
            ),
            (
                json!({ "paused": true, "reason": "x" }),
                Some("y"),
                None,
                Some(true),
                json!({ "reason": "y", "until": null }),
            ),
        ] {
            let Planned::Patch { patch, .. } = plan(&cronjob(&has), reason, until) else {
                panic!("{has}: nothing is done");
            };
            assert_eq!(
                patch.pointer("/spec/suspend").and_then(Value::as_bool),
                spec,
                "{has}"
            );
            let written = patch["metadata"]["annotations"].as_object().expect("annotations");
            let short = written.iter().map(|(name, value)| {
                let name = name
                    .trim_start_matches("punctual.dev/")
                    .trim_start_matches("suspend-");
                (name.to_owned(), value.clone())
            });
            assert_eq!(Value::Object(short.collect()), annotations, "{has}");
        }
    }

    #[test]
    fn what_is_so_already_is_left_alone() {
        for (has, reason, until) in [
            (json!({ "paused": true }), None, None),
            (
                json!({ "paused": true, "reason": "x", "until": "T" }),
                Some("x"),
                Some("T"),
            ),
            (json!({ "managed": "true", "suspend": "true" }), None, None),
        ] {
            assert!(
                matches!(plan(&cronjob(&has), reason, until), Planned::Nothing { .. }),
                "{has}"
            );
        }
    }

    #[test]
    fn an_end_is_an_instant_or_a_while_from_now_and_never_past() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("an instant");
        for (text, end) in [
            ("2026-11-23T14:00:00+01:00", Some("2026-11-23T13:00:00Z")),
            ("90m", Some("2026-11-23T13:30:00Z")),
            ("2026-11-23T12:00:00Z", None),
            ("0s", None),
        ] {
            let end_found = until(text).expect("a time").from(now).ok().map(rfc3339);
            assert_eq!(end_found.as_deref(), end, "{text}");
        }
        assert!(until("tomorrow").is_err());
        // That would be a year that annotations can't hold.
        assert!(until("99999999h").is_err());
    }

    /// A CronJob with some annotations, and `spec.suspend` if `paused` is there.
    pub(in crate::cli) fn cronjob(has: &Value) -> CronJob {
        let mut object = json!({
            "metadata": { "name": "a", "namespace": "b", "annotations": {} },
            "spec": { "schedule": "0 * * * *", "jobTemplate": {} },
        });
        for (name, value) in has.as_object().into_iter().flatten() {
            match name.as_str() {
                "paused" => object["spec"]["suspend"] = value.clone(),
                "last" => object["status"]["lastScheduleTime"] = value.clone(),
                "reason" | "until" => {
                    object["metadata"]["annotations"][format!("punctual.dev/suspend-{name}")] = value.clone();
                }
                _ => object["metadata"]["annotations"][format!("punctual.dev/{name}")] = value.clone(),
            }
        }
        serde_json::from_str(&object.to_string()).expect("a CronJob")
    }
}
