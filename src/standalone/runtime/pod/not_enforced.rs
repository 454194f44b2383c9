//! What of a pod is not enforced on one machine, whatever the pod runs as: it runs all the same, and people are told. Pure.

use k8s_openapi::api::core::v1::{Container, EmptyDirVolumeSource, Pod, PodSpec, Volume};

use super::restart::RESTART_ALL;
use crate::manifest::quantity::Quantity;
use crate::standalone::runtime::all_containers;

/// A word for programs.
const REASON: &str = "PodSpecNotEnforced";

/// A word for programs, and a sentence.
pub(super) fn caveat(pod: &Pod) -> Option<(&'static str, String)> {
    let spec = pod.spec.as_ref()?;
    let told = [volumes(spec), names(spec), restarts(spec)];
    let told: Vec<String> = told.into_iter().flatten().collect();
    (!told.is_empty()).then(|| (REASON, told.join("; ")))
}

/// Of volumes, what they would be other than folders.
fn volumes(spec: &PodSpec) -> Option<String> {
    let mut count = 0;
    let of_volume = |volume: &Volume| {
        let fields = fields(volume.empty_dir.as_ref()?);
        count += fields.len();
        (!fields.is_empty()).then(|| format!("{} of volume {:?}", fields.join(" and "), volume.name))
    };
    let set: Vec<String> = spec.volumes.iter().flatten().filter_map(of_volume).collect();
    (count > 0).then(|| {
        format!(
            "an `emptyDir` is a folder on the disk of this machine, and {} {} not enforced; where that matters, mount a folder of a file system that has this size or medium by `hostPath`",
            set.join(", "),
            verb(count)
        )
    })
}

fn verb(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn fields(volume: &EmptyDirVolumeSource) -> Vec<String> {
    let limit = volume.size_limit.as_ref().map(|limit| limit.0.as_str());
    // By the kubelet's rule, 0 is no limit.
    let limit = limit.filter(|limit| Quantity::parse(limit).is_none_or(|limit| limit.units() > 0));
    let medium = volume.medium.as_deref().filter(|medium| !medium.is_empty());
    let fields = [("sizeLimit", limit), ("medium", medium)];
    let set = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    set.map(|(name, value)| format!("`{name}: {value}`")).collect()
}

/// Of the names of other machines.
fn names(spec: &PodSpec) -> Option<String> {
    let fields = [
        (
            "`hostAliases`",
            spec.host_aliases
                .as_ref()
                .is_some_and(|aliases| !aliases.is_empty()),
        ),
        ("`dnsConfig`", spec.dns_config.is_some()),
    ];
    let set: Vec<&str> = fields
        .into_iter()
        .filter_map(|(name, is_set)| is_set.then_some(name))
        .collect();
    (!set.is_empty()).then(|| {
        format!(
            "names are resolved as this machine does it, and {} {} not enforced; where that matters, have this machine resolve them",
            set.join(" and "),
            verb(set.len())
        )
    })
}

/// Of a restart of the whole pod in its place.
fn restarts(spec: &PodSpec) -> Option<String> {
    let asks = |container: &&Container| {
        let mut rules = container.restart_policy_rules.iter().flatten();
        rules.any(|rule| rule.action == RESTART_ALL)
    };
    let container = all_containers(spec).find(asks)?;
    Some(format!(
        "`{RESTART_ALL}` of container {:?} restarts that container alone; where the others have to begin anew as well, let the pod fail and its Job start another",
        container.name
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_not_enforced_is_named_with_what_to_do() {
        let told = |spec: Value| {
            let mut pod = json!({"metadata": {}, "spec": {"containers": []}});
            json_patch::merge(&mut pod["spec"], &spec);
            caveat(&serde_json::from_value(pod).unwrap()).map_or("nothing".to_owned(), |(_, told)| told)
        };
        let plain = json!({"name": "plain", "emptyDir": {}});
        let rows = [
            told(json!({})),
            told(
                json!({"volumes": [plain, {"name": "none", "emptyDir": {"sizeLimit": "0", "medium": ""}}], "hostAliases": []}),
            ),
            told(json!({"volumes": [plain, {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}]})),
            told(json!({
                "volumes": [
                    {"name": "keys", "emptyDir": {"medium": "Memory"}},
                    {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
                ],
                "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
                "dnsConfig": {"nameservers": ["10.0.0.2"]},
            })),
            told(
                json!({"containers": [{"name": "main", "restartPolicy": "Never", "restartPolicyRules": [
                    {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}},
                ]}]}),
            ),
        ];
        insta::assert_snapshot!(rows.join("\n"), @r#"
        nothing
        nothing
        an `emptyDir` is a folder on the disk of this machine, and `sizeLimit: 1Gi` of volume "scratch" is not enforced; where that matters, mount a folder of a file system that has this size or medium by `hostPath`
        an `emptyDir` is a folder on the disk of this machine, and `medium: Memory` of volume "keys", `sizeLimit: 64Mi` and `medium: Memory` of volume "shm" are not enforced; where that matters, mount a folder of a file system that has this size or medium by `hostPath`; names are resolved as this machine does it, and `hostAliases` and `dnsConfig` are not enforced; where that matters, have this machine resolve them
        `RestartAllContainers` of container "main" restarts that container alone; where the others have to begin anew as well, let the pod fail and its Job start another
        "#);
    }
}
