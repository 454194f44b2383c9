//! The variables of a container.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::environment::{Kind, Sources, references, resolve};

fn pod(container: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {
            "name": "report-28x", "namespace": "shop", "uid": "u-1",
            "labels": {"app.kubernetes.io/name": "report"},
        },
        "spec": {"nodeName": "desk", "containers": [container]},
    }))
    .unwrap()
}

fn sources() -> Sources {
    let mut sources = Sources::default();
    let data = json!({
        "data": {"COLOUR": "blue", "SIZE": "$(COLOUR)"},
        "binaryData": {"PICTURE": "AAE="},
    });
    sources.add_config_map("look", serde_json::from_value(data).unwrap());
    sources.add_secret(
        "door",
        serde_json::from_value(json!({"data": {"key": "b3Blbg=="}})).unwrap(),
    );
    sources
}

fn resolved(container: Value) -> String {
    let pod = pod(&container);
    match resolve(&pod, &serde_json::from_value(container).unwrap(), &sources()) {
        Ok(variables) => {
            let lines = variables.iter().map(|(name, value)| format!("{name}={value}"));
            lines.collect::<Vec<_>>().join("\n")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_value_sees_the_variables_above_it() {
    let env = json!([
        {"name": "B", "value": "$(A)"},
        {"name": "A", "value": "one"},
        {"name": "C", "value": "$(A) $(B) $$(A)"},
        {"name": "A", "value": "$(A), again"},
    ]);
    insta::assert_snapshot!(resolved(json!({"name": "main", "env": env})), @r"
        A=one, again
        B=$(A)
        C=one $(A) $(A)
        ");
}

#[test]
fn fields_of_the_pod() {
    let field =
        |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let env = json!([
        field("NAME", "metadata.name"),
        field("NAMESPACE", "metadata.namespace"),
        field("POD_UID", "metadata.uid"),
        field("NODE", "spec.nodeName"),
        field("ACCOUNT", "spec.serviceAccountName"),
        field("LABEL", "metadata.labels['app.kubernetes.io/name']"),
        field("ABSENT", "metadata.annotations['none']"),
        field("IP", "status.podIP"),
    ]);
    insta::assert_snapshot!(resolved(json!({"name": "main", "env": env})), @r"
        ABSENT=
        ACCOUNT=default
        IP=127.0.0.1
        LABEL=report
        NAME=report-28x
        NAMESPACE=shop
        NODE=desk
        POD_UID=u-1
        ");
}

#[test]
fn env_lies_over_env_from_and_what_is_taken_is_not_expanded() {
    let container = json!({
        "name": "main",
        "envFrom": [
            {"configMapRef": {"name": "look"}},
            {"prefix": "DOOR_", "secretRef": {"name": "door"}},
            {"configMapRef": {"name": "absent", "optional": true}},
        ],
        "env": [
            {"name": "BEFORE", "value": "$(COLOUR) $(DOOR_key)"},
            {"name": "COLOUR", "value": "red"},
            {"name": "AFTER", "value": "$(COLOUR)"},
            {"name": "OPENED", "valueFrom": {"secretKeyRef": {"name": "door", "key": "key"}}},
            {"name": "ABSENT", "valueFrom": {"configMapKeyRef": {"name": "look", "key": "no", "optional": true}}},
        ],
    });
    insta::assert_snapshot!(resolved(container), @r"
        AFTER=red
        BEFORE=blue open
        COLOUR=red
        DOOR_key=open
        OPENED=open
        SIZE=$(COLOUR)
        ");
}

#[test]
fn references_name_every_object_once() {
    let container = serde_json::from_value(json!({
        "name": "main",
        "envFrom": [{"configMapRef": {"name": "look"}}],
        "env": [
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "look", "key": "a"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "door", "key": "b"}}},
        ],
    }));
    let wanted = [
        (Kind::ConfigMap, "look".to_owned()),
        (Kind::Secret, "door".to_owned()),
    ];
    assert_eq!(references(&container.unwrap()), wanted.into());
}

#[test]
fn every_error_says_what_to_do() {
    let single =
        |value_from| resolved(json!({"name": "main", "env": [{"name": "A", "valueFrom": value_from}]}));
    insta::assert_snapshot!(resolved(json!({"name": "main", "envFrom": [{"secretRef": {"name": "safe"}}]})), @r#"secret "safe" does not exist, and container "main" takes variables from it; create it, or mark the reference `optional: true`"#);
    insta::assert_snapshot!(single(json!({"configMapKeyRef": {"name": "look", "key": "no"}})), @r#"config map "look" has no key "no", which variable A of container "main" is taken from; add the key, or mark the reference `optional: true`"#);
    insta::assert_snapshot!(single(json!({"configMapKeyRef": {"name": "look", "key": "PICTURE"}})), @r#"config map "look" has no key "PICTURE", which variable A of container "main" is taken from; add the key, or mark the reference `optional: true`"#);
    insta::assert_snapshot!(single(json!({"fieldRef": {"fieldPath": "status.phase"}})), @r#"variable A of container "main" refers to field "status.phase", which can't be told here; known are metadata.name, .namespace, .uid, .labels['…'], .annotations['…'], spec.nodeName, spec.serviceAccountName and status.podIP"#);
    insta::assert_snapshot!(single(json!({"resourceFieldRef": {"resource": "limits.gpu"}})), @r#"variable A of container "main" refers to resource "limits.gpu", which can't be told here; known are limits.cpu, limits.memory, limits.ephemeral-storage, the same of requests, and of the containers of this pod"#);
    insta::assert_snapshot!(single(json!({"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}})), @r#"variable A of container "main" is taken from `fileKeyRef`, which is not supported here; write its `value` instead"#);
}

#[test]
fn amounts_of_this_container_and_of_another() {
    let amount =
        |name: &str, selector: Value| json!({"name": name, "valueFrom": {"resourceFieldRef": selector}});
    let container = json!({
        "name": "main",
        "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}},
        "env": [
            amount("CPUS", json!({"resource": "limits.cpu"})),
            amount("MILLICPUS", json!({"resource": "requests.cpu", "divisor": "1m"})),
            amount("MEBIBYTES", json!({"resource": "limits.memory", "divisor": "1Mi", "containerName": "main"})),
        ],
    });
    insta::assert_snapshot!(resolved(container), @r"
        CPUS=2
        MEBIBYTES=64
        MILLICPUS=1500
        ");
    let stranger = json!({"name": "main", "env": [amount("A", json!({"resource": "limits.cpu", "containerName": "no"}))]});
    insta::assert_snapshot!(resolved(stranger), @r#"variable A of container "main" refers to resource "limits.cpu", which can't be told here; known are limits.cpu, limits.memory, limits.ephemeral-storage, the same of requests, and of the containers of this pod"#);
}
