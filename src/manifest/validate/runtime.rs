//! What pods ask to run as, by the annotation `punctual.dev/runtime`. One that there is not is refused where it is written,
//! as a `runtimeClassName` that there is not is in a cluster: pods that had it would fail, one after the other, until their
//! Job's `backoffLimit` is reached.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::Findings;
use crate::cronjob::extension::Runtime;
use crate::manifest::path::FieldPath;

/// Checks what the metadata of a pod, or of a template, ask for.
pub(super) fn check(metadata: Option<&ObjectMeta>, path: &FieldPath, found: &mut Findings) {
    if let Err(mistake) = Runtime::asked(annotations(metadata)) {
        let path = path.child("annotations").key(&mistake.name);
        found.not_supported(&path, &mistake.value, &Runtime::WORDS);
    }
}

/// The same of metadata that take the place of others: what those asked for may stay, so that what was stored before this
/// was checked can be changed elsewhere.
pub(super) fn check_update(
    new: Option<&ObjectMeta>,
    old: Option<&ObjectMeta>,
    path: &FieldPath,
    found: &mut Findings,
) {
    if Runtime::asked(annotations(new)) != Runtime::asked(annotations(old)) {
        check(new, path, found);
    }
}

fn annotations(metadata: Option<&ObjectMeta>) -> Option<&BTreeMap<String, String>> {
    metadata?.annotations.as_ref()
}
