//! What a note says.

use std::fmt;

use super::Note;
use crate::policy::MISSED_COUNT_CAP;
use crate::schedule::Timestamp;

/// The message, of the event and for people.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Started { job, .. } => write!(f, "Created job {job}"),
            Note::StartFailed { error, .. } => write!(f, "Error creating job: {error}"),
            Note::AlreadyStarted { job, .. } => write!(f, "Job {job} was started before; recorded now"),
            Note::NameTaken { job } => write!(
                f,
                "Not starting job {job}: another job has that name and does not belong to this CronJob. \
                 Rename or delete it; the next run goes ahead"
            ),
            Note::Blocked { .. } => f.write_str(
                "Not starting job because prior execution is running and concurrency policy is Forbid",
            ),
            Note::PassedOver {
                count,
                oldest,
                newest_runs,
            } => write!(
                f,
                "{} since {} could not be started in time; only the newest, of {}, runs",
                runs(*count),
                moment(oldest),
                moment(newest_runs)
            ),
            Note::TooManyMissed { count } => write!(
                f,
                "too many missed start times ({count}). Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            ),
            Note::DeadlinePassed { count: 1, newest } => {
                write!(f, "Missed scheduled time to start a job: {}", moment(newest))
            }
            Note::DeadlinePassed { count, newest } => write!(
                f,
                "Missed scheduled time to start a job: {} passed their starting deadline, the newest of {}",
                runs(*count),
                moment(newest)
            ),
            Note::Completed { job, outcome } => {
                write!(f, "Saw completed job: {job}, condition: {}", outcome.condition())
            }
            Note::Missing { job } => write!(f, "Active job went missing: {job}"),
            Note::Adopted { job } => write!(f, "Adopted job {job}, which was running but not recorded"),
            Note::Deleted { job, .. } => write!(f, "Deleted job {job}"),
            Note::DeleteFailed { job, error } => write!(f, "Could not delete job {job}: {error}"),
            Note::Suspended => f.write_str("Suspended: nothing is started"),
            Note::BeingDeleted => f.write_str("Being deleted: nothing is started"),
            Note::Unparseable { schedule, error } => {
                write!(f, "unparseable schedule: {schedule:?} : {error}")
            }
            Note::UnknownTimeZone { name, error } => write!(f, "invalid timeZone: {name:?}: {error}"),
            Note::NeverFires { schedule } => {
                write!(
                    f,
                    "invalid schedule: {schedule} : it matches no date there is, so it never fires"
                )
            }
            Note::ZoneInSchedule { schedule } => write!(
                f,
                "CRON_TZ or TZ used in schedule {schedule:?} is not officially supported, \
                 set .spec.timeZone instead"
            ),
            Note::ClockWentBack { recorded } => write!(
                f,
                "Runs were recorded up to {}, which is in the future: a clock was ahead. Scheduling goes on from now",
                moment(recorded)
            ),
            Note::CreatedInFuture { created } => write!(
                f,
                "Created at {}, which is in the future: a clock was ahead. Scheduling goes on from now",
                moment(created)
            ),
            Note::NamespaceTerminating { job, .. } => {
                write!(f, "Not starting job {job}: its namespace is being deleted")
            }
            Note::OtherController { job, manager } => write!(
                f,
                "Job {job} was created by {manager}: two controllers run this CronJob. Nothing is started twice, \
                 but one of them is one too many: switch the built-in one off \
                 (--controllers=*,-cronjob-controller), or start punctual with --adopt=opted-in"
            ),
            Note::BadAnnotation { problem } => f.write_str(problem),
            Note::Ruled(ruling) => ruling.fmt(f),
            Note::Held { annotation } => {
                write!(
                    f,
                    "Nothing is started, because the annotation {annotation} can't be read"
                )
            }
            Note::Fault { error } => fault(f, error, "It is tried again"),
            Note::NotUnderstood { error } => {
                fault(f, error, "It is tried again when it or a calendar has changed")
            }
            Note::Malformed { error } => {
                write!(f, "Not run, because this CronJob can't be read: {error}")
            }
            Note::MalformedJob { job, error } => write!(
                f,
                "Job {job} can't be read: {error}. Until it can, it counts for what was known of it before"
            ),
        }
    }
}

fn fault(f: &mut fmt::Formatter<'_>, error: &str, again: &str) -> fmt::Result {
    write!(
        f,
        "Not run for now, because of a fault in punctual: {error}. {again}, and others run; please report it"
    )
}

/// So many runs; they are not counted for ever.
pub(super) fn runs(count: u64) -> String {
    match count {
        1 => "1 run".into(),
        MISSED_COUNT_CAP.. => format!("{count} runs or more"),
        _ => format!("{count} runs"),
    }
}

pub(super) fn moment(instant: &Timestamp) -> impl fmt::Display {
    instant.format("%Y-%m-%dT%H:%M:%SZ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_counted_to_its_end_is_not_told_as_if_it_were() {
        let said = [1, 2, 9_999, MISSED_COUNT_CAP].map(runs);
        assert_eq!(said, ["1 run", "2 runs", "9999 runs", "10000 runs or more"]);
    }
}
