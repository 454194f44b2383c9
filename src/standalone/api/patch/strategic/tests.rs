//! The rules of strategic merge, one a row: object, patch, result.

use serde_json::{Value, json};

use super::{StrategicError, merge};
use crate::manifest::schema::Schema;

fn merged(object: Value, patch: &Value) -> Result<Value, StrategicError> {
    let mut object = object;
    merge(&mut object, patch, type_of(patch)).map(|()| object)
}

/// The type that has a field of the patch, if one of those that are tried here has.
fn type_of(patch: &Value) -> Schema {
    let names = [
        "api.core.v1.Container",
        "api.core.v1.PodSpec",
        "apimachinery.pkg.apis.meta.v1.ObjectMeta",
    ];
    let mut types = names
        .iter()
        .filter_map(|name| Schema::named(&format!("io.k8s.{name}")));
    let has_one = |schema: &Schema| {
        let mut fields = patch.as_object().into_iter().flatten();
        fields.any(|(field, _)| schema.own_field(field).is_some())
    };
    types.find(has_one).unwrap_or_else(Schema::unknown)
}

#[test]
fn maps_are_merged_and_null_removes() {
    let table = [
        // object                        patch                                  result
        (json!({ "a": 1 }), json!({ "b": 2 }), json!({ "a": 1, "b": 2 })),
        (json!({ "a": 1 }), json!({ "a": null }), json!({})),
        (
            json!({ "a": { "b": 1 } }),
            json!({ "a": { "c": 2 } }),
            json!({ "a": { "b": 1, "c": 2 } }),
        ),
        (
            json!({ "a": { "b": 1 } }),
            json!({ "a": "text" }),
            json!({ "a": "text" }),
        ),
        (
            json!({ "a": { "b": 1 } }),
            json!({ "a": { "c": 2, "$patch": "replace" } }),
            json!({ "a": { "c": 2 } }),
        ),
        (
            json!({ "a": { "b": 1 } }),
            json!({ "a": { "$patch": "delete" } }),
            json!({}),
        ),
        (
            json!({ "a": { "b": 1, "c": 2 } }),
            json!({ "a": { "$retainKeys": ["c", "d"], "d": 3 } }),
            json!({ "a": { "c": 2, "d": 3 } }),
        ),
        (
            json!({}),
            json!({ "a": { "b": null, "c": 1 } }),
            json!({ "a": { "c": 1 } }),
        ),
    ];
    for (object, patch, expected) in table {
        assert_eq!(merged(object, &patch), Ok(expected), "{patch}");
    }
}

#[test]
fn lists_of_things_with_a_key_are_merged_and_others_replaced() {
    let table = [
        // object                                   patch                                    result
        (
            json!({ "args": ["a", "b"] }),
            json!({ "args": ["c"] }),
            json!({ "args": ["c"] }),
        ),
        (
            json!({ "env": [{ "name": "A", "value": "1" }] }),
            json!({ "env": [{ "name": "B", "value": "2" }] }),
            json!({ "env": [{ "name": "B", "value": "2" }, { "name": "A", "value": "1" }] }),
        ),
        (
            json!({ "env": [{ "name": "A", "value": "1" }] }),
            json!({ "env": [{ "name": "A", "value": "2" }] }),
            json!({ "env": [{ "name": "A", "value": "2" }] }),
        ),
        (
            json!({ "env": [{ "name": "A" }, { "name": "B" }] }),
            json!({ "env": [{ "name": "A", "$patch": "delete" }] }),
            json!({ "env": [{ "name": "B" }] }),
        ),
        (
            json!({ "env": [{ "name": "A" }] }),
            json!({ "env": [{ "name": "B" }, { "$patch": "replace" }] }),
            json!({ "env": [{ "name": "B" }] }),
        ),
        (
            json!({ "ports": [{ "containerPort": 80 }] }),
            json!({ "ports": [{ "containerPort": 80, "name": "http" }] }),
            json!({ "ports": [{ "containerPort": 80, "name": "http" }] }),
        ),
        (
            json!({ "finalizers": ["a"] }),
            json!({ "finalizers": ["b", "a"] }),
            json!({ "finalizers": ["b", "a"] }),
        ),
        (
            json!({ "finalizers": ["a", "b"] }),
            json!({ "$deleteFromPrimitiveList/finalizers": ["a"] }),
            json!({ "finalizers": ["b"] }),
        ),
    ];
    for (object, patch, expected) in table {
        assert_eq!(merged(object, &patch), Ok(expected), "{patch}");
    }
}

