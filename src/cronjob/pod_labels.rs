//! The labels that a Job's pods carry: whose they are (`batch/v1`, "Job Labels" in Kubernetes' documentation of Jobs).

/// The Job's UID. Its selector looks for this one.
pub const CONTROLLER_UID_LABEL: &str = "batch.kubernetes.io/controller-uid";

/// The Job's name.
pub const JOB_NAME_LABEL: &str = "batch.kubernetes.io/job-name";

/// The same as older tools know it.
const LEGACY_CONTROLLER_UID: &str = "controller-uid";
const LEGACY_JOB_NAME: &str = "job-name";

/// The labels by which the pods of a Job are known, each with what it says: the Job's UID or its name. The old ones come
/// first, as in what the API server says of them.
pub fn pod_labels<T: Copy>(uid: T, name: T) -> [(&'static str, T); 4] {
    [
        (LEGACY_CONTROLLER_UID, uid),
        (LEGACY_JOB_NAME, name),
        (CONTROLLER_UID_LABEL, uid),
        (JOB_NAME_LABEL, name),
    ]
}
