//! A forecast as an HTML page.

use crate::cli::forecast::outlook::{MINUTE, Outlook};
use crate::cli::page::{self, Middle, Page, grouped, local};
use crate::schedule::{Timestamp, Zone};

/// So many CronJobs are named for a minute.
const NAMED: usize = 4;

/// The page.
pub(super) fn html(outlook: &Outlook, zone: &Zone, top: usize) -> String {
    let when = |at: Timestamp| local(at, zone).format("%a %H:%M").to_string();
    let peak = |found: Option<(Timestamp, u32)>, what: &str| match found {
        Some((at, most)) => (grouped(most.into()), format!("{what}, {}", when(at))),
        None => ("0".into(), what.to_owned()),
    };
    let rows = outlook.crowded(top).into_iter().map(|crowded| {
        vec![
            local(crowded.at, zone).format(MINUTE).to_string(),
            grouped(crowded.minute.starts.into()),
            grouped(crowded.minute.running.into()),
            outlook.names(&crowded.who, NAMED),
        ]
    });
    let members = outlook.members.iter().map(|member| page::Member {
        name: member.key.to_string(),
        schedule: member.schedule.clone(),
        said: member.said.clone(),
        run_time: member.run_time,
        events: vec![],
    });
    Page {
        title: match outlook.members.len() {
            1 => "When 1 CronJob will start".into(),
            count => format!("When {} CronJobs will start", grouped(count as u64)),
        },
        tiles: vec![
            (grouped(outlook.members.len() as u64), "CronJobs".into()),
            (grouped(outlook.starts()), "starts".into()),
            peak(
                outlook.peak(|minute| minute.starts),
                "starts in one minute at most",
            ),
            peak(outlook.peak(|minute| minute.running), "running at once at most"),
        ],
        middle: Middle {
            title: "Most crowded minutes",
            header: vec!["When", "Starts", "Running", "Who starts"],
            rows: rows.collect(),
            otherwise: "No two runs start in the same minute.",
            advice: outlook.advice(),
        },
        members: members.collect(),
        crowd: &outlook.crowd,
        zone,
        footnotes: outlook
            .caveats(zone)
            .into_iter()
            .map(|caveat| caveat + ".")
            .collect(),
    }
    .html()
}
