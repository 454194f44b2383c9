//! What a process can't have, said before anything starts.
//!
//! A pod that could only half run does not run: a program that misses its volume may do harm before it notices.

use k8s_openapi::api::core::v1::{Container, Pod};

/// Why a pod can't run as processes: the `reason` and `message` of its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfit {
    /// The container that can't run; empty when it is the pod as a whole.
    pub(super) container: String,
    /// A word for programs.
    pub(super) reason: &'static str,
    /// Why, and what to do.
    pub(super) message: String,
}

/// Looks for what a process can't have.
pub(super) fn check(pod: &Pod) -> Result<(), Unfit> {
    let Some(spec) = &pod.spec else {
        let message = "the pod has no `spec`; write its containers there".to_owned();
        return Err(Unfit {
            container: String::new(),
            reason: "SpecRequired",
            message,
        });
    };
    spec.init_containers
        .iter()
        .flatten()
        .chain(&spec.containers)
        .try_for_each(check_container)
}

fn check_container(container: &Container) -> Result<(), Unfit> {
    let name = &container.name;
    if container.command.as_ref().is_none_or(Vec::is_empty) {
        let image = container.image.as_deref().unwrap_or("its image");
        return Err(Unfit {
            container: name.clone(),
            reason: "CommandRequired",
            message: format!(
                "container {name:?} has no `command`, and as a process it can't use the one of {image}; write `command:`, or run it as a container"
            ),
        });
    }
    if let Some(mount) = container.volume_mounts.iter().flatten().next() {
        return Err(Unfit {
            container: name.clone(),
            reason: "VolumeMountsUnsupported",
            message: format!(
                "container {name:?} mounts volume {volume:?} at {path}, and a process sees the folders of this machine as they are; take the mount out, or run it as a container",
                volume = mount.name,
                path = mount.mount_path,
            ),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(container: &serde_json::Value) -> String {
        let pod =
            serde_json::from_value(json!({"metadata": {}, "spec": {"containers": [container]}})).unwrap();
        check(&pod).map_or_else(
            |unfit| format!("{}: {}", unfit.reason, unfit.message),
            |()| "fit".to_owned(),
        )
    }

    #[test]
    fn a_command_is_enough() {
        assert_eq!(checked(&json!({"name": "main", "command": ["date"]})), "fit");
    }

    #[test]
    fn what_a_process_cannot_have_is_named_with_its_remedy() {
        let image_only = json!({"name": "main", "image": "busybox:1.36", "args": ["date"]});
        insta::assert_snapshot!(checked(&image_only), @r#"CommandRequired: container "main" has no `command`, and as a process it can't use the one of busybox:1.36; write `command:`, or run it as a container"#);
        let mount = json!({"name": "main", "command": ["ls"], "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
        insta::assert_snapshot!(checked(&mount), @r#"VolumeMountsUnsupported: container "main" mounts volume "data" at /data, and a process sees the folders of this machine as they are; take the mount out, or run it as a container"#);
    }
}
