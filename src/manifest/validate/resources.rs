//! What a container asks for and may use: amounts, and no more asked for than may be used.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use super::{Findings, Hint};
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

/// Checks what a container asks for and may use.
pub(super) fn check(resources: Option<&ResourceRequirements>, path: &FieldPath, found: &mut Findings) {
    let Some(resources) = resources else { return };
    let limits = resources.limits.as_ref();
    amounts(limits, &path.child("limits"), found);
    amounts(resources.requests.as_ref(), &path.child("requests"), found);
    for (name, request) in resources.requests.iter().flatten() {
        let limit = limits.and_then(|limits| limits.get(name));
        let parsed = limit
            .and_then(|limit| Quantity::parse(&limit.0))
            .zip(Quantity::parse(&request.0));
        if let (Some(limit), Some((most, asked))) = (limit, parsed)
            && asked > most
        {
            let rule = format!("must be less than or equal to {name} limit of {}", limit.0);
            found.invalid(&path.child("requests").key(name), &request.0, rule);
        }
    }
}

fn amounts(amounts: Option<&Amounts>, path: &FieldPath, found: &mut Findings) {
    for (name, amount) in amounts.into_iter().flatten() {
        let path = path.key(name);
        match Quantity::parse(&amount.0) {
            None => {
                found.invalid(&path, &amount.0, RULE).hint(Hint {
                    message: format!("`{}` is not an amount", amount.0),
                    help: Some(match meant(&amount.0) {
                        Some(meant) => format!("write `{meant}`"),
                        None => {
                            "write a number and a unit without a blank, such as `500m` or `64Mi`".to_owned()
                        }
                    }),
                    ..Hint::default()
                });
            }
            Some(parsed) if parsed < Quantity::default() => {
                found.invalid(&path, &amount.0, "must be greater than or equal to 0");
            }
            Some(_) => {}
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
