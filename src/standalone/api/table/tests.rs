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
    let head = head(resource(kind), &json!({}), true);
    let row = row(resource(kind), object, Include::None, now);
    let cells = row["cells"].as_array().unwrap();
    assert_eq!(cells.len(), head["columnDefinitions"].as_array().unwrap().len());
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
    let ended = |name: &str, code: i32, reason: &str| json!({ "name": name, "restartCount": 0, "state": { "terminated": { "exitCode": code, "reason": reason } } });
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
    insta::assert_snapshot!(rows.join("\n"), @r"
    p | 0/3 | Pending | 0 | 60s | <none> | here | <none> | <none>
    p | 0/3 | Init:0/2 | 0 | 60s | <none> | here | <none> | <none>
    p | 0/3 | Init:Error | 0 | 60s | <none> | here | <none> | <none>
    p | 2/3 | Running | 2 (40s ago) | 60s | <none> | here | <none> | <none>
    p | 0/3 | CrashLoopBackOff | 5 | 60s | <none> | here | <none> | <none>
    p | 0/3 | Completed | 0 | 60s | <none> | here | <none> | <none>
    p | 0/3 | Error | 0 | 60s | <none> | here | <none> | <none>
    p | 0/3 | DeadlineExceeded | 0 | 60s | <none> | here | <none> | <none>
    ");
}

#[test]
fn every_kind_has_its_columns() {
    let rows = [
        row_of(
            "CronJob",
            &json!({
                "metadata": { "name": "c", "creationTimestamp": "1970-01-01T00:00:00Z" },
                "spec": { "schedule": "@hourly", "suspend": false, "jobTemplate": { "spec": { "template": { "spec": {
                    "containers": [{ "name": "a", "image": "x" }, { "name": "b", "image": "y" }] } } } } },
                "status": { "active": [{}], "lastScheduleTime": "1970-01-12T13:00:00Z" },
            }),
        ),
        row_of(
            "Job",
            &json!({
                "metadata": { "name": "j" },
                "spec": { "parallelism": 3, "selector": { "matchLabels": { "b": "2", "a": "1" },
                    "matchExpressions": [{ "key": "c", "operator": "NotIn", "values": ["x", "y"] }] } },
                "status": { "startTime": "1970-01-12T13:00:00Z", "conditions": [{ "type": "Suspended", "status": "True" }] },
            }),
        ),
        row_of(
            "Event",
            &json!({
                "metadata": { "name": "e" }, "type": "Warning", "reason": "BackOff", "message": " no luck ",
                "involvedObject": { "kind": "Pod", "name": "p" }, "source": { "component": "kubelet", "host": "here" },
                "firstTimestamp": "1970-01-12T13:00:00Z", "lastTimestamp": "1970-01-12T13:46:00Z", "count": 4,
            }),
        ),
        row_of(
            "Node",
            &json!({
                "metadata": { "name": "here", "labels": { "node-role.kubernetes.io/control-plane": "" } },
                "status": { "conditions": [{ "type": "Ready", "status": "True" }],
                    "nodeInfo": { "kernelVersion": "6.1", "architecture": "amd64" } },
            }),
        ),
        row_of(
            "Secret",
            &json!({ "metadata": { "name": "s" }, "type": "Opaque", "data": { "a": "", "b": "" } }),
        ),
        row_of("ServiceAccount", &json!({ "metadata": { "name": "default" } })),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r"
    c | @hourly | <none> | False | 1 | 46m | 11d | a,b | x,y | <none>
    j | Suspended | 0/1 of 3 | 46m | <unknown> |  |  | a=1,b=2,c notin (x,y)
    40s | Warning | BackOff | pod/p |  | kubelet, here | no luck | 46m | 4 | e
    here | Ready | control-plane | <unknown> |  | <none> | <none> | <unknown> | 6.1 (amd64) | <unknown>
    s | Opaque | 2 | <unknown>
    default | <unknown>
    ");
}
