//! Every value of the chart, set to something else once, and what becomes of it; and the warnings of `NOTES.txt`.

use std::collections::BTreeSet;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::needing;
use crate::render::{helm, rendered_with};
use crate::values::{FLIPS, flipped};

/// Values, and what `NOTES.txt` warns of then.
const WARNINGS: [(&str, &str); 13] = [
    ("{replicas: 1}", "WARNING: one replica"),
    (
        "{podDisruptionBudget: {enabled: false}}",
        "WARNING: no PodDisruptionBudget",
    ),
    ("{}", "WARNING: no alerts"),
    ("{replicas: 0}", "no replicas"),
    ("{podDisruptionBudget: {maxUnavailable: 0}}", "can be drained"),
    ("{serviceAccount: {create: false}}", "every pod in"),
    ("{extraArgs: [--shadow]}", "It writes nothing"),
    ("{rbac: {create: false}}", "WARNING: no roles"),
    (
        "{rbac: {listPods: false}}",
        "punctual.dev/pending-deadline ends no run",
    ),
    ("{calendars: 'off'}", "CronJobs that name a calendar"),
    ("{}", "The built-in controller must be off"),
    ("{adopt: opted-in}", "kubectl patch cronjob NAME"),
    (
        "{adopt: opted-in}",
        r#"paused (SUSPEND True) needs "punctual.dev/suspend":"true""#,
    ),
];

pub(crate) fn trials(helm: bool) -> Vec<Trial> {
    vec![
        needing(helm, "flips::every_value_has_its_effect", every_value),
        needing(helm, "flips::none_is_left_out", none_left_out),
        needing(helm, "flips::the_notes_warn_of_what_is_off", notes),
    ]
}

fn every_value() -> Result<(), Failed> {
    for (path, value, file, expected) in FLIPS {
        let files = rendered_with(&flipped(path, value))?;
        let text = files.get(&format!("templates/{file}.yaml"));
        let good = match (text, expected.strip_prefix('!')) {
            (text, Some("")) => text.is_none(),
            (Some(text), Some(gone)) => !text.contains(gone),
            (Some(text), None) => text.contains(expected),
            (None, _) => false,
        };
        if !good {
            return Err(format!(
                "{path}: {value} does not make {expected:?} in {file}.yaml:\n{}",
                text.map_or("", String::as_str)
            )
            .into());
        }
    }
    Ok(())
}

fn none_left_out() -> Result<(), Failed> {
    let mut paths = BTreeSet::new();
    leaves("", &helm(&["defaults"], "")?, &mut paths);
    let flipped: BTreeSet<String> = FLIPS.iter().map(|(path, ..)| (*path).to_owned()).collect();
    let difference: Vec<&String> = paths.symmetric_difference(&flipped).collect();
    if difference.is_empty() {
        Ok(())
    } else {
        Err(format!("values.yaml and the flips differ in {difference:?}").into())
    }
}

fn leaves(path: &str, value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                leaves(&path, value, paths);
            }
        }
        _ => {
            paths.insert(path.to_owned());
        }
    }
}

fn notes() -> Result<(), Failed> {
    for (values, warning) in WARNINGS {
        let files = rendered_with(values)?;
        let notes = files.get("templates/NOTES.txt").map_or("", String::as_str);
        if !notes.contains(warning) {
            return Err(format!("with {values} the notes do not say {warning:?}:\n{notes}").into());
        }
    }
    let safe = "{replicas: 2, metrics: {prometheusRule: {enabled: true}}}";
    let files = rendered_with(safe)?;
    match files.get("templates/NOTES.txt") {
        Some(notes) if !notes.contains("WARNING") => Ok(()),
        notes => Err(format!("nothing is off, and the notes warn: {notes:?}").into()),
    }
}
