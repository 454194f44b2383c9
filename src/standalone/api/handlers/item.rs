//! Requests to one object: get, update, patch, delete.

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};

use super::body::{Content, answer, answer_json, as_object, check_fields, negotiate};
use super::collection::check_namespace;
use super::params::{Target, WriteQuery, mode, query};
use super::{ApiError, Endpoint, meta};
use crate::standalone::api::patch::Patch;
use crate::standalone::api::registry::{self, Deleted, Deletion, Mode, Part};
use crate::standalone::api::strategy::Propagation;
use crate::standalone::store::Key;

/// `GET` of an object, or of its status, which is the same answer.
pub(super) async fn read(
    State(endpoint): State<Endpoint>,
    Path(target): Path<Target>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    negotiate(&headers)?;
    let object = endpoint
        .registry()
        .get(endpoint.resource, &target.namespace, &target.name)
        .await?;
    Ok(answer(StatusCode::OK, &endpoint.shown(object)?))
}

/// `PUT` of an object.
pub(super) async fn replace(
    State(endpoint): State<Endpoint>,
    Path(target): Path<Target>,
    uri: Uri,
    content: Content,
) -> Result<Response, ApiError> {
    put(endpoint, target, Part::Main, &uri, &content).await
}

/// `PUT` of an object's status.
pub(super) async fn replace_status(
    State(endpoint): State<Endpoint>,
    Path(target): Path<Target>,
    uri: Uri,
    content: Content,
) -> Result<Response, ApiError> {
    put(endpoint, target, Part::Status, &uri, &content).await
}

/// `PATCH` of an object.
pub(super) async fn patch(
    State(endpoint): State<Endpoint>,
    Path(target): Path<Target>,
    uri: Uri,
    content: Content,
) -> Result<Response, ApiError> {
    apply_patch(endpoint, target, Part::Main, &uri, &content).await
}

/// `PATCH` of an object's status.
pub(super) async fn patch_status(
    State(endpoint): State<Endpoint>,
    Path(target): Path<Target>,
    uri: Uri,
    content: Content,
) -> Result<Response, ApiError> {
    apply_patch(endpoint, target, Part::Status, &uri, &content).await
}

/// `DELETE` of an object.
pub(super) async fn delete(
    State(endpoint): State<Endpoint>,
    Path(target): Path<Target>,
    uri: Uri,
    content: Content,
) -> Result<Response, ApiError> {
    let (deletion, mode) = deletion(&uri, &content)?;
    match endpoint
        .registry()
        .delete(endpoint.resource, &target.key(&endpoint), &deletion, mode)
        .await?
    {
        // Pods answer with themselves even when they are gone, as in Kubernetes.
        Deleted::Gone(object) if endpoint.resource.kind != "Pod" => {
            let object = registry::read(&object)?;
            Ok(answer_json(StatusCode::OK, &success(&endpoint, &object)))
        }
        Deleted::Gone(object) | Deleted::Going(object) => {
            Ok(answer(StatusCode::OK, &endpoint.shown(object)?))
        }
    }
}

impl Target {
    fn key(&self, endpoint: &Endpoint) -> Key {
        Key::new(
            endpoint.resource.stored_as,
            self.namespace.as_str(),
            self.name.as_str(),
        )
    }
}

async fn put(
    endpoint: Endpoint,
    target: Target,
    part: Part,
    uri: &Uri,
    content: &Content,
) -> Result<Response, ApiError> {
    let query: WriteQuery = query(uri)?;
    let object = content.object(&endpoint)?;
    let name = meta::name(&object);
    if name != target.name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            target.name
        )));
    }
    check_namespace(&target.namespace, meta::namespace(&object))?;
    check_fields(&endpoint, &object, None, &query)?;
    let change = |_: &Value| Ok(object.clone());
    let (key, mode) = (target.key(&endpoint), mode(&query.dry_run)?);
    let updated = endpoint
        .registry()
        .update(endpoint.resource, &key, part, mode, change)
        .await?;
    Ok(answer(StatusCode::OK, &endpoint.shown(updated)?))
}

async fn apply_patch(
    endpoint: Endpoint,
    target: Target,
    part: Part,
    uri: &Uri,
    content: &Content,
) -> Result<Response, ApiError> {
    let query: WriteQuery = query(uri)?;
    let patch = Patch::parse(content.media_type(), &content.bytes)?;
    let change = |current: &Value| {
        let patched = patch.apply(endpoint.resource.strategy.shown(current.clone()))?;
        let object = as_object(&endpoint, patched)?;
        check_fields(&endpoint, &object, Some(current), &query)?;
        Ok(object)
    };
    let (key, mode) = (target.key(&endpoint), mode(&query.dry_run)?);
    let updated = endpoint
        .registry()
        .update(endpoint.resource, &key, part, mode, change)
        .await?;
    Ok(answer(StatusCode::OK, &endpoint.shown(updated)?))
}

/// How to delete: from the body, and where that does not say, from the query.
pub(super) fn deletion(uri: &Uri, content: &Content) -> Result<(Deletion, Mode), ApiError> {
    let query: WriteQuery = query(uri)?;
    let options = content.options()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let policy = text(&options["propagationPolicy"]).or(query.propagation_policy);
    let orphan = options["orphanDependents"].as_bool().or(query.orphan_dependents);
    let propagation = match (policy.as_deref(), orphan) {
        (Some("Background"), _) | (None, Some(false)) => Some(Propagation::Background),
        (Some("Foreground"), _) => Some(Propagation::Foreground),
        (Some("Orphan"), _) | (None, Some(true)) => Some(Propagation::Orphan),
        (None, None) => None,
        (Some(other), _) => {
            return Err(ApiError::Unprocessable {
                message: format!(
                    "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"{other}\": \
                     supported values: \"Foreground\", \"Background\", \"Orphan\""
                ),
            });
        }
    };
    let dry_run = text(&options["dryRun"][0]).unwrap_or(query.dry_run);
    let deletion = Deletion {
        propagation,
        grace_seconds: options["gracePeriodSeconds"]
            .as_i64()
            .or(query.grace_period_seconds),
        uid: text(&options["preconditions"]["uid"]),
        resource_version: text(&options["preconditions"]["resourceVersion"]),
    };
    Ok((deletion, mode(&dry_run)?))
}

/// The answer when an object is gone.
fn success(endpoint: &Endpoint, object: &Value) -> Value {
    let mut details =
        json!({ "name": meta::name(object), "kind": endpoint.resource.plural, "uid": meta::uid(object) });
    if !endpoint.resource.group.is_empty() {
        details["group"] = endpoint.resource.group.into();
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
