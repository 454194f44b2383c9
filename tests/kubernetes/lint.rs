//! `punctual lint` beside the API server: what is an error to one is refused by the other.
//!
//! Every manifest of the fixtures that is one CronJob or Job is sent as it is written, to be tried and not kept
//! (`dryRun`), with unknown fields refused (`fieldValidation=Strict`).

use std::io;
use std::path::{Path, PathBuf};

use http::Request;
use punctual::lint::{Depth, Options, Report, lint, rules};
use punctual::manifest::{Severity, Version};
use punctual::schedule::TimeZones;
use serde_json::Value;

use crate::world::World;

/// Rules with errors that the API server does not see when a CronJob is created: annotations of ours, and what it
/// checks only when a Job is made.
const OURS: [&str; 8] = ["P024", "P025", "P026", "P047", "P051", "P052", "P053", "P054"];

/// Manifests about which the two differ, and why.
const DIFFER: [(&str, &str); 5] = [
    (
        "fixtures/good/anchors-and-merge-keys.yaml",
        "a key that overrides a merged one is a duplicate to the server; kubectl sends JSON, where none are left",
    ),
    (
        "fixtures/lint/people/image-with-blanks.yaml",
        "the server refuses it only when a pod is made",
    ),
    (
        "fixtures/broken/name-generated.yaml",
        "a manifest for `up` needs a name; the server makes one up",
    ),
    (
        "fixtures/broken/yaml-alias-bomb.yaml",
        "the server is not sent what could harm it",
    ),
    (
        "fixtures/broken/yaml-too-deep.yaml",
        "the server is not sent what could harm it",
    ),
];

pub(crate) async fn errors_are_what_the_server_refuses(world: World) {
    let mut differences = Vec::new();
    let mut tried = 0;
    for path in manifests() {
        let name = path.display().to_string();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let Some(plural) = kind(&text).filter(|_| DIFFER.iter().all(|(differs, _)| *differs != name)) else {
            continue;
        };
        tried += 1;
        let refusal = refusal(&world, plural, text).await;
        let report = linted(&path);
        let of_theirs = report
            .findings
            .iter()
            .filter(|finding| !OURS.contains(&finding.rule.code));
        let errors: Vec<String> = of_theirs
            .filter(|finding| finding.diagnostic.severity == Severity::Error)
            .map(|finding| finding.diagnostic.to_string())
            .collect();
        match (&refusal, errors.is_empty()) {
            (Some(_), false) | (None, true) => {}
            (Some(refusal), true) => {
                differences.push(format!("{name}: only the server refuses it: {refusal}"));
            }
            (None, false) => differences.push(format!("{name}: only lint refuses it: {}", errors.join("; "))),
        }
    }
    assert!(
        tried > 120,
        "{tried} manifests were tried, of {} rules",
        rules().len()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// All manifests of the fixtures.
fn manifests() -> Vec<PathBuf> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in folder.read_dir().expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    for folder in [
        "fixtures/lint",
        "fixtures/broken",
        "fixtures/good",
        "fixtures/patterns",
    ] {
        collect(Path::new(folder), &mut files);
    }
    files.sort();
    files
}

/// The resource that a text is, if it says that it is one object of `batch/v1`.
fn kind(text: &str) -> Option<&'static str> {
    let says = |line: &str| text.lines().any(|written| written.trim_end() == line);
    let is_one = text.matches("kind:").count() == 1 && !text.contains("\n---") && !text.starts_with('{');
    match (says("kind: CronJob"), says("kind: Job")) {
        (true, false) if is_one && says("apiVersion: batch/v1") => Some("cronjobs"),
        (false, true) if is_one && says("apiVersion: batch/v1") => Some("jobs"),
        _ => None,
    }
}

fn linted(path: &Path) -> Report {
    let options = Options {
        kubernetes: Version::KNOWN,
        ignore: vec![],
        dialect: None,
        now: "2026-11-26T12:00:00Z".parse().expect("an instant"),
    };
    lint(
        &[path.into()],
        Depth::Flat,
        &mut io::empty(),
        &TimeZones::built_in(),
        &options,
    )
}

/// Why the server refuses a manifest, if it does.
async fn refusal(world: &World, plural: &str, text: String) -> Option<String> {
    let path = format!(
        "/apis/batch/v1/namespaces/{}/{plural}?dryRun=All&fieldValidation=Strict",
        world.namespace
    );
    let request = Request::post(path).header("content-type", "application/yaml");
    let request = request.body(text.into_bytes()).expect("a request");
    match world.client.request::<Value>(request).await {
        Ok(_) => None,
        // It was the namespace of the case that did not fit, not the manifest.
        Err(kube::Error::Api(status)) if status.message.contains("does not match the namespace") => None,
        Err(error) => Some(error.to_string()),
    }
}
