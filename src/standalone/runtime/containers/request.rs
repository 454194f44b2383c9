//! What is asked of the engine for one attempt of a container. Pure.
//!
//! A container shares this machine's network, as a process does: all containers of a pod reach each other on loopback,
//! as in Kubernetes, and no network has to be made, named and taken down. What a pod's `securityContext` says holds
//! for its containers, unless theirs says otherwise.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, ImageConfig, Mount, MountType};
use k8s_openapi::api::core::v1::{Container, Pod, PodSecurityContext, SecurityContext};

use super::ContainerError;
use super::abandoned::{BOUND_TO, Bond};
use crate::manifest::quantity::Quantity;
use crate::standalone::runtime::machine::hostname;
use crate::standalone::runtime::variables::expansion::expand;
use crate::standalone::runtime::volumes::Bind;

/// The label of every container of ours: the data folder of the `punctual` that started it.
pub(super) const MACHINE: &str = "punctual.dev/machine";
/// The label that says how often the container was started before.
pub(super) const ATTEMPT: &str = "punctual.dev/attempt";
/// The labels that Kubernetes' own runtimes write, so that people and programs find what they know.
pub(super) const POD_UID: &str = "io.kubernetes.pod.uid";
const POD_NAME: &str = "io.kubernetes.pod.name";
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const CONTAINER_NAME: &str = "io.kubernetes.container.name";

/// How much the engine keeps of what a container writes, until it has been copied to the log file.
const KEPT_OUTPUT: &str = "64m";

/// The resources that a container has no more of than its limits say.
pub(super) const LIMITED: [&str; 2] = [CPU, MEMORY];
const CPU: &str = "cpu";
const MEMORY: &str = "memory";

/// The least CPU weight that the kernel takes.
const LEAST_CPU_SHARES: i64 = 2;

/// One attempt of a container, and what was made out for it.
#[derive(Debug)]
pub(super) struct Wanted<'w> {
    pub(super) pod: &'w Pod,
    pub(super) container: &'w Container,
    /// How often the container was started before.
    pub(super) attempt: u32,
    /// `env` and `envFrom`, resolved.
    pub(super) variables: &'w BTreeMap<String, String>,
    pub(super) binds: &'w [Bind],
    /// What the image says of itself.
    pub(super) image: &'w ImageConfig,
    /// The data folder of this `punctual`.
    pub(super) machine: &'w str,
    /// The process that the container is to end with, if it is.
    pub(super) bond: Option<&'w Bond>,
}

/// The name of an attempt's container: the engine refuses to make it twice.
pub(super) fn name(pod: &Pod, container: &str, attempt: u32) -> String {
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    format!("punctual-{uid}-{container}-{attempt}")
}

/// The request that makes the container.
pub(super) fn body(wanted: &Wanted<'_>) -> ContainerCreateBody {
    let Wanted { container, .. } = wanted;
    let words = |words: &Option<Vec<String>>| {
        let words = words.as_ref().filter(|words| !words.is_empty())?;
        let value = |name: &str| wanted.variables.get(name).map(String::as_str);
        Some(words.iter().map(|word| expand(word, value)).collect())
    };
    let variables = wanted.variables.iter();
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    ContainerCreateBody {
        hostname: hostname(wanted.pod),
        user: user(wanted),
        env: Some(variables.map(|(name, value)| format!("{name}={value}")).collect()),
        // A command takes the place of the image's entrypoint and of its arguments; arguments alone are the entrypoint's.
        entrypoint: words(&container.command),
        cmd: words(&container.args),
        image: container.image.clone(),
        working_dir: set(&container.working_dir),
        labels: Some(labels(wanted)),
        host_config: Some(host_config(wanted)),
        ..ContainerCreateBody::default()
    }
}

