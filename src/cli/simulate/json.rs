//! A simulation for programs: an object a line, which says its `kind`.

use serde_json::{Value, json};

use crate::cronjob::Key;
use crate::foresight::script::moment;
use crate::foresight::{Entry, Happening, Kind, Shown, Tally};
use crate::schedule::Timestamp;

/// The line for what is shown, or `None` where another one says it.
pub(super) fn line(shown: &Shown<'_>) -> Option<String> {
    let object = match shown {
        Shown::Comment(_) => return None,
        Shown::Command(command) => json!({ "kind": "command", "message": command.to_string() }),
        Shown::Reply(reply) => json!({ "kind": "reply", "message": reply }),
        Shown::Happening(happening) => entry(happening, Entry::of(happening)?),
    };
    Some(object.to_string())
}

fn entry(happening: &Happening<'_>, entry: Entry) -> Value {
    let mut object = json!({
        "kind": entry.kind.word(),
        "at": moment(happening.at),
        "namespace": happening.cronjob.namespace,
        "name": happening.cronjob.name,
        "reason": entry.reason,
        "message": entry.text,
    });
    let mut set = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            object[field] = value;
        }
    };
    set("job", entry.job.map(Value::from));
    set("scheduled", entry.scheduled.map(|at| moment(at).into()));
    set("count", (entry.kind == Kind::Skip).then(|| entry.count.into()));
    let seconds = entry.time.map(|time| time.as_seconds_f64().into());
    match entry.kind {
        Kind::Start | Kind::CatchUp => set("lateSeconds", seconds),
        _ => set("ranSeconds", seconds),
    }
    object
}

/// What it comes to for one CronJob.
pub(super) fn summary(cronjob: &Key, tally: &Tally, until: Timestamp) -> String {
    let object = json!({
        "kind": "summary",
        "at": moment(until),
        "namespace": cronjob.namespace,
        "name": cronjob.name,
        "started": tally.started,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "replaced": tally.replaced,
        "skipped": tally.skipped,
        "late": tally.late,
        "latestSeconds": tally.latest.as_seconds_f64(),
        "active": tally.active,
        "mostActive": tally.most_active,
    });
    object.to_string()
}
