//! What is to run, as a table: namespace, name, schedule, zone, next due, in how long.

use crate::cli::present::{columns, span};
use crate::cli::up::happening::LoadedObject;
use crate::schedule::Timestamp;

/// The table of what was loaded; none, when that is nothing.
pub(super) fn loaded(objects: &[LoadedObject], now: Timestamp) -> Option<String> {
    table(objects, now, "(a Job: runs once)")
}

/// What is there from before and goes on, with the way to end it; none, when that is nothing.
pub(super) fn kept(objects: &[LoadedObject], now: Timestamp) -> Option<String> {
    let table = table(objects, now, "(a Job: goes on)")?;
    Some(format!(
        "kept from before, and not in the manifests of this time (kubectl delete cronjob NAME ends one):\n\n{table}"
    ))
}

fn table(objects: &[LoadedObject], now: Timestamp, job: &str) -> Option<String> {
    let rows = objects.iter().map(|object| row(object, now, job));
    let table = columns(["NAMESPACE", "NAME", "SCHEDULE", "ZONE", "NEXT DUE", "IN"], rows);
    (!objects.is_empty()).then(|| format!("{table}\n"))
}

fn row(object: &LoadedObject, now: Timestamp, job: &str) -> [String; 6] {
    let none = || "-".to_owned();
    let (schedule, zone, due, wait) = match &object.timing {
        None => (job.to_owned(), none(), "now".into(), none()),
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
