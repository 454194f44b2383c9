//! What reading YAML and JSON gives. What is said of texts that are neither is in `tests/manifest`.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::manifest::path::FieldPath;

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source {
        name: "cron.yaml".to_owned(),
        text: text.to_owned(),
    })
}

/// The documents as JSON; every mistake, in one line each, as a string.
fn documents(text: &str) -> Vec<Json> {
    let (documents, mistakes) = read(&source(text));
    let mistakes = mistakes.iter().map(|mistake| Json::String(mistake.to_string()));
    documents.iter().map(Node::to_json).chain(mistakes).collect()
}

#[test]
fn documents_are_separated_and_empty_ones_left_out() {
    assert_eq!(documents("a: 1\n---\nb: 2\n"), [json!({"a": 1}), json!({"b": 2})]);
    assert_eq!(documents("---\n# nothing\n---\na: 1\n...\n"), [json!({"a": 1})]);
    assert_eq!(documents("\u{feff}a: 1\n"), [json!({"a": 1})]);
    assert_eq!(documents("# nothing\n"), Vec::<Json>::new());
}

#[test]
fn a_mistake_leaves_the_other_documents_alone() {
    let read = documents("a: 1\n---\nb: [\n---\nc: 3\n");
    assert_eq!(read[..2], [json!({"a": 1}), json!({"c": 3})]);
    assert_eq!(read.len(), 3);
}

#[test]
fn scalars_are_text_when_they_are_quoted_or_tagged() {
    assert_eq!(
        documents("[yes, \"yes\", 'no', !!str 5, !!int \"5\", 5]"),
        [json!([true, "yes", "no", "5", 5, 5])]
    );
    assert_eq!(
        documents("a: |\n  1\n  2\nb: >-\n  x\n  y\n"),
        [json!({"a": "1\n2\n", "b": "x y"})]
    );
}

#[test]
fn keys_stay_as_they_are_written() {
    assert_eq!(
        documents("{on: 1, 0755: 2, \"a b\": 3, ~: 4}"),
        [json!({"on": 1, "0755": 2, "a b": 3, "~": 4})]
    );
}

#[test]
fn aliases_stand_for_what_they_name() {
    assert_eq!(
        documents("a: &x {b: [1]}\nc: *x\n"),
        [json!({"a": {"b": [1]}, "c": {"b": [1]}})]
    );
    assert_eq!(documents("a: &x key\n*x : 1\n"), [json!({"a": "key", "key": 1})]);
}

#[test]
fn a_merge_key_fills_in_what_is_not_written() {
    let text = "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nall:\n  <<: [*base, *more]\n  a: 0\n";
    assert_eq!(documents(text)[0]["all"], json!({"a": 0, "b": 2, "c": 4}));
}

#[test]
fn json_may_be_indented_with_tabs_and_escape_what_it_likes() {
    let text = "{\n\t\"a\\/b\": \"\\ud83d\\ude00 \\u00e9\",\n\t\"c\": [1.5, -2e3, null, true]\n}\n";
    assert_eq!(
        documents(text),
        [json!({"a/b": "😀 é", "c": [1.5, -2000, null, true]})]
    );
}

#[test]
fn every_field_has_its_place() {
    let text = "spec:\n  schedule: \"0 6 * * *\"\n  items:\n    - name: é\n      on: 5\n  empty:\n";
    let (documents, _) = read(&source(text));
    let table = [
        ("spec.schedule", "\"0 6 * * *\""),
        ("spec.timeZone", "spec"),
        ("spec.items", "items"),
        ("spec.empty", "empty"),
        ("spec.schedule.below", "schedule"),
        ("metadata.name", "spec"),
    ];
    for (path, expected) in table {
        let span = documents[0].span_of(&FieldPath::of(path));
        assert_eq!(&text[span], expected, "{path}");
    }
    let item = FieldPath::of("spec.items").index(0);
    assert_eq!(&text[documents[0].span_of(&item)], "name");
    assert_eq!(&text[documents[0].span_of(&item.child("name"))], "é");
    assert_eq!(&text[documents[0].span_of(&item.child("on"))], "5");
}

#[test]
fn short_files_do_not_become_long_ones() {
    let ten = |of: &str| vec![format!("*{of}"); 10].join(", ");
    let doubled = ["ab", "bc", "cd", "de", "ef", "fg", "gh"].map(|pair| {
        let (of, name) = pair.split_at(1);
        format!("{name}: &{name} [{}]\n", ten(of))
    });
    let bomb = format!("a: &a [x, x, x, x, x, x, x, x, x, x]\n{}", doubled.concat());
    let (documents, mistakes) = read(&source(&bomb));
    assert!(documents.is_empty());
    assert_eq!(mistakes[0].code, "too-large");
}

#[test]
fn a_long_mapping_is_read_in_a_moment() {
    let lines: Vec<String> = (0..100_000).map(|key| format!("k{key}: 1\n")).collect();
    let (documents, mistakes) = read(&source(&format!("{}k7: 2\n", lines.concat())));
    assert_eq!(documents[0].size(), 100_001);
    assert_eq!(
        mistakes[0].to_string(),
        "cron.yaml:100001:1: error: `k7` is written twice"
    );
}

#[test]
fn values_do_not_stand_in_each_other_without_end() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(documents(&nested(DEPTH_MAX)).len(), 1);
    let (documents, mistakes) = read(&source(&nested(DEPTH_MAX + 1)));
    assert!(documents.is_empty() && mistakes.len() == 1);

    // Nor by way of aliases: forty in forty.
    let text = format!(
        "a: &a {}\nb: {}*a{}\n",
        nested(40),
        "[".repeat(40),
        "]".repeat(40)
    );
    assert_eq!(read(&source(&text)).1[0].code, "too-deep");
}
