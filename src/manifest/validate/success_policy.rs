//! `successPolicy`: when an indexed Job has succeeded before all of its indexes have.

use k8s_openapi::api::batch::v1::{JobSpec, SuccessPolicyRule};

use super::{Findings, completion};
use crate::manifest::path::FieldPath;

/// The limits of Kubernetes, which keep the evaluation of a policy short.
const RULES_MAX: usize = 20;
const INDEXES_BYTES_MAX: usize = 64 * 1024;

/// Checks the policy, if there is one.
pub(super) fn check(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    let Some(policy) = &spec.success_policy else {
        return;
    };
    if !completion::is_indexed(spec) {
        found.invalid(path, policy, "requires indexed completion mode");
        return;
    }
    let path = path.child("rules");
    if policy.rules.is_empty() {
        found.required(
            &path,
            "at least one rules must be specified when the successPolicy is specified",
        );
    }
    if policy.rules.len() > RULES_MAX {
        found.too_many(&path, policy.rules.len(), RULES_MAX);
    }
    // Without completions there is nothing to measure the rules by, and that is reported already.
    let Some(completions) = spec.completions else {
        return;
    };
    for (index, rule) in policy.rules.iter().enumerate() {
        check_rule(rule, completions, &path.index(index), found);
    }
}

fn check_rule(rule: &SuccessPolicyRule, completions: i32, path: &FieldPath, found: &mut Findings) {
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        found.required(
            path,
            "at least one of succeededCount or succeededIndexes must be specified",
        );
    }
    let mut listed = None;
    if let Some(indexes) = &rule.succeeded_indexes {
        let path = path.child("succeededIndexes");
        if indexes.len() > INDEXES_BYTES_MAX {
            found.too_long(&path, INDEXES_BYTES_MAX);
        }
        listed = Some(count_indexes(indexes, completions).unwrap_or_else(|wrong| {
            found.invalid(&path, indexes, format!("error parsing succeededIndexes: {wrong}"));
            0
        }));
    }
    let Some(count) = rule.succeeded_count else { return };
    let path = path.child("succeededCount");
    found.not_negative(&path, Some(count));
    if count > completions {
        let rule =
            format!("must be less than or equal to {completions} (the number of specified completions)");
        found.invalid(&path, count, rule);
    }
    if let Some(listed) = listed.filter(|listed| count > *listed) {
        let rule = format!(
            "must be less than or equal to {listed} (the number of indexes in the specified succeededIndexes field)"
        );
        found.invalid(&path, count, rule);
    }
}

/// How many indexes a list such as `0,3-5` names.
fn count_indexes(indexes: &str, completions: i32) -> Result<i32, String> {
    let intervals = read_indexes(indexes, completions)?;
    Ok(intervals.iter().map(|(first, end)| end - first + 1).sum())
}

/// The intervals of a list such as `0,3-5`, each from its first to its last index; they must increase and stay below
/// `completions`.
pub(super) fn read_indexes(indexes: &str, completions: i32) -> Result<Vec<(i32, i32)>, String> {
    let mut intervals: Vec<(i32, i32)> = Vec::new();
    for interval in indexes.split(',').filter(|_| !indexes.is_empty()) {
        let (first, end) = parse_interval(interval, completions)?;
        if let Some((_, last)) = intervals.last().filter(|(_, last)| *last >= first) {
            return Err(format!(
                "non-increasing order, previous: {last}, current: {first}"
            ));
        }
        intervals.push((first, end));
    }
    Ok(intervals)
}

fn parse_interval(interval: &str, completions: i32) -> Result<(i32, i32), String> {
    let index = |text: &str| match text.parse::<i32>() {
        Ok(index) if index < completions => Ok(index),
        Ok(_) => Err(format!("too large index: {text:?}")),
        Err(_) => Err(format!("cannot convert string to integer for index: {text:?}")),
    };
    let parts: Vec<&str> = interval.split('-').collect();
    match parts[..] {
        [only] => index(only).map(|only| (only, only)),
        [first, end] => {
            let (first, end) = (index(first)?, index(end)?);
            if first >= end {
                return Err(format!("non-increasing order, previous: {first}, current: {end}"));
            }
            Ok((first, end))
        }
        _ => Err(format!(
            "the fragment {interval:?} violates the requirement that an index interval can have at most two parts \
             separated by '-'"
        )),
    }
}
