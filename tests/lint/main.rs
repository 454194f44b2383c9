//! `lint`: a manifest that breaks each rule and one that does not, and mistakes that people have made.
//!
//! What is said of `fixtures/lint/P…/bad.yaml` is a snapshot beside this file, and nothing is said of `good.yaml`.
//! `fixtures/lint/people` holds manifests with the mistakes that are found in books, blogs and issue trackers, written
//! anew. `INSTA_UPDATE=always cargo test --test lint` writes the snapshots; read what was written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use punctual::lint::{Depth, Options, Report, Rule, find, lint, lint_bytes, rules};
use punctual::manifest::{Paint, Severity, Version};
use punctual::schedule::TimeZones;

/// The pages of the rules, for the web.
const REFERENCE: &str = "docs/lint.md";

fn options() -> Options {
    Options {
        kubernetes: Version::KNOWN,
        ignore: vec![],
        dialect: None,
        now: "2026-11-26T12:00:00Z".parse().unwrap(),
    }
}

/// Lints a file, for the version of Kubernetes that its first line asks for.
fn lint_file(path: &Path) -> Report {
    let text = fs::read(path).unwrap();
    let first = String::from_utf8_lossy(&text)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let version = first.strip_prefix("# --kubernetes-version ");
    let options = Options {
        kubernetes: version.map_or(Version::KNOWN, |version| version.parse().unwrap()),
        ..options()
    };
    lint(
        &[path.into()],
        Depth::Flat,
        &mut io::empty(),
        &TimeZones::built_in(),
        &options,
    )
}

fn lint_text(text: &str, options: &Options) -> Report {
    lint_bytes([("cron.yaml", text.as_bytes())], &TimeZones::built_in(), options)
}

fn rendered(report: &Report) -> String {
    let drawn = report
        .findings
        .iter()
        .map(|finding| finding.diagnostic.render(Paint::Plain));
    drawn.collect::<Vec<_>>().join("\n\n")
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule.code).collect()
}

/// What is in a folder, sorted.
fn listing(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn every_rule_has_a_manifest_that_breaks_it_and_one_that_does_not() {
    for rule in rules() {
        let folder = format!("fixtures/lint/{}-{}", rule.code, rule.name);
        let folder = Path::new(&folder);
        let bad = lint_file(&folder.join("bad.yaml"));
        assert!(
            codes(&bad).contains(&rule.code),
            "{} is not found in its bad.yaml",
            rule.code
        );
        snapshot(rule.code, &rendered(&bad));
        let good = lint_file(&folder.join("good.yaml"));
        assert!(good.findings.is_empty(), "{}", rendered(&good));
    }
    let folders = listing("fixtures/lint").len();
    assert_eq!(
        folders,
        rules().len() + 1,
        "a folder for each rule, and that of people's mistakes"
    );
}

#[test]
fn what_people_wrote_is_understood() {
    for file in listing("fixtures/lint/people") {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let report = lint_file(&file);
        assert!(!report.findings.is_empty(), "nothing is said of {name}");
        snapshot(&format!("people-{name}"), &rendered(&report));
    }
}

#[test]
fn manifests_that_are_right_have_no_errors() {
    for folder in ["fixtures/good", "fixtures/patterns"] {
        let report = lint(
            &[folder.into()],
            Depth::Flat,
            &mut io::empty(),
            &TimeZones::built_in(),
            &options(),
        );
        assert!(!report.has(Severity::Error), "{}", rendered(&report));
    }
}

/// Every mistake of the manifests that `up` refuses has a rule, and is told with it.
#[test]
fn what_is_refused_is_an_error() {
    for file in listing("fixtures/broken") {
        let report = lint_file(&file);
        let passes = [
            "companions-without-names",
            "kinds-not-run-here",
            "name-generated",
            "two-of-a-name",
        ];
        let passes = passes
            .iter()
            .any(|name| file.file_stem().is_some_and(|stem| stem == *name));
        assert!(passes || report.has(Severity::Error), "{} passes", file.display());
    }
}

const EVERY_SEVEN: &str = "apiVersion: batch/v1
kind: CronJob
metadata:
  name: report
  annotations: {punctual.dev/lint-ignore: 'P034, p999'}
spec:
  schedule: '*/7 * * * *'
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: busybox}]
";

