//! Why a namespace that is deleted is still there, as its conditions tell it.
//!
//! Source: `pkg/controller/namespace/deletion/status_condition_utils.go`. What it tells of failures of its own, to find
//! out what is served and to delete it, does not happen here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::schedule::Timestamp;
use crate::standalone::api::meta;
use crate::standalone::api::resource::Resource;

/// What is still in a namespace.
#[derive(Debug, Default)]
pub(super) struct Remaining {
    /// How many objects, by their resource as the message names it.
    resources: BTreeMap<String, usize>,
    /// How many objects wait for this finalizer.
    finalizers: BTreeMap<String, usize>,
}

/// One thing that is told.
struct Told {
    kind: &'static str,
    is_so: bool,
    reason: &'static str,
    message: String,
}

impl Remaining {
    /// Takes note of an object that is there, and waits for these finalizers.
    pub(super) fn add(&mut self, resource: &Resource, finalizers: &[String]) {
        let name = format!("{}.{}", resource.plural, resource.group);
        *self.resources.entry(name).or_default() += 1;
        for finalizer in finalizers {
            *self.finalizers.entry(finalizer.clone()).or_default() += 1;
        }
    }

    /// Brings the conditions of a namespace up to date.
    pub(super) fn tell(&self, conditions: &mut Vec<Value>, now: Timestamp) {
        for told in self.told() {
            let status = if told.is_so { "True" } else { "False" };
            let mut condition = json!({
                "type": told.kind,
                "status": status,
                "lastTransitionTime": meta::time(now),
                "reason": told.reason,
                "message": told.message,
            });
            let before = conditions.iter_mut().find(|before| before["type"] == told.kind);
            let Some(before) = before else {
                conditions.push(condition);
                continue;
            };
            if before["status"] == status {
                condition["lastTransitionTime"] = before["lastTransitionTime"].clone();
            }
            *before = condition;
        }
    }

    fn told(&self) -> [Told; 5] {
        let told = |kind, is_so, reason, message| Told {
            kind,
            is_so,
            reason,
            message,
        };
        let fine = |kind, reason, message: &str| told(kind, false, reason, message.to_owned());
        [
            fine(
                "NamespaceDeletionDiscoveryFailure",
                "ResourcesDiscovered",
                "All resources successfully discovered",
            ),
            fine(
                "NamespaceDeletionGroupVersionParsingFailure",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
            ),
            fine(
                "NamespaceDeletionContentFailure",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
            match listed(&self.resources, "has") {
                None => fine(
                    "NamespaceContentRemaining",
                    "ContentRemoved",
                    "All content successfully removed",
                ),
                Some(list) => told(
                    "NamespaceContentRemaining",
                    true,
                    "SomeResourcesRemain",
                    format!("Some resources are remaining: {list}"),
                ),
            },
            match listed(&self.finalizers, "in") {
                None => fine(
                    "NamespaceFinalizersRemaining",
                    "ContentHasNoFinalizers",
                    "All content-preserving finalizers finished",
                ),
                Some(list) => told(
                    "NamespaceFinalizersRemaining",
                    true,
                    "SomeFinalizersRemain",
                    format!("Some content in the namespace has finalizers remaining: {list}"),
                ),
            },
        ]
    }
}

/// How many there are of each; `None` if there is nothing.
fn listed(counts: &BTreeMap<String, usize>, verb: &str) -> Option<String> {
    let one = |(name, count)| format!("{name} {verb} {count} resource instances");
    let list: Vec<String> = counts.iter().map(one).collect();
    (!list.is_empty()).then(|| list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(api_version: &str, kind: &str) -> &'static Resource {
        Resource::of(api_version, kind).unwrap()
    }

    /// The last two conditions, which are those that change.
    fn last(conditions: &[Value]) -> Vec<String> {
        let text = |condition: &Value, field: &str| condition[field].as_str().unwrap().to_owned();
        let fields = ["status", "lastTransitionTime", "reason", "message"];
        let one = |condition| fields.map(|field| text(condition, field)).join(" ");
        conditions[conditions.len() - 2..].iter().map(one).collect()
    }

    /// The words are what kube-controller-manager 1.36.2 writes.
    #[test]
    fn what_remains_is_told_and_since_when() {
        let [first, second, third] = ["10:00:00", "10:00:05", "10:00:09"]
            .map(|time| format!("2026-11-23T{time}Z").parse::<Timestamp>().unwrap());
        let foreign = json!({ "type": "Mine", "status": "Unknown" });
        let mut conditions = vec![foreign.clone()];
        let mut remaining = Remaining::default();
        for (api_version, kind, finalizers) in [
            ("events.k8s.io/v1", "Event", &["a.com/e"][..]),
            ("batch/v1", "Job", &["a.com/b", "a.com/e"]),
            ("v1", "Event", &["a.com/e"]),
            ("v1", "Pod", &[]),
        ] {
            let finalizers: Vec<String> = finalizers.iter().copied().map(str::to_owned).collect();
            remaining.add(resource(api_version, kind), &finalizers);
        }
        remaining.tell(&mut conditions, first);
        assert_eq!((conditions.len(), &conditions[0]), (6, &foreign));
        let types: Vec<&str> = conditions[1..4]
            .iter()
            .map(|condition| condition["type"].as_str().unwrap())
            .collect();
        let never = ["Discovery", "GroupVersionParsing", "Content"];
        assert_eq!(types, never.map(|what| format!("NamespaceDeletion{what}Failure")));
        let some = "Some resources are remaining: events. has 1 resource instances, events.events.k8s.io has 1 \
            resource instances, jobs.batch has 1 resource instances, pods. has 1 resource instances";
        let finalizers = "Some content in the namespace has finalizers remaining: a.com/b in 1 resource instances, \
            a.com/e in 3 resource instances";
        assert_eq!(
            last(&conditions),
            [
                format!("True 2026-11-23T10:00:00Z SomeResourcesRemain {some}"),
                format!("True 2026-11-23T10:00:00Z SomeFinalizersRemain {finalizers}"),
            ]
        );

        let mut remaining = Remaining::default();
        remaining.add(resource("v1", "Pod"), &[]);
        remaining.tell(&mut conditions, second);
        let some = "Some resources are remaining: pods. has 1 resource instances";
        let none =
            "False 2026-11-23T10:00:05Z ContentHasNoFinalizers All content-preserving finalizers finished";
        assert_eq!(
            last(&conditions),
            [
                format!("True 2026-11-23T10:00:00Z SomeResourcesRemain {some}"),
                none.to_owned(),
            ]
        );

        Remaining::default().tell(&mut conditions, third);
        assert_eq!(
            last(&conditions),
            [
                "False 2026-11-23T10:00:09Z ContentRemoved All content successfully removed",
                none
            ]
        );
        let told = conditions.clone();
        Remaining::default().tell(&mut conditions, first);
        assert_eq!(conditions, told);
    }
}
