//! What happens in a simulation as an entry of a timeline: what kind of thing it is, and a sentence on it.

use chrono::TimeDelta;

use crate::cronjob::Outcome;
use crate::foresight::script::{moment, print_duration};
use crate::foresight::{End, Happening, What};
use crate::policy::{Note, Ruling, WaitReason};
use crate::schedule::Timestamp;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A run started at its instant.
    Start,
    /// A run started after its instant.
    CatchUp,
    /// A run succeeded.
    Success,
    /// A run failed.
    Failure,
    /// A run was ended for the next one.
    Replaced,
    /// A run is due and waits for another of its CronJob to end.
    Wait,
    /// A run is due and stands in a line: that of its CronJob, or of its group.
    Queue,
    /// Runs were due and will not start.
    Skip,
    /// Nothing is started any more, until somebody resumes it.
    Pause,
    /// No run has succeeded in time.
    Overdue,
    /// Something else that has to be known.
    Note,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Start => "start",
            Kind::CatchUp => "catch-up",
            Kind::Success => "success",
            Kind::Failure => "failure",
            Kind::Replaced => "replaced",
            Kind::Wait => "wait",
            Kind::Queue => "queue",
            Kind::Skip => "skip",
            Kind::Pause => "pause",
            Kind::Overdue => "overdue",
            Kind::Note => "note",
        }
    }

    /// Whether it is as everybody wishes: a run that starts in time, or that succeeds.
    pub fn is_smooth(self) -> bool {
        matches!(self, Kind::Start | Kind::Success)
    }
}

/// One entry of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What kind of thing happened.
    pub kind: Kind,
    /// The Job that it happened to.
    pub job: Option<String>,
    /// The due instant that it is about.
    pub scheduled: Option<Timestamp>,
    /// How many runs it is about.
    pub count: u64,
    /// How late a run started, or how long it ran.
    pub time: Option<TimeDelta>,
    /// The reason, in a word: see [`Note::reason`].
    pub reason: &'static str,
    /// What happened and why, without a full stop.
    pub text: String,
}

impl Entry {
    /// The entry for what happened; `None` where another one says it already.
    pub fn of(happening: &Happening<'_>) -> Option<Entry> {
        match happening.what {
            What::Noted(note) => of_note(note),
            What::Ended { job, after, end } => Some(of_end(job, after, end)),
        }
    }
}

fn of_note(note: &Note) -> Option<Entry> {
    let (kind, count, job, text) = match note {
        Note::Started { job, lateness, .. } if lateness.is_zero() => (Kind::Start, 1, Some(job), job.clone()),
        Note::Started {
            job,
            scheduled,
            lateness,
            ..
        } => {
            let (late, due) = (print_duration(*lateness), moment(*scheduled));
            (
                Kind::CatchUp,
                1,
                Some(job),
                format!("{job}, {late} late: it was due at {due}"),
            )
        }
        Note::Blocked { behind, scheduled } => {
            let (behind, due) = (behind.join(", "), moment(*scheduled));
            let text = format!("due at {due}, waits for {behind} (concurrencyPolicy: Forbid)");
            (Kind::Wait, 1, None, text)
        }
        Note::PassedOver { count, .. } => (Kind::Skip, *count, None, note.to_string()),
        Note::DeadlinePassed { count, newest } => {
            let due = match count {
                1 => format!("due at {}, and too late", moment(*newest)),
                _ => format!("{count} runs up to that of {}, too late", moment(*newest)),
            };
            (
                Kind::Skip,
                *count,
                None,
                format!("{due} (startingDeadlineSeconds)"),
            )
        }
        Note::Ruled(ruling) => {
            let (kind, count) = of_ruling(ruling);
            (kind, count, None, ruling.to_string())
        }
        Note::Suspended => (Kind::Pause, 1, None, note.to_string()),
        // Told by the end of the run, and of no interest: the history of finished Jobs.
        Note::Completed { .. } | Note::Deleted { .. } => return None,
        _ => (Kind::Note, 1, None, note.to_string()),
    };
    Some(Entry {
        kind,
        job: job.cloned(),
        scheduled: note.scheduled(),
        count,
        time: note.lateness(),
        reason: note.reason(),
        text,
    })
}

/// What kind of thing a policy came to, and how many runs it is about.
fn of_ruling(ruling: &Ruling) -> (Kind, u64) {
    match ruling {
        Ruling::Skipped { count, .. } => (Kind::Skip, *count),
        Ruling::Waiting { why, .. } => match why {
            WaitReason::Forbid | WaitReason::MaxActive(_) | WaitReason::Group { .. } => (Kind::Queue, 1),
            WaitReason::Stopping => (Kind::Wait, 1),
        },
        Ruling::SuspendedForFailures { .. } | Ruling::Suspended => (Kind::Pause, 1),
        Ruling::Overdue { .. } => (Kind::Overdue, 1),
        Ruling::GroupDisagrees { .. }
        | Ruling::NeverStarted { .. }
        | Ruling::PodsHidden { .. }
        | Ruling::SucceededAgain => (Kind::Note, 1),
    }
}

fn of_end(job: &str, after: TimeDelta, end: End) -> Entry {
    let took = print_duration(after);
    let (kind, reason, text) = match end {
        End::Finished(Outcome::Succeeded) => (Kind::Success, "Complete", format!("{job} after {took}")),
        End::Finished(Outcome::Failed) => (Kind::Failure, "Failed", format!("{job} after {took}")),
        End::OutOfTime => {
            let text = format!("{job} after {took}, its activeDeadlineSeconds");
            (Kind::Failure, "DeadlineExceeded", text)
        }
        End::Replaced => {
            let text = format!("{job} after {took}, by the next run (concurrencyPolicy: Replace)");
            (Kind::Replaced, "Replaced", text)
        }
        End::Stopped => {
            let text = format!("{job} after {took}, for the next run (overlap: ReplaceWhenStopped)");
            (Kind::Replaced, "Replaced", text)
        }
    };
    Entry {
        kind,
        job: Some(job.to_owned()),
        scheduled: None,
        count: 1,
        time: Some(after),
        reason,
        text,
    }
}
