//! Namespaces (`pkg/registry/core/namespace`).

use k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};

use super::{ObjectType, Strategy, causes, check_metadata, read_as};
use crate::manifest::path::FieldPath;
use crate::manifest::validate::names::dns_label;
use crate::manifest::validate::{Findings, metadata};
use crate::schedule::TimeZones;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::meta;

/// The namespaces that every client may rely on (the admission plugin `NamespaceLifecycle`).
const IMMORTAL_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-public"];

/// The finalizer in the spec of every namespace that stands for what is in it.
pub(in crate::standalone::api) const OF_CONTENTS: &str = "kubernetes";

/// The phases of a namespace: it is in use, or it goes.
const ACTIVE: &str = "Active";
const TERMINATING: &str = "Terminating";

/// Namespaces.
#[derive(Debug)]
pub struct Namespaces;

impl Strategy for Namespaces {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<Namespace>()
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut found = check_metadata::<Namespace>(object, old)?;
        let name = meta::name(object);
        // A namespace is also a label and a part of host names, so it has no dots.
        if old.is_none() && !name.is_empty() {
            found.retain(|cause| cause.field != "metadata.name");
            let broken = |rule: String| Cause::invalid("metadata.name", &json!(name), &rule);
            found.splice(0..0, dns_label(name).into_iter().map(broken));
        }
        let spec = read_as::<Namespace>(object)?.spec.unwrap_or_default();
        let mut of_spec = Findings::default();
        let path = FieldPath::of("spec.finalizers");
        metadata::finalizers_of_namespace(&spec.finalizers.unwrap_or_default(), &path, &mut of_spec);
        found.extend(causes(of_spec.into_errors())?);
        Ok(found)
    }

    /// Clients may say what it is like, but not that it goes, or that it does not.
    fn check_status(&self, object: &Value, old: &Value) -> Result<Vec<Cause>, String> {
        let mut found = check_metadata::<Namespace>(object, Some(old))?;
        let (phase, rule) = if meta::is_deleting(object) {
            (
                TERMINATING,
                "may only be 'Terminating' if `deletionTimestamp` is not empty",
            )
        } else {
            (ACTIVE, "may only be 'Active' if `deletionTimestamp` is empty")
        };
        let written = &object["status"]["phase"];
        if written != phase {
            found.push(Cause::invalid("status.Phase", written, rule));
        }
        Ok(found)
    }

    fn default(&self, object: &mut Value) {
        label_with_name(object);
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({ "phase": ACTIVE });
        let finalizers = meta::spec(object).map(|spec| spec.entry("finalizers").or_insert_with(|| json!([])));
        if let Some(Value::Array(finalizers)) = finalizers
            && !finalizers.iter().any(|name| name == OF_CONTENTS)
        {
            finalizers.push(OF_CONTENTS.into());
        }
        self.default(object);
    }

    fn prepare_update(&self, object: &mut Value, old: &Value) {
        object["spec"] = old["spec"].clone();
    }

    fn prepare_status(&self, object: &mut Value, _old: &Value) {
        let status = object
            .as_object_mut()
            .and_then(|fields| meta::section(fields, "status"));
        if let Some(status) = status {
            meta::default(status, "phase", ACTIVE);
        }
        label_with_name(object);
    }

    fn prepare_finalize(&self, object: &mut Value) {
        meta::spec(object);
    }

    fn forbids_deletion(&self, name: &str) -> Option<&'static str> {
        IMMORTAL_NAMESPACES
            .contains(&name)
            .then_some("this namespace may not be deleted")
    }

    fn begin_deletion(&self, object: &mut Value) {
        object["status"]["phase"] = TERMINATING.into();
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

/// Network policies and the like select namespaces by labels only, so that its name is one.
fn label_with_name(object: &mut Value) {
    let name = meta::name(object).to_owned();
    let labels = object["metadata"]
        .as_object_mut()
        .and_then(|metadata| meta::section(metadata, "labels"));
    if let Some(labels) = labels {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}
