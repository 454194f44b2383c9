//! Every way in which the API says no, worded as kube-apiserver words it.
//!
//! Clients branch on the reason and the code of the [`Status`](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/)
//! and people read the message, so both are Kubernetes' own (`apimachinery/pkg/api/errors`).

use axum::response::{AppendHeaders, IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Value, json};

use super::cause::{self, Cause};
use super::resource::Resource;
use crate::standalone::store::StoreError;
use crate::telemetry::chain;

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The path leads nowhere.
    #[error("the server could not find the requested resource")]
    NoSuchPath,

    /// There is no object of this name.
    #[error("{} \"{name}\" not found", resource.qualified())]
    NotFound {
        /// Its resource.
        resource: &'static Resource,
        /// The name that was asked for.
        name: String,
    },

    /// There is an object of this name already.
    #[error("{} \"{name}\" already exists", resource.qualified())]
    AlreadyExists {
        /// Its resource.
        resource: &'static Resource,
        /// The name that is taken.
        name: String,
    },

    /// The write is based on another version of the object than the one that is there.
    #[error("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified())]
    Conflict {
        /// Its resource.
        resource: &'static Resource,
        /// Its name.
        name: String,
        /// What does not fit.
        why: String,
    },

    /// Others own fields that are to be changed by an apply.
    #[error("{message}")]
    ApplyConflict {
        /// All of it, for people.
        message: String,
        /// One for each field.
        causes: Vec<Cause>,
    },

    /// The object breaks rules of its kind.
    #[error("{} \"{name}\" is invalid: {}", super::resource::qualified(resource.kind, resource.group), cause::listed(causes))]
    Invalid {
        /// Its resource.
        resource: &'static Resource,
        /// Its name.
        name: String,
        /// Every rule that is broken.
        causes: Vec<Cause>,
    },

    /// The parameters of the request break rules.
    #[error("{kind}.meta.k8s.io \"\" is invalid: {}", cause::listed(causes))]
    InvalidOptions {
        /// The kind of parameters, such as `PatchOptions`.
        kind: &'static str,
        /// Every rule that is broken.
        causes: Vec<Cause>,
    },

    /// What is asked in a review breaks rules.
    #[error(".{group} \"\" is invalid: {}", cause::listed(causes))]
    InvalidReview {
        /// The API group of the review.
        group: &'static str,
        /// Every rule that is broken.
        causes: Vec<Cause>,
    },

    /// The namespace is going away and takes nothing new.
    #[error(
        "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
        resource.qualified()
    )]
    NamespaceTerminating {
        /// The resource of the object that was to be created.
        resource: &'static Resource,
        /// Its name.
        name: String,
        /// The namespace.
        namespace: String,
    },

    /// It is never allowed.
    #[error("{} \"{name}\" is forbidden: {why}", resource.qualified())]
    Forbidden {
        /// The resource of the object.
        resource: &'static Resource,
        /// Its name.
        name: String,
        /// Why not.
        why: &'static str,
    },

    /// The request cannot be understood.
    #[error("{message}")]
    BadRequest {
        /// What is wrong with it.
        message: String,
    },

    /// The object is none of its kind: it has fields of other types, or that there are not.
    #[error("{message}")]
    Unfit {
        /// What is wrong with it.
        message: String,
    },

    /// What a patch makes of the object is none of its kind.
    #[error(" \"\" is invalid: {}", cause::listed(causes))]
    InvalidPatch {
        /// What is wrong with it.
        causes: Vec<Cause>,
    },

    /// The request is understood and cannot be carried out, such as a JSON patch whose `test` fails.
    #[error("the server rejected our request due to an error in our request: {message}")]
    Unprocessable {
        /// What is wrong with it.
        message: String,
    },

    /// A strategic patch asks what can't be done. kube-apiserver takes that for a fault of its own, without a reason.
    #[error("{message}")]
    Strategic {
        /// What is wrong with it.
        message: String,
    },

    /// The resource is there, but not for this verb.
    #[error("the server does not allow this method on the requested resource")]
    MethodNotAllowed,

    /// The kind is known, and none can be made here.
    #[error(
        "{} can't be made or changed on one machine, which runs CronJobs, Jobs and pods: the server does not allow this \
         method on the requested resource",
        resource.qualified()
    )]
    NotMadeHere {
        /// The kind's resource.
        resource: &'static Resource,
    },

    /// There is no such thing as a token of a service account.
    #[error(
        "service accounts have no tokens on one machine: its API has one user, whose token is in the kubeconfig; \
         the server does not allow this method on the requested resource"
    )]
    NoTokens,

    /// The answer cannot be given in any form that the client accepts.
    #[error("only the following media types are accepted: {given}")]
    NotAcceptable {
        /// The forms in which it can.
        given: &'static str,
    },

    /// The body is in a form that is not read here.
    #[error("the body of the request was in an unknown format - accepted media types include: {accepted}")]
    UnsupportedMediaType {
        /// The forms that are read.
        accepted: &'static str,
    },

    /// The body is too slow.
    #[error("the body of the request did not come in time")]
    BodyTimeout,

    /// The body is too large.
    #[error("Request entity too large: limit is {limit_bytes}")]
    TooLarge {
        /// The limit, in bytes.
        limit_bytes: usize,
    },

    /// A JSON patch has too many operations.
    #[error(
        "Request entity too large: The allowed maximum operations in a JSON patch is {most}, got {count}"
    )]
    TooManyOperations {
        /// How many there may be.
        most: usize,
        /// How many there are.
        count: usize,
    },

    /// The history that was asked for is gone; the client lists again.
    #[error("{message}")]
    Expired {
        /// Which history.
        message: String,
        /// The token by which a list goes on with what is there now.
        goes_on: Option<String>,
    },

    /// The client knows of a revision that has not happened here.
    #[error("Timeout: Too large resource version: {asked}, current: {newest}")]
    TooLargeResourceVersion {
        /// The revision that was asked for.
        asked: u64,
        /// The newest there is.
        newest: u64,
    },

    /// The store failed, or refused where no object is spoken of.
    #[error("Internal error occurred: {source}")]
    Internal {
        /// What failed.
        #[from]
        source: StoreError,
    },
}