/// Refuses a container that would run as root, or may, although it must not (`runAsNonRoot`). Only a number tells who
/// somebody is: by the kubelet's rule the names of an image are not believed.
pub(super) fn check_user(wanted: &Wanted<'_>) -> Result<(), ContainerError> {
    let (of_pod, own) = security(wanted);
    let must_not = own
        .and_then(|own| own.run_as_non_root)
        .or(of_pod.and_then(|of_pod| of_pod.run_as_non_root))
        .unwrap_or_default();
    let user = user(wanted)
        .or_else(|| wanted.image.user.clone())
        .unwrap_or_default();
    let name = user.split(':').next().unwrap_or_default();
    let container = || wanted.container.name.clone();
    // Engines read a number as leniently: `00` and `+0` are root.
    match name.parse::<i64>() {
        _ if !must_not => Ok(()),
        Ok(0) => Err(ContainerError::WouldBeRoot {
            container: container(),
        }),
        Ok(_) => Ok(()),
        Err(_) if matches!(name, "" | "root") => Err(ContainerError::WouldBeRoot {
            container: container(),
        }),
        Err(_) => Err(ContainerError::MayBeRoot {
            container: container(),
            user: name.to_owned(),
        }),
    }
}

fn labels(wanted: &Wanted<'_>) -> HashMap<String, String> {
    let metadata = &wanted.pod.metadata;
    let labels = [
        (MACHINE, wanted.machine.to_owned()),
        (ATTEMPT, wanted.attempt.to_string()),
        (POD_UID, metadata.uid.clone().unwrap_or_default()),
        (POD_NAME, metadata.name.clone().unwrap_or_default()),
        (POD_NAMESPACE, metadata.namespace.clone().unwrap_or_default()),
        (CONTAINER_NAME, wanted.container.name.clone()),
    ];
    let bound = wanted.bond.map(|bond| (BOUND_TO, bond.label()));
    let labels = labels.into_iter().chain(bound);
    labels.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn host_config(wanted: &Wanted<'_>) -> HostConfig {
    let (of_pod, own) = security(wanted);
    let capabilities = own.and_then(|own| own.capabilities.clone()).unwrap_or_default();
    // The short form has no way to write a colon. The long one is for nothing else: older Podmans read it without its
    // `ReadOnly`.
    let has_colon = |bind: &&Bind| bind.target.contains(':') || bind.source.to_string_lossy().contains(':');
    let (long, short): (Vec<&Bind>, Vec<&Bind>) = wanted.binds.iter().partition(has_colon);
    let memory = amount(wanted.container, Limit::Most, MEMORY).map(Quantity::units);
    HostConfig {
        binds: Some(short.into_iter().map(bind).collect()),
        mounts: Some(long.into_iter().map(mount).collect()),
        memory,
        // As much as memory alone: no swap, as in a cluster.
        memory_swap: memory,
        nano_cpus: amount(wanted.container, Limit::Most, CPU).map(Quantity::nanos),
        cpu_shares: cpu_shares(wanted.container),
        network_mode: Some("host".to_owned()),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some([("max-size".to_owned(), KEPT_OUTPUT.to_owned())].into()),
        }),
        cap_add: capabilities.add,
        cap_drop: capabilities.drop,
        group_add: groups(of_pod),
        privileged: own.and_then(|own| own.privileged),
        readonly_rootfs: own.and_then(|own| own.read_only_root_filesystem),
        security_opt: security_options(of_pod, own),
        ..HostConfig::default()
    }
}

fn security<'w>(wanted: &Wanted<'w>) -> (Option<&'w PodSecurityContext>, Option<&'w SecurityContext>) {
    let spec = wanted.pod.spec.as_ref();
    let of_pod = spec.and_then(|spec| spec.security_context.as_ref());
    (of_pod, wanted.container.security_context.as_ref())
}

/// `user:group`. A group alone goes with the image's user.
fn user(wanted: &Wanted<'_>) -> Option<String> {
    let (of_pod, own) = security(wanted);
    let user = own
        .and_then(|own| own.run_as_user)
        .or(of_pod.and_then(|of_pod| of_pod.run_as_user));
    let group = own
        .and_then(|own| own.run_as_group)
        .or(of_pod.and_then(|of_pod| of_pod.run_as_group));
    let of_image = wanted.image.user.as_deref().unwrap_or_default();
    match (user, group) {
        (Some(user), Some(group)) => Some(format!("{user}:{group}")),
        (Some(user), None) => Some(user.to_string()),
        (None, Some(group)) => {
            let name = of_image.split(':').next().filter(|name| !name.is_empty());
            Some(format!("{}:{group}", name.unwrap_or("0")))
        }
        (None, None) => None,
    }
}

