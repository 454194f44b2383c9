//! Pods (`pkg/registry/core/pod`).

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{ObjectType, Strategy, causes, qos, read_as, warnings_of, with_defaults};
use crate::manifest::{defaults, validate};
use crate::schedule::TimeZones;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::meta;

/// How long a pod is given to end when neither it nor the delete says: the default of `terminationGracePeriodSeconds`.
const POD_GRACE_SECONDS: i64 = 30;

/// Pods.
#[derive(Debug)]
pub struct Pods;

impl Strategy for Pods {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<Pod>()
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let new: Pod = read_as(object)?;
        let Some(old) = old else {
            return causes(validate::pod::create(&new));
        };
        let old = with_defaults(old, defaults::pod);
        causes(validate::pod::update(&new, &read_as(&old)?))
    }

    fn default(&self, object: &mut Value) {
        defaults::pod(object);
    }

    fn prepare_create(&self, object: &mut Value) {
        self.default(object);
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

    /// Who reports on a pod does not say whose it is (`podStatusStrategy`).
    fn prepare_status(&self, object: &mut Value, old: &Value) {
        meta::carry(object, old, "ownerReferences");
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
            "status.podIPs",
            "status.nominatedNodeName",
        ]
    }
}

/// Whether a pod is kept back until all its gates have been taken away: [`validate::pod::is_gated`], of JSON.
pub(in crate::standalone::api) fn is_gated(pod: &Value) -> bool {
    let gates = pod["spec"]["schedulingGates"].as_array();
    gates.is_some_and(|gates| !gates.is_empty())
}
