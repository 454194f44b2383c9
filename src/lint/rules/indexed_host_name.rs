//! Host names of indexed Jobs, which Kubernetes checks too late.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::manifest::validate::names::dns_label;

/// What stands in for the instant of a run: `-` and the minutes since 1970.
const INSTANT: &str = "-29671200";

pub(super) const RULE: Rule = Rule {
    code: "P047",
    name: "indexed-host-name",
    severity: Severity::Error,
    summary: "The pods of an indexed Job can't have their host names, so each Job is refused",
    page: r"
A pod of a Job with `completionMode: Indexed` has the host name `<job>-<index>`, which has at most 63
characters and no dots. Kubernetes checks that when a Job is created, not for a CronJob: it is accepted, and
then no run ever starts.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let name = subject
        .metadata()
        .and_then(|metadata| metadata.name.as_deref())
        .unwrap_or_default();
    let Some(job) = subject.cron_job().and_then(|_| subject.job()) else {
        return Vec::new();
    };
    let is_indexed = job.spec.completion_mode.as_deref() == Some("Indexed");
    let Some(last) = job
        .spec
        .completions
        .map(|count| count - 1)
        .filter(|last| is_indexed && *last >= 0)
    else {
        return Vec::new();
    };
    let host = format!("{name}{INSTANT}-{last}");
    if name.is_empty() || dns_label(&host).is_empty() {
        return Vec::new();
    }
    let message = format!("every Job will be refused: its pods can't have host names such as `{host}`");
    let said = subject.say(&FieldPath::of("metadata.name"), message);
    let help = if name.contains('.') {
        "leave out the dots"
    } else {
        "choose a shorter name: a host name has at most 63 characters"
    };
    vec![said.help(help)]
}
