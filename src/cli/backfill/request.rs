//! What is asked for, and the instants that it comes to. No I/O, no clock.

use std::time::Duration;

use chrono::TimeDelta;

use crate::cli::asked::instant;
use crate::cli::duration::duration;
use crate::cli::exit::Failure;
use crate::cronjob::CronJob;
use crate::policy;
use crate::schedule::Timestamp;
use crate::telemetry::chain;

/// One backfill has no more instants than this: each is a Job that the cluster has to keep for a while.
const INSTANTS_MAX: usize = 10_000;

/// The longest value of a label.
const LABEL_MAX: usize = 63;

/// The arguments that say what to run.
#[derive(Debug, clap::Args)]
pub(super) struct RequestArgs {
    /// The first instant (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    from: Timestamp,

    /// The last instant [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    to: Option<Timestamp>,

    /// Which instants to run
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Reprocess::Missed)]
    reprocess: Reprocess,

    /// Which come first
    #[arg(long, value_enum, value_name = "ORDER", default_value_t = Order::Oldest)]
    order: Order,

    /// How many of its runs may be active at once; the CronJob's policy may let fewer
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    max_active: u16,

    /// Keep its Jobs for so long after their ends: as long as they are there, nothing is started twice
    #[arg(long, value_name = "DURATION", default_value = "168h", value_parser = duration)]
    keep: Duration,

    /// Call this backfill so [default: made of --reprocess, --from and --to]
    #[arg(long, value_name = "LABEL", value_parser = label)]
    label: Option<String>,
}

/// Which instants to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Reprocess {
    /// Those that have no Job
    Missed,
    /// Those, and those whose newest Job failed
    Failed,
    /// All, but those whose Job is active
    All,
}

/// Which instants come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Order {
    /// The oldest
    Oldest,
    /// The newest
    Newest,
}

/// What a backfill is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Its name, the value of its label.
    pub(super) name: String,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) reprocess: policy::Reprocess,
    pub(super) newest_first: bool,
    pub(super) max_active: usize,
    pub(super) keep: TimeDelta,
}

/// A value that a label can have.
fn label(text: &str) -> Result<String, String> {
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_label = text.len() <= LABEL_MAX
        && is_end(text.chars().next())
        && is_end(text.chars().next_back())
        && text.chars().all(is_part);
    is_label.then(|| text.to_owned()).ok_or_else(|| {
        "write up to 63 letters, digits, -, _ and ., with a letter or a digit at both ends".into()
    })
}

impl RequestArgs {
    /// What they come to at the time `now`.
    ///
    /// # Errors
    ///
    /// When they end in the future, or before they begin.
    pub(super) fn read(&self, now: Timestamp) -> Result<Request, Failure> {
        let to = self.to.unwrap_or(now);
        if to > now {
            return Err(Failure::usage(
                "--to is in the future, and the schedule itself sees to that; write an instant of the past",
            ));
        }
        if self.from > to {
            return Err(Failure::usage("--from is after --to; write an earlier instant"));
        }
        let (reprocess, word) = match self.reprocess {
            Reprocess::Missed => (policy::Reprocess::Missed, "missed"),
            Reprocess::Failed => (policy::Reprocess::Failed, "failed"),
            Reprocess::All => (policy::Reprocess::All, "all"),
        };
        // Without --to it is the same backfill tomorrow.
        let end = self.to.map_or_else(|| "now".into(), compact);
        let name = || format!("{word}.{}.{end}", compact(self.from));
        Ok(Request {
            name: self.label.clone().unwrap_or_else(name),
            from: self.from,
            to,
            reprocess,
            newest_first: self.order == Order::Newest,
            max_active: self.max_active.into(),
            keep: TimeDelta::from_std(self.keep).unwrap_or(TimeDelta::MAX),
        })
    }
}

/// An instant as a part of a label.
fn compact(at: Timestamp) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

impl Request {
    /// The due instants that it comes to, in the order in which they are started. Those of `@every` count from the
    /// CronJob's creation, and there are none before.
    ///
    /// # Errors
    ///
    /// When the schedule can't be used, or there are too many.
    pub(super) fn instants(&self, cronjob: &CronJob) -> Result<Vec<Timestamp>, Failure> {
        let schedule = cronjob.spec.schedule.as_ref();
        let schedule = schedule.map_err(|error| {
            Failure::refused(format!(
                "the schedule of {} can't be used: {}",
                cronjob.key,
                chain(error)
            ))
        })?;
        let schedule = schedule.anchored(cronjob.created);
        let before = self.from - TimeDelta::nanoseconds(1);
        let mut instants: Vec<Timestamp> = schedule
            .due(before, self.to)
            .take(INSTANTS_MAX + 1)
            .filter(|due| *due >= self.from)
            .collect();
        if instants.len() > INSTANTS_MAX {
            return Err(Failure::usage(format!(
                "more than {INSTANTS_MAX} instants are due between --from and --to; take a shorter time"
            )));
        }
        if self.newest_first {
            instants.reverse();
        }
        Ok(instants)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;
    use crate::manifest;
    use crate::schedule::TimeZones;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        request: RequestArgs,
    }

