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
    // What is the same every second is told once.
    let mut told = String::new();
    loop {
        match machine.pods(&pod).delete(name, &now).await {
            Ok(_) => return,
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => return,
            Err(error) => {
                let why = chain(&error);
                if why != told {
                    tracing::warn!(
                        pod = name,
                        error = why,
                        "a pod could not be removed; it is tried again every second"
                    );
                    told = why;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use kube::client::Body;

    use super::*;
    use crate::clock::SystemClock;
    use crate::standalone::data_dir::DataDir;
    use crate::standalone::runtime::machine::Options;
    use crate::standalone::runtime::output::channel;
    use crate::telemetry::written::Written;

    #[tokio::test(start_paused = true)]
    async fn what_keeps_a_pod_from_being_removed_is_told_once() {
        let codes = Mutex::new(vec![503, 500, 500, 500]);
        let api = tower::service_fn(move |_request: http::Request<Body>| {
            let code: u16 = codes.lock().unwrap().pop().unwrap_or(200);
            let kind = if code == 200 { "Pod" } else { "Status" };
            let answer = serde_json::json!({"kind": kind, "apiVersion": "v1", "metadata": {}, "code": code});
            let body = Body::from(answer.to_string().into_bytes());
            let answer = http::Response::builder().status(code).body(body);
            std::future::ready(Ok::<_, Infallible>(answer.unwrap()))
        });
        let options = Options::new("here", DataDir::ephemeral().unwrap());
        let (output, _outlet) = channel();
        let client = kube::Client::new(api, "default");
        let machine = Machine::new(client, SystemClock::shared(), output, options);
        let (log, _logging) = Written::here();
        let mut pod = Pod::default();
        pod.metadata.name = Some("once".into());
        let removed = remove(Arc::new(machine), Arc::new(pod));
        let removed = tokio::time::timeout(20 * RETRY, removed).await;
        assert!(removed.is_ok());
        let log = log.text();
        assert_eq!(log.matches("could not be removed").count(), 2, "{log}");
    }
}
