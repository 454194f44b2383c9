//! What has to be known of a CronJob after a restart and has no place in `batch/v1`'s status.
//!
//! It is kept in the annotation `punctual.dev/state` of the CronJob itself, as words that a person can read:
//!
//! ```text
//! passed=2026-11-26T10:05:00Z queue=2026-11-26T10:00:00Z,2026-11-26T10:05:00Z
//! ```
//!
//! It is written together with the status, in one request and through the status subresource, which takes annotations as
//! well (the conformance test of CronJobs does the same). So the two never disagree, a restart at any moment is safe, and
//! the controller needs no permission to change what an owner wrote. Only CronJobs with a policy that needs it have one, and
//! those of which a clock change took a run away, until their next run.

use std::fmt;

use crate::schedule::Timestamp;

/// What is recorded beyond the status. Its default is nothing, and is not written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Every instant up to here has been started, skipped, or is among those below.
    pub passed: Option<Timestamp>,
    /// Missed instants that are still to be started, oldest first.
    pub missed: Vec<Timestamp>,
    /// Instants that wait for their turn, oldest first.
    pub queue: Vec<Timestamp>,
    /// How many runs have failed in a row.
    pub failures: u32,
    /// Which schedule was followed, as a number: an edit shows by it.
    pub schedule: Option<u64>,
    /// It was suspended when it was last decided on.
    pub paused: bool,
    /// Since when it is suspended for its failures. This alone stands in an annotation of its own,
    /// `punctual.dev/suspended`, for whoever takes it away to resume.
    pub suspended: Option<Timestamp>,
}

/// A record that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not part of a record")]
pub struct BadRecord(pub String);

impl Record {
    /// Up to when everything has had its run, by this and by the last schedule time or the creation.
    pub fn done_until(&self, anchor: Timestamp) -> Timestamp {
        self.passed.map_or(anchor, |passed| passed.max(anchor))
    }

    /// Reads the text of a record.
    ///
    /// # Errors
    ///
    /// If it is not one: somebody changed it.
    pub fn parse(text: &str) -> Result<Record, BadRecord> {
        let mut record = Record::default();
        for word in text.split_whitespace() {
            let bad = || BadRecord(word.to_owned());
            if word == "paused" {
                record.paused = true;
                continue;
            }
            let (name, value) = word.split_once('=').ok_or_else(bad)?;
            match name {
                "passed" => record.passed = Some(instant(value).ok_or_else(bad)?),
                "missed" => record.missed = instants(value).ok_or_else(bad)?,
                "queue" => record.queue = instants(value).ok_or_else(bad)?,
                "failures" => record.failures = value.parse().map_err(|_| bad())?,
                "schedule" => record.schedule = Some(u64::from_str_radix(value, 16).map_err(|_| bad())?),
                _ => return Err(bad()),
            }
        }
        Ok(record)
    }

    /// The instant has been started, and all before it have been dealt with.
    pub(crate) fn started(&mut self, scheduled: Timestamp) {
        self.missed.retain(|at| *at > scheduled);
        self.queue.retain(|at| *at > scheduled);
        self.passed = self.passed.filter(|passed| *passed > scheduled);
    }
}

/// The text that [`Record::parse`] reads; nothing if there is nothing to write down.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.passed.map(|at| format!("passed={}", text(&at))));
        for (name, list) in [("missed", &self.missed), ("queue", &self.queue)] {
            if !list.is_empty() {
                let list: Vec<String> = list.iter().map(text).collect();
                words.push(format!("{name}={}", list.join(",")));
            }
        }
        if self.failures > 0 {
            words.push(format!("failures={}", self.failures));
        }
        words.extend(self.schedule.map(|number| format!("schedule={number:016x}")));
        words.extend(self.paused.then(|| "paused".to_owned()));
        f.write_str(&words.join(" "))
    }
}

fn text(at: &Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn instants(text: &str) -> Option<Vec<Timestamp>> {
    let mut list = text.split(',').map(instant).collect::<Option<Vec<_>>>()?;
    list.sort();
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_being_written_down() {
        for text in [
            "",
            "passed=2026-11-26T10:05:00Z",
            "failures=2 schedule=00c0ffee00c0ffee paused",
            "passed=2026-11-26T10:05:00Z missed=2026-11-26T09:00:00Z queue=2026-11-26T10:00:00Z,2026-11-26T10:05:00Z",
        ] {
            assert_eq!(
                Record::parse(text).map(|record| record.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn what_is_not_a_record_is_refused() {
        for (text, bad) in [
            ("passed", "passed"),
            ("passed=soon", "passed=soon"),
            ("colour=blue", "colour=blue"),
        ] {
            assert_eq!(Record::parse(text), Err(BadRecord(bad.to_owned())));
        }
    }
}