/// The one form of answers.
pub(super) const JSON: &str = "application/json";

impl ApiError {
    /// A request that cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest {
            message: message.into(),
        }
    }

    /// An object that is none of its kind.
    pub(super) fn unfit(message: impl Into<String>) -> Self {
        Self::Unfit {
            message: message.into(),
        }
    }

    /// The conflict of a write that is based on an old version.
    pub(super) fn modified(resource: &'static Resource, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::Conflict {
            resource,
            name: name.to_owned(),
            why: why.to_owned(),
        }
    }

    /// What a store's answer means for one object.
    pub(super) fn of_object(error: StoreError, resource: &'static Resource, name: &str) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound {
                resource,
                name: name.to_owned(),
            },
            StoreError::AlreadyExists => Self::AlreadyExists {
                resource,
                name: name.to_owned(),
            },
            StoreError::Conflict { .. } => Self::modified(resource, name),
            source => Self::Internal { source },
        }
    }

    /// The code and the reason that clients branch on.
    pub fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoSuchPath | Self::NotFound { .. } => (StatusCode::NOT_FOUND, "NotFound"),
            Self::AlreadyExists { .. } => (StatusCode::CONFLICT, "AlreadyExists"),
            Self::Conflict { .. } | Self::ApplyConflict { .. } => (StatusCode::CONFLICT, "Conflict"),
            Self::Invalid { .. }
            | Self::InvalidOptions { .. }
            | Self::InvalidReview { .. }
            | Self::InvalidPatch { .. }
            | Self::Unprocessable { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid"),
            Self::NamespaceTerminating { .. } | Self::Forbidden { .. } => {
                (StatusCode::FORBIDDEN, "Forbidden")
            }
            Self::BadRequest { .. } | Self::Unfit { .. } => (StatusCode::BAD_REQUEST, "BadRequest"),
            Self::MethodNotAllowed | Self::NotMadeHere { .. } | Self::NoTokens => {
                (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")
            }
            Self::NotAcceptable { .. } => (StatusCode::NOT_ACCEPTABLE, "NotAcceptable"),
            Self::UnsupportedMediaType { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType"),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "Timeout"),
            Self::TooLarge { .. } | Self::TooManyOperations { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge")
            }
            Self::Expired { .. } => (StatusCode::GONE, "Expired"),
            Self::TooLargeResourceVersion { .. } => (StatusCode::GATEWAY_TIMEOUT, "Timeout"),
            Self::Internal {
                source: StoreError::Full { .. },
            } => (StatusCode::INSUFFICIENT_STORAGE, "InsufficientStorage"),
            Self::Internal { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
            Self::Strategic { .. } => (StatusCode::INTERNAL_SERVER_ERROR, ""),
        }
    }

    /// The `Status` object that says so.
    pub fn status(&self) -> Value {
        let (code, reason) = self.code();
        let mut status = failure(code, reason, &chain(self));
        if let Some(details) = self.details() {
            status["details"] = details;
        }
        if let Self::Expired {
            goes_on: Some(token), ..
        } = self
        {
            status["metadata"]["continue"] = token.as_str().into();
        }
        status
    }

    fn details(&self) -> Option<Value> {
        let object = |kind: &str, resource: &Resource, name: &str| {
            let mut details = json!({ "name": name, "kind": kind });
            if !resource.group.is_empty() {
                details["group"] = resource.group.into();
            }
            details
        };
        match self {
            Self::NotFound { resource, name }
            | Self::AlreadyExists { resource, name }
            | Self::Forbidden { resource, name, .. }
            | Self::Conflict { resource, name, .. } => Some(object(resource.plural, resource, name)),
            Self::Invalid {
                resource,
                name,
                causes,
            } => {
                let mut details = object(resource.kind, resource, name);
                details["causes"] = cause::details(causes);
                Some(details)
            }
            Self::ApplyConflict { causes, .. } | Self::InvalidPatch { causes } => {
                Some(json!({ "causes": cause::details(causes) }))
            }
            Self::InvalidOptions { kind, causes } => {
                Some(json!({ "kind": kind, "group": "meta.k8s.io", "causes": cause::details(causes) }))
            }
            Self::InvalidReview { group, causes } => {
                Some(json!({ "group": group, "causes": cause::details(causes) }))
            }
            Self::NamespaceTerminating {
                resource,
                name,
                namespace,
            } => {
                let mut details = object(resource.plural, resource, name);
                let message = format!("namespace {namespace} is being terminated");
                details["causes"] = json!([{ "reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace" }]);
                Some(details)
            }
            Self::TooLargeResourceVersion { .. } => Some(json!({
                "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
                "retryAfterSeconds": 1,
            })),
            // Clients look into them without asking whether they are there.
            Self::NoSuchPath
            | Self::Unprocessable { .. }
            | Self::MethodNotAllowed
            | Self::NotMadeHere { .. }
            | Self::NoTokens => Some(json!({})),
            _ => None,
        }
    }
}

/// The `Status` object of a refusal.
pub(in crate::standalone) fn failure(code: StatusCode, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code.as_u16(),
    })
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry = status.pointer("/details/retryAfterSeconds").map(Value::to_string);
        let headers = AppendHeaders(retry.map(|seconds| (RETRY_AFTER, seconds)));
        (self.code().0, [(CONTENT_TYPE, JSON)], headers, status.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_the_store_is_told_with_its_cause() {
        let error = ApiError::from(StoreError::unavailable("disk I/O error"));
        assert_eq!(
            error.status()["message"],
            "Internal error occurred: the store failed: disk I/O error"
        );
    }
}