/// `fsGroup` counts as one more group: the folders of volumes can be written by anyone already.
fn groups(of_pod: Option<&PodSecurityContext>) -> Option<Vec<String>> {
    let of_pod = of_pod?;
    let groups = of_pod
        .supplemental_groups
        .iter()
        .flatten()
        .chain(&of_pod.fs_group);
    let groups: Vec<String> = groups.map(i64::to_string).collect();
    Some(groups).filter(|groups| !groups.is_empty())
}

fn security_options(
    of_pod: Option<&PodSecurityContext>,
    own: Option<&SecurityContext>,
) -> Option<Vec<String>> {
    let mut options = Vec::new();
    if own.and_then(|own| own.allow_privilege_escalation) == Some(false) {
        options.push("no-new-privileges".to_owned());
    }
    let profile = own
        .and_then(|own| own.seccomp_profile.as_ref())
        .or(of_pod.and_then(|of_pod| of_pod.seccomp_profile.as_ref()));
    if profile.is_some_and(|profile| profile.type_ == "Unconfined") {
        options.push("seccomp=unconfined".to_owned());
    }
    Some(options).filter(|options| !options.is_empty())
}

fn bind(bind: &Bind) -> String {
    let mode = if bind.read_only { "ro" } else { "rw" };
    format!("{}:{}:{mode}", bind.source.display(), bind.target)
}

fn mount(bind: &Bind) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(bind.source.display().to_string()),
        target: Some(bind.target.clone()),
        read_only: Some(bind.read_only),
        ..Mount::default()
    }
}

/// Which of a container's `resources`.
#[derive(Clone, Copy)]
enum Limit {
    Most,
    Least,
}

fn amount(container: &Container, limit: Limit, name: &str) -> Option<Quantity> {
    let resources = container.resources.as_ref()?;
    let list = match limit {
        Limit::Most => resources.limits.as_ref(),
        Limit::Least => resources.requests.as_ref(),
    };
    Quantity::parse(&list?.get(name)?.0)
}

/// The weight that Kubernetes gives a CPU request: 1024 for one CPU.
fn cpu_shares(container: &Container) -> Option<i64> {
    let request = amount(container, Limit::Least, CPU).or_else(|| amount(container, Limit::Most, CPU))?;
    let thousandths = request.in_units_of(Quantity::parse("1m")?);
    Some((thousandths.saturating_mul(1024) / 1000).max(LEAST_CPU_SHARES))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_number_that_is_not_zero_is_surely_not_root() {
        let told = |of_image: &str, of_pod: Option<i64>| {
            let spec = json!({
                "containers": [{"name": "main"}],
                "securityContext": {"runAsNonRoot": true, "runAsUser": of_pod},
            });
            let pod: Pod = serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
            let image = ImageConfig {
                user: Some(of_image.to_owned()),
                ..ImageConfig::default()
            };
            let wanted = Wanted {
                pod: &pod,
                container: &pod.spec.as_ref().unwrap().containers[0],
                attempt: 0,
                variables: &BTreeMap::new(),
                binds: &[],
                image: &image,
                machine: "",
                bond: None,
            };
            let checked = check_user(&wanted);
            let said = checked.map_or_else(|error| error.to_string(), |()| "runs".to_owned());
            format!("{of_image:?}, {}: {said}", of_pod.unwrap_or(-1))
        };
        let images = [
            "", "0", "00", "+0", "-0", "0:5", "root", "nginx", "1000", "1000:0",
        ];
        let mut rows: Vec<String> = images.map(|user| told(user, None)).into();
        rows.extend([told("root", Some(1000)), told("1000", Some(0))]);
        insta::assert_snapshot!(rows.join("\n"), @r#"
        "", -1: container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        "0", -1: container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        "00", -1: container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        "+0", -1: container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        "-0", -1: container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        "0:5", -1: container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        "root", -1: container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        "nginx", -1: container "main" has `runAsNonRoot`, and its image runs as "nginx", which may be root under another name; set `runAsUser` to a number
        "1000", -1: runs
        "1000:0", -1: runs
        "root", 1000: runs
        "1000", 0: container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        "#);
    }
}
