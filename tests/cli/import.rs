//! `punctual import`, from what people have to what `punctual` reads.

use std::io::Write;
use std::process::Stdio;

use super::{command, exit_code, punctual, text};

#[test]
fn a_crontab_goes_in_and_its_due_instants_come_out() {
    let mut import = command(&["import", "crontab", "-", "--time-zone", "Europe/Berlin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("punctual can be started");
    let mut stdin = import.stdin.take().expect("a pipe");
    stdin
        .write_all(b"MAILTO=me\n30 2 * * 7 /opt/backup.sh\n@reboot warm\n")
        .expect("written");
    drop(stdin);
    let imported = import.wait_with_output().expect("it ends");
    assert_eq!(exit_code(&imported), 0);
    assert_eq!(
        text(&imported.stderr),
        "-:1: left out: MAILTO: output is kept in the pod's log, and nothing is mailed\n\
         -:3: left out: it runs when the machine starts, which is not a time; apply a Job then\n"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cron.yaml");
    std::fs::write(&file, &imported.stdout).expect("written");
    let arguments = [
        "next",
        "-o",
        "json",
        "-n",
        "1",
        "--after",
        "2026-07-01T00:00:00Z",
        "-f",
    ];
    let next = command(&arguments)
        .arg(&file)
        .output()
        .expect("punctual can be started");
    let due: serde_json::Value = serde_json::from_slice(&next.stdout).expect("JSON");
    assert_eq!(
        (&due["name"], &due["due"][0]),
        (&"backup".into(), &"2026-07-05T00:30:00Z".into())
    );
}

#[test]
fn what_is_not_there_or_no_zone_says_so() {
    let missing = punctual(&["import", "crontab", "/nowhere/crontab"]);
    assert_eq!(exit_code(&missing), 1);
    assert_eq!(
        text(&missing.stderr),
        "error: the crontab /nowhere/crontab can't be read: No such file or directory (os error 2)\n"
    );
    let no_zone = punctual(&["import", "crontab", "-", "--time-zone", "Europe/Berln"]);
    assert_eq!(exit_code(&no_zone), 2);
    insta::assert_snapshot!(text(&no_zone.stderr));
}

#[test]
fn a_crontab_that_is_too_long_is_refused_and_not_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crontab");
    std::fs::write(&path, "0 0 * * * true\n".repeat(80_000)).unwrap();
    let output = punctual(&["import", "crontab", path.to_str().unwrap(), "--time-zone", "UTC"]);
    assert_eq!(exit_code(&output), 3);
    assert_eq!(text(&output.stdout), "");
    assert!(
        text(&output.stderr).contains("is longer than 1 MiB"),
        "{}",
        text(&output.stderr)
    );
}
