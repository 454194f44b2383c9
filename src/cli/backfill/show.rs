//! What is said: for people in lines, for programs as JSON objects, each with `at` and `event`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::backfill::request::Request;
use crate::cli::backfill::table::{Row, SoFar, Table};
use crate::cli::present::{columns, rfc3339, wall_clock};
use crate::cli::{complain, say};
use crate::clock::{Clock, SystemClock};
use crate::cronjob::extension::Overlap;
use crate::cronjob::{Concurrency, CronJob, HistoryLimits, Key, Outcome, Spec};
use crate::policy::{Hold, Plan};
use crate::schedule::{Schedule, Timestamp, Zone};

/// So many instants are shown to a person before a question; a dry run shows all.
const ROWS_SHOWN: usize = 50;

/// How to show what a backfill does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    /// For people, with wall-clock times of the CronJob's zone
    #[value(alias = "table")]
    Text,
    /// One JSON object a line, with instants in UTC
    Json,
}

/// What it came to.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub(super) started: usize,
    pub(super) succeeded: usize,
    pub(super) failed: usize,
    /// Those whose Job could not be created, or was deleted before it ended.
    pub(super) not_started: usize,
}

impl Sum {
    pub(super) fn ended(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Succeeded => self.succeeded += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

/// Says it.
pub(super) struct Show {
    output: Output,
    key: Key,
    zone: Arc<Zone>,
}

impl Show {
    pub(super) fn new(output: Output, cronjob: &CronJob) -> Show {
        let zone = cronjob.spec.schedule.as_ref().map(Schedule::zone);
        Show {
            output,
            key: cronjob.key.clone(),
            zone: zone.map_or_else(|_| Zone::utc(), Arc::clone),
        }
    }

    /// What is to be done.
    pub(super) fn table(&self, table: &Table, request: &Request, cronjob: &CronJob, is_dry_run: bool) {
        match self.output {
            Output::Text => {
                let most = if is_dry_run { usize::MAX } else { ROWS_SHOWN };
                say(&text(table, request, &cronjob.spec, &self.zone, most));
            }
            Output::Json => table
                .rows
                .iter()
                .for_each(|row| self.event("planned", planned(row))),
        }
    }

    /// What is asked before it begins.
    pub(super) fn question(&self, table: &Table) -> String {
        format!("start {} of {}?", runs(table.to_start()), self.key)
    }

    pub(super) fn started(&self, job: &str, scheduled: Timestamp, left: usize) {
        let due = wall_clock(scheduled, &self.zone);
        let text = format!("{job} started, for {due} ({left} left)");
        self.line(
            &text,
            "started",
            json!({ "job": job, "scheduled": rfc3339(scheduled), "left": left }),
        );
    }

    pub(super) fn ended(&self, job: &str, outcome: Outcome) {
        let (word, event) = match outcome {
            Outcome::Succeeded => ("succeeded", "jobSucceeded"),
            Outcome::Failed => ("failed", "jobFailed"),
        };
        self.line(&format!("{job} {word}"), event, json!({ "job": job }));
    }

    pub(super) fn gone(&self, job: &str) {
        let text = format!("{job} was deleted before it ended; the same command starts it again");
        self.line(&text, "jobDeleted", json!({ "job": job }));
    }

    pub(super) fn has_one(&self, scheduled: Timestamp) {
        let text = format!("{} has a run by now", wall_clock(scheduled, &self.zone));
        self.line(&text, "leftAlone", json!({ "scheduled": rfc3339(scheduled) }));
    }

    pub(super) fn name_taken(&self, job: &str) {
        let text = format!("{job} was not started: another Job has that name. Rename or delete it");
        self.line(
            &text,
            "notStarted",
            json!({ "job": job, "why": "another Job has that name" }),
        );
    }

    pub(super) fn refused(&self, job: &str, why: &str) {
        let text = format!("{job} could not be started: {why}; tried again");
        self.line(&text, "refused", json!({ "job": job, "why": why }));
    }

    pub(super) fn waits(&self, hold: &Hold) {
        let why = hold.to_string();
        self.line(&format!("waits: {why}"), "waits", json!({ "why": why }));
    }

    pub(super) fn stopped(&self, running: usize, waiting: usize) {
        let left = match waiting {
            0 => "no run is left to start".into(),
            1 => "1 run is left, and the same command goes on with it".into(),
            _ => format!(
                "{} are left, and the same command goes on with them",
                runs(waiting)
            ),
        };
        let active = match running {
            0 => "none is active".into(),
            1 => "1 is active and goes on".into(),
            _ => format!("{running} are active and go on"),
        };
        match self.output {
            Output::Text => complain(&format!("stopped: {left}; {active}")),
            Output::Json => self.event("stopped", json!({ "left": waiting, "active": running })),
        }
    }

    pub(super) fn sum(&self, sum: &Sum) {
        let Sum {
            started,
            succeeded,
            failed,
            not_started,
        } = sum;
        let text =
            format!("{started} started, {succeeded} succeeded, {failed} failed, {not_started} not run");
        let fields =
            json!({ "started": started, "succeeded": succeeded, "failed": failed, "notRun": not_started });
        self.line(&text, "summary", fields);
    }

    fn line(&self, text: &str, event: &str, fields: Value) {
        match self.output {
            Output::Text => say(text),
            Output::Json => self.event(event, fields),
        }
    }

    fn event(&self, event: &str, fields: Value) {
        let mut object = json!({ "at": rfc3339(SystemClock.now()), "event": event });
        object["namespace"] = self.key.namespace.as_str().into();
        object["cronJob"] = self.key.name.as_str().into();
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
            object.extend(fields);
        }
        say(&object.to_string());
    }
}

/// An instant, for programs.
fn planned(row: &Row) -> Value {
    let (decision, job) = match &row.plan {
        Plan::Start(job) => ("start", Some(job)),
        Plan::Started => ("started", None),
        Plan::Leave => ("leave", None),
    };
    json!({
        "scheduled": rfc3339(row.scheduled),
        "soFar": (row.so_far != SoFar::NoJob).then(|| row.so_far.word()),
        "newestJob": row.job.as_ref().map(|(name, _)| name),
        "decision": decision,
        "job": job,
    })
}

/// The instants in a table of at most so many rows, and what holds for all of them.
fn text(table: &Table, request: &Request, spec: &Spec, zone: &Zone, most: usize) -> String {
    if table.rows.is_empty() {
        let (from, to) = (wall_clock(request.from, zone), wall_clock(request.to, zone));
        return format!("nothing was due from {from} to {to}");
    }
    let rows = table.rows.iter().take(most).map(|row| {
        let so_far = match &row.job {
            Some((job, _)) => format!("{} ({job})", row.so_far.word()),
            None => row.so_far.word().to_owned(),
        };
        let plan = match &row.plan {
            Plan::Start(job) => format!("start {job}"),
            Plan::Started => "started by this backfill".into(),
            Plan::Leave => "leave it".into(),
        };
        [wall_clock(row.scheduled, zone), so_far, plan]
    });
    let mut lines = vec![columns(["DUE", "SO FAR", "BACKFILL"], rows)];
    if table.rows.len() > most {
        lines.push(format!("… and {} more", table.rows.len() - most));
    }
    lines.push(String::new());
    lines.extend(remarks(table, request, spec));
    lines.join("\n")
}

/// What there is to say of all instants.
fn remarks(table: &Table, request: &Request, spec: &Spec) -> Vec<String> {
    let (start, active) = (table.to_start(), table.under_way());
    let mut what = match start {
        0 => "nothing to start".to_owned(),
        start => format!("{} to start, {}", runs(start), beside(request, spec)),
    };
    if active > 0 {
        what += "; of those started before are active: ";
        what += &active.to_string();
    }
    if table.failed() > 0 {
        what += "; of those started before have failed: ";
        what += &table.failed().to_string();
    }
    let mut lines = vec![
        what,
        format!("the backfill is {} (label punctual.dev/backfill)", request.name),
    ];
    if let Some(history) = table.forgets.filter(|_| start > 0) {
        lines.push(format!("note: {}", forgets(history)));
    }
    if start > 0 && spec.policies.overlap == Some(Overlap::Skip) {
        lines.push(
            "note: with punctual.dev/overlap: Skip, what comes due while one of these runs is skipped for good"
                .into(),
        );
    }
    if start == 0 && table.rows.iter().any(|row| row.plan == Plan::Started) {
        lines.push("note: to run what it has started once more, give it another name with --label".into());
    }
    lines
}

/// How many run at once, and beside what.
fn beside(request: &Request, spec: &Spec) -> String {
    let most = match request.max_active {
        1 => "one at a time".to_owned(),
        most => format!("up to {most} at a time"),
    };
    let policies = &spec.policies;
    let alone = match (policies.overlap, spec.concurrency) {
        (None, Concurrency::Allow) => None,
        (Some(Overlap::Queue), _) => Some("punctual.dev/overlap: Queue"),
        (Some(Overlap::Skip), _) => Some("punctual.dev/overlap: Skip"),
        (Some(Overlap::ReplaceWhenStopped), _) => Some("punctual.dev/overlap: ReplaceWhenStopped"),
        (None, Concurrency::Forbid) => Some("concurrencyPolicy: Forbid"),
        (None, Concurrency::Replace) => Some("concurrencyPolicy: Replace"),
    };
    match (alone, policies.max_active) {
        (None, None) => most,
        (None, Some(active)) => {
            format!("{most}, and no more than {active} active in all (punctual.dev/max-active)")
        }
        (Some(policy), _) => format!("{most}, as far as other runs let it ({policy})"),
    }
}

/// What is not known of instants without a Job.
fn forgets(history: HistoryLimits) -> String {
    let kept = |limit: Option<usize>, word: &str| limit.map(|limit| format!("{limit} that {word}"));
    let kept = [
        kept(history.successful, "succeeded"),
        kept(history.failed, "failed"),
    ];
    let kept: Vec<String> = kept.into_iter().flatten().collect();
    format!(
        "where there is no Job there may have been one: of those that have ended, the history keeps {}",
        kept.join(" and ")
    )
}

/// `1 run`, `7 runs`.
fn runs(count: usize) -> String {
    match count {
        1 => "1 run".into(),
        _ => format!("{count} runs"),
    }
}
