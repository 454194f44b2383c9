//! A field that its type does not have: mistyped, or in the wrong place.

use super::{Misfit, MisfitKind};
use crate::manifest::path::FieldPath;
use crate::manifest::suggest;
use crate::manifest::tree::Entry;

/// Where the fields live that are most often put a level too high or too low.
const HOMES: &[(&[&str], &str)] = &[
    (
        &[
            "schedule",
            "timeZone",
            "concurrencyPolicy",
            "startingDeadlineSeconds",
            "suspend",
            "jobTemplate",
        ],
        "the CronJob's `spec`",
    ),
    (
        &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"],
        "the CronJob's `spec`",
    ),
    (
        &[
            "backoffLimit",
            "completions",
            "parallelism",
            "ttlSecondsAfterFinished",
            "completionMode",
            "template",
        ],
        "the Job's spec, `spec.jobTemplate.spec` in a CronJob",
    ),
    (
        &["podFailurePolicy", "successPolicy"],
        "the Job's spec, `spec.jobTemplate.spec` in a CronJob",
    ),
    (
        &[
            "restartPolicy",
            "containers",
            "initContainers",
            "volumes",
            "serviceAccountName",
            "nodeSelector",
        ],
        "the pod's spec, `template.spec`",
    ),
    (
        &[
            "image",
            "command",
            "args",
            "env",
            "envFrom",
            "workingDir",
            "volumeMounts",
        ],
        "a container",
    ),
    (&["labels", "annotations", "namespace"], "`metadata`"),
];

/// Notes that `entry` is not a field of `type_name`, whose fields are `known`.
pub(super) fn misfit(parent: &FieldPath, entry: &Entry, type_name: &str, known: &[&str]) -> Misfit {
    let name = &entry.key;
    let similar = suggest::nearest(name, known);
    let home = HOMES
        .iter()
        .find(|(fields, _)| fields.contains(&name.as_str()))
        .map(|(_, home)| home);
    let help = match (similar, home) {
        _ if name.starts_with(|c: char| c.is_whitespace() && c != ' ') => {
            Some("the line begins with spaces that are no plain spaces; type them anew".to_owned())
        }
        (_, Some(home)) => Some(format!("`{name}` belongs in {home}")),
        (Some(similar), None) => Some(format!("did you mean `{similar}`?")),
        (None, None) => None,
    };
    Misfit {
        path: parent.child_named(name),
        span: entry.key_span.clone(),
        kind: MisfitKind::UnknownField,
        message: format!("unknown field `{}`", name.trim()),
        label: Some(format!("{type_name} has no field of this name")),
        help,
    }
}
