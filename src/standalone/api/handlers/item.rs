//! Requests to one object: get, update, patch, delete.

use std::sync::{Mutex, PoisonError};

use axum::response::Response;
use http::StatusCode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use serde_json::{Value, json};

use super::body::{Content, answer_json, as_object};
use super::call::Call;
use super::collection::check_namespace;
use super::fields::{self, Warnings};
use super::params::{ListQuery, WriteQuery, mode};
use super::{ApiError, Endpoint, collection, meta};
use crate::manifest::misfit;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::patch::{APPLY, Patch};
use crate::standalone::api::registry::{self, Application, Applied, Deleted, Deletion, Mode, Owners, Part};
use crate::standalone::api::resource::SERVICES;
use crate::standalone::api::strategy::Propagation;
use crate::standalone::api::zero;

/// What the parameters of these requests are called when they are refused.
const DELETE_OPTIONS: &str = "DeleteOptions";
const PATCH_OPTIONS: &str = "PatchOptions";
const UPDATE_OPTIONS: &str = "UpdateOptions";

/// How many characters of a patch are shown where it is refused; whoever has sent it has the rest.
const PATCH_SHOWN: usize = 256;

/// `GET` of an object, or of its status, which is the same answer. With `?watch` it is a watch of this one object.
pub(super) async fn read(call: Call) -> Result<Response, ApiError> {
    let query: ListQuery = call.query()?;
    if query.watch {
        return collection::watch_one(call, query).await;
    }
    let endpoint = &call.endpoint;
    let (namespace, name) = (&call.target.namespace, &call.target.name);
    let object = endpoint
        .registry()
        .get(endpoint.resource, namespace, name)
        .await?;
    call.answer(StatusCode::OK, object)
}

/// `PUT` of an object.
pub(super) async fn replace(call: Call, content: Content) -> Result<Response, ApiError> {
    put(call, Part::Main, &content).await
}

/// `PUT` of an object's status.
pub(super) async fn replace_status(call: Call, content: Content) -> Result<Response, ApiError> {
    put(call, Part::Status, &content).await
}

/// `PUT` of the finalizers in the spec of a namespace.
pub(super) async fn finalize(call: Call, content: Content) -> Result<Response, ApiError> {
    put(call, Part::Finalize, &content).await
}

/// `PATCH` of an object.
pub(super) async fn patch(call: Call, content: Content) -> Result<Response, ApiError> {
    change(call, Part::Main, &content).await
}

/// `PATCH` of an object's status.
pub(super) async fn patch_status(call: Call, content: Content) -> Result<Response, ApiError> {
    change(call, Part::Status, &content).await
}

/// `DELETE` of an object.
pub(super) async fn delete(call: Call, content: Content) -> Result<Response, ApiError> {
    let (deletion, mode) = deletion(&call, &content)?;
    let endpoint = &call.endpoint;
    match endpoint
        .registry()
        .delete(endpoint.resource, &call.key(), &deletion, mode)
        .await?
    {
        // Pods answer with themselves even when they are gone, as in Kubernetes.
        Deleted::Gone(object) if endpoint.resource.kind != "Pod" => {
            let object = registry::read(&object)?;
            Ok(answer_json(StatusCode::OK, &success(endpoint, &object)))
        }
        Deleted::Gone(object) | Deleted::Going(object) => call.answer(StatusCode::OK, object),
    }
}

/// A `DELETE` of what is the API's own. What it is found by goes, and comes back at once as another one, as kube-apiserver does
/// it: so `kubectl delete all --all` comes to its end.
pub(super) async fn delete_own(call: Call, content: Content) -> Result<Response, ApiError> {
    let (_, mode) = deletion(&call, &content)?;
    let endpoint = call.endpoint.clone();
    let (namespace, name) = (call.target.namespace.clone(), call.target.name.clone());
    if endpoint.resource.stored_as != SERVICES.stored_as {
        return Err(refuse_change(call).await);
    }
    let before = endpoint
        .registry()
        .get(endpoint.resource, &namespace, &name)
        .await?;
    let answer = delete(call, content).await?;
    if mode == Mode::Real {
        let mut again = registry::read(&before)?;
        meta::remove(&mut again, "resourceVersion");
        let made = endpoint
            .registry()
            .create(endpoint.resource, &namespace, again, mode, Owners::AsBefore);
        made.await?;
    }
    Ok(answer)
}

