//! Which engine runs a pod: the one that started it, else the one that it asks for, else the one that is usual here.

use k8s_openapi::api::core::v1::Pod;

use super::all_statuses;
use super::containers;
use super::entrypoint::Entrypoints;
use super::process::fitness::Unfit;
use super::process::supervisor::ID_PREFIX;
use crate::cronjob::extension::Runtime;

/// What pods run as on this machine.
#[derive(Debug, Clone, Default)]
pub struct Runtimes {
    /// What a pod runs as that does not say.
    pub usual: Runtime,
    /// The commands that stand for images, for pods that run as processes.
    pub entrypoints: Entrypoints,
    /// Where the container engine is; without it, it is looked for.
    pub container_engine: Option<String>,
}

impl Runtimes {
    /// What a pod runs as.
    pub(super) fn of(&self, pod: &Pod) -> Result<Runtime, Unfit> {
        if let Some(runtime) = recorded(pod) {
            return Ok(runtime);
        }
        let asked = Runtime::asked(pod.metadata.annotations.as_ref()).map_err(|unknown| Unfit {
            container: String::new(),
            reason: "UnknownRuntime",
            message: format!(
                "annotation {}: {}; {}",
                unknown.name,
                unknown.message(),
                unknown.help().unwrap_or_default()
            ),
        })?;
        Ok(asked.unwrap_or(self.usual))
    }

    /// What pods usually run as, and its version, as a node tells it.
    pub(super) async fn version(&self) -> String {
        match self.usual {
            Runtime::Process => concat!("process://", env!("CARGO_PKG_VERSION")).to_owned(),
            Runtime::Container => {
                let version = containers::version(self.container_engine.as_deref()).await;
                format!("docker://{}", version.as_deref().unwrap_or("unknown"))
            }
        }
    }
}

/// Whether anything of a pod was started before.
pub(super) fn is_begun(pod: &Pod) -> bool {
    recorded(pod).is_some()
}

/// What a pod has been running as: what is usual may have changed since it was started.
fn recorded(pod: &Pod) -> Option<Runtime> {
    let status = pod.status.as_ref()?;
    let id = all_statuses(status).find_map(|status| status.container_id.as_ref())?;
    Some(if id.starts_with(ID_PREFIX) {
        Runtime::Process
    } else {
        Runtime::Container
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_started_a_pod_goes_on_with_it() {
        let runtimes = Runtimes {
            usual: Runtime::Container,
            ..Runtimes::default()
        };
        let of = |annotation: &str, id: Value| {
            let pod = json!({
                "metadata": {"annotations": {"punctual.dev/runtime": annotation}},
                "status": {"containerStatuses": [{"name": "main", "containerID": id}]},
            });
            runtimes.of(&serde_json::from_value(pod).unwrap())
        };
        assert_eq!(of("process", Value::Null), Ok(Runtime::Process));
        assert_eq!(of("container", Value::Null), Ok(Runtime::Container));
        assert_eq!(of("container", json!("process://7")), Ok(Runtime::Process));
        assert_eq!(of("process", json!("docker://7a")), Ok(Runtime::Container));
        assert_eq!(of("cloud", json!("docker://7a")), Ok(Runtime::Container));
        assert_eq!(runtimes.of(&Pod::default()), Ok(Runtime::Container));
        let refused = of("cloud", Value::Null).unwrap_err();
        assert_eq!(refused.reason, "UnknownRuntime");
    }
}
