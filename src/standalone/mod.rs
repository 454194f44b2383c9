//! On one machine: an embedded Kubernetes API, the rules of Jobs, processes as pods.
//!
//! | file | what is in it |
//! |---|---|
//! | [`store`] | objects by name, one revision that counts every write, and what changed since |
//! | [`api`] | the Kubernetes API over a store: the part of it that CronJobs, Jobs and pods need |

pub mod api;
pub mod store;
