//! What a policy of `punctual.dev/` came to: the reasons that Kubernetes does not have.

use std::fmt;

use chrono::{NaiveDateTime, TimeDelta};

use super::text::{moment, runs};
use crate::schedule::Timestamp;

/// What a policy came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Instants that are not started, for good.
    Skipped {
        /// How many, at most [`MISSED_COUNT_CAP`](crate::policy::MISSED_COUNT_CAP).
        count: u64,
        /// The newest of them; of those that a clock change takes away, the change.
        newest: Timestamp,
        /// Why.
        why: SkipReason,
    },
    /// An instant is due and waits for its turn.
    Waiting {
        /// The instant that goes next.
        scheduled: Timestamp,
        /// How many wait with it.
        waiting: usize,
        /// The Jobs it waits for.
        behind: Vec<String>,
        /// What it waits for.
        why: WaitReason,
    },
    /// So many runs failed in a row that the schedule is suspended from now on.
    SuspendedForFailures {
        /// How many.
        failures: u32,
    },
    /// A member of a group names more slots than count: another names fewer.
    GroupDisagrees {
        /// The group.
        group: String,
        /// How many slots it names.
        asked: usize,
        /// How many count.
        slots: usize,
    },
    /// No pod of a run could start in time, so it is ended.
    NeverStarted {
        /// The Job.
        job: String,
        /// Within which time.
        within: TimeDelta,
        /// What kept its pods.
        why: String,
    },
    /// A run may have waited too long, but nobody lets us look at its pods, so it goes on.
    PodsHidden {
        /// The Job.
        job: String,
        /// Within which time a pod should have started.
        within: TimeDelta,
        /// Why they can't be seen.
        why: String,
    },
    /// It is suspended for its failures.
    Suspended,
    /// No run has succeeded in time.
    Overdue {
        /// The due instant after which one should have.
        due: Timestamp,
        /// Within which time.
        within: TimeDelta,
    },
    /// A run has succeeded after all.
    SucceededAgain,
}

/// Why instants are not started, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// Somebody asked for it: `skip` names them.
    Asked,
    /// They were missed, and `missed-runs` is `Skip`.
    Missed,
    /// More were missed than `missed-runs-limit`.
    BeyondLimit(usize),
    /// A run was active when they came due, and `overlap` is `Skip`.
    Active(Vec<String>),
    /// One that came due before waits for its group, and `overlap` is `Skip`.
    Behind(Timestamp),
    /// As many waited as `queue-limit`.
    QueueFull(usize),
    /// The clock was put forward over their time.
    ClockChange {
        /// What the wall clock would have shown at the first of them.
        first: NaiveDateTime,
    },
}

/// What an instant waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// A run is active, and `concurrencyPolicy` is `Forbid`. It is told as Kubernetes tells it.
    Forbid,
    /// As many runs are active as there may be.
    MaxActive(usize),
    /// All slots of its group are taken, or go to members that are ahead.
    Group {
        /// How many slots there are.
        slots: usize,
        /// How many members are ahead.
        ahead: usize,
    },
    /// The run that it replaces has been told to end and is not gone.
    Stopping,
}

impl Ruling {
    /// Whether the instant that waited for its group before is waiting still, with as many behind it.
    pub(super) fn waits_on(&self, before: &Ruling) -> bool {
        let line = |ruling: &Ruling| match ruling {
            Ruling::Waiting {
                scheduled,
                waiting,
                why: WaitReason::Group { .. },
                ..
            } => Some((*scheduled, *waiting)),
            _ => None,
        };
        line(self).is_some() && line(self) == line(before)
    }

    /// The instant that waits for a slot of its group, if it says that.
    pub(super) fn waits_for_group(&self) -> Option<Timestamp> {
        match self {
            Ruling::Waiting {
                scheduled,
                why: WaitReason::Group { .. },
                ..
            } => Some(*scheduled),
            _ => None,
        }
    }

