//! Stories of several writers, with what the object says and who owns what after each write.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::entries::Entries;
use super::{Author, OwnershipError, apply, record};
use crate::manifest::schema::Schema;
use crate::schedule::Timestamp;

/// An object of a kind, and those who write to it.
struct Story {
    schema: Schema,
    object: Option<Value>,
    minute: i64,
    told: String,
}

impl Story {
    fn of(kind: &str) -> Self {
        let group = if kind == "CronJob" { "batch" } else { "" };
        let (_, schema) = Schema::of_kind(group, "v1", kind).expect("a kind that is served");
        Story {
            schema,
            object: None,
            minute: 0,
            told: String::new(),
        }
    }

    fn now(&mut self) -> Timestamp {
        self.minute += 1;
        Timestamp::from_timestamp(self.minute * 60, 0).expect("a moment")
    }

    /// Somebody applies a configuration.
    fn applies(&mut self, manager: &str, config: &Value) -> &mut Self {
        self.apply(manager, config, false)
    }

    /// Somebody applies a configuration, and takes what others own.
    fn forces(&mut self, manager: &str, config: &Value) -> &mut Self {
        self.apply(manager, config, true)
    }

    fn apply(&mut self, manager: &str, config: &Value, force: bool) -> &mut Self {
        let now = self.now();
        let verb = if force { "forces" } else { "applies" };
        let _ = writeln!(self.told, "{manager} {verb} {config}");
        let applied = apply(
            self.object.as_ref(),
            config,
            &author(manager),
            force,
            self.schema,
            now,
        );
        self.end_with(applied)
    }

    /// Somebody changes a part of the object.
    fn changes(&mut self, manager: &str, patch: &Value) -> &mut Self {
        let now = self.now();
        let _ = writeln!(self.told, "{manager} changes {patch}");
        let old = self.object.clone();
        let mut new = old.clone().unwrap_or_else(|| json!({ "metadata": {} }));
        json_patch::merge(&mut new, patch);
        record(old.as_ref(), &mut new, &author(manager), self.schema, now);
        self.end_with(Ok(new))
    }

    fn end_with(&mut self, written: Result<Value, OwnershipError>) -> &mut Self {
        match written {
            Err(refusal) => {
                let _ = writeln!(self.told, "  refused: {refusal}");
            }
            Ok(object) => {
                let mut shown = object.clone();
                super::super::meta::remove(&mut shown, "managedFields");
                let _ = writeln!(self.told, "  {shown}");
                for entry in object["metadata"]["managedFields"]
                    .as_array()
                    .into_iter()
                    .flatten()
                {
                    let fields = super::set::FieldSet::parse(&entry["fieldsV1"]).expect("fields");
                    let (manager, operation) = (&entry["manager"], &entry["operation"]);
                    let (manager, operation) = (manager.as_str(), operation.as_str());
                    let _ = writeln!(
                        self.told,
                        "    {} {}: {}",
                        manager.unwrap_or_default(),
                        operation.unwrap_or_default(),
                        fields.paths().join(" ")
                    );
                }
                self.object = Some(object);
            }
        }
        self
    }
}

fn author(manager: &str) -> Author {
    Author {
        manager: Some(manager.to_owned()),
        api_version: "v1".to_owned(),
        subresource: "",
        untouchable: &[&["status"]],
    }
}

fn data(data: &Value) -> Value {
    json!({ "metadata": { "name": "m" }, "data": data })
}

#[test]
fn what_is_no_longer_applied_goes_unless_others_own_it() {
    let mut story = Story::of("ConfigMap");
    story
        .applies("ann", &data(&json!({ "a": "1", "b": "1", "c": "1" })))
        .applies("bob", &data(&json!({ "b": "1" })))
        .changes("eve", &json!({ "data": { "c": "2" } }))
        .applies("ann", &data(&json!({ "a": "1" })))
        .applies("ann", &json!({ "metadata": { "name": "m" } }));
    insta::assert_snapshot!(story.told);
}

#[test]
fn who_owns_is_asked_before_a_field_changes() {
    let mut story = Story::of("ConfigMap");
    story
        .applies("ann", &data(&json!({ "a": "1", "b": "1" })))
        .applies("bob", &data(&json!({ "a": "2", "b": "2" })))
        .applies("bob", &data(&json!({ "a": "1", "b": "2" })))
        .forces("bob", &data(&json!({ "a": "2" })))
        .applies("ann", &data(&json!({ "a": "2", "b": "1" })));
    insta::assert_snapshot!(story.told);
}

