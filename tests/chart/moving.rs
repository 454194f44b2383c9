//! The commands of `docs/moving.md` that hand CronJobs over and back, as they stand there, with a `kubectl` that only writes
//! down what it is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::{needing, read, runs};

/// Answers what is in the file `answer`, and writes down the name and the patch of what is patched.
const KUBECTL: &str = r#"#!/bin/sh
case $1 in
get) cat answer ;;
patch) printf '%s %s %s\n' "$5" "$3" "$9" >> patches ;;
esac
"#;

/// Annotations and `spec.suspend`.
type Has = (&'static str, bool);

/// One row a CronJob: its annotations and `spec.suspend`, and both when it is handed over. Nothing, where it is left alone.
const OVER: [(&str, bool, Option<Has>); 5] = [
    ("{}", false, Some((r#"{"managed": "true"}"#, true))),
    (
        "{}",
        true,
        Some((r#"{"managed": "true", "suspend": "true"}"#, true)),
    ),
    (
        r#"{"suspend": "true", "overlap": "Skip"}"#,
        false,
        Some((r#"{"managed": "true", "overlap": "Skip"}"#, true)),
    ),
    (r#"{"managed": "true"}"#, true, None),
    (r#"{"managed": "true", "suspend": "true"}"#, true, None),
];

/// And when it is handed back.
const BACK: [(&str, bool, Option<Has>); 13] = [
    ("{}", true, None),
    (r#"{"managed": "false"}"#, true, None),
    (r#"{"managed": "true"}"#, true, Some(("{}", false))),
    (
        r#"{"managed": "true", "suspend": "false"}"#,
        true,
        Some(("{}", false)),
    ),
    (
        r#"{"managed": "true", "suspend": "true"}"#,
        true,
        Some(("{}", true)),
    ),
    // What says neither is a pause for Punctual, too.
    (
        r#"{"managed": "true", "suspend": "yes"}"#,
        true,
        Some(("{}", true)),
    ),
    (
        r#"{"managed": "true", "suspended": "2026-11-01T00:00:00Z"}"#,
        true,
        Some(("{}", true)),
    ),
    (
        r#"{"managed": "true", "suspend": "true", "suspend-until": "2026-01-01T00:00:00Z"}"#,
        true,
        Some((r#"{"suspend-until": "2026-01-01T00:00:00Z"}"#, false)),
    ),
    (
        r#"{"managed": "true", "suspend": "true", "suspend-until": "9999-01-01T00:00:00Z"}"#,
        true,
        Some((r#"{"suspend-until": "9999-01-01T00:00:00Z"}"#, true)),
    ),
    // With an offset and a fraction, as any instant of RFC 3339 may have.
    (
        r#"{"managed": "true", "suspend": "true", "suspend-until": "2026-01-01T08:00:00+01:00"}"#,
        true,
        Some((r#"{"suspend-until": "2026-01-01T08:00:00+01:00"}"#, false)),
    ),
    (
        r#"{"managed": "true", "suspend": "true", "suspend-until": "2026-01-01t08:00:00.25z"}"#,
        true,
        Some((r#"{"suspend-until": "2026-01-01t08:00:00.25z"}"#, false)),
    ),
    (
        r#"{"managed": "true", "suspend": "true", "suspend-until": "9999-01-01T00:00:00.5-08:00"}"#,
        true,
        Some((r#"{"suspend-until": "9999-01-01T00:00:00.5-08:00"}"#, true)),
    ),
    // What is no instant does not end a pause for Punctual, either.
    (
        r#"{"managed": "true", "suspend": "true", "suspend-until": "tomorrow"}"#,
        true,
        Some((r#"{"suspend-until": "tomorrow"}"#, true)),
    ),
];

pub(crate) fn trials() -> Vec<Trial> {
    let jq = runs("jq", &["--version"]);
    vec![
        needing(
            jq,
            "moving::what_is_paused_stays_so_when_it_is_handed_over",
            || moves(0, &OVER),
        ),
        needing(
            jq,
            "moving::what_is_paused_stays_so_when_it_is_handed_back",
            || moves(1, &BACK),
        ),
    ]
}

/// Plays a command of the document on CronJobs, all at once and each alone.
fn moves(which: usize, rows: &[(&str, bool, Option<Has>)]) -> Result<(), Failed> {
    let text = read("docs/moving.md")?;
    let mut commands = text
        .match_indices("    kubectl get cronjobs -A")
        .map(|(at, _)| &text[at..]);
    let command = commands.nth(which).ok_or("the document lacks the command")?;
    let (command, _) = command.split_once("\n\n").ok_or("it does not end")?;
    let before: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(row, (annotations, suspend, _))| cronjob(row, annotations, *suspend))
        .collect();
    let mut moved = patched(command, &json!({ "items": before }), &before)?;
    for (row, object) in before.iter().enumerate() {
        let alone = patched(command, object, &before[row..=row])?;
        assert_eq!(alone[0], moved[row], "alone as among others");
    }
    for ((annotations, suspend, after), moved) in rows.iter().zip(&mut moved) {
        let after = after.map(|(annotations, suspend)| (prefixed(annotations), suspend));
        let has = moved.take().map(|object| {
            (
                object["metadata"]["annotations"].clone(),
                object["spec"]["suspend"] == true,
            )
        });
        if has != after {
            return Err(format!("{annotations}, suspend: {suspend} became {has:?}, not {after:?}").into());
        }
    }
    Ok(())
}

/// What the command makes of each CronJob; nothing of those that it leaves alone.
fn patched(command: &str, answer: &Value, before: &[Value]) -> Result<Vec<Option<Value>>, Failed> {
    let folder = tempfile::TempDir::new()?;
    let kubectl = folder.path().join("kubectl");
    fs::write(&kubectl, KUBECTL)?;
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755))?;
    fs::write(folder.path().join("answer"), answer.to_string())?;
    fs::write(folder.path().join("patches"), "")?;
    let path = std::env::var("PATH")?;
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(&folder)
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .output()?;
    if !output.status.success() || !output.stderr.is_empty() {
        return Err(format!("{command} fails: {output:?}").into());
    }
    let patches = fs::read_to_string(folder.path().join("patches"))?;
    let mut moved = vec![None; before.len()];
    for line in patches.lines() {
        let [namespace, name, patch] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            return Err(format!("no patch: {line}").into());
        };
        let row = before.iter().position(|object| {
            object["metadata"]["name"] == name && object["metadata"]["namespace"] == namespace
        });
        let row = row.ok_or_else(|| format!("no CronJob: {line}"))?;
        let mut object = before[row].clone();
        json_patch::merge(&mut object, &serde_json::from_str(patch)?);
        moved[row] = Some(object);
    }
    Ok(moved)
}

fn cronjob(row: usize, annotations: &str, suspend: bool) -> Value {
    let mut metadata = json!({ "name": format!("row-{row}"), "namespace": "shop" });
    if annotations != "{}" {
        metadata["annotations"] = prefixed(annotations);
    }
    json!({ "kind": "CronJob", "metadata": metadata, "spec": { "suspend": suspend } })
}

fn prefixed(annotations: &str) -> Value {
    let short: serde_json::Map<String, Value> = serde_json::from_str(annotations).expect("JSON");
    let long = short
        .into_iter()
        .map(|(name, value)| (format!("punctual.dev/{name}"), value));
    Value::Object(long.collect())
}
