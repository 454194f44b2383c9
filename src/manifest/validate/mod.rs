//! Validation: the rules of the Kubernetes API server, in its words.
//!
//! Pure functions on k8s-openapi's types. They serve manifests, where [`FieldError::path`] is looked up in
//! the text, and the embedded API, which sends the errors back as the causes of a 422.
//!
//! The rules are those of Kubernetes v1.36 (`pkg/apis/batch/validation`, `pkg/apis/core/validation`,
//! `apimachinery/pkg/util/validation`) for CronJobs, Jobs and the fields of pods that are run here: names and
//! labels, containers, their environment, ports, mounts, resources, users and probes, where pods are put, volumes. What
//! one machine never has (Windows, `SELinux`, volumes of a cluster) is taken as it is written.
//!
//! One file for each concern:
//!
//! | file | rules |
//! |---|---|
//! | [`cron_job`] | what only CronJobs have; create and update |
//! | [`job`] | the spec of Jobs and of Job templates; create and update |
//! | `schedule`, `time_zone` | when a CronJob is due |
//! | `completion` | completion mode and the limits of indexed Jobs |
//! | `pod_failure_policy`, `success_policy` | the policies of Jobs |
//! | [`pod`] | pods and their templates; it has a folder of its own |
//! | `runtime` | what pods ask to run as on one machine |
//! | `selector` | which objects are meant, by their labels |
//! | [`metadata`], [`names`] | what every object has |
//! | [`warnings`] | what is right, and likely not meant |

pub mod cron_job;
mod field_error;
pub mod job;
pub mod metadata;
pub mod names;
pub mod pod;

mod completion;
mod pod_failure_policy;
mod runtime;
pub mod schedule;
pub mod selector;
mod success_policy;
mod time_zone;
pub mod warnings;

#[cfg(test)]
mod tests;

pub use field_error::{FieldError, Findings, Hint, Reason};
