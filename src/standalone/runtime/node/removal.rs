//! How the object of a pod is removed that has ended, and was deleted before: with a grace period of zero, by which the API
//! server learns that nothing runs any more.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Preconditions};

use crate::standalone::runtime::machine::Machine;
use crate::telemetry::chain;

/// How long to wait before an object is removed again whose removal failed.
const RETRY: Duration = Duration::from_secs(1);

/// Removes the object of a pod whose processes have ended.
pub(super) async fn remove(machine: Arc<Machine>, pod: Arc<Pod>) {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let preconditions = Preconditions {
        uid: pod.metadata.uid.clone(),
        resource_version: None,
    };
    let now = DeleteParams {
        preconditions: Some(preconditions),
        ..DeleteParams::default().grace_period(0)
    };
    loop {
        match machine.pods(&pod).delete(name, &now).await {
            Ok(_) => return,
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => return,
            Err(error) => {
                tracing::warn!(pod = name, error = chain(&error), "a pod could not be removed");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}
