//! `punctual next`.

use std::io::Write as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::{command, exit_code, punctual, text};

fn next(arguments: &[&str]) -> String {
    let output = punctual(&[&["next"], arguments].concat());
    assert_eq!(text(&output.stderr), "");
    assert_eq!(exit_code(&output), 0);
    text(&output.stdout)
}

fn refused(arguments: &[&str], code: i32) -> String {
    let output = punctual(&[&["next"], arguments].concat());
    assert_eq!(text(&output.stdout), "");
    assert_eq!(exit_code(&output), code);
    text(&output.stderr)
}

#[test]
fn json_has_the_schedule_the_zone_and_the_instants_in_utc() {
    let shown = next(&[
        "15 10 * * 1-5",
        "--time-zone",
        "Europe/Berlin",
        "--after",
        "2026-11-20T12:00:00Z",
        "-n",
        "2",
        "-o",
        "json",
    ]);
    assert_snapshot!(shown, @r#"{"schedule":"15 10 * * 1-5","timeZone":"Europe/Berlin","due":["2026-11-23T09:15:00Z","2026-11-24T09:15:00Z"]}"#);
}

#[test]
fn a_schedule_that_never_fires_is_fine_and_says_so() {
    assert_snapshot!(next(&["0 0 31 2 *", "-o", "json"]), @r#"{"schedule":"0 0 31 2 *","timeZone":"UTC","due":[],"message":"never fires: it matches no date there is"}"#);
    assert_snapshot!(next(&["0 0 31 2 *"]), @r"
    0 0 31 2 * in UTC
      never fires: it matches no date there is
    ");
}

/// As lint has it; what is asked is answered all the same.
#[test]
fn a_zone_in_front_is_told_and_read() {
    for name in ["next", "explain"] {
        let output = punctual(&[
            name,
            "CRON_TZ=Asia/Tokyo 0 6 * * *",
            "--at",
            "2026-11-24T00:00:00Z",
        ]);
        assert_eq!(exit_code(&output), 0);
        assert!(
            text(&output.stdout).contains("06:00:00 +09:00"),
            "{}",
            text(&output.stdout)
        );
        assert_eq!(
            text(&output.stderr),
            "note: a schedule cannot name its time zone\n\
             help: leave it out, and write `timeZone: Asia/Tokyo` beside the schedule\n"
        );
    }
}

#[test]
fn a_list_that_ends_too_soon_says_why() {
    let leap = ["0 0 29 2 *", "--at", "2391-03-01T00:00:00Z", "-n", "3"];
    let table = next(&leap);
    assert_snapshot!(table.lines().last().unwrap_or_default(), @"  nothing more is due up to the end of the year 2399, and no further is looked");
    assert_snapshot!(next(&[&leap[..], &["-o", "json"]].concat()), @r#"{"schedule":"0 0 29 2 *","timeZone":"UTC","due":["2392-02-29T00:00:00Z","2396-02-29T00:00:00Z"],"message":"nothing more is due up to the end of the year 2399, and no further is looked"}"#);
}

#[test]
fn a_schedule_that_is_over_says_so() {
    let over = ["* * * * *", "--after", "9999-12-31T23:59:00Z"];
    assert_snapshot!(next(&over), @r"
    * * * * * in UTC
      nothing is due any more after 9999-12-31T23:59:00Z
    ");
    assert_snapshot!(next(&[&over[..], &["-o", "json"]].concat()), @r#"{"schedule":"* * * * *","timeZone":"UTC","due":[],"message":"nothing is due any more after 9999-12-31T23:59:00Z"}"#);
}

/// They are no options, whatever they begin with.
#[test]
fn negative_values_are_refused_for_what_they_are() {
    for (arguments, told) in [
        (
            vec!["next", "@daily", "-n", "-1"],
            "invalid value '-1' for '--count <N>': -1 is not in 1..=100000",
        ),
        (
            vec!["simulate", "@daily", "--run-time", "-5m"],
            "a duration can't be negative",
        ),
        (
            vec!["up", "x.yaml", "--for", "-3s"],
            "a duration can't be negative",
        ),
        (
            vec!["backfill", "x", "--keep", "-3s"],
            "a duration can't be negative",
        ),
        (
            vec!["suspend", "x", "--until", "-2h"],
            "a duration can't be negative",
        ),
    ] {
        let output = punctual(&arguments);
        let error = text(&output.stderr);
        assert_eq!(exit_code(&output), 2, "{arguments:?}");
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
}

/// The table without the column that depends on today, and without the widths that depend on it.
fn without_waits(table: &str) -> String {
    let lines = table.lines().map(|line| {
        let mut cells: Vec<&str> = line
            .split("   ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        if cells.len() > 1 {
            cells.remove(1);
        }
        cells.join(" | ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_table_marks_what_a_clock_change_skips_and_repeats() {
    let zone = ["--time-zone", "America/New_York"];
    let spring = next(
        &[
            &["30 2 * * *", "-n", "2", "--after", "2026-03-06T12:00:00Z"],
            &zone[..],
        ]
        .concat(),
    );
    assert_snapshot!(without_waits(&spring));
    let autumn = next(
        &[
            &["30 1 * * *", "-n", "3", "--after", "2025-11-01T12:00:00Z"],
            &zone[..],
        ]
        .concat(),
    );
    assert_snapshot!(without_waits(&autumn));
}

/// As `clock-gap` has it; one that is moved to such a time; one of a day that a zone has skipped as a whole.
#[test]
fn the_table_says_for_what_a_run_stands_that_a_clock_change_puts_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cron.yaml");
    let path = file.to_str().expect("a path").to_owned();
    let table = |[annotations, zone, schedule, after]: [&str; 4]| {
        let manifest = format!(
            "
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
  annotations: {{ {annotations} }}
spec:
  schedule: {schedule}
  timeZone: {zone}
  jobTemplate: {{ spec: {{ template: {{ spec: {{ restartPolicy: Never, containers: [{{ name: a, image: a }}] }} }} }} }}
"
        );
        std::fs::write(&file, manifest).expect("a file");
        without_waits(&next(&["-f", &path, "-n", "2", "--after", after]))
    };
    let run_after = "punctual.dev/clock-gap: RunAfter";
    let moved = "punctual.dev/exclude: '2026-03-07', punctual.dev/on-excluded: After";
    let tables = [
        [
            run_after,
            "America/New_York",
            "30 2 * * *",
            "2026-03-07T18:00:00Z",
        ],
        [moved, "America/New_York", "30 2 * * 6", "2026-03-06T18:00:00Z"],
        [run_after, "Pacific/Apia", "0 9 * * 5", "2011-12-29T18:00:00Z"],
    ];
    assert_snapshot!(tables.map(table).join("\n"));
}

#[test]
fn a_bad_expression_is_refused_with_a_caret_and_help() {
    assert_snapshot!(refused(&["0 24 * * *"], 3));
    assert_snapshot!(refused(&["0 0 * * MONDAY", "-o", "json"], 3));
}

/// As `lint` and `up` take them; what is taken for an expression may be neither.
#[test]
fn a_file_and_an_option_in_the_place_of_an_expression_are_told_as_such() {
    assert_snapshot!(refused(&["fixtures/quickstart.yaml"], 3));
    assert_snapshot!(refused(
        &["-f", "fixtures/quickstart.yaml", "--until", "tomorrow"],
        2
    ));
}

#[test]
fn a_zone_that_does_not_exist_is_refused() {
    assert_snapshot!(refused(&["0 2 * * *", "--time-zone", "Europe/Berln"], 3));
}

#[test]
fn wrong_usage_is_not_a_refusal() {
    assert_snapshot!(refused(&["0 2 * * *", "--after", "yesterday"], 2));
    assert_snapshot!(refused(&[], 2));
    assert_snapshot!(refused(&["0 2 * * *", "-n", "0"], 2));
}

#[test]
fn a_file_gives_one_object_for_each_cronjob() {
    let shown = next(&[
        "-f",
        "fixtures/quickstart.yaml",
        "--after",
        "2026-11-23T12:00:00Z",
        "-n",
        "2",
        "-o",
        "json",
    ]);
    assert_snapshot!(shown, @r#"
    {"namespace":"default","name":"hello","schedule":"@every 5s","timeZone":"UTC","due":["2026-11-23T12:00:05Z","2026-11-23T12:00:10Z"]}
    {"namespace":"default","name":"flaky","schedule":"@every 8s","timeZone":"UTC","due":["2026-11-23T12:00:08Z","2026-11-23T12:00:16Z"]}
    {"namespace":"default","name":"slow","schedule":"@every 5s","timeZone":"UTC","due":["2026-11-23T12:00:05Z","2026-11-23T12:00:10Z"]}
    "#);
}

#[test]
fn a_manifest_can_come_from_standard_input_and_be_refused() {
    let manifest =
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: bad\nspec:\n  schedule: \"0 0 * * 8\"\n";
    let mut child = command(&["next", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("punctual can be started");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(manifest.as_bytes())
        .expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(exit_code(&output), 3);
    assert_snapshot!(text(&output.stderr));
}

#[test]
fn whoever_stops_reading_gets_no_panic() {
    let mut child = command(&["next", "* * * * *", "-n", "100000", "-o", "table"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("punctual can be started");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(exit_code(&output), 0);
}

#[test]
fn a_file_without_a_cronjob_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let job = "{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {template: {spec: {restartPolicy: Never, \
               containers: [{name: main, image: busybox, command: ['true']}]}}}}";
    let path = folder.path().join("job.yaml");
    std::fs::write(&path, job).expect("a file");
    let output = punctual(&["next", "-f", path.to_str().expect("UTF-8")]);
    assert_eq!(exit_code(&output), 0);
    assert_eq!(
        text(&output.stderr),
        format!("there is no CronJob in {}\n", path.display())
    );
}
