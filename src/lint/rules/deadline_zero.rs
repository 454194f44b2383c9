//! A starting deadline of nothing.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    code: "P040",
    name: "deadline-zero",
    severity: Severity::Warning,
    summary: "With a startingDeadlineSeconds of 0 no run ever starts",
    page: r"
A run that starts later than `startingDeadlineSeconds` after its time is skipped. No controller starts one in
the same instant, so with 0 Kubernetes never starts any. Leave the field out to have no deadline; write
`suspend: true` to pause.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let deadline = subject.cron_job().and_then(|spec| spec.starting_deadline_seconds);
    if deadline != Some(0) || subject.is_suspended() {
        return Vec::new();
    }
    let said = subject.say(
        &FieldPath::of("spec.startingDeadlineSeconds"),
        "no run ever starts: a deadline of 0 seconds has passed when a run is due",
    );
    vec![said.help("leave it out for no deadline; to pause the CronJob, write `suspend: true`")]
}
