//! Bodies: reading them within limits, and checking that they are what the path says.

use std::error::Error;
use std::io;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::FromRequest;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::accept::YAML;
use super::{ApiError, Endpoint, JSON, repeated};
use crate::manifest::path::FieldPath;
use crate::manifest::source::Source;
use crate::manifest::yaml;
use crate::standalone::api::limits::{BODY_BYTES_MAX, DEPTH_MAX, depth};
use crate::standalone::api::patch::APPLY;
use crate::standalone::api::protobuf::{self, PROTOBUF};
use crate::standalone::api::zero;
use crate::standalone::store::{Object, StoreError};

/// The forms of bodies.
const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// How much is read of what a body has beyond the limit, in bytes. Who is cut off while it sends sees a broken connection,
/// and not the refusal; nobody has that much to say by mistake.
const SURPLUS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The whole body, within the limit, with the headers that say what it is.
pub(super) struct Content {
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Content {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            headers: parts.headers,
            bytes: whole(body).await?,
        })
    }
}

impl Content {
    /// The media type without its parameters; JSON when the client does not say.
    pub(super) fn media_type(&self) -> &str {
        let header = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty())
            .unwrap_or(JSON);
        header.split(';').next().unwrap_or(JSON).trim()
    }

    /// The body as a value, from any of the forms that objects are written in.
    pub(super) fn value(&self) -> Result<Value, ApiError> {
        match self.media_type() {
            JSON => serde_json::from_slice(&self.bytes).map_err(|error| malformed("JSON", &error)),
            PROTOBUF => protobuf::decode(&self.bytes).map_err(|error| malformed("protobuf", &error)),
            YAML => self.yaml(),
            _ => Err(ApiError::UnsupportedMediaType { accepted: ACCEPTED }),
        }
    }

    /// The body as a value, from YAML, of which JSON is a part.
    pub(super) fn yaml(&self) -> Result<Value, ApiError> {
        // JSON is YAML, and read much faster.
        serde_json::from_slice(&self.bytes)
            .or_else(|_| document(&self.bytes))
            .map_err(|error| malformed("YAML", &error))
    }

    /// The body as an object of the resource, in the form that is stored.
    pub(super) fn object(&self, endpoint: &Endpoint) -> Result<Value, ApiError> {
        let mut object = self.value()?;
        zero::drop_nulls(&mut object, endpoint.resource.schema());
        as_object(endpoint, object)
    }

    /// The fields that stand in a body of JSON more than once.
    pub(super) fn repeated_fields(&self) -> Vec<FieldPath> {
        match self.media_type() {
            JSON | APPLY | "application/merge-patch+json" | "application/strategic-merge-patch+json" => {
                repeated::fields(&self.bytes)
            }
            _ => Vec::new(),
        }
    }

    /// The body as the options of a delete; none when it is empty, or `null`, as which some clients send none.
    pub(super) fn options(&self) -> Result<Option<Value>, ApiError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.value()?).filter(|options| !options.is_null()))
    }
}

/// The whole body, if it is within the limit.
async fn whole(mut body: Body) -> Result<Bytes, ApiError> {
    let limit_bytes = BODY_BYTES_MAX;
    match Limited::new(&mut body, limit_bytes).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            pass_over(body.into_data_stream()).await;
            Err(ApiError::TooLarge { limit_bytes })
        }
        Err(error) => Err(unread(&*error)),
    }
}

/// Reads the rest of a body that is refused, and keeps nothing of it.
async fn pass_over(mut chunks: BodyDataStream) {
    let mut left = SURPLUS_BYTES_MAX;
    while let Some(Ok(chunk)) = chunks.next().await {
        match left.checked_sub(chunk.len()) {
            Some(less) => left = less,
            None => break,
        }
    }
}

/// Why a body was not read to its end.
fn unread(error: &(dyn Error + 'static)) -> ApiError {
    let mut causes = std::iter::successors(error.source(), |&error| error.source());
    let cause = causes.find_map(|cause| cause.downcast_ref::<io::Error>());
    if cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut) {
        return ApiError::BodyTimeout;
    }
    let why = cause.map_or_else(|| error.to_string(), ToString::to_string);
    ApiError::bad_request(format!("the body could not be read: {why}"))
}

/// Whether JSON is an object of this kind, as far as it says.
pub(super) fn may_be(object: &Value, api_version: &str, kind: &str) -> bool {
    let fits = |field: &str, expected: &str| object.get(field).is_none_or(|said| said == expected);
    object.is_object() && fits("kind", kind) && fits("apiVersion", api_version)
}

fn malformed(form: &str, error: &dyn std::fmt::Display) -> ApiError {
    ApiError::bad_request(format!("the body is not valid {form}: {error}"))
}

