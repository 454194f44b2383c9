//! What happened, for programs: one JSON object a line, each with `at` and `event`.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::up::happening::{End, Ended, Followed, Happening, LoadedObject, Rest};
use crate::cli::up::tally::Tally;
use crate::cronjob::Outcome;
use crate::schedule::Timestamp;
use crate::standalone::runtime::{self, Stream, What, WorkKind};
use crate::telemetry::Told;

/// The object for what happened.
pub(super) fn event(happening: &Happening) -> Value {
    match happening {
        Happening::Decision(told) => decision(told),
        Happening::Process(event) => process(event),
        Happening::Ended(ended) => work_ended(ended),
        Happening::Followed(followed) => follow(followed),
    }
}

fn follow(followed: &Followed) -> Value {
    match followed {
        Followed::Applied {
            at,
            file,
            object: applied,
        } => {
            let mut event = object(*at, "applied", applied);
            event["path"] = file.as_str().into();
            event
        }
        Followed::Pruned { at, file, id } => json!({
            "at": moment(*at),
            "event": "pruned",
            "kind": id.kind,
            "namespace": id.key.namespace,
            "name": id.key.name,
            "path": file,
        }),
        Followed::Diagnosed {
            file,
            diagnostics,
            is_broken,
            goes_on: _,
        } => {
            let messages: Vec<&str> = diagnostics.iter().map(|one| one.message.as_str()).collect();
            json!({ "event": "diagnosed", "path": file, "refused": is_broken, "messages": messages })
        }
        Followed::Refused { file, message } => {
            json!({ "event": "refused", "path": file, "message": message })
        }
    }
}

fn decision(told: &Told) -> Value {
    json!({
        "at": moment(told.at),
        "event": "decision",
        "namespace": told.cronjob.namespace,
        "cronJob": told.cronjob.name,
        "reason": told.note.reason(),
        "message": told.note.to_string(),
        "scheduled": told.note.scheduled().map(moment),
        "latenessMs": told.note.lateness().map(|lateness| lateness.num_milliseconds()),
    })
}

fn process(event: &runtime::Event) -> Value {
    let origin = &event.origin;
    let mut object = json!({
        "at": moment(event.at),
        "namespace": origin.namespace,
        "job": origin.job,
        "pod": origin.pod,
        "container": origin.container,
    });
    let (kind, details) = match &event.what {
        What::Started { pid } => ("processStarted", json!({ "pid": pid })),
        What::Line { stream, text, .. } => {
            ("output", json!({ "stream": stream_name(*stream), "line": text }))
        }
        What::LeftOut { lines } => ("outputLeftOut", json!({ "lines": lines })),
        What::Unread { message } => ("outputUnread", json!({ "message": message })),
        What::Ended {
            exit_code,
            signal,
            unseen: None,
        } => ("processEnded", json!({ "exitCode": exit_code, "signal": signal })),
        What::Ended {
            exit_code,
            signal,
            unseen: Some(why),
        } => (
            "processEnded",
            json!({ "exitCode": exit_code, "signal": signal, "message": why }),
        ),
        What::NotStarted { reason, message } => {
            ("notStarted", json!({ "reason": reason, "message": message }))
        }
        What::Unseen { message } => ("unseen", json!({ "message": message })),
        What::RestartsAfter { delay } => ("restartsAfter", json!({ "delaySeconds": delay.as_secs_f64() })),
    };
    object["event"] = kind.into();
    if let (Value::Object(object), Value::Object(details)) = (&mut object, details) {
        object.extend(details);
    }
    object
}

fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    }
}

fn work_ended(ended: &Ended) -> Value {
    let kind = match ended.work.kind {
        WorkKind::Job => "job",
        WorkKind::Pod => "pod",
    };
    let how = match ended.outcome {
        Some(Outcome::Succeeded) => "Succeeded",
        Some(Outcome::Failed) => "Failed",
        None => "Deleted",
    };
    json!({
        "at": moment(ended.at),
        "event": format!("{kind}{how}"),
        "namespace": ended.work.namespace,
        kind: ended.work.name,
        "tookMs": ended.took.num_milliseconds(),
        "why": ended.why,
    })
}

/// The first object: where the API is.
pub(super) fn serving(at: Timestamp, kubeconfig: &Path, server: &str) -> Value {
    json!({
        "at": moment(at),
        "event": "serving",
        "kubeconfig": kubeconfig.to_string_lossy(),
        "server": server,
    })
}

/// The object for something that is to run: `loaded` from a manifest, or `kept` from before.
pub(super) fn object(at: Timestamp, event: &'static str, object: &LoadedObject) -> Value {
    let timing = object.timing.as_ref();
    json!({
        "at": moment(at),
        "event": event,
        "kind": object.kind,
        "namespace": object.key.namespace,
        "name": object.key.name,
        "schedule": timing.map(|timing| &timing.schedule),
        "timeZone": timing.map(|timing| &timing.zone),
        "suspended": timing.map_or(object.rest == Some(Rest::Suspended), |timing| timing.suspended),
        "next": timing.and_then(|timing| timing.next).map(moment),
        "outcome": object.rest.as_ref().and_then(Rest::end).map(End::how),
    })
}

/// The object for events that were left out, as nobody read them in time.
pub(super) fn left_out(at: Timestamp, events: u64) -> Value {
    json!({ "at": moment(at), "event": "leftOut", "events": events })
}

/// The last object: what it came to.
pub(super) fn summary(at: Timestamp, tally: &Tally) -> Value {
    json!({
        "at": moment(at),
        "event": "summary",
        "started": tally.started,
        "carriedOver": tally.carried_over,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "skipped": tally.skipped(),
        "waiting": tally.waiting().values().sum::<u64>(),
        "deleted": tally.deleted,
        "stopped": tally.stopped(),
        "pending": tally.pending(),
    })
}

fn moment(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
