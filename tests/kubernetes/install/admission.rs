//! The chart's admission policy refuses what is malformed, and nothing else.

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