/// The one document of a YAML text.
fn document(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let source = Arc::new(Source {
        name: "body".to_owned(),
        text: text.to_owned(),
    });
    let (documents, mistakes) = yaml::read(&source);
    match (documents.as_slice(), mistakes.first()) {
        (_, Some(mistake)) => Err(mistake.message.clone()),
        ([document], None) => Ok(document.to_json()),
        (documents, None) => Err(format!("expected one document, found {}", documents.len())),
    }
}

/// Checks that JSON is an object of the resource, and turns it into the form that is stored.
pub(super) fn as_object(endpoint: &Endpoint, mut object: Value) -> Result<Value, ApiError> {
    let resource = endpoint.resource;
    let (kind, api_version) = (resource.kind, resource.api_version());
    if depth(&object) > DEPTH_MAX {
        return Err(ApiError::bad_request(format!(
            "the {kind} nests deeper than {DEPTH_MAX} levels"
        )));
    }
    let Some(fields) = object.as_object_mut() else {
        return Err(ApiError::bad_request(format!(
            "the body is not an object; expected a {kind}"
        )));
    };
    let found_version = fields
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or(&api_version);
    if found_version != api_version {
        return Err(ApiError::unfit(format!(
            "the API version in the data ({found_version}) does not match the expected API version ({api_version})"
        )));
    }
    let found_kind = fields.get("kind").and_then(Value::as_str).unwrap_or(kind);
    if found_kind != kind {
        return Err(ApiError::unfit(format!(
            "the kind in the data ({found_kind}) does not match the expected kind ({kind})"
        )));
    }
    fields.insert("apiVersion".to_owned(), api_version.into());
    fields.insert("kind".to_owned(), kind.into());
    if !fields
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()))
        .is_object()
    {
        return Err(ApiError::unfit(format!(
            "the metadata of the {kind} is not an object"
        )));
    }
    Ok(resource.strategy.stored(object))
}

/// Answers an object.
pub(super) fn answer(code: StatusCode, object: &Object) -> Response {
    (code, [(CONTENT_TYPE, JSON)], object.text().to_owned()).into_response()
}

/// The same answer as YAML. What is no JSON is no object, and stays as it is. A long list takes seconds, in which the
/// asynchronous workers go on with what is to be started.
pub(super) async fn as_yaml(response: Response) -> Response {
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == JSON);
    if !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let json = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(StoreError::unavailable);
    let written = match json {
        Ok(json) => written_anew(json).await,
        Err(error) => Err(error),
    };
    let text = match written {
        Ok(text) => text,
        Err(source) => return ApiError::Internal { source }.into_response(),
    };
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(YAML));
    Response::from_parts(parts, Body::from(text))
}

/// JSON as YAML.
async fn written_anew(json: Bytes) -> Result<String, StoreError> {
    let write = move || {
        let value: Value = serde_json::from_slice(&json)?;
        drop(json);
        Ok(yaml::write(&value))
    };
    let written: Result<serde_json::Result<String>, _> = tokio::task::spawn_blocking(write).await;
    written
        .map_err(StoreError::unavailable)?
        .map_err(StoreError::unavailable)
}

/// Answers JSON.
pub(super) fn answer_json(code: StatusCode, value: &Value) -> Response {
    (code, [(CONTENT_TYPE, JSON)], value.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_that_fails_says_how() {
        let late = || Err(io::Error::from(io::ErrorKind::TimedOut));
        let large = || Ok(vec![b' '; BODY_BYTES_MAX + 1]);
        let cut = || Err(io::Error::other("the client went away"));
        for (chunk, wanted) in [
            (late(), "408 the body of the request did not come in time"),
            (large(), "413 Request entity too large: limit is 3145728"),
            (cut(), "400 the body could not be read: the client went away"),
        ] {
            let request = Request::new(Body::from_stream(stream::iter([Ok(b"{".to_vec()), chunk])));
            let Err(refusal) = Content::from_request(request, &()).await else {
                panic!("a body");
            };
            assert_eq!(format!("{} {refusal}", refusal.code().0.as_u16()), wanted);
        }
    }

    /// Its client reads the refusal when it has sent all; one that never ends is cut off.
    #[tokio::test]
    async fn a_body_that_is_too_large_is_read_to_its_end_if_it_has_one() {
        for (chunks, wanted) in [(10, 10), (usize::MAX, 4 + SURPLUS_BYTES_MAX / (1024 * 1024))] {
            let read = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&read);
            let megabytes = std::iter::repeat_n(Bytes::from(vec![b' '; 1024 * 1024]), chunks);
            let counted = megabytes.inspect(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            });
            let body = Body::from_stream(stream::iter(counted.map(Ok::<_, io::Error>)));
            let refusal = Content::from_request(Request::new(body), &()).await.err();
            assert!(matches!(refusal, Some(ApiError::TooLarge { .. })), "{refusal:?}");
            assert!(read.load(Ordering::Relaxed).abs_diff(wanted) <= 1, "{read:?}");
        }
    }
}
