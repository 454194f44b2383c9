//! What the chart's service account may do is enough and no more, and what is not granted is said.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, ResourceExt as _};
use serde_json::{Value, json};

use super::{HOME, Sent, apply_all, arguments, find, namespace, rendered};
use crate::control_plane::Guarded;
use crate::request::request;
use crate::world::{World, eventually, seconds};

/// The controller as the chart starts it, but on a port that is free.
fn controller_of(world: &World, kubeconfig: &Path, name: &str, objects: &[Value]) -> Guarded {
    let pod = &find(objects, "Deployment")["spec"]["template"]["spec"];
    let mut arguments = arguments(pod);
    assert_eq!(arguments.remove(0), "controller");
    arguments
        .retain(|argument| !argument.starts_with("--metrics-listen=") && *argument != "--log-format=json");
    world.controller_by(kubeconfig, name, &arguments)
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
