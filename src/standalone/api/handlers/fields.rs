//! What is done about fields that the kind of an object does not have, or that are written twice: what the client asks for
//! with `fieldValidation`. And what else the client is warned of.

use axum::response::Response;
use http::HeaderValue;
use http::header::WARNING;
use serde_json::Value;

use super::body::Content;
use super::call::Call;
use super::params::WriteQuery;
use super::{ApiError, meta};
use crate::standalone::api::patch::APPLY;
use crate::standalone::api::registry::read;
use crate::standalone::api::unknown;
use crate::standalone::store::Object;

/// How many warnings an answer carries at most: there is a limit to the headers that clients read.
const WARNINGS_MAX: usize = 20;

/// What the client is warned of.
#[derive(Debug, Default)]
pub(super) struct Warnings(Vec<String>);

/// Refuses fields that the kind does not have and that were not there `before`, or takes them out. Of those that are
/// written twice the last counts, and of references to an owner the first. A configuration that is applied is refused
/// whoever asks: who applies it would own what is not there.
///
/// DIFFERENCE: what this process writes itself keeps them, where kube-apiserver drops them: an object that comes from a
/// manifest on disk may be newer than our types.
pub(super) fn settle(
    call: &Call,
    query: &WriteQuery,
    content: &Content,
    object: &mut Value,
    before: Option<&Value>,
) -> Result<Warnings, ApiError> {
    let repeated_owners = meta::drop_repeated_owners(object);
    let is_strict = query.field_validation == "Strict";
    if !is_strict && !call.is_from_outside() {
        return Ok(Warnings::default());
    }
    let object_type = call.endpoint.resource.strategy.object_type();
    let mut unknown = object_type.unknown_fields(object);
    if let Some(before) = before {
        let known = object_type.unknown_fields(before);
        unknown.retain(|field| !known.contains(field));
    }
    let unknown_ones = unknown.iter().map(|field| format!("unknown field \"{field}\""));
    let repeated = content.repeated_fields();
    let repeated_ones = repeated
        .iter()
        .map(|field| format!("duplicate field \"{field}\""));
    let named: Vec<String> = unknown_ones.chain(repeated_ones).collect();
    if is_strict && !named.is_empty() {
        let (kind, version) = (call.endpoint.resource.kind, call.endpoint.resource.version);
        return Err(ApiError::unfit(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {}",
            named.join(", ")
        )));
    }
    if content.media_type() == APPLY
        && let Some(field) = unknown.first()
    {
        let (kind, version) = (call.endpoint.resource.kind, call.endpoint.resource.api_version());
        let (namespace, name) = (&call.target.namespace, &call.target.name);
        return Err(ApiError::bad_request(format!(
            "failed to create typed patch object ({namespace}/{name}; {version}, Kind={kind}): .{field}: field not declared \
             in schema"
        )));
    }
    for field in &unknown {
        unknown::remove(object, field);
    }
    let mut warnings = if query.field_validation == "Ignore" {
        Vec::new()
    } else {
        named
    };
    if !repeated_owners.is_empty() {
        warnings.push(format!(
            ".metadata.ownerReferences contains duplicate entries, of which one is kept; duplicate UID(s) observed: {}",
            repeated_owners.join(", ")
        ));
    }
    Ok(Warnings(warnings))
}

impl Warnings {
    /// Adds what there is to warn of in an object that another program has written. Of an update only what it means is
    /// looked at, not its status.
    pub(super) fn about(
        mut self,
        call: &Call,
        written: &Object,
        before: Option<&Value>,
    ) -> Result<Self, ApiError> {
        if !call.is_from_outside() {
            return Ok(self);
        }
        let written = read(written)?;
        let is_the_same = |before| meta::generation(before) == meta::generation(&written);
        if !before.is_some_and(is_the_same) {
            self.0.extend(call.endpoint.resource.strategy.warnings(&written));
        }
        Ok(self)
    }

    /// The answer with the warnings in its header, in the form of RFC 7234.
    pub(super) fn on(self, mut answer: Response) -> Response {
        for text in self.0.iter().take(WARNINGS_MAX) {
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{quoted}\"").as_bytes()) {
                answer.headers_mut().append(WARNING, value);
            }
        }
        answer
    }
}