/// A change of what is the API's own; or of what is not there, as Helm asks for after an installation that was refused.
pub(super) async fn refuse_change(call: Call) -> ApiError {
    let (resource, target) = (call.endpoint.resource, &call.target);
    let found = call
        .endpoint
        .registry()
        .get(resource, &target.namespace, &target.name);
    match found.await {
        Ok(_) => ApiError::NotMadeHere { resource },
        Err(error) => error,
    }
}

/// The same for a `PATCH`, which makes what is not there if it applies a configuration.
pub(super) async fn refuse_patch(call: Call, content: Content) -> ApiError {
    if content.media_type() == APPLY {
        let resource = call.endpoint.resource;
        return ApiError::NotMadeHere { resource };
    }
    refuse_change(call).await
}

async fn put(call: Call, part: Part, content: &Content) -> Result<Response, ApiError> {
    let (query, mode) = call.write(UPDATE_OPTIONS)?;
    let object = content.object(&call.endpoint)?;
    check_place(&call, &object)?;
    write(&call, part, mode, &query, content, |_| Ok(object.clone())).await
}

/// Writes what a change makes of the object, as far as its kind has such fields.
async fn write(
    call: &Call,
    part: Part,
    mode: Mode,
    query: &WriteQuery,
    content: &Content,
    change: impl Fn(&Value) -> Result<Value, ApiError> + Send + Sync,
) -> Result<Response, ApiError> {
    let (endpoint, author) = (&call.endpoint, call.author(query, part));
    // The change may be made several times, when others get in between; the last one counts.
    let last = Mutex::new((Warnings::default(), Value::Null));
    let settled = |current: &Value| {
        let mut object = change(current)?;
        let found = fields::settle(call, query, content, &mut object, Some(current))?;
        *last.lock().unwrap_or_else(PoisonError::into_inner) = (found, current.clone());
        Ok(object)
    };
    let updated = endpoint
        .registry()
        .update(
            endpoint.resource,
            &call.key(),
            part,
            mode,
            Owners::Author(&author),
            settled,
        )
        .await?;
    let (warnings, before) = last.into_inner().unwrap_or_else(PoisonError::into_inner);
    let warnings = warnings.about(call, &updated, Some(&before))?;
    Ok(warnings.on(call.answer(StatusCode::OK, updated)?))
}

/// Fails when an object says another name or namespace than the path.
fn check_place(call: &Call, object: &Value) -> Result<(), ApiError> {
    check_name(&call.target.name, meta::name(object))?;
    check_namespace(&call.target.namespace, meta::namespace(object))
}

/// Fails when an object says another name than the path.
fn check_name(path: &str, object: &str) -> Result<(), ApiError> {
    if object == path {
        return Ok(());
    }
    Err(ApiError::bad_request(if object.is_empty() {
        format!("the name of the object ({path} based on URL) was undeterminable: name must be provided")
    } else {
        format!("the name of the object ({object}) does not match the name on the URL ({path})")
    }))
}

async fn change(call: Call, part: Part, content: &Content) -> Result<Response, ApiError> {
    if content.media_type() == APPLY {
        return apply(call, part, content).await;
    }
    let (query, mode) = call.write(PATCH_OPTIONS)?;
    if query.force.is_some() {
        let causes = vec![Cause::forbidden(
            "force",
            "may not be specified for non-apply patch",
        )];
        return Err(ApiError::InvalidOptions {
            kind: PATCH_OPTIONS,
            causes,
        });
    }
    let patch = Patch::parse(content.media_type(), &content.bytes)?;
    let endpoint = &call.endpoint;
    let change = |current: &Value| {
        let shown = endpoint.resource.strategy.shown(current.clone());
        let patched = patch.apply(shown, endpoint.resource.schema())?;
        let object = as_object(endpoint, patched)?;
        check_place(&call, &object)?;
        Ok(object)
    };
    let patched = write(&call, part, mode, &query, content, change).await;
    patched.map_err(|error| match error {
        ApiError::Unfit { message } => unfit(content, &message),
        other => other,
    })
}

/// The refusal of a patch that makes of an object what is none.
fn unfit(content: &Content, why: &str) -> ApiError {
    let shown: String = String::from_utf8_lossy(&content.bytes)
        .chars()
        .take(PATCH_SHOWN)
        .collect();
    ApiError::InvalidPatch {
        causes: vec![Cause::invalid("patch", &shown.into(), why)],
    }
}

