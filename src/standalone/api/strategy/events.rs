//! The rules of events, which have two forms: `v1`, which is stored, and `events.k8s.io/v1`, which is the same under
//! other names (`pkg/apis/events/v1/conversion.go`).

use k8s_openapi::api::core::v1::Event;
use serde_json::{Value, json};

use super::{ObjectType, Strategy, check_metadata};
use crate::manifest::validate::names;
use crate::schedule::{TimeZones, Timestamp};
use crate::standalone::api::cause::Cause;
use crate::standalone::api::meta;

/// Events of the core group.
#[derive(Debug)]
pub struct Events;

/// Events of `events.k8s.io/v1`.
#[derive(Debug)]
pub struct EventsV1;

/// The longest name of an instance, an action or a reason, in bytes (`ReportingInstanceLengthLimit` and its like).
const TEXT_BYTES_MAX: usize = 128;

/// The longest note, in bytes (`NoteLengthLimit`).
const NOTE_BYTES_MAX: usize = 1024;

/// How often something happens at least that is a series.
const SERIES_MIN: i64 = 2;

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

/// The fields that never change by way of `events.k8s.io/v1`.
const KEPT: [&str; 13] = [
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
];

impl Strategy for Events {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<Event>()
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
        if old.is_none() && event_time(object).is_some() {
            check_report(object, &mut causes);
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
    fn object_type(&self) -> ObjectType {
        Events.object_type()
    }

    fn check(&self, object: &Value, old: Option<&Value>, zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = Events.check(object, old, zones)?;
        match old {
            None => check_new(object, &mut causes),
            Some(old) => check_change(object, old, &mut causes),
        }
        Ok(causes)
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

/// When it happened, to the microsecond: only events of the newer form say so.
fn event_time(event: &Value) -> Option<&str> {
    event["eventTime"].as_str()
}

/// What is wrong with what an event says of who reports what (`legacyValidateEvent`).
fn check_report(event: &Value, causes: &mut Vec<Cause>) {
    for field in ["reportingComponent", "reportingInstance", "action", "reason"] {
        let text = event[field].as_str().unwrap_or_default();
        let shown = shown_as(field);
        if text.is_empty() {
            causes.push(Cause::required(shown, ""));
        } else if field == "reportingComponent" {
            let broken = |rule: String| Cause::invalid(shown, &json!(text), &rule);
            causes.extend(names::qualified(text).into_iter().map(broken));
        } else if text.len() > TEXT_BYTES_MAX {
            causes.push(unsaid(
                shown,
                &format!("can have at most {TEXT_BYTES_MAX} characters"),
            ));
        }
    }
    if event["message"].as_str().unwrap_or_default().len() > NOTE_BYTES_MAX {
        causes.push(unsaid(
            "message",
            &format!("can have at most {NOTE_BYTES_MAX} characters"),
        ));
    }
}

/// What else is wrong with an event of `events.k8s.io/v1` (`ValidateEventCreate`).
fn check_new(event: &Value, causes: &mut Vec<Cause>) {
    if event_time(event).is_none() {
        causes.push(Cause::required("eventTime", ""));
    }
    let kind = event["type"].as_str().unwrap_or_default();
    if !["Normal", "Warning"].contains(&kind) {
        causes.push(unsaid("type", &format!("has invalid value: {kind}")));
    }
    for field in ["firstTimestamp", "lastTimestamp", "count", "source"] {
        if !event[field].is_null() {
            causes.push(unsaid(field, "needs to be unset"));
        }
    }
    check_series(event, causes);
}

/// What is wrong with a change of an event by way of `events.k8s.io/v1` (`ValidateEventUpdate`): it goes on as a series, and
/// else it is as it was.
fn check_change(event: &Value, old: &Value, causes: &mut Vec<Cause>) {
    check_series(event, causes);
    for field in KEPT {
        if says(&event[field]) != says(&old[field]) {
            let shown = shown_as(field);
            causes.push(Cause::invalid(shown, &event[field], "field is immutable"));
        }
    }
}

/// What a field says, in whichever way it is written: nothing may be left out, and of a time its fraction.
fn says(value: &Value) -> Value {
    let time = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    match (value, time) {
        (_, Some(time)) => time.timestamp_micros().into(),
        (Value::Object(fields), None) if fields.is_empty() => Value::Null,
        (value, None) => value.clone(),
    }
}

/// What is wrong with how often it was seen.
fn check_series(event: &Value, causes: &mut Vec<Cause>) {
    if let Some(series) = event.get("series") {
        if series["count"].as_i64().unwrap_or_default() < SERIES_MIN {
            causes.push(unsaid(
                "series.count",
                &format!("should be at least {SERIES_MIN}"),
            ));
        }
        if series["lastObservedTime"].is_null() {
            causes.push(Cause::required("series.lastObservedTime", ""));
        }
    }
}

/// The name of a field that is kept, where something is wrong with it.
fn shown_as(field: &str) -> &str {
    match field {
        "reportingComponent" => "reportingController",
        field => field,
    }
}

/// A broken rule of a field whose value Kubernetes does not show.
fn unsaid(field: &str, rule: &str) -> Cause {
    Cause::invalid(field, &json!(""), rule)
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
