//! What is right, and likely not meant: what Kubernetes' server warns of in the answer to a write (`pkg/api/pod/warnings.go`
//! and the strategies of Jobs and CronJobs), in its words and its order.

use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};

use super::{completion, names};
use crate::manifest::path::FieldPath;

mod containers;
mod pods;
mod volumes;

/// More completions than these, with more pods at a time than the next, may be more failed indexes than can be listed.
const HIGH_COMPLETIONS: i32 = 100_000;

/// See [`HIGH_COMPLETIONS`].
const HIGH_PARALLELISM: i32 = 10_000;

/// Warnings, each a sentence that begins with its field.
#[derive(Debug, Default)]
struct Warnings(Vec<String>);

impl Warnings {
    fn add(&mut self, path: &FieldPath, what: impl AsRef<str>) {
        self.0.push(format!("{path}: {}", what.as_ref()));
    }

    fn say(&mut self, sentence: String) {
        self.0.push(sentence);
    }
}

/// What there is to warn of in a CronJob.
pub fn cron_job(cron_job: &CronJob) -> Vec<String> {
    let mut warnings = Warnings::default();
    let used = "this is used in Pod names and hostnames";
    name(cron_job.metadata.name.as_deref(), used, &mut warnings);
    if let Some(spec) = &cron_job.spec.job_template.spec {
        job_spec(spec, &FieldPath::of("spec.jobTemplate.spec"), &mut warnings);
    }
    warnings.0
}

/// What there is to warn of in a Job.
pub fn job(job: &Job) -> Vec<String> {
    let mut warnings = Warnings::default();
    let used = "this is used in Pod names and hostnames";
    name(job.metadata.name.as_deref(), used, &mut warnings);
    if let Some(spec) = &job.spec {
        job_spec(spec, &FieldPath::of("spec"), &mut warnings);
    }
    warnings.0
}

/// What there is to warn of in a pod.
pub fn pod(pod: &Pod) -> Vec<String> {
    let mut warnings = Warnings::default();
    let used = "this is used in the Pod's hostname";
    name(pod.metadata.name.as_deref(), used, &mut warnings);
    if let Some(spec) = &pod.spec {
        let annotations = pod.metadata.annotations.as_ref();
        pods::check(spec, annotations, &FieldPath::root(), &mut warnings);
    }
    warnings.0
}

/// A name that is right, and will be cut or taken for more than one name where it is used.
fn name(name: Option<&str>, used: &str, warnings: &mut Warnings) {
    let rules = names::dns_label(name.unwrap_or_default());
    if name.is_some() && !rules.is_empty() {
        let rules = rules.join(" ");
        let what =
            format!("{used}, which can result in surprising behavior; a DNS label is recommended: [{rules}]");
        warnings.add(&FieldPath::of("metadata.name"), what);
    }
}

fn job_spec(spec: &JobSpec, path: &FieldPath, warnings: &mut Warnings) {
    let is_more = |count: Option<i32>, limit| count.is_some_and(|count| count > limit);
    if completion::is_indexed(spec)
        && is_more(spec.completions, HIGH_COMPLETIONS)
        && is_more(spec.parallelism, HIGH_PARALLELISM)
    {
        let what = "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
            Kubernetes might not be able to track completedIndexes when a big number of indexes fail";
        warnings.add(path, what);
    }
    template(&spec.template, &path.child("template"), warnings);
}

fn template(template: &PodTemplateSpec, path: &FieldPath, warnings: &mut Warnings) {
    let annotations = template
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.annotations.as_ref());
    if let Some(spec) = &template.spec {
        pods::check(spec, annotations, path, warnings);
    }
}
