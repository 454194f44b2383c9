//! Eviction of a pod: it is marked as disrupted, which is told from a failure of its own by a Job's `podFailurePolicy`, and
//! then deleted (`pkg/registry/core/pod/storage/eviction.go`). There are no disruption budgets on one machine.

use axum::response::Response;
use http::StatusCode;
use k8s_openapi::api::policy::v1::Eviction;
use serde_json::{Value, json};

use super::body::{Content, answer_json, may_be};
use super::call::Call;
use super::collection::check_namespace;
use super::item::deletion_by;
use super::params::WriteQuery;
use super::{ApiError, meta};
use crate::manifest::misfit;
use crate::standalone::api::registry::{Mode, Owners, Part, check_preconditions, read};
use crate::standalone::api::resource::Resource;

/// What a body is.
const API_VERSION: &str = "policy/v1";
const KIND: &str = "Eviction";

/// What discovery says of it.
pub(super) fn entry(pods: &Resource) -> Value {
    json!({
        "name": format!("{}/eviction", pods.plural),
        "singularName": "",
        "namespaced": true,
        "group": "policy",
        "version": "v1",
        "kind": KIND,
        "verbs": ["create"],
    })
}

/// `POST` to a pod's `eviction`.
pub(super) async fn evict(call: Call, content: Content) -> Result<Response, ApiError> {
    let eviction = content.value()?;
    if !may_be(&eviction, API_VERSION, KIND) {
        return Err(ApiError::bad_request(format!(
            "expected an {KIND} of {API_VERSION}"
        )));
    }
    if meta::name(&eviction) != call.target.name {
        return Err(ApiError::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    check_namespace(&call.target.namespace, meta::namespace(&eviction))?;
    let query: WriteQuery = call.query()?;
    let eviction: Eviction = misfit::read(&eviction)
        .map_err(|misfit| ApiError::bad_request(format!("the body is not a valid {KIND}: {misfit}")))?;
    let (mut deletion, mode) = deletion_by(eviction.delete_options.unwrap_or_default(), query)?;
    let (registry, pods) = (call.endpoint.registry(), call.endpoint.resource);
    if mode == Mode::Real {
        let at = meta::time(registry.now());
        let mark = |pod: &Value| {
            check_preconditions(pods, &call.target.name, pod, &deletion)?;
            Ok(marked(pod.clone(), &at))
        };
        let marked = registry
            .update(pods, &call.key(), Part::Status, mode, Owners::AsBefore, mark)
            .await?;
        // What was asked holds for the pod as it was before it was marked; and no namesake of it is deleted.
        deletion.resource_version = None;
        deletion.uid = Some(meta::uid(&read(&marked)?).to_owned());
    }
    registry.delete(pods, &call.key(), &deletion, mode).await?;
    let evicted = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    });
    Ok(answer_json(StatusCode::CREATED, &evicted))
}

/// The pod with the condition that it is disrupted.
fn marked(mut pod: Value, at: &Value) -> Value {
    let condition = json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastTransitionTime": at,
    });
    let conditions = &mut pod["status"]["conditions"];
    match conditions.as_array_mut() {
        Some(conditions) => {
            conditions.retain(|other| other["type"] != condition["type"]);
            conditions.push(condition);
        }
        None => *conditions = json!([condition]),
    }
    pod
}
