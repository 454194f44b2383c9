//! What a pod can tell about itself: `fieldRef` and `resourceFieldRef` (the downward API).
//!
//! The fields are those of Kubernetes' documentation, "Downward API". A container without a limit is told what the
//! machine has, as there.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceFieldSelector};

use super::sources::Capacity;
use crate::manifest::quantity::Quantity;
use crate::standalone::runtime::ADDRESS;

/// A field of the pod, by the path that Kubernetes gives it. A label or annotation that is not set is empty.
pub(super) fn field(pod: &Pod, path: &str) -> Option<String> {
    let spec = pod.spec.as_ref();
    match path {
        "metadata.name" => pod.metadata.name.clone(),
        "metadata.namespace" => pod.metadata.namespace.clone(),
        "metadata.uid" => pod.metadata.uid.clone(),
        "spec.nodeName" => Some(spec?.node_name.clone().unwrap_or_default()),
        "spec.serviceAccountName" => Some(
            spec?
                .service_account_name
                .clone()
                .unwrap_or_else(|| "default".to_owned()),
        ),
        "status.podIP" | "status.podIPs" | "status.hostIP" | "status.hostIPs" => Some(ADDRESS.to_owned()),
        _ => {
            let (map, key) = path.strip_suffix("']")?.split_once("['")?;
            let map = match map {
                "metadata.labels" => pod.metadata.labels.as_ref(),
                "metadata.annotations" => pod.metadata.annotations.as_ref(),
                _ => return None,
            };
            Some(map.and_then(|map| map.get(key)).cloned().unwrap_or_default())
        }
    }
}

/// A field of the pod as a file of a volume, where all labels and all annotations can be had as well.
pub(in crate::standalone::runtime) fn field_as_file(pod: &Pod, path: &str) -> Option<String> {
    match path {
        "metadata.labels" => Some(one_a_line(pod.metadata.labels.as_ref())),
        "metadata.annotations" => Some(one_a_line(pod.metadata.annotations.as_ref())),
        _ => field(pod, path),
    }
}

/// `key="value"`, one a line, as Kubernetes writes it.
fn one_a_line(map: Option<&BTreeMap<String, String>>) -> String {
    let lines = map.into_iter().flatten();
    let lines: Vec<String> = lines.map(|(key, value)| format!("{key}={value:?}")).collect();
    lines.join("\n")
}

/// An amount that a container may use or asks for, as a number of the selector's `divisor`.
pub(in crate::standalone::runtime) fn resource(
    container: &Container,
    selector: &ResourceFieldSelector,
    machine: &Capacity,
) -> Option<i64> {
    let (list, name) = selector.resource.split_once('.')?;
    let on_machine = match name {
        "cpu" => machine.cpu,
        "memory" => machine.memory,
        "ephemeral-storage" => Quantity::default(),
        _ => return None,
    };
    let resources = container.resources.as_ref();
    let written = |list: Option<&BTreeMap<String, _>>| written_amount(list, name);
    let limit = written(resources.and_then(|resources| resources.limits.as_ref()));
    let request = written(resources.and_then(|resources| resources.requests.as_ref()));
    let amount = match list {
        "limits" => limit.unwrap_or(on_machine),
        "requests" => request.or(limit).unwrap_or_default(),
        _ => return None,
    };
    let divisor = selector.divisor.as_ref();
    let unit = divisor.and_then(|divisor| Quantity::parse(&divisor.0));
    Some(amount.in_units_of(unit.unwrap_or_default()))
}

fn written_amount(
    list: Option<&BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>,
    name: &str,
) -> Option<Quantity> {
    Quantity::parse(&list?.get(name)?.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(resource_name: &str, divisor: &str) -> Option<i64> {
        let container = json!({
            "name": "main",
            "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}, "requests": {"cpu": "250m"}},
        });
        let selector = json!({"resource": resource_name, "divisor": divisor});
        let machine = Capacity {
            cpu: Quantity::whole(2),
            memory: Quantity::whole(1 << 30),
        };
        resource(
            &serde_json::from_value(container).unwrap(),
            &serde_json::from_value(selector).unwrap(),
            &machine,
        )
    }

    #[test]
    fn amounts_in_units_of_the_divisor() {
        assert_eq!(told("limits.cpu", "0"), Some(2));
        assert_eq!(told("limits.cpu", "1m"), Some(1500));
        assert_eq!(told("limits.memory", "1Mi"), Some(64));
        assert_eq!(told("requests.cpu", "1m"), Some(250));
        // As the API server fills it in: what is limited is asked for.
        assert_eq!(told("requests.memory", "1Mi"), Some(64));
        assert_eq!(told("limits.gpu", "1"), None);
        assert_eq!(told("cpu", "1"), None);
    }

    #[test]
    fn without_a_limit_the_machine_is_the_limit() {
        let container = Container::default();
        let machine = Capacity {
            cpu: Quantity::whole(2),
            memory: Quantity::whole(1 << 30),
        };
        let of = |resource_name: &str| {
            let selector = ResourceFieldSelector {
                resource: resource_name.to_owned(),
                ..ResourceFieldSelector::default()
            };
            resource(&container, &selector, &machine)
        };
        assert_eq!(of("limits.cpu"), Some(2));
        assert_eq!(of("limits.memory"), Some(1 << 30));
        assert_eq!(of("requests.cpu"), Some(0));
    }

    #[test]
    fn all_labels_are_a_file() {
        let pod = json!({"metadata": {"labels": {"b": "2", "a": "say \"hi\""}}});
        let pod = serde_json::from_value(pod).unwrap();
        assert_eq!(
            field_as_file(&pod, "metadata.labels").unwrap(),
            "a=\"say \\\"hi\\\"\"\nb=\"2\""
        );
        assert_eq!(field_as_file(&pod, "metadata.annotations").unwrap(), "");
        assert_eq!(field(&pod, "metadata.labels"), None);
    }
}
