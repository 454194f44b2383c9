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
    assert_eq!(exit_code(&imported), 3);
    assert_eq!(
        text(&imported.stderr),
        "-:1: left out: MAILTO: output is kept in the pod's log, and nothing is mailed\n\
         -:3: left out: it runs when the machine starts, which is not a time; apply a Job then\n\
         error: 1 entry of - was left out\n"
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

/// `punctual import crontab crontab > cron.yaml && crontab -r` loses nothing.
#[test]
fn the_exit_code_says_whether_all_entries_were_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("crontab");
    for (crontab, code, last) in [
        ("MAILTO=me\n0 0 * * * true\n", 0, "is mailed"),
        ("# Nothing yet.\n", 0, "crontab: there is no entry in it"),
        ("0 0 * * * true\n@reboot warm\nwhat\n", 3, "crontab were left out"),
        ("@reboot warm\n", 3, "crontab became a CronJob"),
    ] {
        std::fs::write(&path, crontab).expect("a file");
        let path = path.to_str().expect("UTF-8");
        let output = punctual(&["import", "crontab", path, "--time-zone", "UTC"]);
        let told = text(&output.stderr);
        assert_eq!(exit_code(&output), code, "{crontab}{told}");
        assert!(told.trim_end().ends_with(last), "{crontab}{told}");
    }
}

#[test]
fn what_no_manifest_can_hold_is_refused() {
    for (wrong, told) in [
        (["-n", "Bad NS"], "a lowercase RFC 1123 label"),
        (["--image", ""], "an image has a name"),
    ] {
        let output = punctual(&[&["import", "crontab", "-"], &wrong[..]].concat());
        let error = text(&output.stderr);
        assert_eq!((exit_code(&output), text(&output.stdout).as_str()), (2, ""));
        assert!(error.contains(told), "{error}");
    }
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