/// `PATCH` by applying a configuration.
async fn apply(call: Call, part: Part, content: &Content) -> Result<Response, ApiError> {
    let (query, mode) = call.write(PATCH_OPTIONS)?;
    if query.field_manager.is_empty() {
        let causes = vec![Cause::required("fieldManager", "is required for apply patch")];
        return Err(ApiError::InvalidOptions {
            kind: PATCH_OPTIONS,
            causes,
        });
    }
    let (endpoint, target) = (&call.endpoint, &call.target);
    let mut config = content.yaml()?;
    for field in ["apiVersion", "kind"] {
        if config[field].as_str().unwrap_or_default().is_empty() {
            return Err(ApiError::bad_request(format!(
                "the configuration does not say its `{field}`"
            )));
        }
    }
    zero::drop_nulls(&mut config, endpoint.resource.schema());
    if !call.is_from_outside() {
        // Where a manifest on disk says no more what it said in `stringData`, it goes; kube-apiserver keeps it.
        endpoint.resource.strategy.normalize(&mut config);
    }
    let mut config = as_object(endpoint, config)?;
    if meta::get(&config, "managedFields").is_some() {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    if meta::name(&config).is_empty() {
        meta::set(&mut config, "name", target.name.as_str());
    }
    check_place(&call, &config)?;
    let warnings = fields::settle(&call, &query, content, &mut config, None)?;
    let application = Application {
        config: &config,
        author: &call.author(&query, part),
        force: query.force.unwrap_or_default(),
    };
    let applied = endpoint
        .registry()
        .apply(endpoint.resource, &call.key(), part, mode, &application)
        .await?;
    let (code, object) = match applied {
        Applied::Created(object) => (StatusCode::CREATED, object),
        Applied::Configured(object) => (StatusCode::OK, object),
    };
    let warnings = warnings.about(&call, &object, None)?;
    Ok(warnings.on(call.answer(code, object)?))
}

/// How to delete: as the body says, or the query where there is no body.
pub(super) fn deletion(call: &Call, content: &Content) -> Result<(Deletion, Mode), ApiError> {
    let query: WriteQuery = if content.bytes.is_empty() {
        call.query()?
    } else {
        WriteQuery::default()
    };
    let options = content.options()?.as_ref().map(options_of).transpose()?;
    deletion_by(options.unwrap_or_default(), query)
}

/// The options of a delete, as a body has them.
fn options_of(body: &Value) -> Result<DeleteOptions, ApiError> {
    if body.get("kind").is_some_and(|kind| kind != DELETE_OPTIONS) {
        return Err(ApiError::bad_request(format!(
            "the body of a delete holds {DELETE_OPTIONS}, not {}",
            body["kind"]
        )));
    }
    misfit::read(body)
        .map_err(|misfit| ApiError::bad_request(format!("the body is not valid {DELETE_OPTIONS}: {misfit}")))
}

/// How to delete: as the options say, and the query where they say nothing.
pub(super) fn deletion_by(options: DeleteOptions, query: WriteQuery) -> Result<(Deletion, Mode), ApiError> {
    let policy = options.propagation_policy.or(query.propagation_policy);
    let orphan = options.orphan_dependents.or(query.orphan_dependents);
    if let (Some(policy), Some(_)) = (&policy, orphan) {
        let rule = "orphanDependents and deletionPropagation cannot be both set";
        let causes = vec![Cause::invalid("propagationPolicy", &json!(policy), rule)];
        return Err(ApiError::InvalidOptions {
            kind: DELETE_OPTIONS,
            causes,
        });
    }
    let propagation = match (policy.as_deref(), orphan) {
        (Some("Background"), _) | (None, Some(false)) => Some(Propagation::Background),
        (Some("Foreground"), _) => Some(Propagation::Foreground),
        (Some("Orphan"), _) | (None, Some(true)) => Some(Propagation::Orphan),
        (None, None) => None,
        (Some(other), _) => {
            let supported = ["Foreground", "Background", "Orphan"];
            let causes = vec![Cause::unsupported("propagationPolicy", other, &supported)];
            return Err(ApiError::InvalidOptions {
                kind: DELETE_OPTIONS,
                causes,
            });
        }
    };
    let dry_run = options.dry_run.and_then(|stages| stages.into_iter().next());
    let dry_run = dry_run.unwrap_or(query.dry_run);
    let preconditions = options.preconditions.unwrap_or_default();
    let deletion = Deletion {
        propagation,
        grace_seconds: options.grace_period_seconds.or(query.grace_period_seconds),
        uid: preconditions.uid,
        resource_version: preconditions.resource_version,
        owner_uids: None,
    };
    Ok((deletion, mode(&dry_run, DELETE_OPTIONS)?))
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
