//! The rules of the core group and of leases (`pkg/registry/core`, `pkg/registry/coordination`).

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Pod, Secret, Service, ServiceAccount};
use serde_json::{Value, json};

use super::{Strategy, causes, check_metadata, data, qos, read_as, unknown_to, warnings_of, with_defaults};
use crate::manifest::defaults;
use crate::manifest::path::FieldPath;
use crate::manifest::validate::{self, names::dns_label};
use crate::schedule::TimeZones;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::meta;

/// How long a pod is given to end when neither it nor the delete says: the default of `terminationGracePeriodSeconds`.
const POD_GRACE_SECONDS: i64 = 30;

/// The namespaces that every client may rely on (the admission plugin `NamespaceLifecycle`).
const IMMORTAL_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Kinds of which there are no objects.
#[derive(Debug)]
pub struct Absent;

/// Config maps.
#[derive(Debug)]
pub struct ConfigMaps;

/// Leases.
#[derive(Debug)]
pub struct Leases;

/// Namespaces.
#[derive(Debug)]
pub struct Namespaces;

/// Nodes.
#[derive(Debug)]
pub struct Nodes;

/// Pods.
#[derive(Debug)]
pub struct Pods;

/// Secrets.
#[derive(Debug)]
pub struct Secrets;

/// Service accounts.
#[derive(Debug)]
pub struct ServiceAccounts;

/// Services.
#[derive(Debug)]
pub struct Services;

impl Strategy for Absent {
    fn check_types(&self, _object: &Value) -> Result<(), String> {
        Ok(())
    }

    fn unknown_fields(&self, _object: &Value) -> Vec<FieldPath> {
        Vec::new()
    }

    fn check(&self, _object: &Value, _old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        Ok(Vec::new())
    }
}

impl Strategy for ConfigMaps {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<ConfigMap>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<ConfigMap>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<ConfigMap>(object, old)?;
        causes.extend(unless_immutable(object, old, &["data", "binaryData"]));
        causes.extend(data::of_config_map(&read_as(object)?));
        Ok(causes)
    }
}

impl Strategy for Secrets {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<Secret>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<Secret>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<Secret>(object, old)?;
        if old.is_some_and(|old| object["type"] != old["type"]) {
            causes.push(Cause::invalid("type", &object["type"], "field is immutable"));
        }
        causes.extend(unless_immutable(object, old, &["data"]));
        causes.extend(data::of_secret(&read_as(object)?));
        Ok(causes)
    }

    fn prepare_create(&self, object: &mut Value) {
        self.prepare_update(object, &Value::Null);
    }

    fn prepare_update(&self, object: &mut Value, _old: &Value) {
        if let Some(fields) = object.as_object_mut() {
            meta::default(fields, "type", "Opaque");
        }
        encode_string_data(object);
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["type"]
    }
}

impl Strategy for ServiceAccounts {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<ServiceAccount>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<ServiceAccount>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        check_metadata::<ServiceAccount>(object, old)
    }
}

impl Strategy for Services {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<Service>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<Service>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        check_metadata::<Service>(object, old)
    }
}

impl Strategy for Leases {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<Lease>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<Lease>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<Lease>(object, old)?;
        causes.extend(lease_numbers(object));
        Ok(causes)
    }

    /// A lease is a lock: who takes it must know whom it takes it from.
    fn update_needs_revision(&self) -> bool {
        true
    }
}

/// DIFFERENCE: a taint that kept nothing off would deceive who sets it.
const NODE_SPEC: &str = "on one machine nothing heeds it; `kubectl cordon` keeps pods from starting, and `kubectl uncordon` lets them";

impl Strategy for Nodes {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<Node>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<Node>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<Node>(object, old)?;
        let fields = object["spec"].as_object().into_iter().flatten();
        let changed = fields.filter(|(name, value)| {
            let before = old.map_or(&Value::Null, |old| &old["spec"][name.as_str()]);
            *name != "unschedulable" && *value != before
        });
        causes.extend(changed.map(|(name, _)| Cause::forbidden(format!("spec.{name}"), NODE_SPEC)));
        Ok(causes)
    }

    /// DIFFERENCE: nothing would bring it back before the next start.
    fn forbids_deletion(&self, _name: &str) -> Option<&'static str> {
        Some("it stands for this machine, and goes with `punctual up`")
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["spec.unschedulable"]
    }
}

