//! Labels and annotations of a Job template that Kubernetes checks too late.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::manifest::validate::names;

/// The rules of Kubernetes, in short.
const WHAT_IT_MAY_BE: &str = "at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; a key may have a domain and `/` before it";

pub(super) const RULE: Rule = Rule {
    code: "P026",
    name: "invalid-job-metadata",
    severity: Severity::Error,
    summary: "The labels or annotations of the Jobs are such that each Job is refused",
    page: r"
Kubernetes does not look at `jobTemplate.metadata` when a CronJob is created, only when a Job is made of it.
So a bad label there is accepted, and then no run ever starts: the CronJob has an event `FailedCreate` for
each.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let Some(metadata) = subject
        .cron_job()
        .and_then(|spec| spec.job_template.metadata.as_ref())
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, value) in metadata.labels.iter().flatten() {
        if !names::qualified(key).is_empty() {
            found.push(("labels", key, format!("`{key}` cannot be the key of a label")));
        }
        if !names::label_value(value).is_empty() {
            found.push(("labels", key, format!("`{value}` cannot be the value of a label")));
        }
    }
    for key in metadata.annotations.iter().flatten().map(|(key, _)| key) {
        if !names::qualified(&key.to_lowercase()).is_empty() {
            found.push((
                "annotations",
                key,
                format!("`{key}` cannot be the key of an annotation"),
            ));
        }
    }
    let path = FieldPath::of("spec.jobTemplate.metadata");
    let said = found.into_iter().map(|(field, key, wrong)| {
        let path = path.child(field).key(key);
        let said = subject.say_of_key(&path, format!("every Job will be refused: {wrong}"));
        said.labelled("checked only when a Job is created")
            .help(WHAT_IT_MAY_BE)
    });
    said.collect()
}
