//! As whom containers run, and what they may do.

use k8s_openapi::api::core::v1::{
    AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, Sysctl,
};

use super::super::{Findings, names};
use super::{containers, paths};
use crate::manifest::path::FieldPath;

const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
const GROUP_CHANGES: [&str; 2] = ["Always", "OnRootMismatch"];
const GROUP_POLICIES: [&str; 2] = ["Merge", "Strict"];
const PROC_MOUNTS: [&str; 2] = ["Default", "Unmasked"];

/// The longest name of a profile of `AppArmor`, in bytes: a path of Linux.
const PROFILE_BYTES_MAX: usize = 4095;

const SYSCTL_RULE: &str = "must have at most 253 characters and match regex \
    ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

/// The settings of the kernel that belong to a namespace of processes' communication.
const IPC_SETTINGS: [&str; 4] = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."];

/// Checks the security context of a container.
pub(super) fn check_container(
    context: Option<&SecurityContext>,
    pod: &PodSpec,
    path: &FieldPath,
    found: &mut Findings,
) {
    let Some(context) = context else { return };
    id(context.run_as_user, &path.child("runAsUser"), found);
    id(context.run_as_group, &path.child("runAsGroup"), found);
    if let Some(mount) = context.proc_mount.as_deref() {
        let path = &path.child("procMount");
        if !PROC_MOUNTS.contains(&mount) {
            found.not_supported(path, mount, &PROC_MOUNTS);
        } else if mount == "Unmasked" && pod.host_users != Some(false) {
            found.invalid(path, mount, "`hostUsers` must be false to use `Unmasked`");
        }
    }
    check_seccomp(
        context.seccomp_profile.as_ref(),
        &path.child("seccompProfile"),
        found,
    );
    if context.allow_privilege_escalation == Some(false) {
        let added = context
            .capabilities
            .iter()
            .flat_map(|list| list.add.iter().flatten());
        if context.privileged == Some(true) {
            let rule = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            found.invalid(path, context, rule);
        }
        if added.into_iter().any(|capability| capability == "CAP_SYS_ADMIN") {
            let rule = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            found.invalid(path, context, rule);
        }
    }
    check_app_armor(
        context.app_armor_profile.as_ref(),
        &path.child("appArmorProfile"),
        found,
    );
}

/// Checks the security context of a pod, at `path`.
pub(super) fn check_pod(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let Some(context) = &pod.security_context else {
        return;
    };
    let path_of_pod = path;
    let path = path.child("securityContext");
    id(context.fs_group, &path.child("fsGroup"), found);
    id(context.run_as_user, &path.child("runAsUser"), found);
    id(context.run_as_group, &path.child("runAsGroup"), found);
    for (index, group) in context.supplemental_groups.iter().flatten().enumerate() {
        let path = path.child("supplementalGroups").index(index);
        id(Some(*group), &path, found);
    }
    if pod.share_process_namespace == Some(true) && pod.host_pid == Some(true) {
        let field = "shareProcessNamespace";
        let rule = "ShareProcessNamespace and HostPID cannot both be enabled";
        let error = found.invalid(&path.child(field), true, rule);
        error.at(path_of_pod.child(field));
    }
    check_sysctls(
        context.sysctls.as_deref().unwrap_or_default(),
        pod,
        &path.child("sysctls"),
        found,
    );
    check_policies(context, &path, found);
}

fn check_policies(context: &PodSecurityContext, path: &FieldPath, found: &mut Findings) {
    let policy = context.fs_group_change_policy.as_deref();
    if let Some(policy) = policy.filter(|policy| !GROUP_CHANGES.contains(policy)) {
        found.not_supported(&path.child("fsGroupChangePolicy"), policy, &GROUP_CHANGES);
    }
    check_seccomp(
        context.seccomp_profile.as_ref(),
        &path.child("seccompProfile"),
        found,
    );
    check_app_armor(
        context.app_armor_profile.as_ref(),
        &path.child("appArmorProfile"),
        found,
    );
    let policy = context.supplemental_groups_policy.as_deref();
    if let Some(policy) = policy.filter(|policy| !GROUP_POLICIES.contains(policy)) {
        found.not_supported(&path.child("supplementalGroupsPolicy"), policy, &GROUP_POLICIES);
    }
    let policy = context.se_linux_change_policy.as_deref();
    if let Some(policy) = policy.filter(|policy| *policy != "Recursive") {
        found.not_supported(&path.child("seLinuxChangePolicy"), policy, &["Recursive"]);
    }
}