impl Strategy for Namespaces {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<Namespace>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<Namespace>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<Namespace>(object, old)?;
        let name = meta::name(object);
        // A namespace is also a label and a part of host names, so it has no dots.
        if old.is_none() && !name.is_empty() {
            causes.retain(|cause| cause.field != "metadata.name");
            let broken = |rule: String| Cause::invalid("metadata.name", &json!(name), &rule);
            causes.splice(0..0, dns_label(name).into_iter().map(broken));
        }
        Ok(causes)
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({ "phase": "Active" });
        object["spec"] = json!({ "finalizers": ["kubernetes"] });
        self.prepare_update(object, &json!({ "spec": object["spec"] }));
    }

    fn prepare_update(&self, object: &mut Value, old: &Value) {
        object["spec"] = old["spec"].clone();
        let name = meta::name(object).to_owned();
        let labels = object["metadata"]
            .as_object_mut()
            .and_then(|metadata| meta::section(metadata, "labels"));
        if let Some(labels) = labels {
            labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
        }
    }

    fn forbids_deletion(&self, name: &str) -> Option<&'static str> {
        IMMORTAL_NAMESPACES
            .contains(&name)
            .then_some("this namespace may not be deleted")
    }

    fn begin_deletion(&self, object: &mut Value) {
        object["status"] = json!({ "phase": "Terminating" });
    }

    /// A namespace stays until its contents are gone, which the collector sees to.
    fn is_held(&self, object: &Value) -> bool {
        object["spec"]["finalizers"]
            .as_array()
            .is_some_and(|finalizers| !finalizers.is_empty())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["status.phase"]
    }
}

impl Strategy for Pods {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<Pod>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<Pod>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let new: Pod = read_as(object)?;
        let Some(old) = old else {
            return causes(validate::pod::create(&new));
        };
        let old = with_defaults(old, defaults::pod);
        causes(validate::pod::update(&new, &read_as(&old)?))
    }

    fn prepare_create(&self, object: &mut Value) {
        defaults::pod(object);
        object["status"] = json!({ "phase": "Pending", "qosClass": qos::class(&object["spec"]) });
        if is_gated(object) {
            object["status"]["conditions"] = json!([{
                "type": "PodScheduled",
                "status": "False",
                "reason": "SchedulingGated",
                "lastTransitionTime": object["metadata"]["creationTimestamp"],
                "message": "Scheduling is blocked due to non-empty scheduling gates",
            }]);
        }
    }

    /// What is left out is as it is by default, or leaving it out would be a change.
    fn prepare_update(&self, object: &mut Value, _old: &Value) {
        defaults::pod(object);
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        warnings_of(object, validate::warnings::pod)
    }

    fn counts_generations(&self) -> bool {
        true
    }

    /// A pod that nobody has started, or that has ended, needs no time to end.
    fn grace_seconds(&self, pod: &Value, asked: Option<i64>) -> i64 {
        let phase = pod["status"]["phase"].as_str().unwrap_or("Pending");
        let scheduled = pod["spec"]["nodeName"].is_string() || pod["status"]["startTime"].is_string();
        if phase == "Succeeded" || phase == "Failed" || (phase == "Pending" && !scheduled) {
            return 0;
        }
        let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64();
        // A negative period means "at once, but let the node know": Kubernetes makes it one second.
        let seconds = asked.or(own).unwrap_or(POD_GRACE_SECONDS);
        if seconds < 0 { 1 } else { seconds }
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ]
    }
}

/// Whether a pod is kept back (`schedulingGates`).
pub(in crate::standalone::api) fn is_gated(pod: &Value) -> bool {
    let gates = pod["spec"]["schedulingGates"].as_array();
    gates.is_some_and(|gates| !gates.is_empty())
}

/// The complaints about the numbers of a lease.
fn lease_numbers(lease: &Value) -> Vec<Cause> {
    [
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ]
    .into_iter()
    .filter_map(|(field, least, rule)| {
        let number = lease["spec"][field].as_i64().filter(|number| *number < least)?;
        Some(Cause::invalid(format!("spec.{field}"), &json!(number), rule))
    })
    .collect()
}

/// The complaints about changes to an object that was made immutable.
fn unless_immutable(object: &Value, old: Option<&Value>, fields: &[&str]) -> Vec<Cause> {
    let Some(old) = old.filter(|old| old["immutable"] == Value::Bool(true)) else {
        return Vec::new();
    };
    let detail = "field is immutable when `immutable` is set";
    let is_empty = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    let changed = |field: &&&str| {
        let (new, old) = (&object[**field], &old[**field]);
        new != old && !(is_empty(new) && is_empty(old))
    };
    let mut causes: Vec<Cause> = fields
        .iter()
        .filter(changed)
        .map(|field| Cause::forbidden(*field, detail))
        .collect();
    if object["immutable"] != old["immutable"] {
        causes.insert(0, Cause::forbidden("immutable", detail));
    }
    causes
}

/// Moves `stringData`, which is written but never read, into `data`.
fn encode_string_data(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = fields.remove("stringData") else {
        return;
    };
    let Some(data) = meta::section(fields, "data") else {
        return;
    };
    for (key, value) in plain {
        if let Some(text) = value.as_str() {
            let bytes = k8s_openapi::ByteString(text.as_bytes().to_vec());
            data.insert(key, serde_json::to_value(bytes).unwrap_or_default());
        }
    }
}
