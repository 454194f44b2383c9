//! A request to a resource, apart from its body: of which resource, where, and how it is to be answered.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::response::Response;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri};
use serde::de::DeserializeOwned;

use super::accept::{Accepted, Notation};
use super::form::Form;
use super::params::{
    ListQuery, Target, WriteQuery, check_field_manager, check_field_validation, mode, query,
};
use super::{ApiError, Endpoint};
use crate::standalone::api::ownership::Author;
use crate::standalone::api::registry::{Mode, Part};
use crate::standalone::store::{Key, Object};

/// One request, apart from its body.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) endpoint: Endpoint,
    pub(super) target: Target,
    uri: Uri,
    headers: HeaderMap,
}

impl FromRequestParts<Endpoint> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, endpoint: &Endpoint) -> Result<Self, ApiError> {
        let target = match Path::<Target>::from_request_parts(parts, endpoint).await {
            Ok(Path(target)) => target,
            // The route has no parameters. One whose parameters can't be read is no target at all, least of all everything.
            Err(PathRejection::MissingPathParams(_)) => Target::default(),
            Err(unreadable) => return Err(ApiError::bad_request(unreadable.body_text())),
        };
        Ok(Self {
            endpoint: endpoint.clone(),
            target,
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        })
    }
}

impl Call {
    /// Where the object is kept.
    pub(super) fn key(&self) -> Key {
        Key::new(
            self.endpoint.resource.stored_as,
            self.target.namespace.as_str(),
            self.target.name.as_str(),
        )
    }

    /// The parameters of the query.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        query(&self.uri)
    }

    /// How the answer is to look.
    pub(super) fn form(&self) -> Result<Form, ApiError> {
        let query: ListQuery = self.query()?;
        Form::of(Accepted::of(&self.headers)?.shape, &query.include_object)
    }

    /// Fails for a client that would read a stream in a notation that streams are not written in.
    pub(super) fn check_stream(&self) -> Result<(), ApiError> {
        match Accepted::of(&self.headers)?.notation {
            Notation::Json => Ok(()),
            Notation::Yaml => Err(ApiError::NotAcceptable {
                given: "application/json;stream=watch",
            }),
        }
    }

    /// Answers one object.
    pub(super) fn answer(&self, code: StatusCode, object: Object) -> Result<Response, ApiError> {
        self.form()?
            .object(&self.endpoint, code, &self.endpoint.shown(object)?)
    }

    /// Who writes to a part of the object, for the ownership of its fields: what it calls itself in the query, else in the
    /// header that tells of programs. Requests within this process have no such header.
    pub(super) fn author(&self, query: &WriteQuery, part: Part) -> Author {
        let agent = self.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let name_of_agent = agent.and_then(|agent| agent.split('/').next());
        let named = Some(query.field_manager.as_str()).filter(|name| !name.is_empty());
        let subresource = match part {
            Part::Status => "status",
            Part::Finalize => "finalize",
            Part::Main | Part::Any => "",
        };
        let untouchable: &[&[&str]] = match part {
            Part::Status => &[&["spec"]],
            Part::Finalize => &[&["status"]],
            Part::Main if self.endpoint.resource.has_status => &[&["status"]],
            Part::Main | Part::Any => &[],
        };
        Author {
            manager: agent.and(named.or(name_of_agent)).map(str::to_owned),
            api_version: self.endpoint.resource.stored_form().api_version(),
            subresource,
            untouchable,
        }
    }

    /// Whether it comes from another program, which says so in the header that tells of programs.
    pub(super) fn is_from_outside(&self) -> bool {
        self.headers.contains_key(USER_AGENT)
    }

    /// The parameters of a write, which are called `options` when they are refused, and whether it is carried out.
    pub(super) fn write(&self, options: &'static str) -> Result<(WriteQuery, Mode), ApiError> {
        let query: WriteQuery = self.query()?;
        let mode = mode(&query.dry_run, options)?;
        check_field_validation(&query.field_validation, options)?;
        check_field_manager(&query.field_manager, options)?;
        Ok((query, mode))
    }
}
