//! What of a `securityContext` does not hold for a process, although it runs: manifests that were hardened for a cluster
//! run untouched, and people are told. Pure.

use k8s_openapi::api::core::v1::{Container, Pod};

use super::Own;
use super::asked::{Said, fs_group};
use crate::standalone::runtime::all_containers;
use crate::standalone::runtime::process::fitness::AS_CONTAINERS;

/// A word for programs.
const REASON: &str = "SecurityContextNotEnforced";

/// The fields that do not hold, of all containers of a pod: a word for programs, and a sentence.
pub(in crate::standalone::runtime) fn caveat(pod: &Pod, own: &Own) -> Option<(&'static str, String)> {
    let fields = of_all(pod, |container| {
        [
            &of_processes(pod, container, own)[..],
            &of_the_kernel(pod, container, |profile| profile != "Unconfined"),
        ]
        .concat()
    })?;
    let message = format!(
        "the pod runs as processes, for which {fields} not enforced; where that matters, {AS_CONTAINERS}"
    );
    Some((REASON, message))
}

/// The same of a pod that runs as containers, for which an engine is not asked.
pub(in crate::standalone::runtime) fn caveat_of_containers(pod: &Pod) -> Option<(&'static str, String)> {
    let is_local = |profile: &str| profile == "Localhost";
    let fields = of_all(pod, |container| of_the_kernel(pod, container, is_local).to_vec())?;
    let message = format!(
        "the pod runs as containers, for which {fields} not enforced, as the container engine is not asked for that; where that matters, make it the engine's default"
    );
    Some((REASON, message))
}

/// Fields that may not hold, and whether they are there and do not.
type Field = (&'static str, bool);

/// Those of all containers that do not hold, in words, with the verb.
fn of_all(pod: &Pod, of: impl Fn(&Container) -> Vec<Field>) -> Option<String> {
    let containers = pod.spec.iter().flat_map(all_containers);
    let mut names = Vec::new();
    for (name, _) in containers.flat_map(of).filter(|(_, is_unheld)| *is_unheld) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let verb = if names.len() == 1 { "is" } else { "are" };
    (!names.is_empty()).then(|| format!("{} of its `securityContext` {verb}", names.join(", ")))
}

fn of_processes(pod: &Pod, container: &Container, own: &Own) -> [Field; 4] {
    let said = Said::of(pod, container);
    let is_set = |field: Option<bool>| field == Some(true);
    let in_the_group = |group: u32| own.is_root() || group == own.group || own.groups.contains(&group);
    let adds = said
        .capabilities()
        .and_then(|capabilities| capabilities.add.as_ref());
    [
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
        ("fsGroup", fs_group(pod).is_some_and(|group| !in_the_group(group))),
    ]
}

/// What the kernel would have to be told; `is_unheld` tells which profiles do not hold.
fn of_the_kernel(pod: &Pod, container: &Container, is_unheld: impl Fn(&str) -> bool) -> [Field; 5] {
    let said = Said::of(pod, container);
    let profile = |kind: Option<&str>| kind.is_some_and(&is_unheld);
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
    [
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
    ]
}
