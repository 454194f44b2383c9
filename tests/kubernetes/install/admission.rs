//! The chart's admission policy refuses what is malformed, and nothing else: least of all for what was there before it.

use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::{Sent, apply, apply_all, rendered};
use crate::world::{World, cronjob, eventually};

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

/// One row an update of a CronJob that was there before the policy: its annotations and `spec.suspend`, the merge patch,
/// and a word of the refusal, if it is refused.
const UPDATES: [(&str, bool, &str, Option<&str>); 10] = [
    (
        r#"{"punctual.dev/colour": "blue"}"#,
        false,
        r#"{"spec": {"suspend": true}}"#,
        None,
    ),
    (
        r#"{"punctual.dev/dialect": "vixie"}"#,
        false,
        r#"{"spec": {"schedule": "5 * * * *"}}"#,
        None,
    ),
    (
        r#"{"punctual.dev/colour": "blue", "punctual.dev/skip": "noon"}"#,
        false,
        r#"{"metadata": {"annotations": {"punctual.dev/managed": "true"}}, "spec": {"suspend": true}}"#,
        None,
    ),
    (
        r#"{"punctual.dev/colour": "blue"}"#,
        false,
        r#"{"metadata": {"annotations": {"punctual.dev/colour": null}}}"#,
        None,
    ),
    (
        r#"{"punctual.dev/colour": "blue"}"#,
        false,
        r#"{"metadata": {"annotations": {"punctual.dev/colour": "red"}}}"#,
        Some("unknown annotation punctual.dev/colour"),
    ),
    (
        r#"{"punctual.dev/colour": "blue"}"#,
        false,
        r#"{"metadata": {"annotations": {"punctual.dev/dialect": "vixie"}}}"#,
        Some("dialect"),
    ),
    (
        r#"{"punctual.dev/dialect": "vixie"}"#,
        false,
        r#"{"metadata": {"annotations": {"punctual.dev/dialect": "cronie"}}}"#,
        Some("dialect"),
    ),
    (
        r#"{"punctual.dev/managed": "true"}"#,
        false,
        r#"{"metadata": {"labels": {"a": "b"}}}"#,
        None,
    ),
    (
        r#"{"punctual.dev/managed": "true"}"#,
        true,
        r#"{"spec": {"suspend": false}}"#,
        Some("needs spec.suspend: true"),
    ),
    (
        "{}",
        false,
        r#"{"metadata": {"annotations": {"punctual.dev/managed": "true"}}}"#,
        Some("needs spec.suspend: true"),
    ),
];

/// The server itself says what the controller would only warn of.
pub(crate) async fn the_admission_policy_refuses_what_is_malformed(world: World) {
    in_force(&world).await;
    for (annotations, suspend, refusal) in CRONJOBS {
        let parsed = serde_json::from_str(annotations).expect("JSON");
        let answer = tried(&world, parsed, suspend).await;
        judge(
            &format!("a new one with {annotations}"),
            answer.map(drop),
            refusal,
        );
    }
}

/// What was there before the policy can be paused, handed over and deleted.
pub(crate) async fn the_admission_policy_refuses_nothing_for_what_was_there_before(world: World) {
    let parse = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    for (row, (annotations, suspend, ..)) in UPDATES.iter().enumerate() {
        let extra =
            json!({ "metadata": { "annotations": parse(annotations) }, "spec": { "suspend": suspend } });
        world.cronjob(&format!("old-{row}"), "0 * * * *", extra).await;
    }
    let held = json!({ "metadata": { "annotations": { "punctual.dev/colour": "blue" }, "finalizers": ["example.com/held"] } });
    world.cronjob("deleted", "0 * * * *", held).await;
    in_force(&world).await;
    let path = |name: &str| format!("/apis/batch/v1/namespaces/{}/cronjobs/{name}", world.namespace);
    for (row, (annotations, suspend, patch, refusal)) in UPDATES.into_iter().enumerate() {
        let answer = world
            .send("PATCH", &path(&format!("old-{row}")), &parse(patch))
            .await;
        judge(
            &format!("{annotations}, suspend: {suspend}, then {patch}"),
            answer.map(drop),
            refusal,
        );
    }
    world
        .send("DELETE", &path("deleted"), &json!({}))
        .await
        .expect("deletion begins");
    // Whoever takes its finalizer off may have left a note.
    let patch =
        json!({ "metadata": { "annotations": { "punctual.dev/colour": "red" }, "finalizers": null } });
    let answer = world.send("PATCH", &path("deleted"), &patch).await;
    judge("the last finalizer taken off", answer.map(drop), None);
}

/// Installs the policy for the namespace of a case only: others have CronJobs of their own.
async fn in_force(world: &World) {
    let mut objects = rendered("admissionPolicy: {enabled: true}");
    objects.retain(|object| {
        object["kind"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("Validating"))
    });
    assert_eq!(objects.len(), 2);
    let name = format!("of-{}", world.namespace);
    for object in &mut objects {
        object["metadata"]["name"] = name.clone().into();
    }
    objects[1]["spec"]["policyName"] = name.into();
    objects[1]["spec"]["matchResources"] =
        json!({ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": world.namespace } } });
    apply_all(&world.client, &objects, Sent::ForGood).await;
    eventually("the policy is in force", || async {
        tried(world, json!({ "punctual.dev/colour": "blue" }), false)
            .await
            .is_err()
    })
    .await;
}

/// What the server says to a new CronJob; it does not stay.
async fn tried(world: &World, annotations: Value, suspend: bool) -> kube::Result<DynamicObject> {
    let mut object = cronjob("tried", "0 * * * *");
    object["metadata"]["namespace"] = world.namespace.as_str().into();
    object["metadata"]["annotations"] = annotations;
    object["spec"]["suspend"] = suspend.into();
    apply(&world.client, &object, Sent::Dry).await
}

fn judge(what: &str, answer: kube::Result<()>, refusal: Option<&str>) {
    match (answer, refusal) {
        (Ok(()), None) => {}
        (Err(kube::Error::Api(status)), Some(word)) if status.message.contains(word) => {}
        (answer, _) => panic!("{what}: expected {refusal:?}, got {answer:?}"),
    }
}
