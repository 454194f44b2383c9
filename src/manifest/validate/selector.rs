//! Selectors of labels: what they compare, with how many values, and what they mean.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{Findings, metadata, names};
use crate::manifest::path::FieldPath;

/// Checks a selector of labels.
pub(super) fn check(selector: &LabelSelector, path: &FieldPath, found: &mut Findings) {
    metadata::labels(selector.match_labels.as_ref(), &path.child("matchLabels"), found);
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        let path = path.child("matchExpressions").index(index);
        let values = requirement.values.as_deref().unwrap_or_default();
        if !check_count(&requirement.operator, values.len(), &path, found) {
            not_an_operator(&requirement.operator, &path, found);
        }
        check_words(&requirement.key, values, &path, found);
    }
}

/// Checks how many values there are for an operator on sets; false if it is none.
pub(super) fn check_count(operator: &str, count: usize, path: &FieldPath, found: &mut Findings) -> bool {
    let values = &path.child("values");
    match (operator, count) {
        ("In" | "NotIn", 0) => {
            found.required(values, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        ("Exists" | "DoesNotExist", 1..) => {
            found.forbidden(
                values,
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            );
        }
        ("In" | "NotIn" | "Exists" | "DoesNotExist", _) => {}
        _ => return false,
    }
    true
}

/// Complains of an operator that there is not.
pub(super) fn not_an_operator(operator: &str, path: &FieldPath, found: &mut Findings) {
    found.invalid(&path.child("operator"), operator, "not a valid selector operator");
}

/// Checks that the key of a requirement can be that of a label, and its values those of one.
pub(super) fn check_words(key: &str, values: &[String], path: &FieldPath, found: &mut Findings) {
    for rule in names::qualified(key) {
        found.invalid(&path.child("key"), key, rule);
    }
    for (index, value) in values.iter().enumerate() {
        for rule in names::label_value(value) {
            found.invalid(&path.child("values").index(index), value, rule);
        }
    }
}

/// Whether the labels are as the selector wants them.
pub fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector.match_labels.iter().flatten();
    let mut wanted = selector.match_expressions.iter().flatten();
    equal
        .into_iter()
        .all(|(key, value)| labels.get(key) == Some(value))
        && wanted.all(|wanted| {
            let value = labels.get(&wanted.key);
            let is_listed = value.is_some_and(|value| wanted.values.iter().flatten().any(|one| one == value));
            match wanted.operator.as_str() {
                "In" => is_listed,
                "NotIn" => !is_listed,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}
