//! Whether pods can run here, as far as that can be known before there are any: who writes a manifest by day is not there
//! when its run fails at night.

use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use kube::Client;

use super::all_containers;
use super::containers;
use super::process::fitness;
use super::runtimes::Runtimes;
use super::variables::environment::{self, EnvironmentError};
use super::variables::sources::{Sources, fetch};
use super::volumes::{self, VolumeError};
use crate::cronjob::extension::Runtime;

/// Why pods of a template could not start here and now, in the words of a pod that can't; nothing, where nothing is known
/// against it.
///
/// # Errors
///
/// When the config maps and secrets that they need can't be read.
pub async fn hindrance(
    client: &Client,
    namespace: &str,
    template: &PodTemplateSpec,
    runtimes: &Runtimes,
) -> kube::Result<Option<String>> {
    let mut pod = Pod {
        metadata: template.metadata.clone().unwrap_or_default(),
        spec: template.spec.clone(),
        status: None,
    };
    pod.metadata.namespace = Some(namespace.to_owned());
    if let Err(unfit) = check(&pod, runtimes) {
        return Ok(Some(unfit.to_string()));
    }
    let mut references = volumes::references(&pod);
    references.extend(
        pod.spec
            .iter()
            .flat_map(all_containers)
            .flat_map(environment::references),
    );
    let mut sources = Sources::default();
    fetch(client, namespace, references, &mut sources).await?;
    Ok(missing(&pod, &sources))
}

fn check(pod: &Pod, runtimes: &Runtimes) -> Result<(), fitness::Unfit> {
    match runtimes.of(pod)? {
        Runtime::Process => fitness::check_here(pod, &runtimes.entrypoints),
        Runtime::Container => containers::check(pod),
    }
}

/// What pods need, and is not there. What is made out of a pod itself, and can't be, may be something that only the pod has.
fn missing(pod: &Pod, sources: &Sources) -> Option<String> {
    let of_variables = pod.spec.iter().flat_map(all_containers).find_map(|container| {
        let error = environment::resolve(pod, container, sources).err()?;
        let is_missing = matches!(
            error,
            EnvironmentError::MissingObject { .. } | EnvironmentError::MissingKey { .. }
        );
        is_missing.then(|| error.to_string())
    });
    of_variables.or_else(|| {
        let error = volumes::contents(pod, sources).err()?;
        let is_missing = matches!(
            error,
            VolumeError::MissingObject { .. } | VolumeError::MissingKey { .. }
        );
        is_missing.then(|| error.to_string())
    })
}
