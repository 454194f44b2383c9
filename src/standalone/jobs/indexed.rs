//! Indexed Jobs: each completion has a number, and each number its own pods.
//!
//! An index has succeeded when one of its pods has. With `backoffLimitPerIndex` an index fails on its own: each new
//! pod of an index carries, in an annotation, how many failed before it, so the pod that failed last is kept
//! unreleased until its successor exists and has taken the number over.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};

use super::failure_policy::Judgement;
use super::indexes::Indexes;
use super::pods::{ended_with_node, finish_time};

/// Where a pod's index is written, as a label and as an annotation.
pub(in crate::standalone) const COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Where it is written how many pods of the index failed before this one.
pub(super) const FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-failure-count";
/// Where it is written how many of the index failed without counting.
pub(super) const IGNORED_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
/// The variable that tells a process its index.
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// The pod's index, if it has a valid one.
pub(super) fn index_of(pod: &Pod, completions: i32) -> Option<i32> {
    number(pod, COMPLETION_INDEX).filter(|index| *index < completions)
}

/// How many pods of this pod's index failed before it, counting or not.
pub(super) fn failures_before(pod: &Pod) -> (i32, i32) {
    (
        number(pod, FAILURE_COUNT).unwrap_or(0),
        number(pod, IGNORED_FAILURE_COUNT).unwrap_or(0),
    )
}

fn number(pod: &Pod, annotation: &str) -> Option<i32> {
    pod.metadata
        .annotations
        .as_ref()?
        .get(annotation)?
        .parse()
        .ok()
        .filter(|number| *number >= 0)
}

/// How many pods of this pod's index have failed with it, counting or not. One that a stop of its node has ended is as if it had
/// never been, unless it counts: no later one waits for it.
pub(super) fn failures_with(pod: &Pod, judgement: &Judgement) -> (i32, i32) {
    let (counting, ignored) = failures_before(pod);
    match judgement {
        Judgement::Ignored if ended_with_node(pod) => (counting, ignored),
        Judgement::Ignored => (counting, ignored.saturating_add(1)),
        _ => (counting.saturating_add(1), ignored),
    }
}

/// Whether the index fails with this failed pod.
pub(super) fn fails_index(pod: &Pod, judgement: &Judgement, limit_per_index: i32) -> bool {
    match judgement {
        Judgement::FailsIndex => true,
        Judgement::Ignored => false,
        Judgement::Counts | Judgement::FailsJob(_) => failures_before(pod).0 >= limit_per_index,
    }
}

/// For each index the failed pod that its next pod succeeds: the one that failed last.
pub(super) fn last_failed<'p>(
    failed: impl Iterator<Item = &'p Pod>,
    completions: i32,
    settled: &Indexes,
) -> BTreeMap<i32, &'p Pod> {
    let mut last: BTreeMap<i32, &Pod> = BTreeMap::new();
    let order = |pod: &Pod| {
        let (counting, ignored) = failures_before(pod);
        (counting.saturating_add(ignored), finish_time(pod))
    };
    for pod in failed {
        let Some(index) = index_of(pod, completions).filter(|index| !settled.contains(*index)) else {
            continue;
        };
        let entry = last.entry(index).or_insert(pod);
        if order(pod) >= order(entry) {
            *entry = pod;
        }
    }
    last
}

/// Splits active pods into those to keep, one for each index, and those to discard: a second pod of an index, and pods
/// without a valid one. `best_last` is ordered so that the pod to keep comes last.
pub(super) fn split_duplicates(best_last: Vec<&Pod>, completions: i32) -> (Vec<&Pod>, Vec<&Pod>) {
    let mut seen = BTreeSet::new();
    let mut split: (Vec<&Pod>, Vec<&Pod>) = best_last
        .into_iter()
        .rev()
        .partition(|pod| index_of(pod, completions).is_some_and(|index| seen.insert(index)));
    split.0.reverse();
    split
}

/// Tells a container its index, unless it has a variable of that name.
pub(super) fn add_index_variable(container: &mut Container) {
    let variables = container.env.get_or_insert_default();
    if variables.iter().any(|variable| variable.name == INDEX_VARIABLE) {
        return;
    }
    let field_path = format!("metadata.labels['{COMPLETION_INDEX}']");
    let field = ObjectFieldSelector {
        field_path,
        ..ObjectFieldSelector::default()
    };
    variables.push(EnvVar {
        name: INDEX_VARIABLE.to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(field),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    });
}
