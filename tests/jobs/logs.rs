//! What containers write, asked for through the API, as `kubectl logs` asks.

use futures::io::AsyncReadExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use serde_json::json;

use crate::machine::{Machine, container_status, phase, until};

/// The answer to a query, or why there is none.
async fn asked(machine: &Machine, query: &str) -> String {
    let path = format!("/api/v1/namespaces/default/pods/test/log?{query}");
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    match machine.client.request_text(request).await {
        Ok(text) => text,
        Err(kube::Error::Api(status)) => format!("{} {}: {}\n", status.code, status.reason, status.message),
        Err(error) => panic!("{error}"),
    }
}

fn has_ended(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_that_are_asked_for() {
    let machine = Machine::start().await;
    let script = "echo one; sleep 0.05; echo two >&2; sleep 0.05; echo three";
    let container = json!({"name": "main", "image": "none", "command": ["/bin/sh", "-c", script]});
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [container]}))
        .await;
    machine.pod_until(has_ended).await;

    let mut told = Vec::new();
    for query in [
        "",
        "follow=true",
        "tailLines=2",
        "tailLines=0",
        "limitBytes=6",
        "sinceSeconds=3600",
        "container=main",
        "container=side",
        "previous=true",
        "tailLines=-1&sinceSeconds=0&limitBytes=0",
        "sinceSeconds=1&sinceTime=2026-11-24T16:00:00Z",
        "sinceTime=yesterday",
        "tailLines=some",
        "stream=Stderr",
    ] {
        told.push(format!("== {query}\n{}", asked(&machine, query).await));
    }
    insta::assert_snapshot!(told.join("\n"));

    let dated = asked(&machine, "timestamps=true").await;
    let dates: Vec<&str> = dated
        .lines()
        .map(|line| line.split_once(' ').unwrap().0)
        .collect();
    assert!(dates.is_sorted() && dates.len() == 3, "{dated}");
    let from_the_second_on = format!("sinceTime={}", dates[1]);
    assert_eq!(asked(&machine, &from_the_second_on).await, "two\nthree\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_removed_is_said_to_be() {
    let machine = Machine::start().await;
    let container = json!({"name": "main", "image": "none", "command": ["echo", "one"]});
    let pod = json!({"restartPolicy": "Never", "containers": [container]});
    machine.pod(&pod).await;
    let ended = machine.pod_until(has_ended).await;
    let log = machine
        .data
        .pod(ended.metadata.uid.as_deref().unwrap())
        .log("main", 0);
    std::fs::remove_file(&log).unwrap();
    let log = log.display().to_string();
    let told = [asked(&machine, "").await, asked(&machine, "follow=true").await];
    assert_eq!(told[0], told[1]);
    insta::assert_snapshot!(told[0].replace(&log, "LOG"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_container_says_of_its_end_is_in_its_status() {
    let machine = Machine::start().await;
    let script = "echo started; printf 'no such table' > $TERMINATION_MESSAGE_PATH; exit 3";
    let container = json!({
        "name": "main", "image": "none", "command": ["/bin/sh", "-c", script],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    });
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [container]}))
        .await;
    let pod = machine.pod_until(has_ended).await;
    let ended = container_status(&pod).state.unwrap().terminated.unwrap();
    assert_eq!(ended.message.as_deref(), Some("no such table"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_until_its_container_ends() {
    let machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let script = format!(
        "echo begin; until test -e {}; do sleep 0.02; done; echo end",
        go.display()
    );
    let container = json!({"name": "main", "image": "none", "command": ["/bin/sh", "-c", script]});
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [container]}))
        .await;
    machine.pod_until(|pod| phase(pod) == "Running").await;

    let follow = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut stream = Box::pin(machine.pods().log_stream("test", &follow).await.unwrap());
    let mut first = [0; 6];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"begin\n");
    std::fs::write(&go, "").unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "end\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_start_has_a_log_of_its_own() {
    let machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "echo x >> {0}/count; n=$(wc -l < {0}/count); echo start $n; test $n -gt 1 && sleep 60; exit 1",
        folder.path().display()
    );
    let init = json!({"name": "before", "image": "none", "command": ["echo", "first of all"]});
    let main = json!({"name": "main", "image": "none", "command": ["/bin/sh", "-c", script]});
    let side = json!({"name": "side", "image": "none", "command": ["sleep", "60"]});
    machine
        .pod(&json!({
            "restartPolicy": "OnFailure",
            "terminationGracePeriodSeconds": 1,
            "initContainers": [init],
            "containers": [main, side],
        }))
        .await;
    until(|| async {
        let now = asked(&machine, "container=main").await;
        if now == "start 2\n" { Ok(()) } else { Err(now) }.into()
    })
    .await;
    assert_eq!(asked(&machine, "container=main&previous=true").await, "start 1\n");
    assert_eq!(asked(&machine, "container=before").await, "first of all\n");
    assert_eq!(
        asked(&machine, "").await,
        "400 BadRequest: a container name must be specified for pod test, choose one of: [main side] \
         or one of the init containers: [before]\n"
    );
    machine.kill();
}

/// No node has it, so nobody knows of anything that it has written.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_kept_back_has_an_empty_log() {
    let machine = Machine::start().await;
    let container = json!({"name": "main", "image": "none", "command": ["true"]});
    let gates = json!([{"name": "example.com/quota"}]);
    machine
        .pod(&json!({"schedulingGates": gates, "containers": [container]}))
        .await;
    assert_eq!(asked(&machine, "").await, "");
    assert_eq!(asked(&machine, "follow=true").await, "");
    let other = asked(&machine, "container=side").await;
    assert!(other.starts_with("400 BadRequest"), "{other}");
}
