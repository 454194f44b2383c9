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
