//! `successPolicy`: when an indexed Job has succeeded before all its indexes have.
//!
//! A rule names indexes that must succeed, or how many, or how many of the named. The first rule that is met decides.
//! See "Success policy" in Kubernetes' documentation of Jobs.

use k8s_openapi::api::batch::v1::{SuccessPolicy, SuccessPolicyRule};

use super::conditions::Fate;
use super::indexes::Indexes;

/// The success that a rule declares, if one does.
pub(super) fn judge(policy: Option<&SuccessPolicy>, completions: i32, succeeded: &Indexes) -> Option<Fate> {
    if succeeded.is_empty() {
        return None;
    }
    let number = policy?
        .rules
        .iter()
        .position(|rule| is_met(rule, completions, succeeded))?;
    Some(Fate::success(
        "SuccessPolicy",
        format!("Matched rules at index {number}"),
    ))
}

fn is_met(rule: &SuccessPolicyRule, completions: i32, succeeded: &Indexes) -> bool {
    let Some(named) = &rule.succeeded_indexes else {
        return rule
            .succeeded_count
            .is_some_and(|count| succeeded.count() >= count);
    };
    let named = Indexes::read(named, completions);
    let common = named.common(succeeded);
    !named.is_empty()
        && (common == named.count() || rule.succeeded_count.is_some_and(|count| common >= count))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules() {
        // What must succeed, what succeeded, whether it is enough.
        for (indexes, count, succeeded, enough) in [
            (Some("0-2"), None, "0-2", true),
            (Some("0-2"), None, "0,1,5", false),
            (Some("0-2"), Some(1), "1", true),
            (Some("0-2"), Some(1), "5", false),
            (Some("0-2"), Some(2), "0,5", false),
            (None, Some(2), "4,5", true),
            (None, Some(2), "4", false),
            (Some("oops"), Some(1), "4", false),
            (None, None, "0-9", false),
        ] {
            let policy = json!({"rules": [{"succeededIndexes": indexes, "succeededCount": count}]});
            let policy: SuccessPolicy = serde_json::from_value(policy).unwrap();
            let fate = judge(Some(&policy), 10, &Indexes::read(succeeded, 10));
            assert_eq!(fate.is_some(), enough, "{indexes:?} {count:?} {succeeded}");
        }
    }

    #[test]
    fn the_first_rule_that_is_met_is_named() {
        let policy = json!({"rules": [{"succeededIndexes": "9"}, {"succeededCount": 1}]});
        let fate = judge(
            Some(&serde_json::from_value(policy).unwrap()),
            10,
            &Indexes::read("0", 10),
        );
        assert_eq!(
            fate,
            Some(Fate::success("SuccessPolicy", "Matched rules at index 1"))
        );
    }
}
