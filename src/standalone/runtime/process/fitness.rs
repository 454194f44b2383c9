//! What a process can't have, said before anything starts.
//!
//! A pod that could only half run does not run: a program that misses its volume may do harm before it notices.
//!
//! A process sees the folders of this machine as they are. So it has a volume where that is no hindrance: a `hostPath`
//! that is mounted at its own path, and whatever is mounted at a relative path, which it finds from the folder that it
//! starts in (see `root`). Not in a `hostPath`, though: what is mounted there would have to be made in the user's own folder.

use std::path::Path;

use k8s_openapi::api::core::v1::{Container, HostPathVolumeSource, Pod, Volume, VolumeMount};

use super::credentials::{self, Own};
use super::mount_conflicts;
use crate::standalone::runtime::entrypoint::Entrypoints;
use crate::standalone::runtime::volumes::{self, stays_inside};

/// Where a pod goes that can't be processes.
pub(super) const AS_CONTAINERS: &str =
    "run the pod as containers (`--runtime container`, or the annotation `punctual.dev/runtime: container`)";

/// Why a pod can't run: the `reason` and `message` of its status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(in crate::standalone::runtime) struct Unfit {
    /// The container that can't run; empty when it is the pod as a whole.
    pub(in crate::standalone::runtime) container: String,
    /// A word for programs.
    pub(in crate::standalone::runtime) reason: &'static str,
    /// Why, and what to do.
    pub(in crate::standalone::runtime) message: String,
}

/// Looks for what a process of ours can't have.
pub(in crate::standalone::runtime) fn check_here(pod: &Pod, entrypoints: &Entrypoints) -> Result<(), Unfit> {
    check(pod, entrypoints, &Own::of_this_process())
}

/// Looks for what a process can't have, when we are who we are.
pub(super) fn check(pod: &Pod, entrypoints: &Entrypoints, own: &Own) -> Result<(), Unfit> {
    let Some(spec) = &pod.spec else {
        let message = "the pod has no `spec`; write its containers there".to_owned();
        return Err(Unfit {
            container: String::new(),
            reason: "SpecRequired",
            message,
        });
    };
    if let Some(error) = volumes::unsupported(pod) {
        return Err(Unfit {
            container: String::new(),
            reason: "VolumeUnsupported",
            message: error.to_string(),
        });
    }
    if let Some([other, link]) = mount_conflicts::find(spec) {
        let why = format!(
            "where container {:?} has volume {:?}: both lie in volume {:?}, in which both would find the same",
            other.container.name, other.mount.name, link.volume
        );
        return Err(unmountable(
            link.container,
            link.mount,
            &why,
            "mount it at another path",
        ));
    }
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    spec.init_containers
        .iter()
        .flatten()
        .chain(&spec.containers)
        .try_for_each(|container| {
            check_command(container, entrypoints)?;
            credentials::check(pod, container, own)?;
            let mut mounts = container.volume_mounts.iter().flatten();
            mounts.try_for_each(|mount| {
                check_mount(container, mount, volumes)?;
                check_place(container, mount, volumes)
            })
        })
}

/// What a process does without, here where only some resources are limited: it runs all the same, and people are told.
pub(super) fn caveat(
    container: &Container,
    is_limited: impl Fn(&str) -> bool,
) -> Option<(&'static str, String)> {
    let names = unlimited(container, is_limited)?;
    let message = format!(
        "container {:?} runs as a process, and nothing limits its {names} on this machine; where that matters, {AS_CONTAINERS}",
        container.name,
    );
    Some((LIMITS_NOT_ENFORCED, message))
}

/// A word for programs: not all of a container's limits hold.
pub(in crate::standalone::runtime) const LIMITS_NOT_ENFORCED: &str = "LimitsNotEnforced";

