//! The Event of a note.

use serde_json::{Value, json};

use super::correlate::Write;
use crate::fnv::fnv1a;
use crate::policy::Severity;
use crate::schedule::Timestamp;

/// Who tells it. Kubernetes' own controller is `cronjob-controller`; where both run, people have to know which of them
/// said what. Tools go by the reason, which is Kubernetes' wherever it has one.
pub const COMPONENT: &str = "punctual";

/// The longest message of an Event that the API server takes, in characters.
const LONGEST_MESSAGE: usize = 1_024;

/// The name of the Event: the CronJob's and a number that stands for what is told. The same note of the same CronJob
/// has the same name, so that a restart raises the count of an Event instead of adding one.
pub(super) fn name(write: &Write) -> String {
    let told = write.told.uid.bytes().chain(*b" ").chain(write.series.bytes());
    format!("{}.{:016x}", write.told.cronjob.name, fnv1a(told))
}

/// The whole Event, to be created.
pub(super) fn event(write: &Write) -> Value {
    let cronjob = &write.told.cronjob;
    let mut event = update(write, write.count);
    let rest = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "name": name(write), "namespace": cronjob.namespace },
        "involvedObject": {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "namespace": cronjob.namespace,
            "name": cronjob.name,
            "uid": write.told.uid,
        },
        "type": match write.severity {
            Severity::Normal => "Normal",
            Severity::Warning => "Warning",
        },
        "reason": write.told.note.reason(),
        "source": { "component": COMPONENT },
        "reportingComponent": COMPONENT,
        "reportingInstance": "",
        "firstTimestamp": seconds(write.first),
    });
    json_patch::merge(&mut event, &rest);
    event
}

/// What changes when it is told again.
pub(super) fn update(write: &Write, count: i32) -> Value {
    let message: String = write
        .told
        .note
        .to_string()
        .chars()
        .take(LONGEST_MESSAGE)
        .collect();
    json!({
        "count": count,
        "lastTimestamp": seconds(write.told.at),
        "message": message,
    })
}

fn seconds(instant: Timestamp) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cronjob::Key;
    use crate::policy::Note;
    use crate::telemetry::Told;

    #[test]
    fn the_event_is_about_the_cronjob() {
        let at = "2026-11-23T12:00:00.250Z".parse().expect("an instant");
        let write = Write {
            series: "SuccessfulCreate tick-29454361".into(),
            count: 1,
            first: at,
            severity: Severity::Normal,
            told: Told {
                at,
                cronjob: Key {
                    namespace: "default".into(),
                    name: "tick".into(),
                },
                uid: "1a2b3c".into(),
                note: Note::Started {
                    job: "tick-29454361".into(),
                    scheduled: at,
                    lateness: chrono::TimeDelta::zero(),
                    held_back: chrono::TimeDelta::zero(),
                    waited: false,
                },
            },
        };
        let text = serde_json::to_string_pretty(&event(&write)).expect("JSON");
        insta::assert_snapshot!(text, @r#"
        {
          "apiVersion": "v1",
          "count": 1,
          "firstTimestamp": "2026-11-23T12:00:00Z",
          "involvedObject": {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "name": "tick",
            "namespace": "default",
            "uid": "1a2b3c"
          },
          "kind": "Event",
          "lastTimestamp": "2026-11-23T12:00:00Z",
          "message": "Created job tick-29454361",
          "metadata": {
            "name": "tick.34df37605007dc07",
            "namespace": "default"
          },
          "reason": "SuccessfulCreate",
          "reportingComponent": "punctual",
          "reportingInstance": "",
          "source": {
            "component": "punctual"
          },
          "type": "Normal"
        }
        "#);
    }
}
