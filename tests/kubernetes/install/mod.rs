//! The chart, installed by the book on a server with RBAC and Pod Security: what it renders is accepted.
//!
//! | file | what is tried |
//! |---|---|
//! | `rights` | what its service account may do is enough and no more |
//! | `admission` | its admission policy refuses what is malformed and nothing else |

mod admission;
mod rights;

use std::io::Write as _;
use std::process::{Command, Stdio};

use kube::api::{Api, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

pub(crate) use admission::{
    the_admission_policy_refuses_nothing_for_what_was_there_before,
    the_admission_policy_refuses_what_is_malformed,
};
pub(crate) use rights::its_rights_are_enough_and_no_more;

use crate::flips::{FLIPS, flipped};
use crate::world::{World, eventually};

/// Where `charts/install.yaml` puts things, and these cases.
const HOME: &str = "punctual-system";

/// What the operator of Prometheus brings: enough for its objects to be taken in.
const OPERATOR_KINDS: [(&str, &str); 2] = [
    ("ServiceMonitor", "servicemonitors"),
    ("PrometheusRule", "prometheusrules"),
];

/// Whether Helm's engine is at hand.
pub(crate) fn helm_is_there() -> bool {
    let mut command = Command::new("python3");
    command.args(["-c", "import helm_python"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The objects that the chart renders with some values, in YAML; those of `helm test` too.
fn rendered(values: &str) -> Vec<Value> {
    let mut child = Command::new("python3")
        .args(["tests/chart/helm.py", "objects", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(values.as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn example(name: &str) -> String {
    std::fs::read_to_string(format!("charts/punctual/examples/{name}.yaml")).expect("an example")
}

/// How objects are sent.
#[derive(Clone, Copy, PartialEq)]
enum Sent {
    ForGood,
    Dry,
}

/// Applies an object as `kubectl apply --server-side --validate=strict` does.
async fn apply(client: &Client, object: &Value, sent: Sent) -> kube::Result<DynamicObject> {
    let object: DynamicObject = serde_json::from_value(object.clone()).expect("an object");
    let types = object.types.clone().expect("a kind");
    let kind = GroupVersionKind::try_from(&types).expect("a kind");
    let (resource, capabilities) = pinned_kind(client, &kind).await?;
    let api: Api<DynamicObject> = match (capabilities.scope, object.namespace()) {
        (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client.clone(), &namespace, &resource),
        (Scope::Namespaced, None) => panic!("{} names no namespace", object.name_any()),
        (Scope::Cluster, _) => Api::all_with(client.clone(), &resource),
    };
    let params = PatchParams {
        dry_run: sent == Sent::Dry,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("install").force()
    };
    api.patch(&object.name_any(), &params, &Patch::Apply(&object))
        .await
}

/// Applies a list of objects.
///
/// # Panics
///
/// When one of them is refused.
async fn apply_all(client: &Client, objects: &[Value], sent: Sent) {
    for object in objects {
        if let Err(error) = apply(client, object, sent).await {
            panic!(
                "{} {} is refused: {error}",
                object["kind"], object["metadata"]["name"]
            );
        }
    }
}

/// A namespace under the restricted Pod Security profile.
async fn namespace(client: &Client, name: &str) {
    let restricted = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": name, "labels": { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
    apply_all(client, &[restricted], Sent::ForGood).await;
}

/// What the chart's objects need to be taken in.
async fn prepare(client: &Client) {
    for name in [HOME, "team-a", "team-b"] {
        namespace(client, name).await;
    }
    for (kind, plural) in OPERATOR_KINDS {
        apply_all(client, &[operator_kind(kind, plural)], Sent::ForGood).await;
    }
    let monitor = json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
        "metadata": { "name": "any", "namespace": HOME },
    });
    let rule = json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
        "metadata": { "name": "any", "namespace": HOME },
    });
    for object in [monitor, rule] {
        eventually("its kind is served", || async {
            apply(client, &object, Sent::Dry).await.is_ok()
        })
        .await;
    }
}

/// The chart with each of its values flipped once.
pub(crate) async fn every_value_is_accepted_when_it_is_another(world: World) {
    prepare(&world.client).await;
    for (path, value, ..) in FLIPS {
        let mut objects = rendered(&flipped(path, value));
        assert!(objects.len() > 5, "{path}: {}", objects.len());
        for object in &mut objects {
            if object["kind"] == "Pod" {
                // Helm takes away the one before it: what a pod is made of can't be changed.
                object["metadata"]["name"] = "another".into();
            }
            if let Err(error) = apply(&world.client, &*object, Sent::Dry).await {
                panic!("{path}: {value}: {} is refused: {error}", object["kind"]);
            }
        }
    }
}

/// Every example, and everything that can be switched on: taken in as it is, under the restricted profile, down to the
/// pods that the Deployment and `helm test` start. What `helm test` runs ends well.
pub(crate) async fn what_is_rendered_is_accepted(world: World) {
    let client = &world.client;
    prepare(client).await;
    let everything = "\
networkPolicy: {enabled: true, metricsFrom: [{namespaceSelector: {}}]}
admissionPolicy: {enabled: true}
metrics: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboard: {enabled: true}}
namespaces: [team-a, team-b]
topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {}}]
extraVolumes: [{name: tz, configMap: {name: tz}}]
extraVolumeMounts: [{name: tz, mountPath: /tz}]
extraEnv: [{name: A, value: b}]
image: {digest: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}
commonLabels: {team: platform}";
    let examples = ["managed-cluster", "replace-built-in", "one-namespace"].map(example);
    let values = examples.iter().map(String::as_str).chain(["{}", everything]);
    for values in values {
        let objects = rendered(values);
        assert!(objects.len() > 5, "{values}: {}", objects.len());
        apply_all(client, &objects, Sent::Dry).await;
        let deployment = find(&objects, "Deployment");
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "one", "namespace": HOME },
            "spec": deployment["spec"]["template"]["spec"],
        });
        apply_all(client, &[pod], Sent::Dry).await;
        let hook = find(&objects, "Pod");
        let ended = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args(arguments(&hook["spec"]))
            .output();
        let ended = ended.expect("it can be started");
        assert!(ended.status.success(), "{values}: {ended:?}");
    }
}

fn find<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut objects = objects.iter();
    objects.find(|object| object["kind"] == kind).expect(kind)
}

/// The arguments of the only container of a pod.
fn arguments(pod: &Value) -> Vec<&str> {
    let arguments = pod["containers"][0]["args"].as_array().into_iter().flatten();
    arguments.filter_map(Value::as_str).collect()
}

/// A kind of which the server knows nothing but the name.
fn operator_kind(kind: &str, plural: &str) -> Value {
    let group = "monitoring.coreos.com";
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": { "kind": kind, "plural": plural },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
            }],
        },
    })
}
