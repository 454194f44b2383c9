//! `Forbid` and `Replace` without a deadline.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    code: "P042",
    name: "endless-run",
    severity: Severity::Warning,
    summary: "Nothing ends a run that hangs, and later runs wait for it or replace it late",
    page: r"
With `Forbid` a run that hangs keeps every later run from starting, for as long as nobody notices. With
`Replace` it goes on until the next run is due. `activeDeadlineSeconds` ends it, together with its retries:

    concurrencyPolicy: Forbid
    jobTemplate:
      spec:
        activeDeadlineSeconds: 3600   # longer than any good run takes

The pod's own `activeDeadlineSeconds` ends one attempt. A `startingDeadlineSeconds` ends nothing.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let Some((spec, job)) = subject.cron_job().zip(subject.job()) else {
        return Vec::new();
    };
    let of_pods = job
        .spec
        .template
        .spec
        .as_ref()
        .and_then(|pod| pod.active_deadline_seconds);
    if job.spec.active_deadline_seconds.or(of_pods).is_some() {
        return Vec::new();
    }
    let message = match spec.concurrency_policy.as_deref() {
        Some("Forbid") => {
            "nothing ends a run that hangs, and with `Forbid` no later run starts until it has ended"
        }
        Some("Replace") => "nothing ends a run that hangs before the next one is due",
        _ => return Vec::new(),
    };
    let said = subject.say(&FieldPath::of("spec.concurrencyPolicy"), message);
    vec![said.help("write `activeDeadlineSeconds` into `jobTemplate.spec`, longer than any good run takes")]
}
