//! What was loaded, as a table: namespace, name, schedule, zone, next due, in how long.

use crate::cli::present::{columns, span};
use crate::cli::up::happening::LoadedObject;
use crate::schedule::Timestamp;

/// The table of everything that was loaded.
pub(super) fn table(objects: &[LoadedObject], now: Timestamp) -> String {
    let rows = objects.iter().map(|object| row(object, now));
    columns(["NAMESPACE", "NAME", "SCHEDULE", "ZONE", "NEXT DUE", "IN"], rows)
}

fn row(object: &LoadedObject, now: Timestamp) -> [String; 6] {
    let none = || "-".to_owned();
    let (schedule, zone, due, wait) = match &object.timing {
        None => ("(a Job: runs once)".into(), none(), "now".into(), none()),
        Some(timing) => {
            let (due, wait) = match (timing.suspended, timing.next) {
                (true, _) => ("suspended".into(), none()),
                (false, None) => ("never".into(), none()),
                (false, Some(next)) => (timing.next_local.clone().unwrap_or_default(), span(next - now)),
            };
            (timing.schedule.clone(), timing.zone.clone(), due, wait)
        }
    };
    [
        object.key.namespace.clone(),
        object.key.name.clone(),
        schedule,
        zone,
        due,
        wait,
    ]
}
