//! CronJobs that all start at once.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::manifest::suggest::listed;
use crate::schedule::Timestamp;

/// So many CronJobs in one minute are a crowd.
const CROWD: usize = 10;

/// How far ahead is looked.
const AHEAD: TimeDelta = TimeDelta::days(1);

/// A CronJob that runs more often than this in that time is everywhere, and not counted.
const OFTEN: u64 = 144;

/// How many of a crowd are named.
const NAMED: usize = 3;

pub(super) const RULE: Rule = Rule {
    code: "P048",
    name: "crowded-minute",
    severity: Severity::Warning,
    summary: "Many CronJobs start in the same minute",
    page: r#"
Everybody writes minute 0. Where many CronJobs start at once, their pods wait for each other, for nodes to be
added and for images to be pulled, and what they call has its busiest second. Spread them: choose other
minutes, or write `H` in the annotation `punctual.dev/schedules`, which spreads by name:

    punctual.dev/schedules: "H 2 * * *"

Or leave the schedules alone and let each start a little later, by `punctual.dev/jitter: 10m`.

CronJobs that run every ten minutes or more often, those with jitter and suspended ones are not counted.
`punctual forecast` shows the whole day.
"#,
    finds: Finds::InAll(check),
};

fn check(subjects: &[&Subject]) -> Vec<Diagnostic> {
    let mut minutes: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, subject) in subjects.iter().enumerate() {
        for minute in starts(subject) {
            minutes.entry(minute).or_default().push(index);
        }
    }
    // Of minutes that are equally crowded the first is told.
    let crowded = minutes.iter().rev().max_by_key(|(_, crowd)| crowd.len());
    let Some((minute, crowd)) = crowded.filter(|(_, crowd)| crowd.len() >= CROWD) else {
        return Vec::new();
    };
    let at = Timestamp::from_timestamp(minute * 60, 0)
        .unwrap_or_default()
        .format("%H:%M");
    let name = |index: &usize| format!("`{}`", subjects[*index].name.trim_start_matches("CronJob "));
    let mut named: Vec<String> = crowd.iter().take(NAMED).map(name).collect();
    named.push(format!("{} others", crowd.len() - NAMED));
    let message = format!(
        "{} CronJobs start in the same minute, {at} UTC: {}",
        crowd.len(),
        listed(named)
    );
    let first = subjects[crowd[0]];
    let Some(expression) = first
        .timing
        .as_ref()
        .and_then(|timing| timing.expressions.first())
    else {
        return Vec::new();
    };
    let help = "choose other minutes, or spread them with `H` in the annotation `punctual.dev/schedules` or with `punctual.dev/jitter`";
    vec![first.say_of_schedule(expression, message, Some(help))]
}

/// The minutes in which a CronJob starts, counted from 1970.
fn starts(subject: &Subject) -> Vec<i64> {
    let now = subject.options.now;
    let is_spread = subject.extensions.policies.jitter >= TimeDelta::minutes(1);
    let Some(timing) = subject
        .timing
        .as_ref()
        .filter(|_| !subject.is_suspended() && !is_spread)
    else {
        return Vec::new();
    };
    if timing.all.count(now, now + AHEAD, OFTEN) >= OFTEN {
        return Vec::new();
    }
    let mut minutes: Vec<i64> = timing
        .all
        .due(now, now + AHEAD)
        .map(|due| due.timestamp().div_euclid(60))
        .collect();
    minutes.dedup();
    minutes
}
