//! Pods that belong to nobody, as `kubectl run` makes them.

use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use crate::machine::{Machine, phase};

/// Why a pod failed, and what it says.
fn reason(pod: &Pod) -> String {
    let status = pod.status.clone().unwrap_or_default();
    format!(
        "{}: {}",
        status.reason.unwrap_or_default(),
        status.message.unwrap_or_default()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_runs_init_containers_then_the_others() {
    let mut machine = Machine::start().await;
    let container = |name: &str, script: &str| json!({"name": name, "command": ["/bin/sh", "-c", script]});
    machine
        .pod(&json!({
            "restartPolicy": "Never",
            "initContainers": [container("first", "echo 1"), container("second", "echo 2")],
            "containers": [container("a", "sleep 0.1; echo 3"), container("b", "sleep 0.1; echo 3")],
        }))
        .await;
    let pod = machine.pod_until(|pod| phase(pod) == "Succeeded").await;
    let order = [
        machine.line().await,
        machine.line().await,
        machine.line().await,
        machine.line().await,
    ];
    assert_eq!(order, ["1", "2", "3", "3"]);
    let statuses = pod.status.unwrap().init_container_statuses.unwrap();
    assert!(statuses.iter().all(|status| status.ready));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_starts_when_its_gates_are_gone() {
    let mut machine = Machine::start().await;
    let made = machine
        .pod(&json!({
            "restartPolicy": "Never",
            "schedulingGates": [{"name": "example.com/quota"}],
            "containers": [{"name": "main", "command": ["echo", "gated"]}],
        }))
        .await;
    // One that comes later has run by the time at which they go.
    machine.job(&json!({}), "echo later").await;
    assert_eq!(machine.line().await, "later");
    let open = json!({"spec": {"schedulingGates": null}});
    let name = made.metadata.name.unwrap();
    machine
        .pods()
        .patch(&name, &PatchParams::default(), &Patch::Merge(open))
        .await
        .unwrap();
    assert_eq!(machine.line().await, "gated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_init_container_fails_the_pod() {
    let mut machine = Machine::start().await;
    machine
        .pod(&json!({
            "restartPolicy": "Never",
            "initContainers": [{"name": "first", "command": ["false"]}],
            "containers": [{"name": "main", "command": ["echo", "never"]}],
        }))
        .await;
    machine.pod_until(|pod| phase(pod) == "Failed").await;
    assert!(machine.lines(0).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_is_stopped_when_the_others_are_done() {
    let machine = Machine::start().await;
    machine
        .pod(&json!({
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "initContainers": [{"name": "side", "restartPolicy": "Always", "command": ["sleep", "60"]}],
            "containers": [{"name": "main", "command": ["sleep", "0.1"]}],
        }))
        .await;
    machine.pod_until(|pod| phase(pod) == "Succeeded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_without_a_command_says_what_to_do() {
    let machine = Machine::start().await;
    machine
        .pod(&json!({"containers": [{"name": "main", "image": "nginx"}]}))
        .await;
    let pod = machine.pod_until(|pod| phase(pod) == "Failed").await;
    assert_eq!(
        machine.told("CommandRequired").await,
        pod.status.as_ref().unwrap().message.clone().unwrap()
    );
    insta::assert_snapshot!(reason(&pod), @r#"CommandRequired: container "main" has no `command`, and as a process it can't use the one of its image; write `command:`, name the command that stands for the image (`--entrypoint nginx=COMMAND`), or run the pod as containers (`--runtime container`, or the annotation `punctual.dev/runtime: container`)"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_has_a_deadline() {
    let machine = Machine::start().await;
    machine
        .pod(&json!({
            "activeDeadlineSeconds": 1,
            "terminationGracePeriodSeconds": 5,
            "containers": [{"name": "main", "command": ["sleep", "60"]}],
        }))
        .await;
    let pod = machine.pod_until(|pod| phase(pod) == "Failed").await;
    insta::assert_snapshot!(reason(&pod), @"DeadlineExceeded: Pod was active on the node longer than the specified deadline");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_pod_is_gone_when_its_processes_are() {
    let mut machine = Machine::start().await;
    let script =
        "trap 'sleep 0.2; echo cleaned; exit 0' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null";
    machine
        .pod(&json!({
            "terminationGracePeriodSeconds": 5,
            "containers": [{"name": "main", "command": ["/bin/sh", "-c", script]}],
        }))
        .await;
    assert_eq!(machine.line().await, "up");
    machine.delete_pod("test").await;
    assert_eq!(machine.line().await, "cleaned");
    machine.pods_until(<[_]>::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ignores_the_stop_is_killed_after_its_grace() {
    let mut machine = Machine::start().await;
    let script = "trap '' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null";
    machine
        .pod(&json!({
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "command": ["/bin/sh", "-c", script]}],
        }))
        .await;
    assert_eq!(machine.line().await, "up");
    machine.delete_pod("test").await;
    machine.pods_until(<[_]>::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_come_from_config_maps_even_late_ones() {
    let mut machine = Machine::start().await;
    machine
        .pod(&json!({
            "restartPolicy": "Never",
            "containers": [{
                "name": "main", "command": ["/bin/sh", "-c", "echo $COLOUR"],
                "envFrom": [{"configMapRef": {"name": "look"}}],
            }],
        }))
        .await;
    machine
        .pod_until(|pod| {
            let statuses = pod
                .status
                .as_ref()
                .and_then(|status| status.container_statuses.as_ref());
            let waiting = statuses.and_then(|statuses| statuses[0].state.as_ref()?.waiting.clone());
            waiting.is_some_and(|waiting| waiting.reason.as_deref() == Some("CreateContainerConfigError"))
        })
        .await;
    let look = json!({"metadata": {"name": "look"}, "data": {"COLOUR": "blue"}});
    let maps: Api<ConfigMap> = Api::default_namespaced(machine.client.clone());
    maps.create(&PostParams::default(), &serde_json::from_value(look).unwrap())
        .await
        .unwrap();
    assert_eq!(machine.line().await, "blue");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_do_not_hold_are_told() {
    let machine = Machine::start().await;
    let resources = json!({"limits": {"memory": "64Mi", "cpu": "500m", "hugepages-2Mi": "2Mi"}});
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [{"name": "main", "command": ["true"], "resources": resources}]}))
        .await;
    let said = machine.told("LimitsNotEnforced").await;
    // Where control groups can be made, memory and CPU are limited.
    assert!(
        said.contains("nothing limits its ") && said.contains("hugepages-2Mi"),
        "{said}"
    );
    machine.pod_until(|pod| phase(pod) == "Succeeded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_finds_its_volumes_from_where_it_starts() {
    let mut machine = Machine::start().await;
    let words: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "words"}, "data": {"greeting": "hello"}}))
            .unwrap();
    let maps: Api<ConfigMap> = Api::default_namespaced(machine.client.clone());
    maps.create(&PostParams::default(), &words).await.unwrap();
    let key: Secret =
        serde_json::from_value(json!({"metadata": {"name": "key"}, "stringData": {"key": "open"}})).unwrap();
    let secrets: Api<Secret> = Api::default_namespaced(machine.client.clone());
    secrets.create(&PostParams::default(), &key).await.unwrap();
    let host = tempfile::tempdir().unwrap();
    std::fs::write(host.path().join("file"), "of this machine").unwrap();

    let script = "cat shared/file; cat in/words/greeting; echo; cat key/key; echo; stat -Lc %a key/key; cat $HOST/file";
    machine
        .pod(&json!({
            "restartPolicy": "Never",
            "initContainers": [{
                "name": "first", "command": ["/bin/sh", "-c", "echo from before > work/file"],
                "volumeMounts": [{"name": "scratch", "mountPath": "work"}],
            }],
            "containers": [{
                "name": "main", "command": ["/bin/sh", "-c", script],
                "env": [{"name": "HOST", "value": host.path()}],
                "volumeMounts": [
                    {"name": "scratch", "mountPath": "shared"},
                    {"name": "words", "mountPath": "in/words"},
                    {"name": "key", "mountPath": "./key"},
                    {"name": "host", "mountPath": host.path()},
                ],
            }],
            "volumes": [
                {"name": "scratch", "emptyDir": {}},
                {"name": "words", "configMap": {"name": "words"}},
                {"name": "key", "secret": {"secretName": "key", "defaultMode": 0o400}},
                {"name": "host", "hostPath": {"path": host.path()}},
            ],
        }))
        .await;
    let pod = machine
        .pod_until(|pod| matches!(phase(pod), "Succeeded" | "Failed"))
        .await;
    assert_eq!(phase(&pod), "Succeeded", "{:?}", pod.status);
    let mut lines = Vec::new();
    for _ in 0..5 {
        lines.push(machine.line().await);
    }
    assert_eq!(lines, ["from before", "hello", "open", "400", "of this machine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_container_finds_what_has_changed_since() {
    let mut machine = Machine::start().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(machine.client.clone());
    let look = json!({"metadata": {"name": "look"}, "data": {"colour": "blue", "size": "9"}});
    maps.create(&PostParams::default(), &serde_json::from_value(look).unwrap())
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let go_on = folder.path().join("go-on");
    let script =
        "echo $(grep -h . look/*) $TIER; while [ ! -e $GO_ON ]; do sleep 0.05; done; rm $GO_ON; exit 1";
    machine
        .pod(&json!({
            "restartPolicy": "OnFailure",
            "containers": [{
                "name": "main", "command": ["/bin/sh", "-c", script],
                "env": [
                    {"name": "GO_ON", "value": go_on},
                    {"name": "TIER", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['tier']"}}},
                ],
                "volumeMounts": [{"name": "look", "mountPath": "look"}],
            }],
            "volumes": [{"name": "look", "configMap": {"name": "look"}}],
        }))
        .await;
    assert_eq!(machine.line().await, "blue 9");
    let change = json!({"data": {"colour": "red", "size": null, "shape": "round"}});
    maps.patch("look", &PatchParams::default(), &Patch::Merge(change))
        .await
        .unwrap();
    let label = json!({"metadata": {"labels": {"tier": "back"}}});
    machine
        .pods()
        .patch("test", &PatchParams::default(), &Patch::Merge(label))
        .await
        .unwrap();
    std::fs::write(&go_on, "").unwrap();
    assert_eq!(machine.line().await, "red round back");
}

/// A container that says that it is up and, when it is told to end, adds its name to a file.
fn until_stopped(name: &str, file: &std::path::Path) -> serde_json::Value {
    let file = file.display();
    let script = format!(
        "trap 'sleep 0.1; echo {name} >> {file}; exit 0' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null"
    );
    json!({"name": name, "command": ["/bin/sh", "-c", script]})
}

#[tokio::test(flavor = "multi_thread")]
async fn sidecars_end_after_the_others_and_the_last_one_first() {
    let mut machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ends");
    let sidecar = |name: &str| {
        let mut sidecar = until_stopped(name, &file);
        sidecar["restartPolicy"] = "Always".into();
        sidecar
    };
    machine
        .pod(&json!({
            "terminationGracePeriodSeconds": 60,
            "initContainers": [sidecar("first"), sidecar("second")],
            "containers": [until_stopped("main", &file)],
        }))
        .await;
    machine.lines(3).await;
    machine.delete_pod("test").await;
    machine.pods_until(<[_]>::is_empty).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "main\nsecond\nfirst\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_may_be_set_while_the_pod_runs() {
    let machine = Machine::start().await;
    machine
        .pod(&json!({"terminationGracePeriodSeconds": 5, "containers": [{"name": "main", "command": ["sleep", "600"]}]}))
        .await;
    machine.pod_until(|pod| phase(pod) == "Running").await;
    let deadline = Patch::Merge(json!({"spec": {"activeDeadlineSeconds": 1}}));
    let pods = machine.pods();
    pods.patch("test", &PatchParams::default(), &deadline)
        .await
        .unwrap();
    let pod = machine.pod_until(|pod| phase(pod) == "Failed").await;
    insta::assert_snapshot!(reason(&pod), @"DeadlineExceeded: Pod was active on the node longer than the specified deadline");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_a_container_restarts_it_in_a_pod_that_restarts_nothing() {
    let machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let been = folder.path().join("been");
    let script = format!("[ -e {0} ] && exit 0; touch {0}; exit 42", been.display());
    let restart = json!({"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}});
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [{
            "name": "main", "command": ["/bin/sh", "-c", script],
            "restartPolicy": "Never", "restartPolicyRules": [restart],
        }]}))
        .await;
    let pod = machine.pod_until(|pod| phase(pod) == "Succeeded").await;
    let statuses = pod.status.unwrap().container_statuses.unwrap();
    assert_eq!(statuses[0].restart_count, 1);
}
