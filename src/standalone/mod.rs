//! On one machine: what a cluster would otherwise do.
//!
//! | module | plays the part of |
//! |---|---|
//! | [`store`] | etcd: objects by name, one revision that counts every write, and what changed since |
//! | [`api`] | kube-apiserver: the part of the API that CronJobs, Jobs and pods need |
//! | [`jobs`] | the Job controller: Jobs become pods |
//! | [`logs`] | the files of the container runtime: what containers write |
//! | [`runtime`] | the kubelet: pods become processes |
//! | [`data_dir`] | the disk: the folder for all that is kept, and who may use it |
//! | [`door`] | the network: TLS, the token, who is let in |
//! | `namespace_defaults` | the controllers for what every namespace has: a service account, a root certificate |
//! | `recorder` | the event recorder of these |
//! | `part` | the supervisor of services: what runs until it is told to stop |
//! | `assembly` | nobody: puts all of it together, with the CronJob controller |
//!
//! Two of them share `name_suffix`, the end of a name that is made up, and two `turns`, who goes next when many runs are due
//! at once; all share `instants`, Kubernetes' timestamps and ours.

pub mod api;
pub mod data_dir;
pub mod door;
pub mod jobs;
pub mod logs;
pub mod runtime;
pub mod store;

mod assembly;
mod instants;
mod name_suffix;
mod namespace_defaults;
mod part;
mod recorder;
mod turns;

/// The version of Kubernetes whose behaviour is followed, with our own.
const KUBERNETES_VERSION: &str = concat!("v1.36.0+punctual-", env!("CARGO_PKG_VERSION"));

pub use assembly::{Hearing, Running, Standalone};
pub use namespace_defaults::keep_namespace_defaults;
pub use part::{EndedPart, Part};
pub use turns::Turns;
