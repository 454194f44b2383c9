//! A command as it is written: what the output repeats, and what a broken history is printed as.

use std::fmt;

use crate::cronjob::{Key, Outcome};
use crate::policy::Note;

use super::{
    Answer, Apply, Command, CutKind, Effect, Extent, Fault, JobKind, Watched, Which, moment, print_duration,
};

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::At(instant) => write!(f, "at {}", moment(*instant)),
            Command::Tick(by) => write!(f, "tick {}", print_duration(*by)),
            Command::StepClock(by) => write!(f, "step clock {}", print_duration(*by)),
            Command::Apply(apply) => apply.fmt(f),
            Command::Edit(cronjob) => write!(f, "edit {}", name(cronjob)),
            Command::DeleteCronJob(cronjob) => write!(f, "delete cronjob {}", name(cronjob)),
            Command::DeleteJob(job) => write!(f, "delete job {}", name(job)),
            Command::DeleteNamespace(namespace) => write!(f, "delete namespace {namespace}"),
            Command::Release(cronjob) => write!(f, "release {}", name(cronjob)),
            Command::CreateNamespace(namespace) => write!(f, "create namespace {namespace}"),
            Command::StartJob { name: job, of, kind } => {
                write!(f, "start job {} of {} {}", name(job), name(of), kind.word())
            }
            Command::Finish { which, outcome } => write!(f, "finish {which} {}", outcome_word(*outcome)),
            Command::AutoFinish {
                cronjob,
                after,
                outcome,
            } => {
                let (after, outcome) = (print_duration(*after), outcome_word(*outcome));
                write!(f, "auto-finish {} after {after} {outcome}", name(cronjob))
            }
            Command::Stop => f.write_str("stop"),
            Command::Restart => f.write_str("restart"),
            Command::Pace(starts) => write!(f, "pace {starts}"),
            Command::Fault(fault) => fault.fmt(f),
            Command::DelayWatch { of, by } => {
                write!(f, "delay watch of {} by {}", of.word(), print_duration(*by))
            }
            Command::CutWatch { of, how } => write!(f, "{} watch of {}", how.word(), of.word()),
            Command::Malform(cronjob) => write!(f, "malform {}", name(cronjob)),
            Command::Heal(cronjob) => write!(f, "heal {}", name(cronjob)),
            Command::Summarise => f.write_str("summarise"),
            Command::ShowStatus(cronjob) => write!(f, "show status {}", name(cronjob)),
            Command::Hush => f.write_str("hush"),
            Command::ShowJobs => f.write_str("show jobs"),
            Command::WriteEvents => f.write_str("write events"),
            Command::ShowEvents => f.write_str("show events"),
        }
    }
}

impl fmt::Display for Apply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "apply {}", name(&self.name))?;
        if let Some(count) = self.count {
            write!(f, " x{count}")?;
        }
        if let Some(schedule) = &self.schedule {
            write!(f, " schedule=\"{schedule}\"")?;
        }
        if let Some(zone) = &self.zone {
            write!(f, " zone={}", zone.as_deref().unwrap_or("none"))?;
        }
        if let Some(policy) = &self.policy {
            write!(f, " policy={policy}")?;
        }
        match self.deadline {
            Some(Some(seconds)) => write!(f, " deadline={seconds}")?,
            Some(None) => f.write_str(" deadline=none")?,
            None => {}
        }
        if let Some(suspend) = self.suspend {
            write!(f, " suspend={suspend}")?;
        }
        if let Some((successful, failed)) = self.history {
            write!(f, " history={successful}/{failed}")?;
        }
        for (name, value) in &self.extensions {
            let value = value.as_deref().unwrap_or("none").replace('\n', "; ");
            write!(f, " {name}=\"{value}\"")?;
        }
        if let Some(finalizer) = &self.finalizer {
            write!(f, " finalizer={finalizer}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = match self.extent {
            Extent::Next(_) => format!("next {}", self.verb.singular()),
            Extent::For(_) => self.verb.plural().to_owned(),
        };
        match &self.effect {
            Effect::Answer(Answer {
                code,
                retry_after_seconds,
            }) => {
                write!(f, "fail {requests} with {}", code.as_u16())?;
                if let Some(seconds) = retry_after_seconds {
                    write!(f, " retry-after {seconds}")?;
                }
            }
            Effect::Lose => write!(f, "lose {requests}")?,
            Effect::Hang(time) => write!(f, "hang {requests} for {}", print_duration(*time))?,
            Effect::Slow(time) => write!(f, "slow {requests} by {}", print_duration(*time))?,
            Effect::CrashBefore => write!(f, "crash before {requests}")?,
            Effect::CrashAfter => write!(f, "crash after {requests}")?,
            Effect::EditFirst(cronjob) => write!(f, "edit {} before {requests}", name(cronjob))?,
        }
        match self.extent {
            Extent::Next(1) => Ok(()),
            Extent::Next(times) => write!(f, " x{times}"),
            Extent::For(time) => write!(f, " for {}", print_duration(time)),
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Which::Named(job) => f.write_str(&name(job)),
            Which::Oldest(cronjob) => write!(f, "oldest {}", name(cronjob)),
            Which::Newest(cronjob) => write!(f, "newest {}", name(cronjob)),
            Which::All(cronjob) => write!(f, "all {}", name(cronjob)),
        }
    }
}

impl JobKind {
    fn word(self) -> &'static str {
        match self {
            JobKind::Manual => "manual",
            JobKind::Backfill => "backfill",
            JobKind::Stray => "stray",
            JobKind::Lookalike => "lookalike",
            JobKind::Foreign => "foreign",
        }
    }
}

impl Watched {
    /// The word of a script.
    pub fn word(self) -> &'static str {
        match self {
            Watched::CronJobs => "cronjobs",
            Watched::Jobs => "jobs",
        }
    }
}

impl CutKind {
    fn word(self) -> &'static str {
        match self {
            CutKind::Expire => "expire",
            CutKind::Break => "break",
        }
    }
}

/// A name, with its namespace where that is not the usual one.
pub fn name(key: &Key) -> String {
    if key.namespace == "default" {
        key.name.clone()
    } else {
        key.to_string()
    }
}

/// How a run ended, in the word of a script.
pub fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
    }
}

/// What was decided or noticed, with the instants that are not in its words.
pub fn in_full(note: &Note) -> String {
    match (note, note.scheduled(), note.lateness()) {
        (Note::Started { .. }, Some(scheduled), Some(late)) if late.is_zero() => {
            format!("{note}, due {}, on time", moment(scheduled))
        }
        (Note::Started { .. }, Some(scheduled), Some(late)) => {
            let held_back = note
                .held_back()
                .map(|time| format!(", held back {}", print_duration(time)));
            format!(
                "{note}, due {}, {} late{}",
                moment(scheduled),
                print_duration(late),
                held_back.unwrap_or_default()
            )
        }
        (Note::Blocked { behind, .. }, Some(scheduled), _) => {
            format!("{note} (due {}, behind {})", moment(scheduled), behind.join(", "))
        }
        (Note::StartFailed { .. } | Note::AlreadyStarted { .. }, Some(scheduled), _) => {
            format!("{note} (due {})", moment(scheduled))
        }
        _ => note.to_string(),
    }
}
