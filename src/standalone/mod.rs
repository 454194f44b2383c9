//! On one machine: an embedded Kubernetes API, the rules of Jobs, processes as pods.
//!
//! | file | what is in it |
//! |---|---|
//! | [`store`] | objects by name, one revision that counts every write, and what changed since |
//! | [`api`] | the Kubernetes API over a store: the part of it that CronJobs, Jobs and pods need |
//! | [`jobs`] | what the Job controller is in a cluster: Jobs become pods |
//! | [`runtime`] | what the kubelet is in a cluster: pods become processes |

pub mod api;
pub mod jobs;
pub mod runtime;
pub mod store;

mod instants;
mod recorder;
