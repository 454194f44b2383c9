//! Whose a pod is.
//!
//! An owner reference has a uid and no namespace: the owner is in the namespace of who names it (`resolveControllerRef` of
//! Kubernetes' Job controller). A pod that names a Job of another namespace, such as a copy that was made to look into a
//! failure, has no owner. So a Job is told from others by both, and nothing here is kept by the uid alone.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::objects::Uid;

/// A Job, as its pods know it, or nobody in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct JobKey {
    pub(super) namespace: String,
    /// None, when it is nobody.
    pub(super) uid: Option<Uid>,
}

impl JobKey {
    /// The key of a Job.
    pub(super) fn of(job: &Job) -> Self {
        let job = &job.metadata;
        Self {
            namespace: job.namespace.clone().unwrap_or_default(),
            uid: job.uid.clone(),
        }
    }

    /// The Job that controls a pod, whether there is such a Job or not, or nobody.
    pub(super) fn owner_of(pod: &Pod) -> Self {
        Self {
            namespace: pod.metadata.namespace.clone().unwrap_or_default(),
            uid: controller(pod).map(ToOwned::to_owned),
        }
    }

    /// Nobody in the same namespace.
    pub(super) fn nobody(&self) -> Self {
        Self {
            namespace: self.namespace.clone(),
            uid: None,
        }
    }

    /// Whether it is nobody.
    pub(super) fn is_nobody(&self) -> bool {
        self.uid.is_none()
    }
}

/// The uid of the Job that controls a pod.
fn controller(pod: &Pod) -> Option<&str> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    let job = owners.find(|owner| owner.controller == Some(true) && owner.kind == "Job");
    job.map(|owner| owner.uid.as_str())
}

/// Whether a Job is the pod's controller.
pub(super) fn owns(job: &Job, pod: &Pod) -> bool {
    let (job, controller) = (&job.metadata, controller(pod));
    controller.is_some() && controller == job.uid.as_deref() && pod.metadata.namespace == job.namespace
}
