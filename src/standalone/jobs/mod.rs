//! Jobs as pods: what the Job controller is in a cluster.
//!
//! The rules are pure: [`decide`] takes a Job, its pods and the time, and tells what to make, count, let go and delete.
//! [`JobController`] watches, asks, and carries out.
//!
//! | file | one idea |
//! |---|---|
//! | `decide` | the decision, step by step |
//! | `decision` | what it consists of |
//! | `tally` | counting pods, each exactly once |
//! | `manage` | which pods to make, which to discard |
//! | `wanted` | what the Job asks for, with defaults |
//! | `conditions` | how a Job ends, in two steps |
//! | `backoff` | the wait before a failed pod is replaced |
//! | `indexed`, `indexes` | Jobs whose completions have numbers |
//! | `failure_policy`, `success_policy`, `ttl` | one field of the Job each |
//! | `claim`, `key` | which pods are the Job's at all |
//! | `build`, `names`, `pods` | a pod from the template, its name, what the rules ask of it |
//! | `view`, `objects`, `past` | what is known of the API, never older than our own writes, and of pods that are no more |
//! | `controller`, `wakes`, `carry_out` | the loop, when it wakes, what it writes |

mod backoff;
mod build;
mod carry_out;
mod claim;
mod conditions;
mod controller;
mod decide;
mod decision;
mod failure_policy;
mod indexed;
mod indexes;
mod key;
mod manage;
mod names;
mod objects;
mod past;
mod pods;
mod success_policy;
mod tally;
mod ttl;
mod view;
mod wakes;
mod wanted;

#[cfg(test)]
mod tests;

pub use controller::JobController;
pub use decide::decide;
pub use decision::{JobDecision, JobEvent};
pub(in crate::standalone) use indexed::COMPLETION_INDEX;
pub use past::Past;