#[test]
fn elements_are_told_apart_by_their_keys() {
    let containers = |containers: &Value| json!({ "spec": { "containers": containers } });
    let mut story = Story::of("Pod");
    story
        .applies(
            "ann",
            &containers(&json!([
                { "name": "x", "image": "i", "ports": [{ "containerPort": 80 }] },
                { "name": "y", "image": "i" }
            ])),
        )
        .applies(
            "bob",
            &containers(&json!([
                { "name": "z", "image": "i" },
                { "name": "x", "ports": [{ "containerPort": 80, "protocol": "UDP" }], "command": ["a"] }
            ])),
        )
        .applies("ann", &containers(&json!([{ "name": "x", "image": "i" }])))
        .applies("bob", &containers(&json!([{ "image": "nameless" }])))
        .applies("bob", &containers(&json!([{ "name": "x" }, { "name": "x" }])));
    insta::assert_snapshot!(story.told);
}

#[test]
fn sets_grow_and_shrink_by_owner() {
    let finalizers = |list: &Value| json!({ "metadata": { "name": "m", "finalizers": list } });
    let mut story = Story::of("ConfigMap");
    story
        .applies("ann", &finalizers(&json!(["e/1", "e/2"])))
        .applies("bob", &finalizers(&json!(["e/3", "e/2"])))
        .applies("ann", &finalizers(&json!(["e/1"])))
        .applies("ann", &json!({ "metadata": { "name": "m" } }));
    insta::assert_snapshot!(story.told);
}

/// Of an object that nobody has applied yet nobody knows the owners: a stand-in holds what is there.
#[test]
fn the_first_apply_finds_what_was_there() {
    let mut story = Story::of("CronJob");
    story.object =
        Some(json!({ "metadata": { "uid": "u" }, "spec": { "schedule": "@daily", "suspend": true } }));
    story
        .applies("ann", &json!({ "spec": { "schedule": "@hourly" } }))
        .applies(
            "ann",
            &json!({ "spec": { "schedule": "@daily" }, "status": { "active": [] } }),
        )
        .changes("eve", &json!({ "spec": { "suspend": null } }));
    insta::assert_snapshot!(story.told);
}

/// What Punctual wrote before it told owners apart came from its own files, and goes with what they say.
#[test]
fn of_what_punctual_wrote_itself_nobody_else_is_thought_the_owner() {
    let schema = Story::of("ConfigMap").schema;
    let ours = Author {
        manager: None,
        ..author("")
    };
    let now = Timestamp::UNIX_EPOCH;
    let before = data(&json!({ "a": "1", "b": "1" }));
    let first = apply(Some(&before), &before, &ours, true, schema, now).expect("it is applied");
    let second = apply(
        Some(&first),
        &data(&json!({ "a": "1" })),
        &ours,
        true,
        schema,
        now,
    );
    assert_eq!(second.expect("it is applied")["data"], json!({ "a": "1" }));
}

#[test]
fn of_many_who_change_the_oldest_are_lumped_together() {
    let mut story = Story::of("ConfigMap");
    for number in 0..13 {
        story.changes(
            &format!("m{number:02}"),
            &json!({ "data": { format!("k{number:02}"): "1" } }),
        );
    }
    let last = story.told.rsplit("m12 changes").next().unwrap_or_default();
    insta::assert_snapshot!(last);
}

/// Configurations of a config map with few keys and values, so that writers get into each other's way.
fn config() -> impl Strategy<Value = Value> {
    let keys = proptest::collection::btree_map("[abc]", "[12]", 0..4);
    keys.prop_map(|keys| data(&json!(keys)))
}

proptest! {
    /// What somebody has forced is there, and is theirs; to apply it again changes nothing, not even the moment.
    #[test]
    fn what_is_applied_is_there_once(configs in proptest::collection::vec((0..3_usize, config()), 1..8)) {
        let mut story = Story::of("ConfigMap");
        for (who, config) in configs {
            let manager = ["ann", "bob", "eve"][who];
            story.forces(manager, &config);
            let object = story.object.clone().expect("it is there");
            for (key, value) in config["data"].as_object().expect("data") {
                prop_assert_eq!(&object["data"][key], value);
            }
            story.applies(manager, &config);
            prop_assert_eq!(story.object.as_ref(), Some(&object), "{}", story.told);
        }
        // Nobody owns what is not there.
        let object = story.object.expect("it is there");
        for path in Entries::of(&object).all_fields().paths() {
            let key = path.strip_prefix(".data").unwrap_or_default().trim_start_matches('.');
            prop_assert!(key.is_empty() || object["data"].get(key).is_some(), "{} in {}", path, object);
        }
    }
}
