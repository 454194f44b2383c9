//! On one machine: what a cluster would otherwise do.
//!
//! | module | plays the part of |
//! |---|---|
//! | [`jobs`] | the Job controller: Jobs become pods |
//! | [`runtime`] | the kubelet: pods become processes |

pub mod jobs;
pub mod runtime;

mod instants;
