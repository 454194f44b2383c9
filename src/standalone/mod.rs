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
//! | `residents` | what every namespace has |
//! | `letters` | the end of a name that is made up |
//! | `machine` | all of it together, with the CronJob controller |

pub mod api;
pub mod data_dir;
pub mod door;
pub mod jobs;
pub mod logs;
pub mod runtime;
pub mod store;

mod instants;
mod letters;
mod machine;
mod recorder;
mod residents;

/// The version of Kubernetes whose behaviour is followed, with our own.
const KUBERNETES_VERSION: &str = concat!("v1.36.0+punctual-", env!("CARGO_PKG_VERSION"));

pub use machine::{Hearing, Running, Standalone};
pub use residents::keep_residents;
