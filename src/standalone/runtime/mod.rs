//! Pods, as processes or as containers: what the kubelet is in a cluster.
//!
//! ```text
//!  pods ──▶ node ──▶ pod ──▶ container ──▶ engine ──▶ supervisor ──▶ process ──▶ stream ──▶ log ──▶ output
//!            ▲        │         │
//!            └─ API ◀─┴─ status ◀┘
//! ```
//!
//! | folder, file | one idea |
//! |---|---|
//! | `node` | watches the pods, gives each a task, and brings all of them to an end |
//! | `pod` | one pod and its containers: their order, restarts and deadlines, and its status |
//! | `engine` | the seam between a container's life and what keeps its attempts going |
//! | [`process`] | an engine: processes, each under a supervisor that outlives `punctual` |
//! | `containers` | an engine: containers by Docker or Podman |
//! | `runtimes` | which engine runs a pod |
//! | [`entrypoint`] | the commands that stand for images |
//! | [`variables`] | the environment of a container, and what it is taken from |
//! | `volumes` | the folders of a pod that its containers share |
//! | [`output`] | what a container writes, line by line, on its way to a reader |
//! | `order` | what containers are told to do, and how an end is brought about |
//! | `outlook` | whether pods can run here, as far as that is known before |
//! | `start_error`, `shortage` | why a container did not start, and whether it is worth trying again |
//! | `machine` | what all pods share |

pub mod entrypoint;
pub mod output;
pub mod process;
pub mod variables;

mod containers;
mod engine;
mod machine;
mod node;
mod order;
mod outlook;
mod pod;
mod runtimes;
mod shortage;
mod start_error;
mod volumes;

#[cfg(test)]
mod tests;

pub use containers::{NoEngine, reach_engine};
pub use machine::{Options, PODS_AT_ONCE};
pub use node::room::make_at_start as make_room_at_start;
pub use node::{Node, Shutdown};
pub use outlook::hindrance;
pub use output::lines::LONGEST_LINE;
pub use output::{
    Event, OUTPUT_QUEUE, Open, Origin, Outlet, Output, Pace, Stream, What, Work, WorkKind, job_of,
};
pub use process::base::Base;
pub use process::cgroup::limited_here;
pub use process::supervisor::supervise_if_asked;
pub use runtimes::Runtimes;

pub(super) use node::registration::register;
pub(super) use pod::status::ended_with_node;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, PodSpec, PodStatus};

/// The address of the node and of its pods, which share this machine's network: loopback always answers.
const ADDRESS: &str = "127.0.0.1";

/// The containers of a pod in the order in which they are numbered: init containers first.
fn all_containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

/// What is told of the containers of a pod, in the same order.
pub(crate) fn all_statuses(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let [first, rest] = [&status.init_container_statuses, &status.container_statuses];
    first.iter().chain(rest).flatten()
}
