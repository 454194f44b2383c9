//! Volumes: a name of its own, and one source each. What a source says is taken as it is written.

use k8s_openapi::api::core::v1::Volume;

use super::{Findings, metadata, names};
use crate::manifest::path::FieldPath;

/// Checks the volumes of a pod and returns their names.
pub(super) fn check<'v>(volumes: &'v [Volume], path: &FieldPath, found: &mut Findings) -> Vec<&'v str> {
    let mut seen: Vec<&str> = Vec::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let name = &path.child("name");
        if volume.name.is_empty() {
            found.required(name, "");
        } else if seen.contains(&volume.name.as_str()) {
            found.duplicate(name, &volume.name);
        }
        if !volume.name.is_empty() {
            for rule in names::dns_label(&volume.name) {
                found
                    .invalid(name, &volume.name, rule)
                    .hint(metadata::name_hint(&volume.name));
            }
        }
        match count_sources(volume) {
            0 => found.required(&path, "must specify a volume type"),
            1 => {}
            _ => found.forbidden(&path, "may not specify more than 1 volume type"),
        }
        seen.push(&volume.name);
    }
    seen
}

/// How many sources a volume names. There are thirty kinds of them, each a field beside the name, so they are
/// counted in the volume's JSON.
fn count_sources(volume: &Volume) -> usize {
    match serde_json::to_value(volume) {
        Ok(serde_json::Value::Object(fields)) => fields.keys().filter(|key| *key != "name").count(),
        _ => 0,
    }
}
