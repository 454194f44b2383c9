//! The defaults of a pod's spec.

use serde_json::{Value, json};

use super::{Object, fill, fill_empty, object_at, objects};

/// The mode of the files in a volume, 0644.
const FILE_MODE: u32 = 0o644;

/// Fills in the pod's spec at a JSON pointer.
pub(super) fn defaults(object: &mut Value, pointer: &str) {
    let Some(pod) = object_at(object, pointer) else {
        return;
    };
    fill_empty(pod, "dnsPolicy", &json!("ClusterFirst"));
    fill_empty(pod, "schedulerName", &json!("default-scheduler"));
    fill(pod, "securityContext", json!({}));
    account(pod);
    fill(pod, "terminationGracePeriodSeconds", json!(30));
    for list in ["containers", "initContainers"] {
        objects(pod.get_mut(list)).for_each(container);
    }
    objects(pod.get_mut("volumes")).for_each(volume);
}

/// A service account has two names, of which the second is outdated: they are the same.
fn account(pod: &mut Object) {
    if let Some(outdated) = pod.get("serviceAccount").cloned() {
        fill_empty(pod, "serviceAccountName", &outdated);
    }
    match pod.get("serviceAccountName").cloned() {
        Some(name) if name != "" => drop(pod.insert("serviceAccount".to_owned(), name)),
        _ => {}
    }
}

/// Fills in what only a pod gets, and no template.
pub(super) fn of_its_own(pod: &mut Value) {
    let Some(pod) = object_at(pod, "/spec") else {
        return;
    };
    fill_empty(pod, "restartPolicy", &json!("Always"));
    fill(pod, "enableServiceLinks", json!(true));
    for list in ["containers", "initContainers"] {
        objects(pod.get_mut(list)).for_each(requests);
    }
}

/// What is limited is also asked for.
fn requests(container: &mut Object) {
    let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) else {
        return;
    };
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else {
        return;
    };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    let Some(requests) = requests.as_object_mut() else {
        return;
    };
    for (name, limit) in limits {
        fill(requests, &name, limit);
    }
}

fn container(container: &mut Object) {
    fill_empty(container, "imagePullPolicy", &json!(pull_policy(container)));
    fill(container, "resources", json!({}));
    fill_empty(
        container,
        "terminationMessagePath",
        &json!("/dev/termination-log"),
    );
    fill_empty(container, "terminationMessagePolicy", &json!("File"));
    for port in objects(container.get_mut("ports")) {
        fill_empty(port, "protocol", &json!("TCP"));
    }
    for variable in objects(container.get_mut("env")) {
        if let Some(field) = variable
            .get_mut("valueFrom")
            .and_then(|source| object_at(source, "/fieldRef"))
        {
            fill_empty(field, "apiVersion", &json!("v1"));
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) {
            self::probe(probe);
        }
    }
}

/// An image that can change under its name is pulled each time; what is no name does not.
fn pull_policy(container: &Object) -> &'static str {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let is_fixed = name.contains('@') || name.split_once(':').is_some_and(|(_, tag)| tag != "latest");
    if is_fixed || image.is_empty() {
        "IfNotPresent"
    } else {
        "Always"
    }
}

fn probe(probe: &mut Object) {
    fill(probe, "timeoutSeconds", json!(1));
    fill(probe, "periodSeconds", json!(10));
    fill(probe, "successThreshold", json!(1));
    fill(probe, "failureThreshold", json!(3));
    if let Some(request) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
        fill_empty(request, "path", &json!("/"));
        fill_empty(request, "scheme", &json!("HTTP"));
    }
}

/// A volume without a source is an empty directory.
fn volume(volume: &mut Object) {
    if volume
        .iter()
        .all(|(field, value)| field == "name" || value.is_null())
    {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for source in ["secret", "configMap", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(source).and_then(Value::as_object_mut) {
            fill(source, "defaultMode", json!(FILE_MODE));
        }
    }
    if let Some(path) = volume.get_mut("hostPath").and_then(Value::as_object_mut) {
        fill(path, "type", json!(""));
    }
}
