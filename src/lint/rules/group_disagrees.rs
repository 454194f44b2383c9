//! Members of a group that name different numbers of slots.

use std::collections::HashMap;

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::manifest::source::Place;

pub(super) const RULE: Rule = Rule {
    code: "P055",
    name: "group-disagrees",
    severity: Severity::Warning,
    summary: "Members of a group name different numbers of slots",
    page: r"
`punctual.dev/group-slots` is how many runs of a group may be active at once. Each member can say it; where they
disagree, the smallest number counts, and who does not say it says 1.
",
    finds: Finds::InAll(check),
};

fn check(subjects: &[&Subject]) -> Vec<Diagnostic> {
    let mut groups: HashMap<(String, &str), Vec<(&Subject, usize)>> = HashMap::new();
    for subject in subjects.iter().filter(|subject| subject.cron_job().is_some()) {
        if let Some(membership) = &subject.extensions.policies.group {
            let group = (subject.key().namespace, membership.name.as_str());
            groups.entry(group).or_default().push((subject, membership.slots));
        }
    }
    let said = groups.into_iter().flat_map(|((_, group), members)| {
        let least = members.iter().min_by_key(|(_, slots)| *slots).copied();
        let others = members
            .into_iter()
            .filter_map(move |member| Some((member, least?)));
        let others = others.filter(|((_, slots), (_, least))| slots > least);
        others.map(move |((subject, slots), (smallest, least))| {
            let message = format!(
                "here the group `{group}` has {slots} slots, but {} says {least}, which counts",
                smallest.name
            );
            let place = Place::new(&smallest.source, smallest.node.span_of(&path(smallest)));
            subject
                .say(&path(subject), message)
                .related(place, "here")
                .help("write the same number for each of them")
        })
    });
    said.collect()
}

/// Where a member says how many slots there are; who does not say it is in the group at least.
fn path(subject: &Subject) -> FieldPath {
    let annotations = FieldPath::of("metadata.annotations");
    let slots = annotations.key("punctual.dev/group-slots");
    match subject.node.at(&slots) {
        Some(_) => slots,
        None => annotations.key("punctual.dev/group"),
    }
}
