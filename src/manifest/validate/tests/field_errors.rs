//! How errors are written: `FieldError` as kube-apiserver shows it.

use super::super::{Findings, Reason};
use crate::manifest::path::FieldPath;

#[test]
fn every_kind_is_worded_as_kubernetes_words_it() {
    let path = FieldPath::of("spec.list").index(2).child("map").key("a.b/c");
    let mut found = Findings::default();
    found.required(&path, "");
    found.required(&path, "because");
    found.invalid(&path, "a \"quoted\" word", "must be plain");
    found.invalid(&path, 5, "");
    found.not_supported(&path, "x", &["A", "B"]);
    found.forbidden(&path, "not here");
    found.duplicate(&path, "x");
    found.not_found(&path, "x");
    found.too_long(&path, 63);
    found.too_many(&path, 21, 20);
    found.invalid_as_a_whole(&path, "one or the other");
    let lines: Vec<String> = found.into_errors().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    spec.list[2].map[a.b/c]: Required value
    spec.list[2].map[a.b/c]: Required value: because
    spec.list[2].map[a.b/c]: Invalid value: "a \"quoted\" word": must be plain
    spec.list[2].map[a.b/c]: Invalid value: 5
    spec.list[2].map[a.b/c]: Unsupported value: "x": supported values: "A", "B"
    spec.list[2].map[a.b/c]: Forbidden: not here
    spec.list[2].map[a.b/c]: Duplicate value: "x"
    spec.list[2].map[a.b/c]: Not found: "x"
    spec.list[2].map[a.b/c]: Too long: may not be more than 63 bytes
    spec.list[2].map[a.b/c]: Too many: 21: must have at most 20 items
    spec.list[2].map[a.b/c]: Invalid value: one or the other
    "#);
}

#[test]
fn the_causes_of_a_status_have_kubernetes_names() {
    assert_eq!(Reason::Invalid.cause(), "FieldValueInvalid");
    assert_eq!(Reason::NotSupported.cause(), "FieldValueNotSupported");
}
