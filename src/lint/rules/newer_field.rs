//! Fields that the version of Kubernetes does not have yet.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::manifest::path::Step;
use crate::manifest::schema::{self, Schema, Version};
use crate::manifest::tree::{Node, Value};

/// The first version that serves CronJobs and Jobs as they are written today.
const BATCH_V1: Version = Version { major: 1, minor: 21 };

pub(super) const RULE: Rule = Rule {
    code: "P023",
    name: "newer-field",
    severity: Severity::Error,
    summary: "A field is newer than the version of Kubernetes that is meant",
    page: r"
With `--kubernetes-version`, fields are reported that this version does not have, or only behind a feature
gate that is off by default: it drops them without a word. `timeZone`, for one, is there since 1.25; an older
cluster runs such a CronJob by the clock of its control plane.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let version = subject.options.kubernetes;
    if version >= Version::KNOWN {
        return Vec::new();
    }
    let mut newer = Vec::new();
    walk(
        &subject.node,
        subject.schema,
        version,
        &mut Vec::new(),
        &mut newer,
    );
    let of_field = |(path, since): (FieldPath, Version)| {
        let field = path.name();
        let said = subject.say_of_key(&path, format!("`{field}` is there since Kubernetes {since}"));
        said.labelled(format!("Kubernetes {version} drops it"))
    };
    let mut found: Vec<Diagnostic> = newer.into_iter().map(of_field).collect();
    if subject.cron_job().is_some() && version < BATCH_V1 {
        let message = format!("CronJobs are in `batch/v1` since Kubernetes {BATCH_V1}");
        let said = subject.say(&FieldPath::of("apiVersion"), message);
        found.push(said.help(format!(
            "for Kubernetes {version}, write `apiVersion: batch/v1beta1`"
        )));
    }
    found
}

/// Collects the fields that are newer than `version`.
fn walk(
    node: &Node,
    schema: Schema,
    version: Version,
    path: &mut Vec<Step>,
    newer: &mut Vec<(FieldPath, Version)>,
) {
    match &node.value {
        Value::Mapping(entries) if schema.has_fields() => {
            for entry in entries {
                let Some(field) = schema.own_field(&entry.key) else {
                    continue;
                };
                path.push(Step::Field(entry.key.clone()));
                let since = schema::since(schema.short_name(), &entry.key).filter(|since| *since > version);
                match since {
                    Some(since) => newer.push((FieldPath::from_steps(path), since)),
                    None => walk(&entry.value, field, version, path, newer),
                }
                path.pop();
            }
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                walk(item, schema.items(), version, path, newer);
                path.pop();
            }
        }
        _ => {}
    }
}
