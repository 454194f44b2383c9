//! What objects may hold: each row breaks a rule, and says which field is at fault, as Kubernetes tells it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cluster::Cluster;

/// The causes of a refusal, each as `field: reason`, in a fixed order.
async fn causes(cluster: &Cluster, object: &Value) -> String {
    let path = format!("{}?dryRun=All", cluster.path_of(object));
    let Err(status) = cluster.send("POST", &path, Some(object)).await else {
        return "accepted".to_owned();
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut causes: Vec<String> = causes
        .map(|cause| format!("{}: {}", cause.field, cause.reason))
        .collect();
    causes.sort();
    format!("{} {}", status.code, causes.join(", "))
}

/// Tries each row. `MAIN` and the like stand for the places that `long` spells out.
async fn check(cluster: &Cluster, table: Vec<(Value, &str)>, long: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (object, expected) in table {
        let expected = long.iter().fold(expected.to_owned(), |expected, (short, long)| {
            expected.replace(short, long)
        });
        let found = causes(cluster, &object).await;
        if found != expected {
            let mut shown = object.to_string();
            shown.truncate(300);
            writeln!(wrong, "{shown}\n  expected {expected}\n  found    {found}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// An object of the core group with a few fields.
fn core(kind: &str, fields: &Value) -> Value {
    let mut object = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": "a" } });
    for (field, value) in fields.as_object().expect("fields") {
        object[field] = value.clone();
    }
    object
}

pub(crate) async fn config_maps_and_secrets(cluster: Cluster) {
    let map = |fields: Value| core("ConfigMap", &fields);
    let secret = |kind: &str, data: Value| {
        let kind = format!("kubernetes.io/{kind}");
        core("Secret", &json!({ "type": kind, "stringData": data }))
    };
    let large = "x".repeat(1024 * 1024);
    let table = vec![
        (map(json!({ "data": { "a.b-c_D": "" } })), "accepted"),
        (
            map(json!({ "data": { "a/b": "" } })),
            "422 data[a/b]: FieldValueInvalid",
        ),
        (
            map(json!({ "data": { "a b": "" } })),
            "422 data[a b]: FieldValueInvalid",
        ),
        (
            map(json!({ "data": { "": "" } })),
            "422 data[]: FieldValueInvalid",
        ),
        (
            map(json!({ "data": { "..": "" } })),
            "422 data[..]: FieldValueInvalid",
        ),
        (
            map(json!({ "data": { "..a": "" } })),
            "422 data[..a]: FieldValueInvalid",
        ),
        (
            map(json!({ "binaryData": { "a/b": "" } })),
            "422 binaryData[a/b]: FieldValueInvalid",
        ),
        (
            map(json!({ "data": { "a": "" }, "binaryData": { "a": "" } })),
            "422 data[a]: FieldValueInvalid",
        ),
        (map(json!({ "data": { "a": large } })), "accepted"),
        (
            map(json!({ "data": { "a": large, "b": "x" } })),
            "422 []: FieldValueTooLong",
        ),
        (
            core("Secret", &json!({ "stringData": { "a/b": "" } })),
            "422 data[a/b]: FieldValueInvalid",
        ),
        (
            core("Secret", &json!({ "stringData": { "a": large, "b": "x" } })),
            "422 data: FieldValueTooLong",
        ),
        (
            secret("tls", json!({})),
            "422 data[tls.crt]: FieldValueRequired, data[tls.key]: FieldValueRequired",
        ),
        (secret("tls", json!({ "tls.crt": "", "tls.key": "" })), "accepted"),
        (
            secret("basic-auth", json!({})),
            "422 data[password]: FieldValueRequired, data[username]: FieldValueRequired",
        ),
        (secret("basic-auth", json!({ "username": "" })), "accepted"),
        (
            secret("ssh-auth", json!({ "ssh-privatekey": "" })),
            "422 data[ssh-privatekey]: FieldValueRequired",
        ),
        (
            secret("dockerconfigjson", json!({})),
            "422 data[.dockerconfigjson]: FieldValueRequired",
        ),
        (
            secret("dockerconfigjson", json!({ ".dockerconfigjson": "[]" })),
            "422 data[.dockerconfigjson]: FieldValueInvalid",
        ),
        (
            secret("dockerconfigjson", json!({ ".dockerconfigjson": "{}" })),
            "accepted",
        ),
        (
            secret("service-account-token", json!({})),
            "422 metadata.annotations[kubernetes.io/service-account.name]: FieldValueRequired",
        ),
    ];
    check(&cluster, table, &[]).await;
}

pub(crate) async fn owners_and_finalizers(cluster: Cluster) {
    let map = |metadata: Value| {
        let mut map = core("ConfigMap", &json!({}));
        for (field, value) in metadata.as_object().expect("fields") {
            map["metadata"][field] = value.clone();
        }
        map
    };
    let owner = |name: &str, controller: bool| json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": "u", "controller": controller });
    let table = vec![
        (
            map(json!({ "ownerReferences": [owner("a", true), owner("b", false)] })),
            "accepted",
        ),
        (
            map(json!({ "ownerReferences": [owner("a", true), owner("b", true)] })),
            "422 metadata.ownerReferences: FieldValueInvalid",
        ),
        (
            map(json!({ "ownerReferences": [owner("", false)] })),
            "422 metadata.ownerReferences.name: FieldValueInvalid",
        ),
        (
            map(json!({ "finalizers": ["example.com/a", "orphan"] })),
            "accepted",
        ),
        (
            map(json!({ "finalizers": ["foo"] })),
            "422 metadata.finalizers[0]: FieldValueInvalid",
        ),
        (
            map(json!({ "finalizers": ["a/b/c"] })),
            "422 metadata.finalizers: FieldValueInvalid",
        ),
        (
            map(json!({ "finalizers": ["orphan", "foregroundDeletion"] })),
            "422 metadata.finalizers: FieldValueInvalid",
        ),
    ];
    check(&cluster, table, &[]).await;
}

/// A Job whose pod has a volume `v`, with changes to its pod's spec and to its container.
fn job(pod: &Value, container: &Value) -> Value {
    let mut spec = json!({
        "restartPolicy": "Never",
        "volumes": [{ "name": "v", "emptyDir": {} }],
        "containers": [{ "name": "main", "image": "x:1" }],
    });
    for (field, value) in pod.as_object().expect("fields") {
        spec[field] = value.clone();
    }
    for (field, value) in container.as_object().expect("fields") {
        spec["containers"][0][field] = value.clone();
    }
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": "a" },
        "spec": { "template": { "spec": spec } },
    })
}

pub(crate) async fn what_containers_are_given(cluster: Cluster) {
    let of = |container: Value| job(&json!({}), &container);
    let from = |source: Value| of(json!({ "env": [{ "name": "A", "valueFrom": source }] }));
    let field = |path: &str| from(json!({ "fieldRef": { "fieldPath": path } }));
    let key = |name: &str, key: &str| from(json!({ "configMapKeyRef": { "name": name, "key": key } }));
    let probe = |probe: Value| of(json!({ "livenessProbe": probe }));
    let table = vec![
        (field("metadata.name"), "accepted"),
        (field("metadata.labels['a/b']"), "accepted"),
        (field("spec.foo"), "422 ENV.fieldRef.fieldPath: FieldValueInvalid"),
        (
            field("metadata.labels"),
            "422 ENV.fieldRef.fieldPath: FieldValueNotSupported",
        ),
        (
            field("metadata.labels['a/b/c']"),
            "422 ENV.fieldRef: FieldValueInvalid",
        ),
        (
            from(json!({ "resourceFieldRef": { "resource": "foo" } })),
            "422 ENV.resourceFieldRef.resource: FieldValueNotSupported",
        ),
        (key("a", "b"), "accepted"),
        (
            key("", ""),
            "422 ENV.configMapKeyRef.key: FieldValueRequired, ENV.configMapKeyRef.name: FieldValueInvalid",
        ),
        (
            from(json!({ "secretKeyRef": { "name": "a", "key": "b/c" } })),
            "422 ENV.secretKeyRef.key: FieldValueInvalid",
        ),
        (
            of(json!({ "envFrom": [{ "configMapRef": { "name": "A_B" } }] })),
            "422 MAIN.envFrom[0].configMapRef.name: FieldValueInvalid",
        ),
        (
            of(json!({ "terminationMessagePolicy": "X" })),
            "422 MAIN.terminationMessagePolicy: FieldValueNotSupported",
        ),
        (
            probe(json!({ "exec": {} })),
            "422 MAIN.livenessProbe.exec.command: FieldValueRequired",
        ),
        (
            probe(json!({ "httpGet": { "port": "http!" } })),
            "422 MAIN.livenessProbe.httpGet.port: FieldValueInvalid",
        ),
        (
            of(json!({ "lifecycle": { "preStop": {} } })),
            "422 MAIN.lifecycle.preStop: FieldValueRequired",
        ),
        (
            of(json!({ "lifecycle": { "preStop": { "exec": { "command": ["x"] } } } })),
            "accepted",
        ),
    ];
    let long = [
        ("ENV", "MAIN.env[0].valueFrom"),
        ("MAIN", "spec.template.spec.containers[0]"),
    ];
    check(&cluster, table, &long).await;
}

pub(crate) async fn volumes_and_where_pods_are_put(cluster: Cluster) {
    let of = |pod: Value| job(&pod, &json!({}));
    let volume = |source: Value| {
        let mut volume = source;
        volume["name"] = "v".into();
        of(json!({ "volumes": [volume] }))
    };
    let file = |item: Value| volume(json!({ "configMap": { "name": "a", "items": [item] } }));
    let table = vec![
        (
            volume(json!({ "configMap": {} })),
            "422 VOLUME.configMap.name: FieldValueRequired",
        ),
        (
            volume(json!({ "secret": {} })),
            "422 VOLUME.secret.secretName: FieldValueRequired",
        ),
        (file(json!({ "key": "a", "path": "b/c" })), "accepted"),
        (
            file(json!({ "key": "a", "path": "../b" })),
            "422 VOLUME.configMap.items[0].path: FieldValueInvalid",
        ),
        (
            file(json!({ "key": "a", "path": "..b" })),
            "422 VOLUME.configMap.items[0].path: FieldValueInvalid",
        ),
        (
            file(json!({ "key": "a", "path": "/b" })),
            "422 VOLUME.configMap.items[0].path: FieldValueInvalid",
        ),
        (
            file(json!({ "key": "a", "path": "b", "mode": 512 })),
            "422 VOLUME.configMap.items[0].mode: FieldValueInvalid",
        ),
        (
            volume(json!({ "hostPath": { "path": "" } })),
            "422 VOLUME.hostPath.path: FieldValueRequired",
        ),
        (
            volume(json!({ "hostPath": { "path": "/a/../b", "type": "Foo" } })),
            "422 VOLUME.hostPath.path: FieldValueInvalid, VOLUME.hostPath.type: FieldValueNotSupported",
        ),
        (
            volume(json!({ "emptyDir": { "sizeLimit": "-1" } })),
            "422 VOLUME.emptyDir.sizeLimit: FieldValueForbidden",
        ),
        (
            volume(json!({ "projected": { "sources": [{ "secret": { "name": "" } }] } })),
            "422 VOLUME.projected.sources[0].secret.name: FieldValueRequired",
        ),
        (
            of(json!({ "dnsPolicy": "X" })),
            "422 POD.dnsPolicy: FieldValueNotSupported",
        ),
        (
            of(json!({ "hostname": "A_b" })),
            "422 POD.hostname: FieldValueInvalid",
        ),
        (
            of(json!({ "nodeName": "A_" })),
            "422 POD.nodeName: FieldValueInvalid",
        ),
    ];
    let long = [("VOLUME", "POD.volumes[0]"), ("POD", "spec.template.spec")];
    check(&cluster, table, &long).await;
}
