//! What containers and pods ask for and may use: amounts of what there is, and no more asked for than may be used.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use super::super::{Findings, Hint, names};
use crate::manifest::path::FieldPath;
use crate::manifest::quantity::Quantity;

/// Kubernetes' words for an amount that is none.
const RULE: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// Units as people write them, and as Kubernetes does.
const UNITS: [(&str, &str); 8] = [
    ("kb", "k"),
    ("mb", "M"),
    ("gb", "G"),
    ("tb", "T"),
    ("kib", "Ki"),
    ("mib", "Mi"),
    ("gib", "Gi"),
    ("tib", "Ti"),
];

type Amounts = BTreeMap<String, Written>;

/// What containers can have of their own.
const OF_CONTAINERS: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];

/// What else has a name without a domain: things that are counted, in namespaces or in all (`standardResources`).
const COUNTED: [&str; 17] = [
    "configmaps",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

const RESIZED: [&str; 2] = ["cpu", "memory"];
const RESIZE_POLICIES: [&str; 2] = ["NotRequired", "RestartContainer"];

/// For whom amounts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Containers,
    Pods,
}

/// Checks what a container asks for and may use.
pub(super) fn check(
    resources: Option<&ResourceRequirements>,
    pod: &PodSpec,
    path: &FieldPath,
    found: &mut Findings,
) {
    let Some(resources) = resources else { return };
    check_amounts(resources, For::Containers, path, found);
    let claims: Vec<&str> = pod
        .resource_claims
        .iter()
        .flatten()
        .map(|claim| claim.name.as_str())
        .collect();
    for (index, claim) in resources.claims.iter().flatten().enumerate() {
        let path = &path.child("claims").index(index);
        if claim.name.is_empty() {
            found.required(path, "");
        } else if !claims.contains(&claim.name.as_str()) {
            let which = if claims.is_empty() { " which is empty" } else { "" };
            let rule = format!("must be one of the names in pod.spec.resourceClaims{which}");
            found.not_found(path, &claim.name).detail = rule;
        }
    }
}

/// Checks what a pod asks for and may use as a whole.
pub(super) fn check_pod(resources: Option<&ResourceRequirements>, path: &FieldPath, found: &mut Findings) {
    if let Some(resources) = resources {
        check_amounts(resources, For::Pods, path, found);
    }
}

/// Checks what a pod costs beside its containers.
pub(super) fn check_overhead(amounts: Option<&Amounts>, path: &FieldPath, found: &mut Findings) {
    let named = path.child("limits");
    found.placed(&named, path, |found| {
        check_list(amounts, For::Containers, &named, found);
    });
}

fn check_amounts(resources: &ResourceRequirements, whose: For, path: &FieldPath, found: &mut Findings) {
    let (limits, requests) = (resources.limits.as_ref(), resources.requests.as_ref());
    check_list(limits, whose, &path.child("limits"), found);
    let asked = path.child("requests");
    for (name, request) in requests.into_iter().flatten() {
        check_one(name, request, whose, &asked.key(name), found);
        check_against(name, request, limits, path, found);
    }
    let all = limits.into_iter().flatten().chain(requests.into_iter().flatten());
    let names: Vec<&String> = all.map(|(name, _)| name).collect();
    let has_own = names.iter().any(|name| RESIZED.contains(&name.as_str()));
    if !has_own && names.iter().any(|name| is_huge_page(name)) {
        found.forbidden(path, "HugePages require cpu or memory");
    }
}

fn check_list(amounts: Option<&Amounts>, whose: For, path: &FieldPath, found: &mut Findings) {
    for (name, written) in amounts.into_iter().flatten() {
        check_one(name, written, whose, &path.key(name), found);
    }
}

/// Checks one amount of something.
fn check_one(name: &str, written: &Written, whose: For, path: &FieldPath, found: &mut Findings) {
    check_name(name, whose, path, found);
    let Some(amount) = amount(written, path, found) else {
        return;
    };
    let whole = Quantity::whole(1);
    if amount < Quantity::default() {
        found.invalid(path, &written.0, "must be greater than or equal to 0");
    }
    if is_counted(name) && !amount.is_multiple_of(whole) {
        found.invalid(path, amount.in_thousandths(), "must be an integer");
    }
    if let Some(size) = name.strip_prefix("hugepages-") {
        let size = Quantity::parse(size).filter(|size| *size > Quantity::default());
        if !size.is_some_and(|size| amount.is_multiple_of(size)) {
            let rule = format!("{} is not positive integer multiple of {name}", written.0);
            found.invalid(path, &written.0, rule);
        }
    }
}

