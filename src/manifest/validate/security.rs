//! As whom containers run, and what they may do.

use k8s_openapi::api::core::v1::{PodSpec, SecurityContext};

use super::Findings;
use crate::manifest::path::FieldPath;

/// Checks the security context of a container.
pub(super) fn check_container(context: Option<&SecurityContext>, path: &FieldPath, found: &mut Findings) {
    let Some(context) = context else { return };
    id(context.run_as_user, &path.child("runAsUser"), found);
    id(context.run_as_group, &path.child("runAsGroup"), found);
    if context.privileged == Some(true) && context.allow_privilege_escalation == Some(false) {
        let rule = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        found.invalid_as_a_whole(path, rule);
    }
}

/// Checks the security context of a pod.
pub(super) fn check_pod(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let Some(context) = &pod.security_context else {
        return;
    };
    let path = path.child("securityContext");
    id(context.run_as_user, &path.child("runAsUser"), found);
    id(context.run_as_group, &path.child("runAsGroup"), found);
    id(context.fs_group, &path.child("fsGroup"), found);
    for (index, group) in context.supplemental_groups.iter().flatten().enumerate() {
        id(
            Some(*group),
            &path.child("supplementalGroups").index(index),
            found,
        );
    }
}

/// The number of a user or a group.
fn id(id: Option<i64>, path: &FieldPath, found: &mut Findings) {
    if let Some(id) = id.filter(|id| !(0..=i64::from(i32::MAX)).contains(id)) {
        found.invalid(path, id, format!("must be between 0 and {}, inclusive", i32::MAX));
    }
}
