//! Annotations under `punctual.dev/` that have no effect beside what else is written.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::cronjob::extension::{ANNOTATION_PREFIX, Hindsight, MissedRuns, Overlap};

pub(super) const RULE: Rule = Rule {
    code: "P051",
    name: "annotation-without-effect",
    severity: Severity::Error,
    summary: "An annotation under punctual.dev/ has no effect beside what else is written",
    page: r#"
Some annotations refine others, or a field of the spec: `queue-limit` needs `overlap: Queue`, `missed-runs-limit`
needs `missed-runs: All`, `on-excluded` needs `exclude`, `dialect` needs `schedules`, `suspend` needs
`managed: "true"`, and `suspend-until` needs a pause. `max-active` bounds `concurrencyPolicy: Allow` and
`overlap: Queue`; everywhere else one run is active at a time, and in a group no more than it has slots.

Whoever wrote one of them alone expects something that does not happen.
"#,
    finds: Finds::InObject(check),
};

/// Why an annotation has no effect, if it has none.
type Reason = fn(&Subject) -> Option<String>;

/// The annotations that depend on something else.
const DEPENDENT: [(&str, Reason); 11] = [
    ("missed-runs-limit", |subject| {
        let is_all = subject.extensions.policies.missed_runs == MissedRuns::All;
        (!is_all && !is_mistaken(subject, "missed-runs"))
            .then(|| "without `punctual.dev/missed-runs: All` there is nothing to limit".into())
    }),
    ("queue-limit", |subject| {
        let queues = subject.extensions.policies.overlap == Some(Overlap::Queue);
        (!queues && !is_mistaken(subject, "overlap"))
            .then(|| "without `punctual.dev/overlap: Queue` nothing waits in a queue".into())
    }),
    ("max-active", max_active),
    ("on-excluded", |subject| {
        (!is_there(subject, "exclude")).then(|| "without `punctual.dev/exclude` no day is excluded".into())
    }),
    ("dialect", |subject| {
        let missing = !is_there(subject, "schedules");
        missing.then(|| "it is the dialect of `punctual.dev/schedules`, which is not there".into())
    }),
    ("suspend", |subject| {
        let ignored = !subject.extensions.managed && !is_mistaken(subject, "managed");
        ignored.then(|| "without `punctual.dev/managed: \"true\"` it is `spec.suspend` that counts".into())
    }),
    ("suspend-until", |subject| {
        (!subject.is_suspended() && !is_mistaken(subject, "suspend"))
            .then(|| "nothing is suspended that could end".into())
    }),
    ("on-resume", |subject| {
        hindsight(subject, subject.extensions.policies.on_resume)
    }),
    ("on-edit", |subject| {
        hindsight(subject, subject.extensions.policies.on_edit)
    }),
    ("clock-gap", unchanging_clock),
    ("clock-repeat", unchanging_clock),
];

fn check(subject: &Subject) -> Vec<Diagnostic> {
    if subject.cron_job().is_none() {
        return Vec::new();
    }
    let idle = DEPENDENT.iter().filter(|(name, _)| is_written(subject, name));
    let said = idle.filter_map(|(name, reason)| Some(say(subject, name, &reason(subject)?)));
    said.chain(pending_deadline(subject)).collect()
}

fn say(subject: &Subject, name: &str, reason: &str) -> Diagnostic {
    let said = subject.say_of_key(
        &path(name),
        format!("`{ANNOTATION_PREFIX}{name}` has no effect: {reason}"),
    );
    said.help("take it out, or write what it depends on")
}

fn path(name: &str) -> FieldPath {
    FieldPath::of("metadata.annotations").key(&format!("{ANNOTATION_PREFIX}{name}"))
}

/// Whether an annotation is there and can be read; of one that can't be, more was said before.
fn is_written(subject: &Subject, name: &str) -> bool {
    is_there(subject, name) && !is_mistaken(subject, name)
}

fn is_there(subject: &Subject, name: &str) -> bool {
    subject.node.at(&path(name)).is_some()
}

/// Whether an annotation is there and can't be read. Whatever depends on it may have its effect once that is mended.
fn is_mistaken(subject: &Subject, name: &str) -> bool {
    let mut mistaken = subject.annotation_mistakes.iter();
    mistaken.any(|mistake| mistake.name.strip_prefix(ANNOTATION_PREFIX) == Some(name))
}

fn max_active(subject: &Subject) -> Option<String> {
    let policies = &subject.extensions.policies;
    let concurrency = subject.cron_job()?.concurrency_policy.as_deref();
    let alone = match (policies.overlap, concurrency) {
        (Some(Overlap::Skip), _) => "`punctual.dev/overlap: Skip`",
        (Some(Overlap::ReplaceWhenStopped), _) => "`punctual.dev/overlap: ReplaceWhenStopped`",
        (None, Some("Forbid")) => "`concurrencyPolicy: Forbid`",
        (None, Some("Replace")) => "`concurrencyPolicy: Replace`",
        _ => {
            let (most, group) = policies.max_active.zip(policies.group.as_ref())?;
            let slots = group.slots;
            return (slots < most).then(|| format!("its group has no more slots than {slots}"));
        }
    };
    Some(format!("with {alone} one run is active at a time"))
}

/// A missed run that nobody starts is not started after a pause or an edit either.
fn hindsight(subject: &Subject, asked: Option<Hindsight>) -> Option<String> {
    let none_runs = subject.extensions.policies.missed_runs == MissedRuns::Skip;
    let asks = asked == Some(Hindsight::Latest);
    (none_runs && asks).then(|| "with `punctual.dev/missed-runs: Skip` nothing of before is started".into())
}

fn unchanging_clock(subject: &Subject) -> Option<String> {
    let zone = subject.timing.as_ref()?.all.zone();
    let changes = zone.keeps_changing(subject.options.now);
    (!changes).then(|| format!("the clock of {} does not change", zone.name()))
}

/// A Job that is ended by its own deadline before.
fn pending_deadline(subject: &Subject) -> Option<Diagnostic> {
    let pending = subject.extensions.policies.pending_deadline?.num_seconds();
    let own = subject.job()?.spec.active_deadline_seconds?;
    (own <= pending).then(|| {
        let reason = format!("`activeDeadlineSeconds` ends the Job after {own} s, and that is no later");
        say(subject, "pending-deadline", &reason)
    })
}
