//! How CronJobs are shown: as a table, as JSON or YAML, or by name only.

use chrono::TimeDelta;

use super::view::{Ended, View};
use crate::cli::exit::Failure;
use crate::cli::present::{columns, span};
use crate::cronjob::Outcome;
use crate::manifest::yaml;
use crate::schedule::Timestamp;

/// The columns of kubectl, and then ours.
const HEADER: [&str; 11] = [
    "NAMESPACE",
    "NAME",
    "SCHEDULE",
    "ZONE",
    "SUSPENDED",
    "ACTIVE",
    "LAST DUE",
    "NEXT DUE",
    "RESULT",
    "STREAK",
    "LATE",
];

/// What the wide table adds.
const MORE: [&str; 4] = ["NEXT DUE AT", "LAST JOB", "AGE", "SUSPENDED BECAUSE"];

/// The table.
pub(super) fn table(views: &[View], now: Timestamp) -> String {
    columns(HEADER, views.iter().map(|view| row(view, now)))
}

/// The table with more columns.
pub(super) fn wide(views: &[View], now: Timestamp) -> String {
    let rows = views
        .iter()
        .map(|view| row(view, now).into_iter().chain(more(view, now)));
    columns(HEADER.into_iter().chain(MORE), rows)
}

fn more(view: &View, now: Timestamp) -> [String; 4] {
    [
        view.next_due_local.clone().unwrap_or_else(none),
        view.last_result
            .as_ref()
            .and_then(|ended| ended.job.clone())
            .unwrap_or_else(none),
        view.created.map_or_else(none, |at| span(now - at)),
        view.suspend_reason.clone().unwrap_or_else(none),
    ]
}

fn row(view: &View, now: Timestamp) -> [String; 11] {
    [
        view.namespace.clone(),
        view.name.clone(),
        view.schedule.clone(),
        if view.time_zone.is_empty() {
            none()
        } else {
            view.time_zone.clone()
        },
        suspended(view, now),
        view.active.len().to_string(),
        view.last_due
            .map_or_else(none, |at| format!("{} ago", span(now - at))),
        next_due(view, now),
        view.last_result
            .as_ref()
            .map_or_else(none, |ended| result(ended, now)),
        view.streak.as_ref().map_or_else(none, |streak| {
            format!("{}{}", streak.runs, if streak.at_least { "+" } else { "" })
        }),
        view.lateness_seconds.map_or_else(none, lateness),
    ]
}

fn suspended(view: &View, now: Timestamp) -> String {
    match view.suspended_until {
        Some(until) => format!("for {}", span(until - now)),
        None if view.suspended => "yes".into(),
        None => "no".into(),
    }
}

fn next_due(view: &View, now: Timestamp) -> String {
    match view.next_due {
        Some(at) => {
            let skipped = view.skipped.iter().filter(|skipped| **skipped < at).count();
            let after = match skipped {
                0 => String::new(),
                _ => format!(", {skipped} skipped"),
            };
            format!("in {}{after}", span(at - now))
        }
        None if view.problem.is_some() => "invalid".into(),
        None if view.never_fires => "never".into(),
        None => none(),
    }
}

fn result(ended: &Ended, now: Timestamp) -> String {
    let word = match ended.outcome {
        Outcome::Succeeded => "ok",
        Outcome::Failed => "failed",
    };
    match ended.at {
        Some(at) => format!("{word}, {} ago", span(now - at)),
        None => word.into(),
    }
}

/// Kubernetes keeps whole seconds.
fn lateness(seconds: i64) -> String {
    match seconds {
        0 => "< 1 s".into(),
        _ => span(TimeDelta::seconds(seconds)),
    }
}

fn none() -> String {
    "-".into()
}

/// One JSON object a line.
///
/// # Errors
///
/// None that can be met: what is shown can be written down.
pub(super) fn json(views: &[View]) -> Result<String, Failure> {
    let lines: Result<Vec<String>, _> = views.iter().map(serde_json::to_string).collect();
    lines
        .map(|lines| lines.join("\n"))
        .map_err(|error| unwritten(&error))
}

/// One YAML document each.
///
/// # Errors
///
/// As those of [`json`].
pub(super) fn yaml_documents(views: &[View]) -> Result<String, Failure> {
    let documents: Result<Vec<String>, _> = views
        .iter()
        .map(|view| serde_json::to_value(view).map(|value| yaml::write(&value)))
        .collect();
    documents
        .map(|documents| documents.join("---\n").trim_end().to_owned())
        .map_err(|error| unwritten(&error))
}

fn unwritten(error: &serde_json::Error) -> Failure {
    Failure::from_error("the output could not be written", error)
}

/// Names as kubectl prints them and takes them back.
pub(super) fn names(views: &[View]) -> String {
    let names = views.iter().map(|view| format!("cronjob.batch/{}", view.name));
    names.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::get::view::Streak;

    #[test]
    fn the_tables_read_well() {
        let paused = View {
            suspended: true,
            suspended_until: Some(at("2026-11-25T00:00:00Z")),
            suspend_reason: Some("disk is being replaced".into()),
            ..healthy()
        };
        let off = View {
            suspended: true,
            next_due: None,
            next_due_local: None,
            ..healthy()
        };
        let skipping = View {
            skipped: vec![at("2026-11-24T01:30:00Z"), at("2026-11-27T01:30:00Z")],
            next_due: Some(at("2026-11-25T01:30:00Z")),
            next_due_local: Some("Wed 2026-11-25 02:30:00 +01:00".into()),
            ..healthy()
        };
        let views = [healthy(), broken(), paused, off, skipping];
        insta::assert_snapshot!("table", table(&views, at("2026-11-23T12:00:00Z")));
        insta::assert_snapshot!("wide", wide(&views, at("2026-11-23T12:00:00Z")));
        insta::assert_snapshot!("yaml", yaml_documents(&views[..2]).expect("YAML"));
        insta::assert_snapshot!("names", names(&views[..2]));
    }

    fn healthy() -> View {
        View {
            namespace: "shop".into(),
            name: "report".into(),
            schedule: "30 2 * * *".into(),
            time_zone: "Europe/Berlin".into(),
            problem: None,
            never_fires: false,
            suspended: false,
            suspended_until: None,
            suspend_reason: None,
            skipped: vec![],
            active: vec![],
            last_due: Some(at("2026-11-23T01:30:00Z")),
            last_successful_time: Some(at("2026-11-23T01:31:07Z")),
            next_due: Some(at("2026-11-24T01:30:00Z")),
            next_due_local: Some("Tue 2026-11-24 02:30:00 +01:00".into()),
            last_result: Some(Ended {
                job: Some("report-29923290".into()),
                outcome: Outcome::Succeeded,
                created: Some(at("2026-11-23T01:30:00Z")),
                at: Some(at("2026-11-23T01:31:07Z")),
            }),
            streak: Some(Streak {
                outcome: Outcome::Succeeded,
                runs: 3,
                at_least: true,
            }),
            lateness_seconds: Some(0),
            created: Some(at("2026-11-01T00:00:00Z")),
        }
    }

    fn broken() -> View {
        View {
            name: "tick".into(),
            schedule: "every day".into(),
            time_zone: String::new(),
            problem: Some("unparseable schedule: \"every day\"".into()),
            active: vec!["tick-29923920".into()],
            next_due: None,
            next_due_local: None,
            last_result: None,
            streak: None,
            lateness_seconds: Some(75),
            ..healthy()
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
}
