//! A forecast for programs: JSON and CSV, with instants in UTC.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::cli::forecast::outlook::Outlook;
use crate::schedule::{Timestamp, Zone};

/// One object, minutes in which nothing starts and nothing runs left out.
pub(super) fn json(outlook: &Outlook, zone: &Zone, top: usize) -> String {
    let crowd = &outlook.crowd;
    let busy = crowd
        .minutes()
        .iter()
        .enumerate()
        .filter(|(_, minute)| minute.running > 0);
    let minutes = busy.map(|(index, minute)| {
        json!({ "at": text(crowd.begin_of(index)), "starts": minute.starts, "running": minute.running })
    });
    let cronjobs = outlook.members.iter().enumerate().map(|(number, member)| {
        json!({
            "namespace": member.key.namespace,
            "name": member.key.name,
            "schedule": member.schedule,
            "starts": crowd.starts_of(number).len(),
            "runSeconds": member.run_time.as_seconds_f64(),
            "runTimeKnown": member.is_known,
            "suspended": member.suspended,
        })
    });
    let crowded = outlook.crowded(top).into_iter().map(|crowded| {
        let who = crowded
            .who
            .iter()
            .map(|number| outlook.members[*number].key.to_string());
        json!({
            "at": text(crowded.at),
            "starts": crowded.minute.starts,
            "running": crowded.minute.running,
            "cronJobs": who.collect::<Vec<String>>(),
        })
    });
    let forecast = json!({
        "from": text(outlook.from),
        "to": text(outlook.to),
        "timeZone": zone.name(),
        "starts": outlook.starts(),
        "mostStarts": outlook.peak(|minute| minute.starts).map_or(0, |(_, most)| most),
        "mostRunning": outlook.peak(|minute| minute.running).map_or(0, |(_, most)| most),
        "crowded": crowded.collect::<Vec<Value>>(),
        "advice": outlook.advice(),
        "caveats": outlook.caveats(zone),
        "cronJobs": cronjobs.collect::<Vec<Value>>(),
        "minutes": minutes.collect::<Vec<Value>>(),
    });
    forecast.to_string()
}

/// A line for every minute.
pub(super) fn csv(outlook: &Outlook) -> String {
    let mut lines = String::from("minute,starts,running");
    for (index, minute) in outlook.crowd.minutes().iter().enumerate() {
        // A `String` takes everything.
        let _ = write!(
            lines,
            "\n{},{},{}",
            text(outlook.crowd.begin_of(index)),
            minute.starts,
            minute.running
        );
    }
    lines
}

fn text(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
