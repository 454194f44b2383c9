//! Rows of pods in the states that a pod goes through, and the table around them.

use chrono::DateTime;
use serde_json::{Value, json};

use super::*;

fn resource(kind: &str) -> &'static Resource {
    crate::standalone::api::resource::RESOURCES
        .iter()
        .find(|resource| resource.kind == kind)
        .unwrap()
}

fn row_of(kind: &str, object: &Value) -> String {
    let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
    let table = table(resource(kind), &[object.clone()], json!({}), Include::None, true, now);
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), table["columnDefinitions"].as_array().unwrap().len());
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned))
        .collect();
    cells.join(" | ")
}

fn pod(status: &Value) -> String {
    row_of(
        "Pod",
        &json!({
            "metadata": { "name": "p", "creationTimestamp": "1970-01-12T13:45:40Z" },
            "spec": {
                "containers": [{ "name": "a" }, { "name": "b" }],
                "initContainers": [{ "name": "i" }, { "name": "s", "restartPolicy": "Always" }],
                "nodeName": "here",
            },
            "status": status,
        }),
    )
}

#[test]
fn a_pod_says_in_a_word_how_it_is() {
    let ended = |name: &str, code: i32, reason: &str| {
        json!({ "name": name, "restartCount": 0, "state": { "terminated": { "exitCode": code, "reason": reason } } })
    };
    let states = [
        json!({ "phase": "Pending" }),
        json!({ "phase": "Pending", "initContainerStatuses": [{ "name": "i", "state": { "running": {} } }] }),
        json!({ "phase": "Pending", "initContainerStatuses": [ended("i", 1, "Error")] }),
        json!({ "phase": "Running", "containerStatuses": [
            { "name": "a", "ready": true, "restartCount": 2, "state": { "running": {} },
              "lastState": { "terminated": { "finishedAt": "1970-01-12T13:46:00Z" } } },
            { "name": "b", "ready": true, "restartCount": 0, "state": { "running": {} } },
        ] }),
        json!({ "phase": "Running", "containerStatuses": [
            { "name": "a", "restartCount": 5, "state": { "waiting": { "reason": "CrashLoopBackOff" } } },
        ] }),
        json!({ "phase": "Succeeded", "containerStatuses": [ended("a", 0, "Completed"), ended("b", 0, "Completed")] }),
        json!({ "phase": "Failed", "containerStatuses": [ended("a", 0, "Completed"), ended("b", 3, "Error")] }),
        json!({ "phase": "Failed", "reason": "DeadlineExceeded" }),
    ];
    let rows: Vec<String> = states.iter().map(pod).collect();
    insta::assert_snapshot!(rows.join("\n"), @"");
}

#[test]
fn every_kind_has_its_columns() {
    let rows = [
        row_of("CronJob", &json!({
            "metadata": { "name": "c", "creationTimestamp": "1970-01-01T00:00:00Z" },
            "spec": { "schedule": "@hourly", "suspend": false, "jobTemplate": { "spec": { "template": { "spec": {
                "containers": [{ "name": "a", "image": "x" }, { "name": "b", "image": "y" }] } } } } },
            "status": { "active": [{}], "lastScheduleTime": "1970-01-12T13:00:00Z" },
        })),
        row_of("Job", &json!({
            "metadata": { "name": "j" },
            "spec": { "parallelism": 3, "selector": { "matchLabels": { "b": "2", "a": "1" },
                "matchExpressions": [{ "key": "c", "operator": "NotIn", "values": ["x", "y"] }] } },
            "status": { "startTime": "1970-01-12T13:00:00Z", "conditions": [{ "type": "Suspended", "status": "True" }] },
        })),
        row_of("Event", &json!({
            "metadata": { "name": "e" }, "type": "Warning", "reason": "BackOff", "message": " no luck ",
            "involvedObject": { "kind": "Pod", "name": "p" }, "source": { "component": "kubelet", "host": "here" },
            "firstTimestamp": "1970-01-12T13:00:00Z", "lastTimestamp": "1970-01-12T13:46:00Z", "count": 4,
        })),
        row_of("Node", &json!({
            "metadata": { "name": "here", "labels": { "node-role.kubernetes.io/control-plane": "" } },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }],
                "nodeInfo": { "kernelVersion": "6.1", "architecture": "amd64" } },
        })),
        row_of("Secret", &json!({ "metadata": { "name": "s" }, "type": "Opaque", "data": { "a": "", "b": "" } })),
        row_of("ServiceAccount", &json!({ "metadata": { "name": "default" } })),
    ];
    insta::assert_snapshot!(rows.join("\n"), @"");
}