#[test]
fn the_order_is_the_patchs_where_it_says_one() {
    let names = |names: &str| -> Value { names.split(' ').map(|name| json!({ "name": name })).collect() };
    let table = [
        // object    added    order      result
        ("a b", "c", "c a b", "c a b"),
        ("a b", "c", "a c b", "a c b"),
        ("a b c", "", "c a", "b c a"),
        ("x a y b", "", "b a", "x y b a"),
    ];
    for (object, added, order, expected) in table {
        let added = if added.is_empty() { json!([]) } else { names(added) };
        let patch = json!({ "containers": added, "$setElementOrder/containers": names(order) });
        let expected = json!({ "containers": names(expected) });
        assert_eq!(
            merged(json!({ "containers": names(object) }), &patch),
            Ok(expected),
            "{object} + {added}, {order}"
        );
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let no_key = merged(json!({}), &json!({ "env": [{ "value": "1" }] })).unwrap_err();
    insta::assert_snapshot!(no_key, @r#"map: {"value":"1"} does not contain declared merge key: name, by which the elements of "env" are told apart"#);
    let unknown = merged(json!({}), &json!({ "a": { "$patch": "burn" } })).unwrap_err();
    insta::assert_snapshot!(unknown, @r#"unknown patch type: burn in map: {"$patch":"burn"}; there are replace, merge and delete"#);
    let other = json!({ "$setElementOrder/finalizers": ["a"], "finalizers": ["b"] });
    let disorder = merged(json!({}), &other).unwrap_err();
    insta::assert_snapshot!(disorder, @r#"The order in patch list: ["b"] doesn't match $setElementOrder list: ["a"]; "$setElementOrder/finalizers" has each element that is set in "finalizers", in that order"#);
    let none = merged(json!({}), &json!({ "$setElementOrder/finalizers": "a" })).unwrap_err();
    insta::assert_snapshot!(none, @r#"expected a list in "$setElementOrder/finalizers", but received "a""#);
    // kube-apiserver refuses these, too.
    for patch in [
        json!({ "$patch": 5 }),
        json!({ "a": { "$retainKeys": "b" } }),
        json!({ "a": { "$retainKeys": [5] } }),
        json!({ "a": { "$retainKeys": ["b"], "c": 1 } }),
        json!({ "$setElementOrder/finalizers": "a" }),
        json!({ "$setElementOrder/finalizers": ["a"], "finalizers": ["b"] }),
        json!({ "$setElementOrder/finalizers": ["a", "b"], "finalizers": ["b", "a"] }),
        json!({ "$setElementOrder/env": [{ "name": "B" }], "env": [{ "name": "A" }] }),
        json!({ "$setElementOrder/env": [{ "value": "1" }], "env": [] }),
        json!({ "env": [{ "name": "A", "$patch": "merge" }] }),
    ] {
        assert!(merged(json!({}), &patch).is_err(), "{patch}");
    }
    for (patch, expected) in [
        (
            json!({ "a": { "$retainKeys": ["b"], "b": 1, "c": null } }),
            json!({ "a": { "b": 1 } }),
        ),
        (json!({ "$nonsense": 1 }), json!({ "$nonsense": 1 })),
        (
            json!({ "$setElementOrder/env": [], "env": [{ "name": "A" }] }),
            json!({ "env": [{ "name": "A" }] }),
        ),
        (
            json!({ "$setElementOrder/env": [{ "name": "B" }], "env": [{ "name": "A", "$patch": "delete" }, { "name": "B" }] }),
            json!({ "env": [{ "name": "B" }] }),
        ),
        (
            json!({ "env": [{ "name": "A", "$patch": "replace" }] }),
            json!({ "env": [] }),
        ),
    ] {
        assert_eq!(merged(json!({}), &patch), Ok(expected), "{patch}");
    }
}
