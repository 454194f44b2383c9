//! Names in the metadata of templates.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};

/// What is not taken from a template.
const DROPPED: [&str; 3] = ["name", "generateName", "namespace"];

pub(super) const RULE: Rule = Rule {
    code: "P027",
    name: "name-without-effect",
    severity: Severity::Note,
    summary: "A name or namespace in a template has no effect",
    page: r"
Jobs are named after their CronJob, pods after their Job, and both are in its namespace. What the metadata of
a template says about that is dropped.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let job = subject.cron_job().map(|_| {
        (
            FieldPath::of("spec.jobTemplate"),
            "Jobs are named after their CronJob",
        )
    });
    let pods = subject
        .job()
        .map(|job| (job.path.child("template"), "pods are named after their Job"));
    let templates = job.into_iter().chain(pods);
    let said = templates.flat_map(|(template, why)| {
        let fields = DROPPED
            .into_iter()
            .map(move |field| (template.child("metadata").child(field), why));
        let written = fields.filter(|(path, _)| subject.node.at(path).is_some());
        written.map(|(path, why)| {
            let field = path.name();
            let why = if field == "namespace" {
                "they are in the namespace of their owner"
            } else {
                why
            };
            subject
                .say_of_key(&path, format!("`{field}` has no effect here: {why}"))
                .help("take it out")
        })
    });
    said.collect()
}
