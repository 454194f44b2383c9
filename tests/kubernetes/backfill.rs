//! `punctual backfill` on a real server, beside a controller, by somebody who may do no more than its documentation says.

use std::path::PathBuf;
use std::time::Duration;

use kube::ResourceExt;
use serde_json::{Value, json};

use crate::world::{World, eventually};

/// How long it may take.
const LIMIT: Duration = Duration::from_mins(2);

/// A quota lets no Job in at first, and the command tries again; then its runs are active like any, and one waits for the
/// other. Nothing of it is recorded of the schedule.
pub(crate) async fn its_rights_are_enough(world: World) {
    let quotas = format!("/api/v1/namespaces/{}/resourcequotas", world.namespace);
    let none = json!({ "count/jobs.batch": "0" });
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "full" }, "spec": { "hard": none },
    });
    world.send("POST", &quotas, &quota).await.expect("a quota");
    let counted = json!({ "status": { "hard": none, "used": none } });
    let status = format!("{quotas}/full/status");
    world
        .send("PATCH", &status, &counted)
        .await
        .expect("it is counted");
    let forbid = json!({ "spec": { "concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 0 } });
    world.cronjob("nightly", "30 2 1 1 *", forbid).await;
    let _controller = world.controller("one", &[]);

    let filler = kubeconfig(&world).await;
    let times = ["--from", "2024-01-01T00:00:00Z", "--to", "2026-02-01T00:00:00Z"];
    let words = [
        &["backfill", "nightly", "--yes", "--max-active", "5", "-o", "json"],
        &times[..],
    ]
    .concat();
    let backfill = world.run_as(
        &filler,
        "backfill",
        &[&words[..], &["-n", &world.namespace]].concat(),
    );
    eventually("it is refused", || async {
        backfill.log().contains(r#""event":"refused""#)
    })
    .await;
    let full = format!("{quotas}/full");
    world
        .send("DELETE", &full, &Value::Null)
        .await
        .expect("there is room");
    for number in 1..=3 {
        eventually("the next run is active", || async {
            world.jobs().await.len() == number && world.active("nightly").await == 1
        })
        .await;
        let jobs = world.jobs().await;
        let unfinished = jobs.iter().filter(|job| {
            let status = job.status.as_ref();
            status.is_none_or(|status| status.conditions.as_deref().unwrap_or_default().is_empty())
        });
        let unfinished: Vec<String> = unfinished.map(ResourceExt::name_any).collect();
        assert_eq!(unfinished.len(), 1, "one waits for the other");
        world.finish(&unfinished[0], true).await;
    }
    assert_eq!(backfill.exit_code(LIMIT).await, 0, "{}", backfill.log());
    eventually("nothing is active", || async {
        world.active("nightly").await == 0
    })
    .await;
    let status = world.get("nightly").await.status.unwrap_or_default();
    assert_eq!(
        (status.last_schedule_time, status.last_successful_time),
        (None, None)
    );
    assert_eq!(world.jobs().await.len(), 3, "the history has no say");
}

/// Of somebody who may do what the documentation of `backfill` says.
async fn kubeconfig(world: &World) -> PathBuf {
    let namespace = &world.namespace;
    let rule = |resources: &[&str], verbs: &[&str]| json!({ "apiGroups": ["batch"], "resources": resources, "verbs": verbs });
    let rules = [
        rule(&["cronjobs", "jobs"], &["get", "list", "watch"]),
        rule(&["jobs"], &["create"]),
    ];
    let metadata = json!({ "name": "filler" });
    let subject = json!({ "kind": "ServiceAccount", "name": "filler", "namespace": namespace });
    let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "filler" });
    let (core, rbac) = (
        format!("/api/v1/namespaces/{namespace}/serviceaccounts"),
        format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"),
    );
    for (path, object) in [
        (core.clone(), json!({ "metadata": metadata })),
        (
            format!("{rbac}/roles"),
            json!({ "metadata": metadata, "rules": rules }),
        ),
        (
            format!("{rbac}/rolebindings"),
            json!({ "metadata": metadata, "roleRef": role, "subjects": [subject] }),
        ),
    ] {
        world.send("POST", &path, &object).await.expect("created");
    }
    let asked = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
    let answer = world
        .send("POST", &format!("{core}/filler/token"), &asked)
        .await
        .expect("a token");
    world.kubeconfig_with(answer["status"]["token"].as_str().expect("a token"))
}
