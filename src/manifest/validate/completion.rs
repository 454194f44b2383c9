//! When a Job is complete: completion mode, and the limits of indexed Jobs.

use k8s_openapi::api::batch::v1::JobSpec;

use super::{Findings, names};
use crate::manifest::path::FieldPath;

/// The completion modes.
const MODES: [&str; 2] = ["NonIndexed", "Indexed"];

/// The most pods of an indexed Job at a time, and the most indexes of it that may fail: the Job's status
/// lists them, and must stay of a bounded size. Above as many completions the two limits below hold.
const INDEXED_MAX: i32 = 100_000;

/// The most pods at a time, and failed indexes, of an indexed Job with more than [`INDEXED_MAX`] completions.
const HIGH_COMPLETIONS_MAX: i32 = 10_000;

/// Whether each completion of the Job has an index of its own.
pub(super) fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

/// Checks how often the indexes of a Job may fail.
pub(super) fn check_limits(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    found.not_negative(&path.child("backoffLimitPerIndex"), spec.backoff_limit_per_index);
    found.not_negative(&path.child("maxFailedIndexes"), spec.max_failed_indexes);
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        found.required(
            &path.child("backoffLimitPerIndex"),
            "when maxFailedIndexes is specified",
        );
    }
}

/// Checks the completion mode and all that depends on it.
pub(super) fn check(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    match spec.completion_mode.as_deref() {
        Some("Indexed") => indexed(spec, path, found),
        None | Some("NonIndexed") => {
            let rule = "requires indexed completion mode";
            if let Some(limit) = spec.backoff_limit_per_index {
                found.invalid(&path.child("backoffLimitPerIndex"), limit, rule);
            }
            if let Some(limit) = spec.max_failed_indexes {
                found.invalid(&path.child("maxFailedIndexes"), limit, rule);
            }
        }
        Some(other) => found.not_supported(&path.child("completionMode"), other, &MODES),
    }
}

fn indexed(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    let parallelism = path.child("parallelism");
    let max_failed = path.child("maxFailedIndexes");
    if spec.completions.is_none() {
        found.required(&path.child("completions"), "when completion mode is Indexed");
    }
    if let Some(pods) = spec.parallelism.filter(|pods| *pods > INDEXED_MAX) {
        let rule = format!("must be less than or equal to {INDEXED_MAX} when completion mode is Indexed");
        found.invalid(&parallelism, pods, rule);
    }
    if let Some(failed) = spec.max_failed_indexes {
        if spec.completions.is_some_and(|completions| failed > completions) {
            found.invalid(&max_failed, failed, "must be less than or equal to completions");
        }
        if failed > INDEXED_MAX {
            found.invalid(
                &max_failed,
                failed,
                format!("must be less than or equal to {INDEXED_MAX}"),
            );
        }
    }
    if spec.backoff_limit_per_index.is_some() && spec.completions.is_some_and(|count| count > INDEXED_MAX) {
        high_completions(spec, &parallelism, &max_failed, found);
    }
}

/// The stricter limits of a Job with very many indexes, each with its own backoff limit.
fn high_completions(spec: &JobSpec, parallelism: &FieldPath, max_failed: &FieldPath, found: &mut Findings) {
    let rule = format!(
        "must be less than or equal to {HIGH_COMPLETIONS_MAX} when completions are above {INDEXED_MAX} and used \
         with backoff limit per index"
    );
    if let Some(pods) = spec.parallelism.filter(|pods| *pods > HIGH_COMPLETIONS_MAX) {
        found.invalid(parallelism, pods, rule.as_str());
    }
    match spec.max_failed_indexes {
        None => {
            found.required(
                max_failed,
                format!("must be specified when completions is above {INDEXED_MAX}"),
            );
        }
        Some(failed) if failed > HIGH_COMPLETIONS_MAX => {
            found.invalid(max_failed, failed, rule);
        }
        Some(_) => {}
    }
}

/// The pods of an indexed Job have `<job>-<index>` as their host name, which must be a DNS label. Checked
/// where a Job is created, not in a CronJob's template.
pub(super) fn check_host_names(name: &str, spec: &JobSpec, found: &mut Findings) {
    let Some(completions) = spec.completions.filter(|count| is_indexed(spec) && *count > 0) else {
        return;
    };
    let longest = format!("{name}-{}", completions - 1);
    if !name.is_empty() && !names::dns_label(&longest).is_empty() {
        let rule = format!("will not able to create pod with invalid DNS label: {longest}");
        found.invalid(&FieldPath::of("metadata.name"), name, rule);
    }
}

/// The completions of an indexed Job may follow its parallelism; all others stay as they are.
pub(super) fn update(new: &JobSpec, old: &JobSpec, path: &FieldPath, found: &mut Findings) {
    if new.completions == old.completions {
        return;
    }
    if !is_indexed(new) {
        found.invalid(path, new.completions, "field is immutable");
    } else if new.completions.is_some() && new.completions != new.parallelism {
        found.invalid(
            path,
            new.completions,
            "can only be modified in tandem with spec.parallelism",
        );
    }
}
