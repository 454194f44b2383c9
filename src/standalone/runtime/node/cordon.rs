//! Whether the node is cordoned (`kubectl cordon`): then pods that have not been started wait, as the scheduler would leave
//! them. The object of the node says so, and outlives a restart.

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Node;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::watch_object;
use kube::{Api, Client};
use tokio::sync::watch;

use crate::telemetry::chain;

/// Whether the node is cordoned: nothing, until it has been seen, or is known not to be there.
pub(in crate::standalone::runtime) type Cordon = watch::Sender<Option<bool>>;

/// The `reason` of the event and of the condition, as the scheduler writes them.
pub(in crate::standalone::runtime) const EVENT: &str = "FailedScheduling";
pub(in crate::standalone::runtime) const CONDITION: &str = "Unschedulable";

/// Why a pod waits, in the scheduler's words, and what to do.
pub(in crate::standalone::runtime) fn message(node: &str) -> String {
    format!(
        "0/1 nodes are available: 1 node(s) were unschedulable; `kubectl uncordon {node}` lets pods start again"
    )
}

/// Follows the node of this name; it does not end by itself.
pub(super) async fn follow(client: Client, node: &str, cordon: &Cordon) {
    let nodes: Api<Node> = Api::all(client);
    let mut seen = std::pin::pin!(watch_object(nodes, node).default_backoff());
    while let Some(node) = seen.next().await {
        match node {
            Ok(node) => {
                let spec = node.and_then(|node| node.spec);
                let is_cordoned = spec.and_then(|spec| spec.unschedulable).unwrap_or_default();
                cordon.send_if_modified(|now| now.replace(is_cordoned) != Some(is_cordoned));
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "the node can't be watched at the moment");
            }
        }
    }
}
