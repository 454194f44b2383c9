//! Nodes (`pkg/registry/core/node`), of which there is one: this machine.

use k8s_openapi::api::core::v1::Node;
use serde_json::Value;

use super::{ObjectType, Strategy, check_metadata};
use crate::schedule::TimeZones;
use crate::standalone::api::cause::Cause;

/// DIFFERENCE: a taint that kept nothing off would deceive who sets it.
const NODE_SPEC: &str = "on one machine nothing heeds it; `kubectl cordon` keeps pods from starting, and `kubectl uncordon` lets them";

/// Nodes.
#[derive(Debug)]
pub struct Nodes;

impl Strategy for Nodes {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<Node>()
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
