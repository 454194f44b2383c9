//! Pods as processes: what the kubelet is in a cluster.
//!
//! ```text
//!  pods ──▶ node ──▶ pod ──▶ container ──▶ engine ──▶ supervisor ──▶ process ──▶ stream ──▶ log ──▶ output
//!            ▲        │         │
//!            └─ API ◀─┴─ status ◀┘
//! ```
//!
//! | file | one idea |
//! |---|---|
//! | `node` | watches the pods, gives each a task, and brings all of them to an end |
//! | `pod` | one pod: its containers in their order, its deadline, its status |
//! | `container` | one container: its process, and the restarts of it |
//! | `engine` | the seam between a container's life and what keeps its attempts going |
//! | `supervisor` | a small process for each attempt, which outlives `punctual`; the engine of processes |
//! | `process` | one process: started in a group of its own, signalled, its exit collected |
//! | `containers` | an engine: containers by Docker or Podman |
//! | `start_error` | why a process did not start |
//! | `fitness` | what a process can't have |
//! | `machine` | what all pods share; what a container's process is |
//! | `base`, [`environment`], [`expansion`] | the variables of a process |
//! | `sources`, `fields`, `quantity` | what variables and files are taken from: config maps, secrets, the pod, the machine |
//! | `volumes` | the folders of a pod that its containers share |
//! | `stream`, `lines`, [`output`] | what a process writes, line by line, on its way to a reader |
//! | `restart`, `status` | pure rules: when to restart, what the status says |

pub mod environment;
pub mod expansion;
pub mod output;

mod base;
mod container;
#[allow(dead_code, reason = "pods choose it next")]
mod containers;
mod engine;
mod fields;
mod fitness;
mod lines;
mod machine;
mod node;
mod pod;
mod process;
#[allow(dead_code, reason = "limits of containers use the rest next")]
mod quantity;
mod restart;
mod sources;
mod start_error;
mod status;
mod stream;
mod supervisor;
#[allow(dead_code, unused_imports, reason = "containers mount them next")]
mod volumes;

#[cfg(test)]
mod tests;

pub use base::Base;
pub use lines::LONGEST_LINE;
pub use machine::{Options, PODS_AT_ONCE};
pub use node::{Node, Shutdown};
pub use output::{Event, Origin, Output, Stream, What};
pub use supervisor::supervise_if_asked;