    pub(super) fn scheduled(&self) -> Option<Timestamp> {
        match self {
            Ruling::Skipped { newest, .. } => Some(*newest),
            Ruling::Waiting { scheduled, .. } | Ruling::Overdue { due: scheduled, .. } => Some(*scheduled),
            Ruling::SuspendedForFailures { .. }
            | Ruling::GroupDisagrees { .. }
            | Ruling::NeverStarted { .. }
            | Ruling::PodsHidden { .. }
            | Ruling::Suspended
            | Ruling::SucceededAgain => None,
        }
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ruling::Skipped {
                count,
                newest: change,
                why: why @ SkipReason::ClockChange { first },
            } => {
                let which = if *count == 1 { "due" } else { "the first due" };
                write!(f, "Not starting {}, {which} at {first}: ", runs(*count))?;
                write!(f, "at {} {why}", moment(change))
            }
            Ruling::Skipped { count, newest, why } => {
                write!(f, "Not starting {}, ", runs(*count))?;
                f.write_str(if *count == 1 { "due " } else { "the newest due " })?;
                write!(f, "{}: {why}", moment(newest))
            }
            Ruling::Waiting {
                scheduled,
                waiting,
                behind,
                why,
            } => {
                write!(f, "The run due {} waits: {why}", moment(scheduled))?;
                if !behind.is_empty() {
                    write!(f, " ({})", behind.join(", "))?;
                }
                match waiting {
                    0 | 1 => Ok(()),
                    2 => f.write_str("; 1 waits behind it"),
                    others => write!(f, "; {} wait behind it", others - 1),
                }
            }
            Ruling::SuspendedForFailures { failures } => write!(
                f,
                "{failures} failed in a row, which is punctual.dev/suspend-after-failures: nothing is started any more. \
                 To resume, remove the annotation punctual.dev/suspended"
            ),
            Ruling::GroupDisagrees { group, asked, slots } => write!(
                f,
                "punctual.dev/group-slots is {asked}, but another member of the group {group} says {slots}, which counts"
            ),
            Ruling::NeverStarted { job, within, why } => {
                write!(
                    f,
                    "Ending job {job}: none of its pods could start within {}: {why}",
                    span(*within)
                )
            }
            Ruling::PodsHidden { job, within, why } => write!(
                f,
                "Job {job} shows no pod that started within {}, as punctual.dev/pending-deadline asks, but it is not ended: \
                 its pods can't be looked at, and one may have started and crashed: {why}",
                span(*within)
            ),
            Ruling::Suspended => f.write_str("Suspended after failures: nothing is started"),
            Ruling::Overdue { due, within } => write!(
                f,
                "No run has succeeded within {} after {}, as punctual.dev/expected-within asks",
                span(*within),
                moment(due)
            ),
            Ruling::SucceededAgain => f.write_str("A run has succeeded again"),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::Asked => f.write_str("punctual.dev/skip names it"),
            SkipReason::Missed => f.write_str("missed, and punctual.dev/missed-runs is Skip"),
            SkipReason::BeyondLimit(limit) => {
                write!(f, "missed, and punctual.dev/missed-runs-limit is {limit}")
            }
            SkipReason::Active(behind) => {
                write!(
                    f,
                    "{} was active, and punctual.dev/overlap is Skip",
                    behind.join(", ")
                )
            }
            SkipReason::Behind(first) => write!(
                f,
                "the run due {} waits still, and punctual.dev/overlap is Skip",
                moment(first)
            ),
            SkipReason::ClockChange { .. } => f.write_str("the clock was put forward over that time"),
            SkipReason::QueueFull(1) => f.write_str("1 waits already, which is punctual.dev/queue-limit"),
            SkipReason::QueueFull(limit) => {
                write!(f, "{limit} wait already, which is punctual.dev/queue-limit")
            }
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitReason::Forbid | WaitReason::MaxActive(1) => {
                f.write_str("one run is active, which is as many as may be")
            }
            WaitReason::MaxActive(limit) => write!(f, "{limit} runs are active, which is as many as may be"),
            WaitReason::Group { slots: 1, ahead: 0 } => f.write_str("the slot of its group is taken"),
            WaitReason::Group { slots, ahead: 0 } => write!(f, "all {slots} slots of its group are taken"),
            WaitReason::Group { slots, ahead } => {
                let slots = match slots {
                    1 => "one slot".to_owned(),
                    _ => format!("{slots} slots"),
                };
                let ahead = match ahead {
                    1 => "1 waiting member is".to_owned(),
                    _ => format!("{ahead} waiting members are"),
                };
                write!(f, "its group has {slots}, and {ahead} ahead")
            }
            WaitReason::Stopping => f.write_str("the run that it replaces is not gone yet"),
        }
    }
}

/// `26h`, `1h30m`.
fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    let parts = [
        (seconds / 3_600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let shown = parts.iter().filter(|(count, _)| *count > 0);
    shown.fold(String::new(), |text, (count, unit)| {
        text + &count.to_string() + unit
    })
}