/// What nothing limits of what a container wants to be limited, in words.
pub(in crate::standalone::runtime) fn unlimited(
    container: &Container,
    is_limited: impl Fn(&str) -> bool,
) -> Option<String> {
    let limits = container.resources.as_ref()?.limits.as_ref()?;
    let names = limits.keys().map(String::as_str);
    let names: Vec<&str> = names.filter(|name| !is_limited(name)).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

fn check_command(container: &Container, entrypoints: &Entrypoints) -> Result<(), Unfit> {
    if entrypoints.command(container).is_some() {
        return Ok(());
    }
    let name = &container.name;
    let image = container.image.as_deref().unwrap_or_default();
    Err(Unfit {
        container: name.clone(),
        reason: "CommandRequired",
        message: format!(
            "container {name:?} has no `command`, and as a process it can't use the one of its image; write `command:`, name the command that stands for the image (`--entrypoint {image}=COMMAND`), or {AS_CONTAINERS}"
        ),
    })
}

fn check_mount(container: &Container, mount: &VolumeMount, volumes: &[Volume]) -> Result<(), Unfit> {
    let path = Path::new(&mount.mount_path);
    let starts_elsewhere = container
        .working_dir
        .as_ref()
        .is_some_and(|folder| !folder.is_empty());
    let (why, remedy) = if path.is_relative() {
        let inside = stays_inside(&mount.mount_path).filter(|path| !path.as_os_str().is_empty());
        if inside.is_none() {
            let why = "which does not lead into the folder that the process starts in";
            return Err(unmountable(container, mount, why, "write a path without `..`"));
        }
        if !starts_elsewhere {
            return Ok(());
        }
        let why = "and starts in another folder than the one where it would find it";
        (why, "take `workingDir` out")
    } else {
        if is_at_its_own_place(mount, volumes) {
            return Ok(());
        }
        let why = "and a process sees the folders of this machine as they are";
        let remedy =
            "mount it at a relative path, which the process finds from the folder that it then starts in";
        (why, remedy)
    };
    Err(unmountable(container, mount, why, remedy))
}

/// Refuses a mount in the folder of a `hostPath`.
fn check_place(container: &Container, mount: &VolumeMount, volumes: &[Volume]) -> Result<(), Unfit> {
    let Some(inside) = stays_inside(&mount.mount_path) else {
        return Ok(());
    };
    let is_around = |other: &&VolumeMount| {
        let around = stays_inside(&other.mount_path);
        around.is_some_and(|around| around != inside && inside.starts_with(around))
            && host_path(other, volumes).is_some()
    };
    let mut others = container.volume_mounts.iter().flatten();
    let Some(around) = others.find(is_around) else {
        return Ok(());
    };
    let why = format!(
        "which lies in the `hostPath` at {}, and nothing is put into a folder of this machine",
        around.mount_path
    );
    Err(unmountable(container, mount, &why, "mount it beside that"))
}

fn unmountable(container: &Container, mount: &VolumeMount, why: &str, remedy: &str) -> Unfit {
    let (name, volume, path) = (&container.name, &mount.name, &mount.mount_path);
    Unfit {
        container: name.clone(),
        reason: "VolumeMountUnsupported",
        message: format!(
            "container {name:?} mounts volume {volume:?} at {path}, {why}; {remedy}, or {AS_CONTAINERS}"
        ),
    }
}

/// Whether a mount is a path of this machine, at just that path.
pub(super) fn is_at_its_own_place(mount: &VolumeMount, volumes: &[Volume]) -> bool {
    let Some(host) = host_path(mount, volumes) else {
        return false;
    };
    let below = mount.sub_path.as_deref().unwrap_or_default();
    mount.sub_path_expr.is_none() && Path::new(&host.path).join(below) == Path::new(&mount.mount_path)
}

/// The path of this machine that is mounted, if it is one.
pub(super) fn host_path<'a>(mount: &VolumeMount, volumes: &'a [Volume]) -> Option<&'a HostPathVolumeSource> {
    let volume = volumes.iter().find(|volume| volume.name == mount.name);
    volume?.host_path.as_ref()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn us() -> Own {
        Own {
            user: 1000,
            group: 1000,
            groups: vec![1000, 27],
        }
    }

    fn checked(container: &Value) -> String {
        let volumes = json!([
            {"name": "data", "emptyDir": {}},
            {"name": "host", "hostPath": {"path": "/srv/files"}},
        ]);
        let spec = json!({"containers": [container], "volumes": volumes});
        told(&spec)
    }

    fn told(spec: &Value) -> String {
        let pod = serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
        let entrypoints = ["known=date".parse().unwrap()].into_iter().collect();
        check(&pod, &entrypoints, &us()).map_or_else(
            |unfit| format!("{}: {}", unfit.reason, unfit.message),
            |()| "fit".to_owned(),
        )
    }

    fn mounted(mount: &Value, working_dir: &Value) -> String {
        checked(
            &json!({"name": "main", "command": ["ls"], "volumeMounts": [mount], "workingDir": working_dir}),
        )
    }

    #[test]
    fn a_command_is_enough_or_one_that_stands_for_the_image() {
        assert_eq!(checked(&json!({"name": "main", "command": ["date"]})), "fit");
        assert_eq!(checked(&json!({"name": "main", "image": "known:2"})), "fit");
        let image_only = json!({"name": "main", "image": "busybox:1.36", "args": ["date"]});
        insta::assert_snapshot!(checked(&image_only));
    }

    #[test]
    fn volumes_are_had_where_a_process_finds_them() {
        let at =
            |volume: &str, path: &str| mounted(&json!({"name": volume, "mountPath": path}), &Value::Null);
        assert_eq!(at("data", "work/here"), "fit");
        assert_eq!(at("host", "/srv/files/"), "fit");
        let below = json!({"name": "host", "mountPath": "/srv/files/in", "subPath": "in"});
        assert_eq!(mounted(&below, &json!("/tmp")), "fit");
        let refused = [
            at("data", "/data"),
            at("host", "/files"),
            at("data", "../../y"),
            at("data", "a/../../b"),
            at("data", "."),
            mounted(&json!({"name": "data", "mountPath": "data"}), &json!("/tmp")),
            told(
                &json!({"containers": [], "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}),
            ),
        ];
        insta::assert_snapshot!(refused.join("\n"));
    }

    #[test]
    fn nothing_is_mounted_in_a_folder_of_this_machine() {
        let both = |around: &str, at: &str, inside: &str| {
            let mounts = [(around, at), ("data", inside)]
                .map(|(volume, path)| json!({"name": volume, "mountPath": path}));
            checked(&json!({"name": "main", "command": ["ls"], "volumeMounts": mounts}))
        };
        assert_eq!(both("data", "app", "app/conf"), "fit");
        assert_eq!(both("host", "app", "application"), "fit");
        // Where a process starts, it finds the one that is mounted there.
        assert_eq!(both("host", "/srv/files", "srv/files/conf"), "fit");
        let refused = [
            both("host", "app", "app/conf"),
            both("host", "./app/", "app/etc/conf"),
        ];
        insta::assert_snapshot!(refused.join("\n"), @r#"
        VolumeMountUnsupported: container "main" mounts volume "data" at app/conf, which lies in the `hostPath` at app, and nothing is put into a folder of this machine; mount it beside that, or run the pod as containers (`--runtime container`, or the annotation `punctual.dev/runtime: container`)
        VolumeMountUnsupported: container "main" mounts volume "data" at app/etc/conf, which lies in the `hostPath` at ./app/, and nothing is put into a folder of this machine; mount it beside that, or run the pod as containers (`--runtime container`, or the annotation `punctual.dev/runtime: container`)
        "#);
    }
}
