//! The reason for every yes and every no, as data.
//!
//! A note feeds the event, the log line, the metric label and the explanation alike, so that none of them can tell
//! a different story. Reasons and messages are those of Kubernetes' CronJob controller where it has one.

mod kind;
mod ruling;
mod text;

use std::error::Error;

use chrono::TimeDelta;

pub use ruling::{Ruling, SkipReason, WaitReason};

use crate::cronjob::extension::ExtensionError;
use crate::cronjob::{BadSchedule, Outcome, Spec};
use crate::schedule::Timestamp;

/// One thing that was decided or noticed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A run was started.
    Started {
        /// The Job.
        job: String,
        /// Its due instant.
        scheduled: Timestamp,
        /// How long after that instant it was created.
        lateness: TimeDelta,
        /// How much of that it was held back on purpose, to keep a limit on the rate of starts.
        held_back: TimeDelta,
        /// Whether it waited for other runs, as a policy asks.
        waited: bool,
    },
    /// A run could not be started; it is tried again.
    StartFailed {
        /// The Job that was to be created.
        job: String,
        /// Its due instant.
        scheduled: Timestamp,
        /// Why, in the words of whoever refused.
        error: String,
    },
    /// The run exists already: an earlier attempt went through, only its answer or its record was lost.
    AlreadyStarted {
        /// The Job.
        job: String,
        /// Its due instant.
        scheduled: Timestamp,
    },
    /// Somebody else's Job has the name of the run.
    NameTaken {
        /// The name.
        job: String,
    },
    /// A run is due, but another is active and `concurrencyPolicy` is `Forbid`.
    Blocked {
        /// The instant that waits.
        scheduled: Timestamp,
        /// The Jobs it waits for.
        behind: Vec<String>,
    },
    /// Instants passed while nobody could start them, and a newer one runs in their place.
    PassedOver {
        /// How many, at most [`MISSED_COUNT_CAP`](crate::policy::MISSED_COUNT_CAP).
        count: u64,
        /// The first of them.
        oldest: Timestamp,
        /// The instant that runs.
        newest_runs: Timestamp,
    },
    /// So many instants were missed that something is wrong.
    TooManyMissed {
        /// How many, at most [`MISSED_COUNT_CAP`](crate::policy::MISSED_COUNT_CAP).
        count: u64,
    },
    /// Instants became older than `startingDeadlineSeconds` before they could be started.
    DeadlinePassed {
        /// How many, at most [`MISSED_COUNT_CAP`](crate::policy::MISSED_COUNT_CAP).
        count: u64,
        /// The newest of them.
        newest: Timestamp,
    },
    /// A run that was recorded as active has finished.
    Completed {
        /// The Job.
        job: String,
        /// How it ended.
        outcome: Outcome,
    },
    /// A run that was recorded as active is gone.
    Missing {
        /// The Job.
        job: String,
    },
    /// A run is active that was not recorded; now it is.
    Adopted {
        /// The Job.
        job: String,
    },
    /// A Job was deleted, for the history limits or to be replaced.
    Deleted {
        /// The Job.
        job: String,
        /// How its run ended, if that was not told when it did.
        ended: Option<Outcome>,
    },
    /// A Job could not be deleted; it is tried again.
    DeleteFailed {
        /// The Job.
        job: String,
        /// Why, in the words of whoever refused.
        error: String,
    },
    /// The CronJob is suspended.
    Suspended,
    /// The CronJob is being deleted.
    BeingDeleted,
    /// The schedule does not parse.
    Unparseable {
        /// `spec.schedule` as written.
        schedule: String,
        /// What is wrong with it.
        error: String,
    },
    /// The time zone is not known.
    UnknownTimeZone {
        /// `spec.timeZone` as written.
        name: String,
        /// Why it cannot be used.
        error: String,
    },
    /// The schedule parses but matches no date there is.
    NeverFires {
        /// `spec.schedule` as written.
        schedule: String,
    },
    /// The schedule carries its zone in a `TZ=` or `CRON_TZ=` prefix, which Kubernetes tolerates but does not support.
    ZoneInSchedule {
        /// `spec.schedule` as written.
        schedule: String,
    },
    /// The record reached into the future, written by a clock that was ahead.
    ClockWentBack {
        /// Up to when instants were recorded as dealt with.
        recorded: Timestamp,
    },
    /// The CronJob was created in the future, by a clock that was ahead.
    CreatedInFuture {
        /// Its `creationTimestamp`.
        created: Timestamp,
    },
    /// The namespace is being deleted and takes no new Jobs; the CronJob goes with it.
    NamespaceTerminating {
        /// The Job that was to be created.
        job: String,
        /// Its due instant.
        scheduled: Timestamp,
    },
    /// Somebody else starts runs of this CronJob under the same names.
    OtherController {
        /// The run that was not started by us.
        job: String,
        /// Who started it, by its field manager.
        manager: String,
    },
    /// An annotation of ours does not say what it has to.
    BadAnnotation {
        /// Which one, what is wrong with it, and what to write.
        problem: String,
    },
    /// Nothing is started, because an annotation can't be read that the schedule depends on. The event says what is wrong
    /// with it ([`Note::BadAnnotation`]); this says once more what comes of it.
    Held {
        /// Its name.
        annotation: String,
    },
    /// What a policy of `punctual.dev/` came to.
    Ruled(Ruling),
    /// A fault of ours keeps it from being decided on.
    Fault {
        /// The words with which a rule broke down.
        error: String,
    },
    /// A fault of ours keeps it from being understood, so it is not run.
    NotUnderstood {
        /// The words with which a rule broke down.
        error: String,
    },
    /// The CronJob can't be read, so it is not run.
    Malformed {
        /// What is wrong.
        error: String,
    },
    /// A Job of it can't be read, so it counts for what it was when it could.
    MalformedJob {
        /// Its name.
        job: String,
        /// What is wrong.
        error: String,
    },
}

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something happened as it should.
    Normal,
    /// Somebody may have to act.
    Warning,
}

