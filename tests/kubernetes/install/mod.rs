//! The chart, installed by the book on a server with RBAC and Pod Security: what it renders is accepted, what its service
//! account may do is enough and no more, and its admission policy refuses what is malformed and nothing else.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kube::api::{Api, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use kube::{Client, Config, ResourceExt as _};
use serde_json::{Value, json};

use crate::control_plane::Guarded;
use crate::flips::{FLIPS, flipped};
use crate::request::request;
use crate::world::{World, cronjob, eventually, seconds};

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
        let objects = rendered(&flipped(path, value));
        assert!(objects.len() > 5, "{path}: {}", objects.len());
        for object in &objects {
            if let Err(error) = apply(&world.client, object, Sent::Dry).await {
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

/// The controller as the chart starts it, but on a port that is free.
fn controller_of(world: &World, kubeconfig: &Path, name: &str, objects: &[Value]) -> Guarded {
    let pod = &find(objects, "Deployment")["spec"]["template"]["spec"];
    let mut arguments = arguments(pod);
    assert_eq!(arguments.remove(0), "controller");
    arguments
        .retain(|argument| !argument.starts_with("--metrics-listen=") && *argument != "--log-format=json");
    world.controller_by(kubeconfig, name, &arguments)
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

/// A kubeconfig with a token of a service account.
async fn kubeconfig_of(world: &World, account: &str) -> PathBuf {
    let path = format!("/api/v1/namespaces/{HOME}/serviceaccounts/{account}/token");
    let asked = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
    let answer = world.send("POST", &path, &asked).await.expect("a token");
    world.kubeconfig_with(answer["status"]["token"].as_str().expect("a token"))
}

/// Everything that a user may do in a namespace, as `verb resource`, or `verb resource/name` where a name is needed.
/// What every user may do to ask about itself is left out.
async fn rights(client: &Client, namespace: &str) -> BTreeSet<String> {
    let asked = json!({ "spec": { "namespace": namespace } });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let answer: Value = client
        .request(request("POST", path, &asked))
        .await
        .expect("an answer");
    let texts = |rule: &Value, field: &str| -> Vec<String> {
        let list = rule[field].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in answer["status"]["resourceRules"].as_array().expect("rules") {
        let names = texts(rule, "resourceNames");
        let names = if names.is_empty() {
            String::new()
        } else {
            format!("[{}]", names.join(","))
        };
        for resource in texts(rule, "resources")
            .iter()
            .filter(|resource| !resource.starts_with("selfsubject"))
        {
            rights.extend(
                texts(rule, "verbs")
                    .iter()
                    .map(|verb| format!("{verb} {resource}{names}")),
            );
        }
    }
    rights
}

/// What the controller may do with CronJobs and what they lead to; the last can be switched off.
const WORK: [&str; 13] = [
    "create events",
    "patch events",
    "get cronjobs",
    "list cronjobs",
    "watch cronjobs",
    "patch cronjobs/status",
    "update cronjobs/finalizers",
    "get jobs",
    "list jobs",
    "watch jobs",
    "create jobs",
    "delete jobs",
    "list pods",
];

/// What it may do in its own namespace: agree on who leads, and look for calendars.
const OWN: [&str; 5] = [
    "create leases",
    "get leases[punctual]",
    "update leases[punctual]",
    "list configmaps",
    "watch configmaps",
];

/// Some of what it is not to do.
const FORBIDDEN: [(&str, &str); 11] = [
    ("GET", "/api/v1/secrets"),
    ("GET", "/api/v1/configmaps"),
    ("GET", "/api/v1/namespaces/punctual-system/secrets"),
    ("GET", "/api/v1/namespaces/punctual-system/configmaps/any"),
    ("GET", "/api/v1/namespaces/default/pods/any"),
    ("GET", "/api/v1/nodes"),
    ("POST", "/api/v1/namespaces/default/pods"),
    ("PATCH", "/apis/batch/v1/namespaces/default/cronjobs/any"),
    ("DELETE", "/apis/batch/v1/namespaces/default/cronjobs/any"),
    ("DELETE", "/apis/batch/v1/namespaces/default/jobs"),
    (
        "GET",
        "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager",
    ),
];

/// With a token of its service account the controller lists, starts, tells, records, cleans up and leads, and can do
/// nothing else: first in the whole cluster, then with Roles in one namespace.
pub(crate) async fn its_rights_are_enough_and_no_more(world: World) {
    let client = &world.client;
    let set = |rights: &[&str]| {
        rights
            .iter()
            .map(|right| (*right).to_owned())
            .collect::<BTreeSet<String>>()
    };
    for name in [HOME, "team-c"] {
        namespace(client, name).await;
    }
    let objects = rendered("{}");
    apply_all(client, &objects, Sent::ForGood).await;
    let kubeconfig = kubeconfig_of(&world, "punctual").await;
    let theirs = client_of(&kubeconfig).await;
    assert_eq!(rights(&theirs, &world.namespace).await, set(&WORK));
    assert_eq!(rights(&theirs, HOME).await, set(&[&WORK[..], &OWN[..]].concat()));
    for (method, path) in FORBIDDEN {
        match theirs.request::<Value>(request(method, path, &json!({}))).await {
            Err(kube::Error::Api(status)) if status.code == 403 => {}
            other => panic!("{method} {path}: {other:?}"),
        }
    }
    let in_cluster = controller_of(&world, &kubeconfig, "cluster", &objects);
    it_works(&world, &world.namespace).await;
    drop(in_cluster);

    let values = "{namespaces: [team-c], serviceAccount: {name: of-team-c}}";
    let objects = rendered(values);
    apply_all(client, &objects, Sent::ForGood).await;
    let kubeconfig = kubeconfig_of(&world, "of-team-c").await;
    let theirs = client_of(&kubeconfig).await;
    assert_eq!(rights(&theirs, &world.namespace).await, BTreeSet::new());
    assert_eq!(rights(&theirs, "team-c").await, set(&WORK));
    let in_namespace = controller_of(&world, &kubeconfig, "roles", &objects);
    it_works(&world, "team-c").await;
    drop(in_namespace);
    what_is_not_granted_is_said(&world).await;
}

/// Without the rights that can be switched off, whatever needs them is held or left alone, and one warning says so. All
/// else goes on.
async fn what_is_not_granted_is_said(world: &World) {
    let (client, team) = (&world.client, "team-d");
    namespace(client, team).await;
    let values = "{namespaces: [team-d], serviceAccount: {name: of-team-d}, rbac: {listPods: false}, calendars: 'off'}";
    apply_all(client, &rendered(values), Sent::ForGood).await;
    let kubeconfig = kubeconfig_of(world, "of-team-d").await;
    let theirs = client_of(&kubeconfig).await;
    for (path, kind) in [("pods", "pods"), ("configmaps", "ConfigMaps")] {
        let path = format!("/api/v1/namespaces/{team}/{path}");
        let answer = theirs.request::<Value>(request("GET", &path, &json!({}))).await;
        assert!(answer.is_err(), "{kind} are not theirs to read");
    }
    // Not as the chart has it, which says --calendars=off as well.
    let arguments = [
        "--lease-namespace",
        HOME,
        "--namespace",
        team,
        "--calendars",
        "all",
    ];
    let controller = world.controller_by(&kubeconfig, "less", &arguments);

    let annotated =
        |annotation: &str, value: &str| json!({ "metadata": { "annotations": { annotation: value } } });
    let dated = annotated("punctual.dev/exclude", "holidays");
    world.cronjob_in(team, "dated", "@every 2s", dated).await;
    let mut waits = annotated("punctual.dev/pending-deadline", "1s");
    waits["spec"] = json!({ "concurrencyPolicy": "Forbid" });
    world.cronjob_in(team, "waits", "@every 2s", waits).await;
    let said = async |reason: &str, words: &str| {
        let events = world.events_in(team, reason).await;
        let mut messages = events.iter().filter_map(|event| event.message.as_deref());
        messages.any(|message| message.contains(words))
    };
    eventually("it is held, and told", || {
        said(
            "InvalidAnnotation",
            "holidays can't be looked for: configmaps is forbidden",
        )
    })
    .await;
    eventually("the other runs", || async {
        !names_in(world, team, "waits-").await.is_empty()
    })
    .await;
    let job = names_in(world, team, "waits-").await.remove(0);
    let path = format!("/apis/batch/v1/namespaces/{team}/jobs/{job}/status");
    let began = json!({ "status": { "startTime": "2026-01-01T00:00:00Z" } });
    world
        .send("PATCH", &path, &began)
        .await
        .expect("it waits for long");
    eventually("it is left alone, and told", || {
        said("PodsHidden", "pods is forbidden")
    })
    .await;
    assert_eq!(names_in(world, team, "waits-").await, [job]);
    it_works(world, team).await;
    // Long enough for several attempts to watch.
    seconds(4).await;
    let log = controller.log();
    let warned = |namespace: &str| {
        let namespace = format!(r#""namespace":"{namespace}""#);
        let lines = log
            .lines()
            .filter(|line| line.contains("calendars can't be watched"));
        lines.filter(|line| line.contains(&namespace)).count()
    };
    assert_eq!([warned(team), warned(HOME)], [1, 1], "{log}");
    assert_eq!(
        log.matches("configmaps is forbidden").count(),
        3,
        "with the event's: {log}"
    );
}

async fn client_of(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("a configuration")).expect("a client")
}

/// The names of the Jobs of a namespace that begin in a certain way.
async fn names_in(world: &World, namespace: &str, beginning: &str) -> Vec<String> {
    let names = world
        .jobs_in(namespace)
        .await
        .into_iter()
        .map(|job| job.name_any());
    names.filter(|name| name.starts_with(beginning)).collect()
}

/// The controller does all its work in a namespace.
async fn it_works(world: &World, namespace: &str) {
    let limits = json!({ "spec": { "successfulJobsHistoryLimit": 0, "concurrencyPolicy": "Forbid" } });
    world.cronjob_in(namespace, "work", "@every 2s", limits).await;
    eventually("a Job is started", || async {
        !names_in(world, namespace, "work-").await.is_empty()
    })
    .await;
    let first = names_in(world, namespace, "work-").await.remove(0);
    world.finish_in(namespace, &first, true).await;
    eventually("a Job is cleaned up", || async {
        !names_in(world, namespace, "work-").await.contains(&first)
    })
    .await;
    for reason in ["SuccessfulCreate", "SuccessfulDelete"] {
        eventually(reason, || async {
            !world.events_in(namespace, reason).await.is_empty()
        })
        .await;
    }
    eventually("the status is recorded", || async {
        let path = format!("/apis/batch/v1/namespaces/{namespace}/cronjobs/work");
        let status = world.send("GET", &path, &Value::Null).await.expect("the CronJob")["status"].take();
        status["lastScheduleTime"].is_string() && status["lastSuccessfulTime"].is_string()
    })
    .await;
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/punctual");
    let lease = world.send("GET", &path, &Value::Null).await.expect("a lease");
    assert!(lease["spec"]["holderIdentity"].is_string(), "{lease}");
}

/// One row a CronJob: its annotations, `spec.suspend`, and a word of the refusal, if it is refused.
const CRONJOBS: [(&str, bool, Option<&str>); 24] = [
    ("{}", false, None),
    (r#"{"example.com/colour": "blue"}"#, false, None),
    (
        r#"{"punctual.dev/colour": "blue"}"#,
        false,
        Some("unknown annotation punctual.dev/colour"),
    ),
    (r#"{"punctual.dev/managed": "true"}"#, true, None),
    (
        r#"{"punctual.dev/managed": "true"}"#,
        false,
        Some("needs spec.suspend: true"),
    ),
    (r#"{"punctual.dev/managed": "false"}"#, false, None),
    (
        r#"{"punctual.dev/managed": "yes"}"#,
        true,
        Some("punctual.dev/managed"),
    ),
    (
        r#"{"punctual.dev/suspend": "True"}"#,
        false,
        Some("punctual.dev/suspend"),
    ),
    (r#"{"punctual.dev/suspend": "true"}"#, false, None),
    (
        r#"{"punctual.dev/suspend-until": "2026-11-23T08:00:00Z"}"#,
        true,
        None,
    ),
    (
        r#"{"punctual.dev/suspend-until": "2026-11-23T08:00:00.5+05:30"}"#,
        true,
        None,
    ),
    (
        r#"{"punctual.dev/suspend-until": "tomorrow"}"#,
        true,
        Some("suspend-until"),
    ),
    (
        r#"{"punctual.dev/suspend-reason": "any text: at all"}"#,
        true,
        None,
    ),
    (r#"{"punctual.dev/skip": "2026-11-23T08:00:00Z"}"#, false, None),
    (
        r#"{"punctual.dev/skip": "2026-11-23T08:00:00Z, 2026-11-24T08:00:00+01:00"}"#,
        false,
        None,
    ),
    (
        r#"{"punctual.dev/skip": "2026-11-23T08:00:00Z 2026-11-24T08:00:00Z"}"#,
        false,
        Some("skip"),
    ),
    (r#"{"punctual.dev/skip": "noon"}"#, false, Some("skip")),
    (r#"{"punctual.dev/dialect": "quartz"}"#, false, None),
    (r#"{"punctual.dev/dialect": "vixie"}"#, false, Some("dialect")),
    (
        r#"{"punctual.dev/schedules": "0 9 * * 1\n0 8 * * 2"}"#,
        false,
        None,
    ),
    (r#"{"punctual.dev/schedules": " \n"}"#, false, Some("schedules")),
    (r#"{"punctual.dev/lint-ignore": "P014, P021"}"#, false, None),
    (
        r#"{"punctual.dev/lint-ignore": "everything"}"#,
        false,
        Some("lint-ignore"),
    ),
    (r#"{"punctual.dev/runtime": "vm"}"#, false, Some("runtime")),
];

/// The server itself says what the controller would only warn of.
pub(crate) async fn the_admission_policy_refuses_what_is_malformed(world: World) {
    let client = &world.client;
    let mut objects = rendered("admissionPolicy: {enabled: true}");
    objects.retain(|object| {
        object["kind"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("Validating"))
    });
    assert_eq!(objects.len(), 2);
    // Only here: other cases have CronJobs of their own.
    objects[1]["spec"]["matchResources"] =
        json!({ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": world.namespace } } });
    apply_all(client, &objects, Sent::ForGood).await;
    let namespace = world.namespace.as_str();
    let tried = async |annotations: Value, suspend: bool| {
        let mut object = cronjob("tried", "0 * * * *");
        object["metadata"]["namespace"] = namespace.into();
        object["metadata"]["annotations"] = annotations;
        object["spec"]["suspend"] = suspend.into();
        apply(client, &object, Sent::Dry).await
    };
    eventually("the policy is in force", || async {
        tried(json!({ "punctual.dev/colour": "blue" }), false)
            .await
            .is_err()
    })
    .await;
    for (annotations, suspend, refusal) in CRONJOBS {
        let parsed = serde_json::from_str(annotations).expect("JSON");
        match (tried(parsed, suspend).await, refusal) {
            (Ok(_), None) => {}
            (Err(kube::Error::Api(status)), Some(word)) if status.message.contains(word) => {}
            (answer, _) => panic!("{annotations}: expected {refusal:?}, got {answer:?}"),
        }
    }
}
