//! History limits that hide failures.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    code: "P043",
    name: "hidden-failures",
    severity: Severity::Warning,
    summary: "Failed Jobs are deleted at once, with their logs",
    page: r"
With `failedJobsHistoryLimit: 0` a failed Job goes as soon as it is seen to have failed, and its pods and
their logs with it. What is left is an event, for an hour. Keep one at least, which is the default.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let limit = subject.cron_job().and_then(|spec| spec.failed_jobs_history_limit);
    if limit != Some(0) {
        return Vec::new();
    }
    let said = subject.say(
        &FieldPath::of("spec.failedJobsHistoryLimit"),
        "a failed Job is deleted at once, and its logs with it",
    );
    vec![said.help("write 1 or more, or leave it out, which means 1")]
}
