//! What is to run, as a table: namespace, name, schedule, zone, next due, in how long.

use crate::cli::present::{columns, rfc3339, span};
use crate::cli::up::happening::{LoadedObject, Rest};
use crate::schedule::Timestamp;

/// The table of what was loaded; none, when that is nothing.
pub(super) fn loaded(objects: &[LoadedObject], now: Timestamp) -> Option<String> {
    table(objects, now, |object| {
        if object.comes_again {
            Comes::AtStarts
        } else {
            Comes::Once
        }
    })
}

/// How often a Job runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comes {
    Once,
    /// At each start that finds it gone.
    AtStarts,
    /// It is there from before.
    GoesOn,
}

/// What is there from before and goes on, with the way to end it; none, when that is nothing.
pub(super) fn kept(objects: &[LoadedObject], now: Timestamp) -> Option<String> {
    let table = table(objects, now, |_| Comes::GoesOn)?;
    let are_there = |of_jobs: bool| objects.iter().any(|object| object.timing.is_none() == of_jobs);
    let kind = match (are_there(false), are_there(true)) {
        (_, false) => "cronjob",
        (false, true) => "job",
        (true, true) => "cronjob NAME or kubectl delete job",
    };
    Some(format!(
        "kept from before, and not in the manifests of this time (kubectl delete {kind} NAME ends one):\n\n{table}"
    ))
}

fn table(objects: &[LoadedObject], now: Timestamp, job: impl Fn(&LoadedObject) -> Comes) -> Option<String> {
    let rows = objects.iter().map(|object| row(object, now, job(object)));
    let table = columns(["NAMESPACE", "NAME", "SCHEDULE", "ZONE", "NEXT DUE", "IN"], rows);
    (!objects.is_empty()).then(|| format!("{table}\n"))
}

/// When a Job is due.
fn of_job(rest: Option<&Rest>, comes: Comes) -> String {
    let end = match rest {
        None => return "now".to_owned(),
        Some(Rest::Suspended) => return "suspended".to_owned(),
        Some(Rest::Ended(end)) => end,
    };
    let when = end.at.map(|at| format!(" at {}", rfc3339(at)));
    let again = if comes == Comes::AtStarts {
        "not now"
    } else {
        "never again"
    };
    format!("{again}: {}{}", end.how(), when.unwrap_or_default())
}

fn row(object: &LoadedObject, now: Timestamp, comes: Comes) -> [String; 6] {
    let none = || "-".to_owned();
    let job = match comes {
        Comes::Once => "(a Job: runs once)",
        Comes::AtStarts => "(a Job: at start, if gone)",
        Comes::GoesOn => "(a Job: goes on)",
    };
    let (schedule, zone, due, wait) = match &object.timing {
        None => (
            job.to_owned(),
            none(),
            of_job(object.rest.as_ref(), comes),
            none(),
        ),
        Some(timing) => {
            let (due, wait) = match (timing.suspended, timing.next) {
                (true, _) => ("suspended".into(), none()),
                // As `punctual get` calls it; the controller says why.
                (false, None) if timing.held => ("invalid".into(), none()),
                (false, None) => ("never".into(), none()),
                (false, Some(next)) => (timing.next_local.clone().unwrap_or_default(), span(next - now)),
            };
            let zone = Some(&timing.zone).filter(|zone| !zone.is_empty());
            let zone = zone.cloned().unwrap_or_else(none);
            (timing.schedule.clone(), zone, due, wait)
        }
    };
    [
        object.key.namespace.clone(),
        object.key.name.clone(),
        schedule,
        zone,
        due,
        wait,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::up::happening::{End, Timing};
    use crate::cronjob::{Key, Outcome};

    fn job(name: &str, rest: Option<Rest>) -> LoadedObject {
        LoadedObject {
            kind: "Job",
            key: Key {
                namespace: "default".to_owned(),
                name: name.to_owned(),
            },
            timing: None,
            rest,
            comes_again: false,
        }
    }

    /// A CronJob that is never due.
    fn cronjob(held: bool) -> LoadedObject {
        let timing = Timing {
            schedule: "0 0 31 2 *".to_owned(),
            zone: String::new(),
            suspended: false,
            held,
            next: None,
            next_local: None,
        };
        LoadedObject {
            kind: "CronJob",
            timing: Some(timing),
            ..job("tick", None)
        }
    }

    /// What is named is of the kind that there is.
    #[test]
    fn the_way_to_end_what_is_kept_ends_it() {
        let (cronjob, job) = (cronjob(false), job("tick", None));
        for (objects, way) in [
            (vec![cronjob.clone()], "(kubectl delete cronjob NAME ends one)"),
            (vec![job.clone()], "(kubectl delete job NAME ends one)"),
            (
                vec![cronjob, job],
                "(kubectl delete cronjob NAME or kubectl delete job NAME ends one)",
            ),
        ] {
            let said = kept(&objects, Timestamp::UNIX_EPOCH).unwrap();
            assert!(said.contains(way), "{said}");
        }
    }

    /// Of a schedule that never fires, too, nothing is due.
    #[test]
    fn what_is_held_is_told_from_what_never_fires() {
        let row = |held| row(&cronjob(held), Timestamp::UNIX_EPOCH, Comes::Once).join(" ");
        assert_eq!(row(true), "default tick 0 0 31 2 * - invalid -");
        assert_eq!(row(false), "default tick 0 0 31 2 * - never -");
    }

    #[test]
    fn a_job_that_has_ended_or_is_suspended_does_not_run_now() {
        let now = "2026-11-27T08:00:00Z".parse().unwrap();
        let ended = |outcome, at: Option<&str>| {
            let at = at.map(|at| at.parse().unwrap());
            Some(Rest::Ended(End { outcome, at }))
        };
        let jobs = [
            job("new", None),
            job("later", Some(Rest::Suspended)),
            job("done", ended(Outcome::Succeeded, Some("2026-11-26T22:14:03Z"))),
            job("broken", ended(Outcome::Failed, Some("2026-11-26T22:15:00Z"))),
            job("old", ended(Outcome::Failed, None)),
            LoadedObject {
                comes_again: true,
                ..job("brief", ended(Outcome::Succeeded, Some("2026-11-26T22:16:00Z")))
            },
        ];
        insta::assert_snapshot!(loaded(&jobs, now).unwrap(), @r"
        NAMESPACE   NAME     SCHEDULE                     ZONE   NEXT DUE                                         IN
        default     new      (a Job: runs once)           -      now                                              -
        default     later    (a Job: runs once)           -      suspended                                        -
        default     done     (a Job: runs once)           -      never again: succeeded at 2026-11-26T22:14:03Z   -
        default     broken   (a Job: runs once)           -      never again: failed at 2026-11-26T22:15:00Z      -
        default     old      (a Job: runs once)           -      never again: failed                              -
        default     brief    (a Job: at start, if gone)   -      not now: succeeded at 2026-11-26T22:16:00Z       -
        ");
    }
}
