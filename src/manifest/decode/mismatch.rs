//! A value of the wrong kind: what was expected, what was found, and how to write it.

use super::Misfit;
use crate::manifest::path::{FieldPath, Step};
use crate::manifest::source::Span;
use crate::manifest::tree::{Node, Value};

/// Notes that the field at `path` must be `expected`, which `node` is not.
pub(super) fn misfit(path: FieldPath, node: &Node, text: &str, expected: &str) -> Misfit {
    let written = text.get(node.span.clone()).unwrap_or_default();
    let found = match &node.value {
        Value::String(_) if written.starts_with(['"', '\'']) => format!("the string {written}"),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            format!("{} `{written}`", node.value.described())
        }
        other => other.described().to_owned(),
    };
    Misfit {
        span: first_mark(node, text),
        message: format!("`{}` must be {expected}, found {found}", path.tail()),
        help: help(&path, node, written, expected),
        path,
    }
}

/// Where to point: the value, or the first thing in it.
fn first_mark(node: &Node, text: &str) -> Span {
    let start = node.start();
    // A list's own span begins at its first dash or bracket, which says more than its first item.
    if matches!(node.value, Value::Sequence(_)) && text.get(node.span.clone()).is_some() {
        return node.span.start..node.span.start + 1;
    }
    start
}

fn help(path: &FieldPath, node: &Node, written: &str, expected: &str) -> Option<String> {
    let name = path.name();
    let is_item = matches!(path.steps().last(), Some(Step::Index(_)));
    match (&node.value, expected) {
        (Value::Bool(_) | Value::Number(_), "a string") if is_item => {
            Some(format!("quote it: `\"{written}\"`"))
        }
        (Value::Mapping(_), "a string") if is_item => text_with_colon(written.trim()),
        (_, "a mapping") if is_item => item(path, written),
        (Value::String(_), "a mapping") if name == "exec" => Some(format!(
            "write `exec: {{command: {}}}`",
            words("command", written)
        )),
        (Value::String(_), "a mapping") if name == "persistentVolumeClaim" => {
            Some(format!("write `{name}: {{claimName: {written}}}`"))
        }
        (Value::Sequence(_), "a string") if name == "schedule" => {
            Some("a CronJob has one schedule; write a CronJob for each".to_owned())
        }
        (Value::Number(_), "a string") if name == "schedule" => Some(format!(
            "a schedule has five fields and is quoted: `schedule: \"{written} * * * *\"`"
        )),
        (Value::Bool(_) | Value::Number(_), "a string") if choices(&name).is_some() => {
            choices(&name).map(|choices| format!("write {choices}"))
        }
        (Value::Bool(_), "a string") if !matches!(written, "true" | "false") => Some(format!(
            "YAML reads `{written}` as a boolean; quote it: `{name}: \"{written}\"`"
        )),
        (Value::Bool(_) | Value::Number(_), "a string") => Some(format!("quote it: `{name}: \"{written}\"`")),
        (Value::String(text), "a whole number") if text.trim().parse::<i64>().is_ok() => {
            Some(format!("leave out the quotes: `{name}: {}`", text.trim()))
        }
        (Value::String(text), "a whole number") if name.ends_with("Seconds") => {
            in_seconds(text).map(|seconds| format!("write it in seconds: `{name}: {seconds}`"))
        }
        (Value::String(text), "`true` or `false`") if matches!(text.as_str(), "true" | "false") => {
            Some(format!("leave out the quotes: `{name}: {text}`"))
        }
        (Value::String(_) | Value::Number(_), "`true` or `false`") => {
            switch(written).map(|meant| format!("write `{name}: {meant}`"))
        }
        (Value::Sequence(items), "a mapping") if items.len() == 1 => {
            Some(format!("`{name}` is not a list: leave out the `-`"))
        }
        (Value::Mapping(entries), "a list") if name == "env" => entries.first().map(|first| {
            format!(
                "`env` is a list: write each variable as an item, `- name: {}` with `value:` below it",
                first.key
            )
        }),
        (Value::Mapping(_), "a list") => {
            Some(format!("`{name}` is a list: begin each of its items with `- `"))
        }
        (Value::String(text), "a list") if matches!(name.as_str(), "command" | "args") => Some(format!(
            "write a program and its arguments as a list: `{name}: {}`",
            words(&name, text)
        )),
        (Value::String(_), "a list") if name == "imagePullSecrets" => {
            Some(format!("write a list of names: `{name}: [{{name: {written}}}]`"))
        }
        (Value::Bool(_) | Value::Number(_) | Value::String(_), "a list") => {
            Some(format!("write a list: `{name}: [{written}]`"))
        }
        _ => None,
    }
}

/// A text that has become a mapping by its `: `; a flag and its value are joined by `=`.
fn text_with_colon(written: &str) -> Option<String> {
    let (key, value) = written.split_once(": ").filter(|_| !written.contains('\n'))?;
    if key.starts_with('-') {
        let value = value.trim_matches(['"', '\'']);
        return Some(format!(
            "write the flag and its value as one text: `\"{key}={value}\"`"
        ));
    }
    Some(format!(
        "YAML takes what stands before `: ` for a key; quote the whole: `'{written}'`"
    ))
}

/// An item of a list of mappings, for one that is written as a single value.
fn item(path: &FieldPath, written: &str) -> Option<String> {
    let list = path.parent()?.name();
    match (list.as_str(), written.split_once('=')) {
        ("env", Some((name, value))) => {
            let value = value.trim_matches(['"', '\'']);
            Some(format!(
                "write `- name: {name}`, and below it `value: \"{value}\"`"
            ))
        }
        ("ports", _) => Some(format!("write `- containerPort: {written}`")),
        ("imagePullSecrets" | "containers" | "env" | "volumes", _) => {
            Some(format!("write `- name: {written}`"))
        }
        _ => None,
    }
}

/// What is meant by a word that other languages have for a switch.
fn switch(written: &str) -> Option<bool> {
    match written.trim_matches(['"', '\'']).to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// What may be written into fields of a few words, which people take for switches.
fn choices(field: &str) -> Option<&'static str> {
    match field {
        "concurrencyPolicy" => Some("`Allow`, `Forbid` or `Replace`"),
        "restartPolicy" => Some("`OnFailure` or `Never`"),
        "imagePullPolicy" => Some("`Always`, `IfNotPresent` or `Never`"),
        _ => None,
    }
}

/// The seconds of a length of time such as `10m`.
fn in_seconds(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(
        text.len()
            .checked_sub(1)
            .filter(|at| text.is_char_boundary(*at))?,
    );
    let unit_seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit_seconds)
}

/// What only a shell understands.
const FOR_A_SHELL: [char; 10] = ['&', '|', ';', '<', '>', '$', '"', '\'', '*', '('];

/// A command line as a list. One that needs a shell becomes a single item, for the shell that runs it.
fn words(field: &str, line: &str) -> String {
    let shell = ["/bin/sh -c", "sh -c", "/bin/bash -c", "bash -c"];
    let shell = shell.into_iter().find(|shell| line.trim().starts_with(shell));
    let items: Vec<&str> = match shell {
        Some(shell) => {
            let script = line.trim()[shell.len()..].trim().trim_matches(['"', '\'']);
            shell
                .split(' ')
                .chain(Some(script).filter(|script| !script.is_empty()))
                .collect()
        }
        None if !line.contains(FOR_A_SHELL) => line.split_whitespace().collect(),
        None if field == "command" => vec!["sh", "-c", line],
        None => vec![line],
    };
    let items: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    format!("[{}]", items.join(", "))
}
