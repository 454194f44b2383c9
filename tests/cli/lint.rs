//! `punctual lint`.

use insta::assert_snapshot;

use crate::{command, exit_code, punctual, text};

const MISPLACED: &str = "fixtures/lint/P010-misplaced-field/bad.yaml";
const HANGS: &str = "fixtures/lint/P042-endless-run/bad.yaml";
const RIGHT: &str = "fixtures/lint/P042-endless-run/good.yaml";

fn lint(arguments: &[&str]) -> (String, String, i32) {
    let output = punctual(&[&["lint", "--at", "2026-11-26T12:00:00Z"], arguments].concat());
    (text(&output.stdout), text(&output.stderr), exit_code(&output))
}

/// A file as a whole has no line, and is named all the same.
#[test]
fn a_file_that_is_not_there_is_named_to_programs() {
    let said = |output: &str| text(&punctual(&["lint", "no/such.yaml", "-o", output]).stdout);
    assert!(
        said("json").contains(r#""file": "no/such.yaml""#),
        "{}",
        said("json")
    );
    assert!(
        said("github").contains(",file=no/such.yaml::"),
        "{}",
        said("github")
    );
    assert!(
        said("sarif").contains(r#""uri": "no/such.yaml""#),
        "{}",
        said("sarif")
    );
}

#[test]
fn findings_are_data_and_the_summary_is_not() {
    let (out, err, code) = lint(&[MISPLACED, HANGS, "fixtures/lint/P024-unknown-annotation"]);
    assert_snapshot!(format!("{out}----\n{err}----\nexit {code}"));
    let (out, err, code) = lint(&[RIGHT]);
    assert_eq!((out.as_str(), code), ("", 0));
    assert_snapshot!(err, @"nothing found in 1 object");
}

#[test]
fn what_fails_a_lint_can_be_chosen() {
    for (arguments, expected) in [
        (&[HANGS][..], 0),
        (&[HANGS, "--fail-on", "warning"], 3),
        (&[HANGS, "--fail-on", "note"], 3),
        (&[HANGS, "--fail-on", "note", "--ignore", "P042"], 0),
        (&[HANGS, "--fail-on", "note", "--ignore", "P001,endless-run"], 0),
        (&[MISPLACED], 3),
        (&[MISPLACED, "--fail-on", "never"], 0),
        (&["no-such-file.yaml"], 3),
        (&["--ignore", "P999", HANGS], 2),
        (&["--kubernetes-version", "latest", HANGS], 2),
        (&[], 2),
        (&["--explain", "P999"], 2),
    ] {
        assert_eq!(lint(arguments).2, expected, "{arguments:?}");
    }
}

#[test]
fn programs_and_services_get_what_they_read() {
    for output in ["json", "github"] {
        let (out, _, code) = lint(&[MISPLACED, HANGS, "-o", output]);
        assert_eq!(code, 3);
        assert_snapshot!(format!("as {output}"), out);
    }
}

/// What the SARIF standard asks of a log, as far as ours uses it; and no rule twice.
#[test]
fn a_sarif_log_keeps_to_the_standard() {
    let (out, err, code) = lint(&["fixtures/lint/people", "-o", "sarif"]);
    assert_eq!((err.as_str(), code), ("", 3));
    let log: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(rules.len() > 40 && results.len() > 40);
    let levels = ["error", "warning", "note"];
    for rule in rules {
        assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
        assert!(
            rule["shortDescription"]["text"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(levels.contains(&result["level"].as_str().unwrap()));
        assert!(
            result["message"]["text"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        let others = result["relatedLocations"].as_array().into_iter().flatten();
        for location in result["locations"].as_array().unwrap().iter().chain(others) {
            let physical = &location["physicalLocation"];
            let region = &physical["region"];
            let at = |field: &str| region[field].as_u64().unwrap();
            let (start, end) = (
                (at("startLine"), at("startColumn")),
                (at("endLine"), at("endColumn")),
            );
            assert!(start >= (1, 1) && start <= end, "{region}");
            assert!(
                !physical["artifactLocation"]["uri"]
                    .as_str()
                    .unwrap()
                    .contains(['\\', ' '])
            );
        }
    }
    // One result in full.
    let one = results.iter().find(|result| result["ruleId"] == "P010").unwrap();
    assert_snapshot!(serde_json::to_string_pretty(one).unwrap());
}

#[test]
fn pages_are_shown() {
    assert_snapshot!(lint(&["--explain", "P042"]).0);
    assert_eq!(
        lint(&["--explain", "endless-run"]).0,
        lint(&["--explain", "p042"]).0
    );
    assert_snapshot!(lint(&["--explain", "all"]).0);
}

#[test]
fn standard_input_is_read() {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut child = command(&["lint", "-"]);
    let child = child
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"kind: Cronjob\napiVersion: batch/v1\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(exit_code(&output), 3);
    assert!(
        text(&output.stdout).contains("--> <stdin>:1:7"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn folders_within_folders_are_looked_into_when_that_is_asked() {
    let (_, err, code) = lint(&["fixtures/lint", "--fail-on", "never"]);
    assert_eq!(
        (err.starts_with("1 error in 0 objects"), code),
        (true, 0),
        "{err}"
    );
    let (_, err, _) = lint(&["-R", "fixtures/lint", "--fail-on", "never"]);
    assert!(err.contains("errors"), "{err}");
}

/// What is meant in a dialect that nothing in the manifest names.
#[test]
fn schedules_are_read_in_the_dialect_that_they_are_meant_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = std::fs::read_to_string("fixtures/forecast/shop.yaml").expect("the fixture");
    let first = good
        .split("---\n")
        .find(|object| object.contains("name: backup"))
        .expect("a CronJob");
    let said = [
        (
            "plain.yaml",
            first.replace("\"0 * * * *\"", "\"0 0 12 ? * MON-FRI\""),
        ),
        (
            "never.yaml",
            first.replace("\"0 * * * *\"", "\"0 0 25 ? * MON-FRI\""),
        ),
        (
            "annotated.yaml",
            first.replace(
                "namespace: shop }",
                "namespace: shop, annotations: { punctual.dev/schedules: 0 0 12 ? * 2-6 } }",
            ),
        ),
    ]
    .map(|(name, text)| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args([
                "lint",
                name,
                "--dialect",
                "quartz",
                "--at",
                "2026-11-24T12:00:00Z",
            ])
            .current_dir(folder.path())
            .output()
            .expect("the program");
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    assert_snapshot!(said.join("----\n"));
}
