//! What would lead into a container (`attach`, `exec`, `portforward`): all of it is refused, with what to do instead.
//!
//! Nothing comes to the standard input of what runs here, and its output is in its log. Whoever is refused to attach reads
//! that instead, and `kubectl run -i` does so once: what is written after that it never shows. So a container that waits for
//! somebody to attach (`stdin: true`) is refused when it has ended and its log has everything; any other at once.

use axum::response::Response;
use k8s_openapi::api::core::v1::Pod;
use serde::Deserialize;

use super::ApiError;
use super::call::Call;
use super::log::{LOOK_AGAIN, grows, pod};
use crate::standalone::logs::Source;

/// What is asked for, of Kubernetes' `PodAttachOptions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Options {
    container: String,
}

/// `GET` (`WebSocket`) or `POST` (SPDY) of a pod's `attach`.
pub(super) async fn refuse(call: Call) -> Result<Response, ApiError> {
    let endpoint = &call.endpoint;
    let pod = pod(endpoint, &call.target.namespace, &call.target.name).await?;
    let options: Options = call.query()?;
    if let Ok(source) = Source::choose(&pod, &options.container, false)
        && has_stdin(&pod, &source.container)
    {
        while grows(endpoint, &pod, &source).await {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
    Err(ApiError::bad_request(
        "nothing can be attached to here; the output is in the log (kubectl logs -f)",
    ))
}

/// `exec` of a pod, which `kubectl cp` uses as well.
pub(super) async fn refuse_exec(call: Call) -> Result<Response, ApiError> {
    pod(&call.endpoint, &call.target.namespace, &call.target.name).await?;
    Err(ApiError::bad_request(
        "commands can't be run inside of pods here; processes are on this machine, and its own tools reach them",
    ))
}

/// `portforward` of a pod.
pub(super) async fn refuse_forwarding(call: Call) -> Result<Response, ApiError> {
    pod(&call.endpoint, &call.target.namespace, &call.target.name).await?;
    Err(ApiError::bad_request(
        "no port has to be forwarded here: pods are on this machine's own network",
    ))
}

fn has_stdin(pod: &Pod, container: &str) -> bool {
    let spec = pod.spec.as_ref();
    let mut containers = spec.into_iter().flat_map(|spec| &spec.containers);
    containers.any(|each| each.name == container && each.stdin == Some(true))
}
