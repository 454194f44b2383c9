//! `punctual explain`.

use insta::assert_snapshot;

use crate::{exit_code, punctual, text};

fn explain(arguments: &[&str]) -> String {
    let output = punctual(&[&["explain", "--at", "2026-11-24T12:00:00Z"], arguments].concat());
    assert_eq!(text(&output.stderr), "");
    assert_eq!(exit_code(&output), 0);
    text(&output.stdout)
}

#[test]
fn a_schedule_is_said_counted_and_warned_of() {
    let or = explain(&["0 0 13 * 5"]);
    let gap = explain(&["30 2 * * *", "--time-zone", "Europe/Berlin"]);
    let steps = explain(&["*/7 * * * *"]);
    let never = explain(&["0 0 31 2 *"]);
    let every = explain(&["@every 90s"]);
    let last = explain(&["0 17 * * FRIL", "--dialect", "extended"]);
    let quartz = explain(&["0 0 9 ? * MON-FRI 2027", "--dialect", "quartz"]);
    assert_snapshot!([or, gap, steps, never, every, last, quartz].join("\n----\n"));
}

#[test]
fn programs_get_json() {
    assert_snapshot!(explain(&[
        "0 9 * * 1-5",
        "--time-zone",
        "Europe/Rome",
        "-o",
        "json"
    ]));
    assert_snapshot!(explain(&["-f", "fixtures/quickstart.yaml", "-o", "json"]));
}

#[test]
fn a_schedule_of_another_dialect_is_refused_and_recognised() {
    for (arguments, code) in [
        (&["explain", "0 0 L * *"][..], 3),
        (&["next", "0 0 12 ? * 2-6 2027"], 3),
        (&["next", "H * * * *", "--dialect", "extended"][..], 3),
        (&["explain", "0 0 * * *", "--dialect", "cronie"], 2),
    ] {
        let output = punctual(arguments);
        assert_eq!(exit_code(&output), code);
        assert_eq!(text(&output.stdout), "");
        assert_snapshot!(text(&output.stderr));
    }
}

/// What the fields and annotations of a CronJob say about its runs is explained with its schedule.
#[test]
fn a_cronjob_is_explained_with_its_rules() {
    assert_snapshot!(explain(&[
        "-f",
        "fixtures/forecast/shop.yaml",
        "-f",
        "fixtures/lint/P025-invalid-annotation/good.yaml"
    ]));
}
