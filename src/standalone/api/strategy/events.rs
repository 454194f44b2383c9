//! The rules of events, which have two forms: `v1`, which is stored, and `events.k8s.io/v1`, which is the same under
//! other names (`pkg/apis/events/v1/conversion.go`).

use k8s_openapi::api::core::v1::Event;
use serde_json::{Value, json};

use super::{Strategy, check_metadata, read_as, unknown_to};
use crate::manifest::path::FieldPath;
use crate::schedule::TimeZones;
use crate::standalone::api::error::Cause;
use crate::standalone::api::meta;

/// Events of the core group.
#[derive(Debug)]
pub struct Events;

/// Events of `events.k8s.io/v1`.
#[derive(Debug)]
pub struct EventsV1;

/// The fields that have two names: in `v1`, and in `events.k8s.io/v1`.
const RENAMED: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

impl Strategy for Events {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        read_as::<Event>(object).map(drop)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        unknown_to::<Event>(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<Event>(object, old)?;
        // An event about something without a namespace is kept in "default".
        let about = object["involvedObject"]["namespace"].as_str().unwrap_or_default();
        let expected = if about.is_empty() { "default" } else { about };
        if meta::namespace(object) != expected {
            let rule = "does not match event.namespace";
            causes.push(Cause::invalid("involvedObject.namespace", &json!(about), rule));
        }
        Ok(causes)
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ]
    }
}

impl Strategy for EventsV1 {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        Events.check_types(object)
    }

    fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        Events.unknown_fields(object)
    }

    fn check(&self, object: &Value, old: Option<&Value>, zones: &TimeZones) -> Result<Vec<Cause>, String> {
        Events.check(object, old, zones)
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "reason",
            "reportingController",
            "type",
        ]
    }

    fn is_stored_form(&self) -> bool {
        false
    }

    fn stored(&self, object: Value) -> Value {
        renamed(object, "v1", RENAMED.map(|(core, events)| (events, core)))
    }

    fn shown(&self, stored: Value) -> Value {
        renamed(stored, "events.k8s.io/v1", RENAMED)
    }
}

/// The event with its fields renamed from the first name of each pair to the second.
fn renamed(mut event: Value, api_version: &str, names: [(&str, &str); RENAMED.len()]) -> Value {
    if let Some(fields) = event.as_object_mut() {
        for (from, to) in names {
            if let Some(value) = fields.remove(from) {
                fields.insert(to.to_owned(), value);
            }
        }
        fields.insert("apiVersion".to_owned(), api_version.into());
    }
    event
}
