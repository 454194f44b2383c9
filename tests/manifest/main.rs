//! Manifests as people write them: what is loaded from the good ones, and what is said of the broken ones.
//!
//! Every file of `fixtures/broken` has one mistake, or one family of them; what punctual says of it is a
//! snapshot beside this file. `INSTA_UPDATE=always cargo test --test manifest` writes them anew; read what
//! was written.

use std::io;
use std::path::{Path, PathBuf};

use punctual::manifest::{Diagnostic, Loaded, Object, Paint, load, load_bytes, render_all};
use punctual::schedule::TimeZones;

mod robust;

fn load_path(path: impl Into<PathBuf>) -> Loaded {
    load(&[path.into()], &mut io::empty(), &TimeZones::built_in())
}

fn load_text(text: &str) -> Loaded {
    load_bytes([("cron.yaml", text.as_bytes())], &TimeZones::built_in())
}

fn render(loaded: &Loaded) -> String {
    render_all(&loaded.diagnostics, Paint::Plain)
}

/// The files of a folder of fixtures, sorted.
fn fixtures(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Path::new("fixtures")
        .join(folder)
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_broken_manifest_is_explained() {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        for file in fixtures("broken") {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let loaded = load_path(&file);
            assert!(!loaded.diagnostics.is_empty(), "nothing is said of {name}");
            insta::assert_snapshot!(name, render(&loaded));
        }
    });
}

/// What the controller tells in an event is told at its place where a manifest is run.
#[test]
fn annotations_that_are_wrong_are_told_and_their_cronjob_is_run() {
    let loaded = load_path("fixtures/broken/annotations.yaml");
    assert!(!loaded.has_errors(), "{}", render(&loaded));
    assert_eq!(loaded.objects.len(), 1);
    assert_eq!(loaded.diagnostics.len(), 5, "{}", render(&loaded));
}

#[test]
fn every_good_manifest_is_loaded_without_a_word() {
    for file in fixtures("good") {
        let loaded = load_path(&file);
        assert!(loaded.diagnostics.is_empty(), "{}", render(&loaded));
        assert!(
            !loaded.objects.is_empty(),
            "nothing was loaded from {}",
            file.display()
        );
    }
}

#[test]
fn an_object_keeps_what_no_type_knows() {
    let loaded = load_text(
        "apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: report}
spec:
  schedule: '@hourly'
  inventedIn2031: [1, 2]
  jobTemplate:
    spec:
      alsoNew: {a: null}
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: busybox, newest: 0.5}]
",
    );
    let [manifest] = &loaded.objects[..] else {
        panic!("{}", render(&loaded))
    };
    let Object::CronJob(cron_job) = &manifest.object else {
        panic!("{manifest:?}")
    };
    let template = &manifest.json["spec"]["jobTemplate"];
    assert_eq!(cron_job.spec.job_template.to_value(), *template);
    assert_eq!(manifest.json["apiVersion"], "batch/v1");
    assert_eq!(manifest.json["metadata"]["namespace"], "default");
    assert_eq!(manifest.json["spec"]["inventedIn2031"], serde_json::json!([1, 2]));
    assert_eq!(template["spec"]["alsoNew"], serde_json::json!({"a": null}));
    assert_eq!(
        template["spec"]["template"]["spec"]["containers"][0]["newest"],
        0.5
    );
    assert_eq!(manifest.place.to_string(), "cron.yaml:3:18");
    assert!(!loaded.has_errors());
    let codes: Vec<&str> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    assert_eq!(
        codes,
        [
            "removed-version",
            "unknown-field",
            "unknown-field",
            "unknown-field"
        ]
    );
}

#[test]
fn good_objects_are_kept_beside_broken_ones() {
    let loaded = load(
        &[
            "fixtures/broken/several-problems.yaml".into(),
            "fixtures/good/hello.yaml".into(),
        ],
        &mut io::empty(),
        &TimeZones::built_in(),
    );
    assert!(loaded.has_errors());
    assert_eq!(loaded.objects.len(), 1);
}

#[test]
fn folders_are_read_in_order_not_below_and_no_file_twice() {
    let folder = tempfile::tempdir().unwrap();
    let job = |name: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n      \
             restartPolicy: Never\n      containers: [{{name: main, image: busybox}}]\n"
        )
    };
    for (file, name) in [
        ("b.yml", "second"),
        ("a.yaml", "first"),
        ("notes.txt", "not-read"),
    ] {
        std::fs::write(folder.path().join(file), job(name)).unwrap();
    }
    std::fs::create_dir(folder.path().join("below")).unwrap();
    std::fs::write(folder.path().join("below/c.yaml"), job("not-read")).unwrap();

    let mut stdin = io::Cursor::new(job("from-standard-input"));
    let again = folder.path().join("below/../a.yaml");
    let paths = [folder.path().into(), "-".into(), again, "-".into()];
    let loaded = load(&paths, &mut stdin, &TimeZones::built_in());
    let names: Vec<&str> = loaded
        .objects
        .iter()
        .filter_map(|object| object.json["metadata"]["name"].as_str())
        .collect();
    assert_eq!(names, ["first", "second", "from-standard-input"]);
    assert_eq!(loaded.objects[2].place.source.name, "<stdin>");
    assert!(loaded.diagnostics.is_empty(), "{}", render(&loaded));
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| render(&load_path(path)).replace(folder.path().to_str().unwrap(), "/work");
    std::fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    insta::assert_snapshot!(said(folder.path()), @"
    error: the folder /work holds no manifests
     |
     = help: punctual reads its *.yaml, *.yml and *.json files, not those of folders within it
    ");
    insta::assert_snapshot!(said(&folder.path().join("missing.yaml")), @"
    error: cannot read /work/missing.yaml: there is no such file
     |
     = help: check the path; `-` stands for standard input
    ");
    let large = folder.path().join("large.yaml");
    std::fs::File::create(&large)
        .unwrap()
        .set_len(17 * 1024 * 1024)
        .unwrap();
    insta::assert_snapshot!(said(&large), @"
    error: /work/large.yaml is larger than 16 MiB
     |
     = help: split it into several files
    ");
}

#[test]
fn two_files_cannot_hold_the_same_object() {
    let hello = include_bytes!("../../fixtures/good/hello.yaml").as_slice();
    let loaded = load_bytes([("a.yaml", hello), ("b.yaml", hello)], &TimeZones::built_in());
    assert_eq!(loaded.objects.len(), 1);
    insta::assert_snapshot!(render(&loaded), @"
    error: there is already a CronJob default/hello
     --> b.yaml:5:9
      |
    5 |   name: hello
      |         ^^^^^ the same name again
      |
     ::: a.yaml:5:9
      |
    5 |   name: hello
      |         ----- first used here
      |
      = help: give one of the two another name or namespace, or take it out
    ");
}

#[test]
fn a_diagnostic_in_one_line_is_one_that_editors_understand() {
    let loaded = load_text("apiVersion: batch/v1\nkind: Cronjob\n");
    let lines: Vec<String> = loaded.diagnostics.iter().map(Diagnostic::to_string).collect();
    assert_eq!(lines, ["cron.yaml:2:7: error: unknown kind `Cronjob`"]);
}

#[test]
fn colour_is_only_for_those_who_want_it() {
    let loaded = load_text("kind: x\n");
    assert!(render_all(&loaded.diagnostics, Paint::Coloured).contains('\u{1b}'));
    assert!(!render_all(&loaded.diagnostics, Paint::Plain).contains('\u{1b}'));
}