/// What is asked for is not more than what may be used, and just as much of what can't be shared.
fn check_against(
    name: &str,
    request: &Written,
    limits: Option<&Amounts>,
    path: &FieldPath,
    found: &mut Findings,
) {
    let shares = is_native(name) && !is_huge_page(name);
    let Some(limit) = limits.and_then(|limits| limits.get(name)) else {
        if !shares {
            let rule = "Limit must be set for non overcommitable resources";
            found.required(&path.child("limits"), rule);
        }
        return;
    };
    let Some((most, asked)) = Quantity::parse(&limit.0).zip(Quantity::parse(&request.0)) else {
        return;
    };
    let rule = if !shares && asked != most {
        "equal to"
    } else if asked > most {
        "less than or equal to"
    } else {
        return;
    };
    let requests = path.child("requests");
    let rule = format!("must be {rule} {name} limit of {}", limit.0);
    found.invalid(&requests, &request.0, rule).at(requests.key(name));
}

/// Whether something is what containers can have: of Kubernetes, or of a domain.
fn check_name(name: &str, whose: For, path: &FieldPath, found: &mut Findings) {
    let wrong = names::qualified(name);
    let is_plain = !name.contains('/');
    let is_of_containers = OF_CONTAINERS.contains(&name) || is_huge_page(name);
    if wrong.is_empty() && is_plain && !is_of_containers && !COUNTED.contains(&name) {
        found.invalid(path, name, "must be a standard resource type or fully qualified");
    }
    let is_of_pods = RESIZED.contains(&name) || is_huge_page(name);
    let is_known = OF_CONTAINERS.contains(&name) || COUNTED.contains(&name) || !is_plain;
    if whose == For::Pods && wrong.is_empty() && is_known && !is_of_pods {
        found.not_supported(path, name, &["cpu", "hugepages-", "memory"]);
    }
    for rule in wrong {
        found.invalid(path, name, rule);
    }
    if is_plain && !is_of_containers && whose == For::Containers {
        found.invalid(path, name, "must be a standard resource for containers");
    }
    if !is_plain && !is_native(name) && !is_extended(name) {
        found.invalid(path, name, "doesn't follow extended resource name standard");
    }
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Whether something is Kubernetes' own.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether something can be somebody else's, also when it is counted as what was asked for.
fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified(&format!("requests.{name}")).is_empty()
}

/// Whether there are only whole ones of something.
fn is_counted(name: &str) -> bool {
    is_extended(name) || name == "pods"
}

/// Reads an amount, and says so if it is none.
pub(super) fn amount(written: &Written, path: &FieldPath, found: &mut Findings) -> Option<Quantity> {
    let amount = Quantity::parse(&written.0);
    if amount.is_none() {
        found.malformed(path, &written.0, RULE).hint(Hint {
            message: format!("`{}` is not an amount", written.0),
            help: Some(match meant(&written.0) {
                Some(meant) => format!("write `{meant}`"),
                None => "write a number and a unit without a blank, such as `500m` or `64Mi`".to_owned(),
            }),
            ..Hint::default()
        });
    }
    amount
}

/// What becomes of a container when its amounts change.
pub(super) fn check_resize(container: &Container, pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let policies = container.resize_policy.as_deref().unwrap_or_default();
    for (index, policy) in policies.iter().enumerate() {
        let place = path.index(index);
        if policies[..index]
            .iter()
            .any(|earlier| earlier.resource_name == policy.resource_name)
        {
            found.duplicate(&place, &policy.resource_name);
        }
        for (field, value, known) in [
            ("resourceName", policy.resource_name.as_str(), &RESIZED),
            ("restartPolicy", policy.restart_policy.as_str(), &RESIZE_POLICIES),
        ] {
            found.placed(path, &place.child(field), |found| match value {
                "" => found.required(path, ""),
                value if !known.contains(&value) => found.not_supported(path, value, known),
                _ => {}
            });
        }
        if pod.restart_policy.as_deref() == Some("Never") && policy.restart_policy != "NotRequired" {
            let rule = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            let error = found.invalid(path, &policy.restart_policy, rule);
            error.at(place.child("restartPolicy"));
        }
    }
}

/// The amount that was probably meant: `512M` for `512MB`, `500m` for `500 m`.
fn meant(written: &str) -> Option<String> {
    let closed: String = written.split_whitespace().collect();
    let unit_at = closed
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(closed.len());
    let (number, unit) = closed.split_at(unit_at);
    let known = UNITS.iter().find(|(theirs, _)| unit.eq_ignore_ascii_case(theirs));
    let meant = format!("{number}{}", known.map_or(unit, |(_, unit)| unit));
    Quantity::parse(&meant).map(|_| meant)
}