    /// One row a command line, at noon: the name of the backfill, or why it is refused.
    #[test]
    fn a_backfill_is_known_by_what_it_is_asked() {
        for (line, expected) in [
            ("", Ok("missed.20261101T000000Z.now")),
            (
                "--to 2026-11-02T00:00:00+01:00",
                Ok("missed.20261101T000000Z.20261101T230000Z"),
            ),
            ("--reprocess all", Ok("all.20261101T000000Z.now")),
            ("--reprocess failed --label second-try", Ok("second-try")),
            (
                "--to 2027-01-01T00:00:00Z",
                Err(
                    "--to is in the future, and the schedule itself sees to that; write an instant of the past",
                ),
            ),
            (
                "--to 2026-10-01T00:00:00Z",
                Err("--from is after --to; write an earlier instant"),
            ),
        ] {
            let read = request(line);
            let found = read.as_ref().map(|request| request.name.as_str());
            assert_eq!(
                found.map_err(|failure| failure.message.as_str()),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn a_label_is_one_of_kubernetes() {
        for (text, good) in [
            ("spring-2026", true),
            ("a.b_c", true),
            ("", false),
            ("-a", false),
            ("a b", false),
            ("a/b", false),
        ] {
            assert_eq!(label(text).is_ok(), good, "{text:?}");
        }
        assert!(label(&"a".repeat(63)).is_ok() && label(&"a".repeat(64)).is_err());
    }

    /// One row a schedule and a time: the instants, as the hours of 1 November 2026.
    #[test]
    fn instants_are_those_of_the_schedule_with_both_ends() {
        for (schedule, annotations, line, expected) in [
            (
                "0 */6 * * *",
                json!({}),
                "--to 2026-11-01T12:00:00Z",
                "00:00 06:00 12:00",
            ),
            (
                "0 */6 * * *",
                json!({}),
                "--to 2026-11-01T11:59:59Z",
                "00:00 06:00",
            ),
            (
                "0 */6 * * *",
                json!({}),
                "--to 2026-11-01T12:00:00Z --order newest",
                "12:00 06:00 00:00",
            ),
            ("30 23 * * *", json!({}), "--to 2026-11-01T12:00:00Z", ""),
            (
                "0 */6 * * *",
                json!({ "punctual.dev/start-at": "2026-11-01T06:00:00Z" }),
                "--to 2026-11-01T12:00:00Z",
                "06:00 12:00",
            ),
            // It was created at three o'clock.
            (
                "@every 90m",
                json!({}),
                "--to 2026-11-01T07:00:00Z",
                "04:30 06:00",
            ),
        ] {
            let request = request(line).expect("a request");
            let instants = request
                .instants(&cronjob(schedule, &annotations))
                .expect("instants");
            let shown: Vec<String> = instants.iter().map(|at| at.format("%H:%M").to_string()).collect();
            assert_eq!(shown.join(" "), expected, "{schedule} {line}");
        }
    }

    #[test]
    fn there_is_an_end_to_the_instants() {
        let request = request("--to 2026-11-20T00:00:00Z").expect("a request");
        let refused = request
            .instants(&cronjob("* * * * *", &json!({})))
            .expect_err("too many");
        assert_eq!(
            refused.message,
            "more than 10000 instants are due between --from and --to; take a shorter time"
        );
        let refused = request
            .instants(&cronjob("every day", &json!({})))
            .expect_err("no schedule");
        assert!(
            refused.message.starts_with("the schedule of a/t can't be used: "),
            "{refused:?}"
        );
    }

    fn request(line: &str) -> Result<Request, Failure> {
        let words = "t --from 2026-11-01T00:00:00Z ".to_owned() + line;
        let line = Line::try_parse_from(words.split_whitespace()).expect("arguments");
        line.request
            .read("2026-11-23T12:00:00Z".parse().expect("an instant"))
    }

    fn cronjob(schedule: &str, annotations: &serde_json::Value) -> CronJob {
        let object = json!({
            "metadata": {
                "name": "t", "namespace": "a", "annotations": annotations, "creationTimestamp": "2026-11-01T03:00:00Z",
            },
            "spec": { "schedule": schedule, "jobTemplate": {} },
        });
        let object: manifest::CronJob = serde_json::from_str(&object.to_string()).expect("a CronJob");
        manifest::lower(&object, &TimeZones::built_in(), None)
    }
}
