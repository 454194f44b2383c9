//! Where pods are put, and what they find there: node selectors, tolerations, node affinity, accounts, name resolution.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Toleration};

use super::{Findings, metadata, names};
use crate::manifest::path::FieldPath;

const DNS_POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

/// Checks where pods are put.
pub(super) fn check(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    metadata::labels(pod.node_selector.as_ref(), &path.child("nodeSelector"), found);
    for (index, toleration) in pod.tolerations.iter().flatten().enumerate() {
        check_toleration(toleration, &path.child("tolerations").index(index), found);
    }
    node_affinity(pod, path, found);
    if let Some(account) = pod
        .service_account_name
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        for rule in names::dns_subdomain(account) {
            let error = found.invalid(&path.child("serviceAccountName"), account, rule);
            error.hint(metadata::name_hint(account));
        }
    }
    for (field, name, rules) in [
        (
            "nodeName",
            &pod.node_name,
            names::dns_subdomain as fn(&str) -> Vec<String>,
        ),
        ("hostname", &pod.hostname, names::dns_label),
        ("subdomain", &pod.subdomain, names::dns_label),
    ] {
        let Some(name) = name.as_deref().filter(|name| !name.is_empty()) else {
            continue;
        };
        for rule in rules(name) {
            let error = found.invalid(&path.child(field), name, rule);
            error.hint(metadata::name_hint(name));
        }
    }
    let dns = pod.dns_policy.as_deref().unwrap_or_default();
    if !dns.is_empty() && !DNS_POLICIES.contains(&dns) {
        found.not_supported(&path.child("dnsPolicy"), dns, &DNS_POLICIES);
    }
    if dns == "None" && pod.dns_config.is_none() {
        found.required(
            &path.child("dnsConfig"),
            "must provide `dnsConfig` when `dnsPolicy` is None",
        );
    }
    for (index, alias) in pod.host_aliases.iter().flatten().enumerate() {
        if alias.ip.parse::<IpAddr>().is_err() {
            let rule = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            found.invalid(
                &path.child("hostAliases").index(index).child("ip"),
                &alias.ip,
                rule,
            );
        }
    }
}

fn check_toleration(toleration: &Toleration, path: &FieldPath, found: &mut Findings) {
    let operator = toleration.operator.as_deref().unwrap_or_default();
    let value = toleration.value.as_deref().unwrap_or_default();
    let has_no_key = toleration.key.as_deref().is_none_or(str::is_empty);
    if has_no_key && operator != "Exists" {
        let rule =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        found.invalid(&path.child("operator"), operator, rule);
    }
    if toleration.toleration_seconds.is_some() && toleration.effect.as_deref() != Some("NoExecute") {
        let rule = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        found.invalid(&path.child("effect"), toleration.effect.as_deref(), rule);
    }
    if operator == "Exists" && !value.is_empty() {
        found.invalid(
            &path.child("operator"),
            value,
            "value must be empty when `operator` is 'Exists'",
        );
    }
}

fn node_affinity(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let Some(affinity) = pod
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref())
    else {
        return;
    };
    let path = path.child("affinity.nodeAffinity");
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .as_ref();
    let terms = required
        .map(|required| required.node_selector_terms.as_slice())
        .unwrap_or_default();
    let place = path.child("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    for (index, term) in terms.iter().enumerate() {
        check_term(term, &place.index(index), found);
    }
    let preferred = affinity
        .preferred_during_scheduling_ignored_during_execution
        .iter()
        .flatten();
    let place = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (index, preferred) in preferred.enumerate() {
        check_term(
            &preferred.preference,
            &place.index(index).child("preference"),
            found,
        );
    }
}

fn check_term(term: &NodeSelectorTerm, path: &FieldPath, found: &mut Findings) {
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        check_requirement(requirement, &path.child("matchExpressions").index(index), found);
    }
}

/// How many values an operator compares with.
fn check_requirement(requirement: &NodeSelectorRequirement, path: &FieldPath, found: &mut Findings) {
    let values = &path.child("values");
    match (
        requirement.operator.as_str(),
        requirement.values.as_deref().unwrap_or_default().len(),
    ) {
        ("In" | "NotIn", 0) => {
            found.required(values, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        ("Exists" | "DoesNotExist", 1..) => {
            found.forbidden(
                values,
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            );
        }
        ("Gt" | "Lt", count) if count != 1 => {
            found.required(
                values,
                "must be specified single value when `operator` is 'Lt' or 'Gt'",
            );
        }
        _ => {}
    }
}
