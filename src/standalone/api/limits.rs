//! The limits on what a client may send.

use serde_json::Value;

use super::error::ApiError;

/// The largest body that is read, in bytes: the limit of kube-apiserver (`MaxRequestBodyBytes`).
pub(super) const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// The largest object that is kept, in bytes of JSON: the limit that etcd sets for Kubernetes' objects.
///
/// It bounds what a list or the window of recent events can take, whatever clients do. The few bytes by which a deletion is
/// marked are exempt, so that whatever was kept can be deleted.
const OBJECT_BYTES_MAX: usize = 3 * 512 * 1024;

/// Fails when an object is too large to be kept.
pub(super) fn check_size(object: &Value) -> Result<(), ApiError> {
    if object.to_string().len() > OBJECT_BYTES_MAX {
        return Err(ApiError::TooLarge {
            limit_bytes: OBJECT_BYTES_MAX,
        });
    }
    Ok(())
}

/// How deep an object may nest.
///
/// JSON readers stop at 128 levels. An object is also sent inside of lists and watch events, and one that is too deep there
/// would blind every client that lists it. A pod template in a `CronJob` goes some 20 levels deep.
pub(super) const DEPTH_MAX: usize = 100;

/// How deep a value nests: 0 for a plain value, 1 for a list or map of such.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}
