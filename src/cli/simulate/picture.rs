//! A simulation as an HTML page.

use std::collections::HashMap;

use crate::cli::page::{Member, Middle, Page, grouped, local};
use crate::cronjob::Key;
use crate::foresight::{Crowd, Entry, Happening, Kind, Simulation, Tally};
use crate::schedule::{Timestamp, Zone};

/// So many of the things that did not go by themselves are listed. The timeline marks them all.
const LISTED: usize = 1_000;

/// What the page is made of.
pub(super) struct Picture {
    crowd: Crowd,
    /// What did not go by itself, by the number of the CronJob.
    events: HashMap<usize, Vec<(Timestamp, Kind)>>,
    /// The first of them, in words.
    listed: Vec<Vec<String>>,
    count: usize,
    /// The schedules as sentences, where they are known from the begin.
    said: HashMap<Key, String>,
}

impl Picture {
    /// Nothing so far, between two instants.
    pub(super) fn new(from: Timestamp, to: Timestamp, said: HashMap<Key, String>) -> Picture {
        let into_hour = from.timestamp().rem_euclid(3_600);
        Picture {
            crowd: Crowd::new(from - chrono::TimeDelta::seconds(into_hour), to),
            events: HashMap::new(),
            listed: vec![],
            count: 0,
            said,
        }
    }

    /// Takes in what happens.
    pub(super) fn see(&mut self, happening: &Happening<'_>) {
        self.crowd.see(happening);
        let Some(entry) = Entry::of(happening).filter(|entry| !entry.kind.is_smooth()) else {
            return;
        };
        if entry.kind != Kind::Note {
            let events = self.events.entry(happening.number).or_default();
            events.push((happening.at, entry.kind));
        }
        self.count += 1;
        if self.listed.len() < LISTED {
            self.listed.push(vec![
                happening.at.format("%a %-d %b %H:%M:%S").to_string(),
                entry.kind.word().into(),
                happening.cronjob.to_string(),
                entry.text,
            ]);
        }
    }

    /// The page.
    pub(super) fn html(mut self, simulation: &Simulation, tallies: &[&(Key, Tally)]) -> String {
        self.crowd.close();
        let sum = |of: fn(&Tally) -> u64| grouped(tallies.iter().map(|(_, tally)| of(tally)).sum());
        let running = self
            .crowd
            .minutes()
            .iter()
            .map(|minute| minute.running)
            .max()
            .unwrap_or(0);
        let members = tallies.iter().enumerate().map(|(number, (key, _))| {
            let cronjob = simulation.cronjob(key);
            Member {
                name: key.to_string(),
                schedule: cronjob
                    .map(|cronjob| cronjob.spec.schedule_text.clone())
                    .unwrap_or_default(),
                said: self.said.remove(key).unwrap_or_default(),
                run_time: simulation.run_time(key).unwrap_or_default(),
                events: self.events.remove(&number).unwrap_or_default(),
            }
        });
        let mut footnotes = vec!["Simulated: nothing was run. Times are UTC.".to_owned()];
        if self.count > self.listed.len() {
            let (count, listed) = (grouped(self.count as u64), grouped(self.listed.len() as u64));
            footnotes.push(format!(
                "Of {count} things that did not go by themselves, the first {listed} are listed."
            ));
        }
        let members = members.collect();
        let from = local(self.crowd.begin_of(0), &Zone::utc());
        Page {
            title: format!("What would happen from {} on", from.format("%-d %b %Y")),
            tiles: vec![
                (grouped(tallies.len() as u64), "CronJobs".into()),
                (sum(|tally| tally.started), "starts".into()),
                (sum(|tally| tally.late), "of them late".into()),
                (sum(|tally| tally.skipped), "skipped".into()),
                (sum(|tally| tally.failed), "failed".into()),
                (grouped(running.into()), "running at once at most".into()),
            ],
            middle: Middle {
                title: "What did not go by itself",
                header: vec!["When", "What", "CronJob", "Why"],
                rows: self.listed,
                otherwise: "Every run started at its instant and succeeded.",
                advice: vec![],
            },
            members,
            crowd: &self.crowd,
            zone: &Zone::utc(),
            footnotes,
        }
        .html()
    }
}
