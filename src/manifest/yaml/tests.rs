//! What reading YAML and JSON gives, and what it says of texts that are neither.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::manifest::diagnostic::{Paint, render_all};

fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source {
        name: name.to_owned(),
        text: text.to_owned(),
    })
}

fn complaints(text: &str) -> String {
    render_all(&read(&source("cron.yaml", text)).1, Paint::Plain)
}

#[test]
fn probe() {
    for t in [
        "a: * * * * *\n",
        "schedule: */5 * * * *\n",
        "spec:\n  schedule: * * * * *\n  b: c\n",
        "spec:\n  schedule: @hourly\n",
        "a: 1\na: 2\n",
        "a: [1, 2\nb: c\n",
        "a:\n\tb: c\n",
        "a: b: c\n",
        "a: 'x\n",
        "name: {{ .Values.name }}\n",
        "a\nb: c\n",
        "a: 1\n  b: 2\n",
        "x: \"a\" b\n",
        "a: &x [*x]\n",
        "- a\nb: c\n",
        "a: *foo\n",
        "{\"a\":\n\t\"b\\/c\", \"\\ud83d\\ude00\": [1,2]}",
        "a: |\n  foo\nb\n---\nc: d\n",
    ] {
        let (docs, _) = read(&source("cron.yaml", t));
        println!(
            "=== {t:?}\n{}\n{:?}",
            complaints(t),
            docs.iter().map(Node::to_json).collect::<Vec<_>>()
        );
    }
    let _ = json!(1);
}
