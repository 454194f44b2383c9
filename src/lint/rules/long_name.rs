//! Names that are too long for what hangs on them.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::manifest::validate::cron_job::NAME_MAX;

/// The longest name of a CronJob whose pods have the whole name of their Job: 63 characters, less the 9 of a run's
/// minute and the 6 of a pod.
const LONGEST: usize = 48;

pub(super) const RULE: Rule = Rule {
    code: "P045",
    name: "long-name",
    severity: Severity::Warning,
    summary: "The name leaves no room for the names of pods",
    page: r"
A Job is named after its CronJob, with 9 characters more, and a pod after its Job, with 6 more. A pod's name
has at most 63, and Kubernetes cuts the Job's name to make it fit. With a CronJob's name of more than 48
characters, the pods of different runs can't be told apart by their names, and searches by the Job's name miss
them.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let name = subject
        .metadata()
        .and_then(|metadata| metadata.name.as_deref())
        .unwrap_or_default();
    let is_long = (LONGEST + 1..=NAME_MAX).contains(&name.len());
    if subject.cron_job().is_none() || !is_long {
        return Vec::new();
    }
    let message = format!(
        "with a name of {} characters, the names of the pods are cut",
        name.len()
    );
    let said = subject.say(&FieldPath::of("metadata.name"), message);
    vec![said.help(format!(
        "a name of at most {LONGEST} leaves room for the run's time and the pod's own part"
    ))]
}
