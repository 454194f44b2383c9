//! The rules, as tables in Kubernetes' words, and as a small world that runs them against chance.

mod losing;
mod scenarios;
mod steps;
mod table;
mod view;
mod world;

use chrono::TimeDelta;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{JobDecision, Past};
use crate::schedule::Timestamp;

/// The time at which tables are decided.
fn noon() -> Timestamp {
    Timestamp::from_timestamp(1_795_435_200, 0).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    noon() + TimeDelta::seconds(seconds)
}

fn rfc3339(instant: Timestamp) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A Job with this spec; the template is a plain one unless the spec brings its own.
fn job(spec: &Value) -> Job {
    let mut whole = json!({
        "template": {
            "metadata": {"labels": {"app": "report"}, "annotations": {"note": "kept"}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "command": ["true"]}]},
        },
    });
    json_patch::merge(&mut whole, spec);
    serde_json::from_value(json!({
        "metadata": {"name": "report", "namespace": "shop", "uid": "j-1"},
        "spec": whole,
    }))
    .unwrap()
}

fn with_status(mut job: Job, status: &Value) -> Job {
    job.status = Some(serde_json::from_value(status.clone()).unwrap());
    job
}

/// A decision in one line.
fn told(decision: &JobDecision) -> String {
    let mut parts = Vec::new();
    if !decision.create.is_empty() {
        parts.push(format!("create {}", decision.create.len()));
    }
    if !decision.delete.is_empty() {
        parts.push(format!("delete {}", names(&decision.delete)));
    }
    if !decision.release.is_empty() {
        parts.push(format!("release {}", names(&decision.release)));
    }
    if decision.delete_job {
        parts.push("delete the job".to_owned());
    }
    if let Some(status) = &decision.status {
        parts.push(told_status(status));
    }
    if let Some(wake) = decision.wake {
        parts.push(format!("wake {:+}s", (wake - noon()).num_seconds()));
    }
    for event in &decision.events {
        parts.push(format!(
            "{}{}: {}",
            if event.warning { "!" } else { "" },
            event.reason,
            event.message
        ));
    }
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(" | ")
    }
}

/// The names of pods of these uids, when [`pod`] made them.
fn names(uids: &[String]) -> String {
    let names = uids.iter().map(|uid| uid.replacen('u', "p", 1));
    names.collect::<Vec<_>>().join(" ")
}

fn told_status(status: &JobStatus) -> String {
    let waiting = status.uncounted_terminated_pods.clone().unwrap_or_default();
    let counts = [
        ("active", status.active),
        ("ready", status.ready),
        ("terminating", status.terminating),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        (
            "uncounted succeeded",
            waiting.succeeded.map(|uids| i32::try_from(uids.len()).unwrap()),
        ),
        (
            "uncounted failed",
            waiting.failed.map(|uids| i32::try_from(uids.len()).unwrap()),
        ),
    ];
    let mut parts: Vec<String> = counts
        .into_iter()
        .filter_map(|(name, count)| {
            count
                .filter(|count| *count != 0)
                .map(|count| format!("{name} {count}"))
        })
        .collect();
    parts.extend(
        status
            .completed_indexes
            .iter()
            .map(|indexes| format!("completed indexes {indexes}")),
    );
    parts.extend(
        status
            .failed_indexes
            .iter()
            .map(|indexes| format!("failed indexes {indexes:?}")),
    );
    for condition in status.conditions.iter().flatten() {
        let not = if condition.status == "True" { "" } else { "not " };
        parts.push(format!(
            "{not}{} ({})",
            condition.type_,
            condition.reason.as_deref().unwrap_or_default()
        ));
    }
    if parts.is_empty() {
        "all zero".to_owned()
    } else {
        parts.join(", ")
    }
}

/// A pod of the Job `report`, as a word says: `active`, `ready`, `succeeded`, `failed`, `terminating`; `stopped` when it has
/// failed because its node was stopped; `counted` when its finalizer is gone; `elsewhere` for one of another namespace; `-30s`
/// for when it ended; `index=2`; `exit=7`; `restarts=3`; `before=1` for failures before.
fn pod(number: usize, words: &str) -> Pod {
    let word = |key: &str| {
        words
            .split(' ')
            .find_map(|word| word.strip_prefix(key))
            .map(|value| value.parse::<i64>().unwrap())
    };
    let has = |name: &str| words.split(' ').any(|word| word == name);
    let phase = match () {
        () if has("succeeded") => "Succeeded",
        () if has("failed") => "Failed",
        () if has("pending") => "Pending",
        () => "Running",
    };
    let seconds = words
        .split(' ')
        .find_map(|word| word.strip_suffix('s')?.parse::<i64>().ok());
    let finished = seconds.map(|seconds| rfc3339(at(seconds)));
    let state = match phase {
        "Succeeded" => json!({"terminated": {"exitCode": 0, "finishedAt": finished}}),
        "Failed" => json!({"terminated": {"exitCode": word("exit=").unwrap_or(1), "finishedAt": finished}}),
        _ => json!({"running": {}}),
    };
    let mut annotations = serde_json::Map::new();
    for (key, annotation) in [
        ("index=", "job-completion-index"),
        ("before=", "job-index-failure-count"),
    ] {
        if let Some(value) = word(key) {
            annotations.insert(
                format!("batch.kubernetes.io/{annotation}"),
                json!(value.to_string()),
            );
        }
    }
    let ready = if has("ready") { "True" } else { "False" };
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("p{number}"), "uid": format!("u{number}"),
            "namespace": if has("elsewhere") { "elsewhere" } else { "shop" },
            "annotations": annotations,
            "creationTimestamp": rfc3339(at(-600 + i64::try_from(number).unwrap())),
            "deletionTimestamp": has("terminating").then(|| rfc3339(at(-1))),
            "finalizers": if has("counted") { json!([]) } else { json!(["batch.kubernetes.io/job-tracking"]) },
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "report", "uid": "j-1", "controller": true}],
        },
        "status": {
            "phase": phase,
            "reason": has("stopped").then_some("Terminated"),
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{
                "name": "main", "image": "", "imageID": "", "ready": false,
                "restartCount": word("restarts=").unwrap_or(0), "state": state,
            }],
        },
    }))
    .unwrap()
}

/// Pods from words that are parted by commas.
fn pods(words: &str) -> Vec<Pod> {
    let words = words.split(',').map(str::trim).filter(|words| !words.is_empty());
    words
        .enumerate()
        .map(|(number, words)| pod(number + 1, words))
        .collect()
}
