//! Devices that pods claim, by a claim that is there or by the template of one.

use k8s_openapi::api::core::v1::PodResourceClaim;

use super::super::{Findings, names};
use crate::manifest::path::FieldPath;

/// Checks what a pod claims.
pub(super) fn check(claims: &[PodResourceClaim], path: &FieldPath, found: &mut Findings) {
    for (index, claim) in claims.iter().enumerate() {
        let path = path.index(index);
        let name = &path.child("name");
        if claim.name.is_empty() {
            found.required(name, "");
        } else if claims[..index].iter().any(|earlier| earlier.name == claim.name) {
            found.duplicate(name, &claim.name);
        } else {
            for rule in names::dns_label(&claim.name) {
                found.invalid(name, &claim.name, rule);
            }
        }
        let sources = [
            ("resourceClaimName", &claim.resource_claim_name),
            ("resourceClaimTemplateName", &claim.resource_claim_template_name),
        ];
        match sources {
            [(_, Some(_)), (_, Some(_))] => {
                let rule =
                    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                found.invalid(&path, claim, rule);
            }
            [(_, None), (_, None)] => {
                let rule = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
                found.invalid(&path, claim, rule);
            }
            _ => {}
        }
        for (field, source) in sources {
            let Some(source) = source else { continue };
            for rule in names::dns_subdomain(source) {
                found.invalid(&path.child(field), source, rule);
            }
        }
    }
}
