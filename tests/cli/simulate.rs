//! `punctual simulate`.

use std::process::Output;

use insta::assert_snapshot;

use crate::{exit_code, punctual, text};

const SHOP: &str = "fixtures/forecast/shop.yaml";
const POLICIES: &str = "fixtures/forecast/policies.yaml";

fn simulate(arguments: &[&str]) -> Output {
    punctual(&[&["simulate"], arguments].concat())
}

fn output(arguments: &[&str]) -> String {
    let output = simulate(arguments);
    assert_eq!(exit_code(&output), 0, "{}", text(&output.stderr));
    text(&output.stdout)
}

/// A night of the shop whose backup is too slow, whose import overlaps, and whose report is ended by its deadline.
const NIGHT: [&str; 14] = [
    "-f",
    SHOP,
    "--from",
    "2026-11-24T00:00:00Z",
    "--to",
    "2026-11-24T04:00:00Z",
    "--run-time",
    "backup=65m",
    "--run-time",
    "shop/import=25m",
    "--run-time",
    "report=2h",
    "--fail",
    "backup=every:2",
];

#[test]
fn a_night_is_told_with_reasons() {
    assert_snapshot!(output(&NIGHT));
}

#[test]
fn only_what_does_not_go_by_itself_is_told() {
    assert_snapshot!(output(&[&NIGHT[..], &["--show", "notable"]].concat()));
}

#[test]
fn programs_get_an_object_a_line() {
    let arguments = [
        "--from",
        "2026-11-24T12:00:00Z",
        "--to",
        "2026-11-24T12:10:00Z",
        "-o",
        "json",
    ];
    assert_snapshot!(output(
        &[&["*/5 * * * *", "--run-time", "7m"], &arguments[..]].concat()
    ));
    let quartz = [
        "0/20 0 12 ? * 3",
        "--dialect",
        "quartz",
        "--show",
        "summary",
        "--run-time",
        "1s",
    ];
    assert_snapshot!(output(&[&quartz[..], &arguments[..]].concat()));
}

/// Nothing would be seen of it for hours.
#[test]
fn what_is_summed_up_has_a_bound() {
    let output = simulate(&[
        "* * * * *",
        "--from",
        "2026-01-01T00:00:00Z",
        "--to",
        "9999-12-31T00:00:00Z",
        "--show",
        "summary",
    ]);
    assert_eq!(exit_code(&output), 2);
    assert_snapshot!(text(&output.stderr), @"error: more than 50,000,000 runs are due from 2026-01-01T00:00:00Z to 9999-12-31T00:00:00Z, too many to sum up; let it end sooner with --to");
}

/// Time has an end: what leads there is refused, and a run that goes on until then never ends.
#[test]
fn what_is_longer_than_time_is_refused() {
    let long = simulate(&["0 * * * *", "--run-time", "99999999999h"]);
    assert_eq!(exit_code(&long), 2);
    assert_snapshot!(text(&long.stderr).lines().next().unwrap_or_default(), @"error: invalid value '99999999999h' for '--run-time <[NAME=]DURATION>': longer than Kubernetes can count; write 596523h, which is 68 years, or less");
    let folder = tempfile::tempdir().expect("a folder");
    let script = |lines: &str| {
        let path = folder.path().join("long.script");
        std::fs::write(&path, format!("at 2026-03-08T01:59:00Z\n{lines}\n")).expect("written");
        let played = simulate(&["--script", path.to_str().expect("UTF-8")]);
        let said = text(&played.stderr).replace(&path.display().to_string(), "long.script");
        format!("{} {said}", exit_code(&played))
    };
    assert_snapshot!(script("tick 999999999999h"), @"3 error: long.script:2: `999999999999h` is not a duration such as `1h30m`, `90s` or `500ms`, of up to ten thousand years");
    assert_snapshot!(script("tick 60000000h\ntick 60000000h"), @"3 error: long.script: `tick 60000000h` leads out of the years 0 to 9999; write a shorter duration");
    assert_snapshot!(script("step clock -60000000h"), @"3 error: long.script: `step clock -60000000h` leads out of the years 0 to 9999; write a shorter duration");

    let endless = r#"{ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": "endless" }, "spec": {
        "schedule": "0 * * * *", "jobTemplate": { "spec": { "activeDeadlineSeconds": 9000000000000000, "template": {
            "spec": { "restartPolicy": "Never", "containers": [{ "name": "a", "image": "busybox" }] } } } } } }"#;
    let file = folder.path().join("endless.json");
    std::fs::write(&file, endless).expect("written");
    let file = file.to_str().expect("UTF-8");
    let day = [
        "--from",
        "2026-11-24T00:00:00Z",
        "--show",
        "summary",
        "--run-time",
        "596523h",
    ];
    assert_snapshot!(output(&[&["-f", file], &day[..]].concat()));
}

#[test]
fn a_script_is_played() {
    assert_snapshot!(output(&["--script", "tests/scripts/cases/missed-forbid.script"]));
}

/// A night with every policy of `punctual.dev/`: a window, a calendar, a clock, jitter, lines, groups, failures, a pause.
#[test]
fn every_policy_is_simulated() {
    let arguments = [
        "--from",
        "2026-11-26T00:00:00Z",
        "--to",
        "2026-11-26T05:00:00Z",
        "--run-time",
        "queue=25m",
        "--run-time",
        "skips=45m",
        "--run-time",
        "stops=50m",
        "--run-time",
        "import=15m",
        "--run-time",
        "export=20m",
        "--fail",
        "fragile",
        "--fail",
        "watched",
    ];
    assert_snapshot!(output(&[&["-f", POLICIES], &arguments[..]].concat()));
}

#[test]
fn what_is_assumed_is_said_and_data_is_left_alone() {
    let output = simulate(&[&NIGHT[..8], &["--show", "summary"]].concat());
    assert_eq!(
        text(&output.stderr),
        "note: a run takes 1 minute where --run-time does not say otherwise\n"
    );
}

#[test]
fn what_can_not_be_simulated_is_refused() {
    for (arguments, code) in [
        (&["-f", SHOP, "--run-time", "restore=5m"][..], 2),
        (&["-f", SHOP, "--fail", "backup=often"], 2),
        (&["-f", SHOP, "--run-time", "soon"], 2),
        (
            &[
                "-f",
                SHOP,
                "--from",
                "2026-11-24T00:00:00Z",
                "--to",
                "2026-11-23T00:00:00Z",
            ],
            2,
        ),
        (&["--script", "tests/scripts/cases/fail-create-500.script"], 3),
        (&["--script", "fixtures/forecast/shop.yaml"], 3),
        (&["--script", "fixtures/no-such.script"], 1),
        (&["0 0 L * *"], 3),
        (&[], 2),
    ] {
        let output = simulate(arguments);
        assert_eq!(exit_code(&output), code, "{arguments:?}");
        assert_eq!(text(&output.stdout), "");
        assert_snapshot!(text(&output.stderr));
    }
}
