//! Requests as they are, for what a typed client does not send.

use http::Request;
use serde_json::Value;

/// A request with a JSON body; a `PATCH` is a merge patch.
pub(crate) fn request(method: &str, path: &str, body: &Value) -> Request<Vec<u8>> {
    let kind = if method == "PATCH" {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .body(body.to_string().into_bytes())
        .expect("a request")
}
