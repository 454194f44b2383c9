//! What of a `securityContext` does not hold for a process, although it runs: manifests that were hardened for a cluster
//! run untouched, and people are told. Pure.

use k8s_openapi::api::core::v1::{Container, Pod};

use super::Own;
use super::asked::{Said, fs_group};
use crate::standalone::runtime::fitness::AS_CONTAINERS;

/// A word for programs.
const REASON: &str = "SecurityContextNotEnforced";

/// The fields that do not hold, of all containers of a pod: a word for programs, and a sentence.
pub(in super::super) fn caveat(pod: &Pod, own: &Own) -> Option<(&'static str, String)> {
    let spec = pod.spec.as_ref()?;
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let mut fields = Vec::new();
    for field in containers.flat_map(|container| unheld(pod, container, own)) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    let message = format!(
        "the pod runs as processes, for which {} of its `securityContext` {} not hold; where that matters, {AS_CONTAINERS}",
        fields.join(", "),
        if fields.len() == 1 { "does" } else { "do" }
    );
    (!fields.is_empty()).then_some((REASON, message))
}

fn unheld(pod: &Pod, container: &Container, own: &Own) -> Vec<&'static str> {
    let said = Said::of(pod, container);
    let is_set = |field: Option<bool>| field == Some(true);
    let profile = |kind: Option<&str>| kind.is_some_and(|kind| kind != "Unconfined");
    let seccomp = said.either(
        |own| own.seccomp_profile.as_ref(),
        |of_pod| of_pod.seccomp_profile.as_ref(),
    );
    let app_armor = said.either(
        |own| own.app_armor_profile.as_ref(),
        |of_pod| of_pod.app_armor_profile.as_ref(),
    );
    let se_linux = said.either(
        |own| own.se_linux_options.as_ref(),
        |of_pod| of_pod.se_linux_options.as_ref(),
    );
    let in_the_group = |group: u32| own.is_root() || group == own.group || own.groups.contains(&group);
    let adds = said
        .capabilities()
        .and_then(|capabilities| capabilities.add.as_ref());
    let fields = [
        (
            "readOnlyRootFilesystem",
            is_set(said.own.and_then(|own| own.read_only_root_filesystem)),
        ),
        (
            "privileged",
            is_set(said.own.and_then(|own| own.privileged)) && !own.is_root(),
        ),
        (
            "capabilities.add",
            adds.is_some_and(|adds| !adds.is_empty()) && !own.is_root(),
        ),
        (
            "seccompProfile",
            profile(seccomp.map(|profile| profile.type_.as_str())),
        ),
        (
            "appArmorProfile",
            profile(app_armor.map(|profile| profile.type_.as_str())),
        ),
        ("seLinuxOptions", se_linux.is_some()),
        (
            "procMount",
            said.own
                .and_then(|own| own.proc_mount.as_deref())
                .is_some_and(|kind| kind != "Default"),
        ),
        (
            "sysctls",
            said.of_pod
                .and_then(|of_pod| of_pod.sysctls.as_ref())
                .is_some_and(|sysctls| !sysctls.is_empty()),
        ),
        ("fsGroup", fs_group(pod).is_some_and(|group| !in_the_group(group))),
    ];
    let unheld = fields.into_iter().filter(|(_, is_unheld)| *is_unheld);
    unheld.map(|(name, _)| name).collect()
}
