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

async fn check(cluster: &Cluster, table: Vec<(Value, &str)>) {
    let mut wrong = String::new();
    for (object, expected) in table {
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
    check(&cluster, table).await;
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
    check(&cluster, table).await;
}