/// What is only for Windows, in a pod for Linux.
pub(super) fn check_linux(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let mut forbid = |path: &FieldPath| {
        let rule = "windows options cannot be set for a linux pod";
        found.forbidden(&path.child("securityContext.windowsOptions"), rule);
    };
    let of_pod = pod.security_context.as_ref();
    if of_pod.is_some_and(|context| context.windows_options.is_some()) {
        forbid(path);
    }
    for (path, container) in containers(pod, path) {
        let context = container.security_context.as_ref();
        if context.is_some_and(|context| context.windows_options.is_some()) {
            forbid(&path);
        }
    }
}

/// A pod with users of its own can't share what else the machine has.
pub(super) fn check_host_users(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    if pod.host_users != Some(false) {
        return;
    }
    // Kubernetes writes two of these as its own types call them.
    for (called, field, is_set) in [
        ("hostNetwork", "hostNetwork", pod.host_network),
        ("HostPID", "hostPID", pod.host_pid),
        ("HostIPC", "hostIPC", pod.host_ipc),
    ] {
        if is_set == Some(true) {
            let path_of_field = path.child(called);
            found.placed(&path_of_field, &path.child(field), |found| {
                found.forbidden(&path_of_field, "when `hostUsers` is false");
            });
        }
    }
}

/// Settings of the kernel, each once, and none that would be the machine's.
fn check_sysctls(settings: &[Sysctl], pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    for (index, setting) in settings.iter().enumerate() {
        let path = &path.index(index).child("name");
        let name = setting.name.as_str();
        if name.is_empty() {
            found.required(path, "");
        } else if !names::is_sysctl(name) {
            found.invalid(path, name, SYSCTL_RULE);
        } else if settings[..index]
            .iter()
            .any(|earlier| earlier.name == setting.name)
        {
            found.duplicate(path, name);
        }
        let dotted = name.replace('/', ".");
        let is_ipc = IPC_SETTINGS.iter().any(|prefix| dotted.starts_with(prefix));
        if pod.host_network == Some(true) && dotted.starts_with("net.") {
            found.invalid(path, name, "may not be specified when 'hostNetwork' is true");
        } else if pod.host_ipc == Some(true) && is_ipc {
            found.invalid(path, name, "may not be specified when 'hostIPC' is true");
        }
    }
}

fn check_seccomp(profile: Option<&SeccompProfile>, path: &FieldPath, found: &mut Findings) {
    let Some(profile) = profile else { return };
    let place = &path.child("localhostProfile");
    match (profile.type_.as_str(), profile.localhost_profile.as_deref()) {
        ("Localhost", None) => found.required(place, "must be set when seccomp type is Localhost"),
        ("Localhost", Some(file)) => paths::check_descending(file, place, found),
        (_, Some(_)) => {
            found.invalid(place, profile, "can only be set when seccomp type is Localhost");
        }
        _ => {}
    }
    check_profile(&profile.type_, "seccompProfile", &path.child("type"), found);
}

fn check_app_armor(profile: Option<&AppArmorProfile>, path: &FieldPath, found: &mut Findings) {
    let Some(profile) = profile else { return };
    let place = &path.child("localhostProfile");
    let name = profile.localhost_profile.as_deref();
    check_profile(&profile.type_, "appArmorProfile", &path.child("type"), found);
    match (profile.type_.as_str(), name) {
        ("Localhost", None | Some("")) => {
            found.required(place, "must be set when AppArmor type is Localhost");
        }
        ("Localhost", Some(name)) => {
            if name.trim() != name {
                found.invalid(place, name, "must not be padded with whitespace");
            }
            if name.len() > PROFILE_BYTES_MAX {
                found.too_long(place, PROFILE_BYTES_MAX);
            }
        }
        (_, Some(name)) => {
            found.invalid(place, name, "can only be set when AppArmor type is Localhost");
        }
        (_, None) => {}
    }
}

fn check_profile(kind: &str, field: &str, path: &FieldPath, found: &mut Findings) {
    if kind.is_empty() {
        found.required(path, format!("type is required when {field} is set"));
    } else if !PROFILES.contains(&kind) {
        found.not_supported(path, kind, &PROFILES);
    }
}

/// The number of a user or a group.
fn id(id: Option<i64>, path: &FieldPath, found: &mut Findings) {
    if let Some(id) = id.filter(|id| !(0..=i64::from(i32::MAX)).contains(id)) {
        found.invalid(path, id, format!("must be between 0 and {}, inclusive", i32::MAX));
    }
}