#[test]
fn rules_are_silenced_by_the_object_or_for_the_run() {
    let report = lint_text(EVERY_SEVEN, &options());
    assert_eq!(codes(&report), ["P025", "P042"]);
    assert_eq!(report.silenced, 1);
    let ignore = vec![find("P042").unwrap(), find("invalid-annotation").unwrap()];
    let report = lint_text(EVERY_SEVEN, &Options { ignore, ..options() });
    assert_eq!(codes(&report), Vec::<&str>::new());
    assert_eq!(report.silenced, 3);
}

#[test]
fn other_kinds_pass_by_and_are_counted() {
    let text = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {anything: [goes]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template:
    spec:
      containers: [{name: web, imgae: nginx}]
---
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  containers: [{name: one, image: busybox, args: [sleep, 5]}]
---
apiVersion: example.com/v1
kind: Anything
";
    let report = lint_text(text, &options());
    assert_eq!((report.objects, report.others), (2, 2));
    insta::assert_snapshot!(rendered(&report));
}

#[test]
fn an_older_version_of_kubernetes_is_taken_at_its_word() {
    let beta = EVERY_SEVEN.replace("batch/v1", "batch/v1beta1");
    let at = |version: &str| {
        let options = Options {
            kubernetes: version.parse().unwrap(),
            ..options()
        };
        (
            codes(&lint_text(&beta, &options)),
            codes(&lint_text(EVERY_SEVEN, &options)),
        )
    };
    assert_eq!(at("1.25").0, ["P008", "P025", "P042"]);
    assert_eq!(at("1.24").0, ["P025", "P042"]);
    assert_eq!(at("1.20").1, ["P023", "P025", "P042"]);
}

#[test]
fn the_reference_has_every_page() {
    let row = |rule: &Rule| {
        let link = format!(
            "[{code}](#{}-{})",
            rule.code.to_lowercase(),
            rule.name,
            code = rule.code
        );
        format!(
            "| {link} | {} | `{}` | {} |\n",
            rule.severity, rule.name, rule.summary
        )
    };
    let page = |rule: &Rule| format!("\n## {} {}\n\n{}\n", rule.code, rule.name, rule.explanation());
    let table: Vec<String> = rules().iter().map(row).collect();
    let pages: Vec<String> = rules().iter().map(page).collect();
    let text = format!(
        "# Rules of `punctual lint`\n\nWritten by `UPDATE_DOCS=1 cargo test --test lint`; a test keeps it in step.\n\n\
         | code | severity | name | what it finds |\n|---|---|---|---|\n{}{}",
        table.concat(),
        pages.concat()
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(REFERENCE, &text).unwrap();
    }
    assert!(
        fs::read_to_string(REFERENCE).is_ok_and(|written| written == text),
        "UPDATE_DOCS=1 writes {REFERENCE}"
    );
}

/// Whoever is told that an annotation is mistaken need not be told that it is not there.
#[test]
fn what_depends_on_a_mistaken_annotation_is_not_without_effect() {
    for (mistaken, dependent) in [
        ("schedules: '0 0 32 * *'", "dialect: extended"),
        ("exclude: '2026-13-01'", "on-excluded: next"),
        ("overlap: queue", "queue-limit: '3'"),
        ("missed-runs: all", "missed-runs-limit: '3'"),
        ("managed: maybe", "suspend: 'true'"),
        ("suspend: maybe", "suspend-until: '2027-01-01T00:00:00Z'"),
    ] {
        let text = format!(
            "apiVersion: batch/v1
kind: CronJob
metadata:
  name: a
  annotations:
    punctual.dev/{mistaken}
    punctual.dev/{dependent}
spec:
  schedule: '0 0 * * *'
  jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: b}}]}}}}}}}}
"
        );
        let said = rendered(&lint_text(&text, &options()));
        assert!(said.contains("P025"), "{said}");
        assert!(!said.contains("P051"), "{said}");
    }
}