impl Note {
    /// Whether it says nothing new after `before`: it is the same, or an instant still waits for its group, in which others
    /// come and go meanwhile.
    pub fn repeats(&self, before: &Note) -> bool {
        match (self, before) {
            (Note::Ruled(now), Note::Ruled(before)) => now == before || now.waits_on(before),
            _ => self == before,
        }
    }

    /// The instant that waits for a slot of its group, if it says that.
    pub fn waits_for_group(&self) -> Option<Timestamp> {
        match self {
            Note::Ruled(ruling) => ruling.waits_for_group(),
            _ => None,
        }
    }

    /// The note for a schedule that cannot be followed.
    pub(super) fn unusable(problem: &BadSchedule) -> Note {
        let error = problem.source().map(ToString::to_string).unwrap_or_default();
        match problem {
            BadSchedule::Unparseable { text, .. } => Note::Unparseable {
                schedule: text.clone(),
                error,
            },
            BadSchedule::Annotation { name, .. } => Note::Held {
                annotation: name.clone(),
            },
            BadSchedule::UnknownTimeZone { name, .. } => Note::UnknownTimeZone {
                name: name.clone(),
                error,
            },
        }
    }

    /// The note for an annotation that can't be read.
    pub(crate) fn bad_annotation(mistake: &ExtensionError) -> Note {
        Note::BadAnnotation {
            problem: mistake.to_string(),
        }
    }

    /// The note for a schedule that names its zone itself. As in Kubernetes, the prefix wins over `spec.timeZone`.
    pub(super) fn zone_in_schedule(spec: &Spec) -> Option<Note> {
        let prefixed = spec.schedule_text.contains("TZ");
        prefixed.then(|| Note::ZoneInSchedule {
            schedule: spec.schedule_text.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who counts those that wait has no other news of them.
    #[test]
    fn a_line_that_waits_for_its_group_is_told_anew_where_it_grows() {
        let note = |waiting, ahead| {
            Note::Ruled(Ruling::Waiting {
                scheduled: Timestamp::UNIX_EPOCH,
                waiting,
                behind: vec![],
                why: WaitReason::Group { slots: 1, ahead },
            })
        };
        assert!(note(1, 2).repeats(&note(1, 3)), "others come and go");
        assert!(!note(2, 2).repeats(&note(1, 2)));
    }
}
