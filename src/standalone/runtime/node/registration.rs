//! The node as an object: what the kubelet tells the API server of its machine.
//!
//! It is told once, at the start, and never again: a node that nobody would miss needs no heartbeat. Its lease is there
//! because kubectl asks for it.

use std::collections::BTreeMap;
use std::fs;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::{
    Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeStatus, NodeSystemInfo,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource as _};

use crate::schedule::Timestamp;
use crate::standalone::KUBERNETES_VERSION;
use crate::standalone::instants::to_time;
use crate::standalone::runtime::ADDRESS;
use crate::standalone::runtime::machine::PODS_AT_ONCE;
use crate::standalone::runtime::runtimes::Runtimes;
use crate::standalone::runtime::variables::sources::Capacity;

/// Where the leases of nodes are.
const LEASES: &str = "kube-node-lease";

/// How long a kubelet's lease is good for, in seconds.
const LEASE_SECONDS: i32 = 40;

/// Who writes the lease.
const FIELD_MANAGER: &str = "kubelet";

/// Puts the node down, or what has changed of it since the last time. What fails is told in the log: pods run without it.
pub(crate) async fn register(client: Client, name: &'static str, runtimes: Runtimes, now: Timestamp) {
    let node = node(name, runtimes.version().await, now);
    let leases: Api<Lease> = Api::namespaced(client.clone(), LEASES);
    let written = async {
        put(&Api::all(client), &node).await?;
        let lease = Patch::Apply(lease(name, now));
        let params = PatchParams::apply(FIELD_MANAGER).force();
        leases.patch(name, &params, &lease).await.map(drop)
    };
    if let Err(error) = written.await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the node could not be registered");
    }
}

async fn put(nodes: &Api<Node>, node: &Node) -> kube::Result<()> {
    let name = node.meta().name.as_deref().unwrap_or_default();
    match nodes.create(&PostParams::default(), node).await {
        // Creating leaves the status out.
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.is_already_exists() => {}
        Err(error) => return Err(error),
    }
    let params = PatchParams::default();
    nodes.patch_status(name, &params, &Patch::Merge(node)).await?;
    Ok(())
}

/// Says since when the node is there.
fn lease(name: &str, now: Timestamp) -> Lease {
    Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(name.to_owned()),
            lease_duration_seconds: Some(LEASE_SECONDS),
            renew_time: Some(MicroTime(to_time(now).0)),
            ..LeaseSpec::default()
        }),
    }
}

fn node(name: &str, runtime: String, now: Timestamp) -> Node {
    let labels = [
        ("kubernetes.io/arch", architecture()),
        ("kubernetes.io/hostname", name),
        ("kubernetes.io/os", std::env::consts::OS),
    ];
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    Node {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels.map(owned).into()),
            ..ObjectMeta::default()
        },
        status: Some(NodeStatus {
            addresses: Some(vec![address("InternalIP", ADDRESS), address("Hostname", name)]),
            allocatable: Some(resources()),
            capacity: Some(resources()),
            conditions: Some(conditions(now)),
            daemon_endpoints: Some(NodeDaemonEndpoints::default()),
            node_info: Some(info(runtime)),
            ..NodeStatus::default()
        }),
        ..Node::default()
    }
}

fn address(kind: &str, address: &str) -> NodeAddress {
    NodeAddress {
        type_: kind.to_owned(),
        address: address.to_owned(),
    }
}

/// What the machine has, all of which pods may use.
fn resources() -> BTreeMap<String, Quantity> {
    let Capacity { cpu, memory } = Capacity::of_this_machine();
    BTreeMap::from([
        ("cpu".to_owned(), Quantity(cpu.units().to_string())),
        (
            "memory".to_owned(),
            Quantity(format!("{}Ki", memory.units() / 1024)),
        ),
        ("pods".to_owned(), Quantity(PODS_AT_ONCE.to_string())),
    ])
}

/// The conditions that a node has in Kubernetes. Those of pressure are always false: no pod is
/// turned away or evicted for it here. On a disk that is nearly full room is made instead (`room`).
fn conditions(now: Timestamp) -> Vec<NodeCondition> {
    let pressure = |kind: &str| {
        (
            kind.to_owned(),
            "False",
            "NotTold",
            "punctual does not evict pods",
        )
    };
    let ready = ("Ready".to_owned(), "True", "KubeletReady", "punctual runs pods");
    let all = [
        pressure("MemoryPressure"),
        pressure("DiskPressure"),
        pressure("PIDPressure"),
        ready,
    ];
    let condition = |(kind, status, reason, message): (String, &str, &str, &str)| NodeCondition {
        type_: kind,
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_heartbeat_time: Some(to_time(now)),
        last_transition_time: Some(to_time(now)),
    };
    all.map(condition).into()
}

fn info(runtime: String) -> NodeSystemInfo {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let machine_id = read("/etc/machine-id");
    NodeSystemInfo {
        architecture: architecture().to_owned(),
        boot_id: read("/proc/sys/kernel/random/boot_id"),
        container_runtime_version: runtime,
        kernel_version: read("/proc/sys/kernel/osrelease"),
        kube_proxy_version: String::new(),
        kubelet_version: KUBERNETES_VERSION.to_owned(),
        operating_system: std::env::consts::OS.to_owned(),
        os_image: name_of_system(&read("/etc/os-release")).to_owned(),
        system_uuid: machine_id.clone(),
        machine_id,
        ..NodeSystemInfo::default()
    }
}

/// The name that `os-release` gives the operating system for people.
fn name_of_system(os_release: &str) -> &str {
    let named = os_release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    named.unwrap_or(std::env::consts::OS).trim_matches(['"', '\''])
}

/// The architecture as Go calls it, and with it images and labels.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_has_the_name_that_it_gives_itself() {
        let debian = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(name_of_system(debian), "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(name_of_system("PRETTY_NAME='Alpine'"), "Alpine");
        assert_eq!(name_of_system(""), std::env::consts::OS);
    }
}
