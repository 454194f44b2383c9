//! A time to live that makes history limits useless.

use chrono::TimeDelta;

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};

/// Within less time than this nobody looks at a Job that has failed.
const TIME_TO_LOOK: TimeDelta = TimeDelta::minutes(5);

/// A history limit, and what it is when it is not written.
type Limit = (&'static str, Option<i32>);

pub(super) const RULE: Rule = Rule {
    code: "P044",
    name: "history-and-ttl",
    severity: Severity::Warning,
    summary: "ttlSecondsAfterFinished deletes Jobs before the history limits do",
    page: r"
A CronJob keeps its last Jobs by count (`successfulJobsHistoryLimit`, `failedJobsHistoryLimit`), and
`ttlSecondsAfterFinished` deletes each some time after it has ended, failed ones too. Whichever comes first
counts. A limit that can't be reached within that time says nothing; a time of a few minutes hides failures.
In a CronJob, the limits alone are enough.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let Some((spec, job)) = subject.cron_job().zip(subject.job()) else {
        return Vec::new();
    };
    let Some(seconds) = job
        .spec
        .ttl_seconds_after_finished
        .filter(|seconds| *seconds >= 0)
    else {
        return Vec::new();
    };
    let path = job.path.child("ttlSecondsAfterFinished");
    let ttl = TimeDelta::seconds(seconds.into());
    let limits: [Limit; 2] = [
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
    ];
    let unreached = limits
        .into_iter()
        .find_map(|limit| unreached(subject, ttl, limit));
    let said = match unreached {
        Some((name, limit, most)) => {
            let said = subject.say(
                &path,
                format!("Jobs are deleted {seconds} s after they end, so `{name}: {limit}` is never reached: there are at most {most}"),
            );
            let limit = subject.node.key_span(&FieldPath::of("spec").child(name));
            said.related(
                crate::manifest::source::Place::new(&subject.source, limit),
                "this limit",
            )
        }
        None if ttl < TIME_TO_LOOK && spec.failed_jobs_history_limit != Some(0) => subject.say(
            &path,
            format!("a failed Job is deleted {seconds} s after it has failed, and its logs with it"),
        ),
        None => return Vec::new(),
    };
    vec![said.help("leave it out: the history limits delete old Jobs; or give it more time")]
}

/// A limit that is written, and how many Jobs there can be at most, if that is fewer.
fn unreached(subject: &Subject, ttl: TimeDelta, (name, limit): Limit) -> Option<(&'static str, i32, i64)> {
    let limit = limit.filter(|limit| *limit > 0)?;
    let schedule = &subject.timing.as_ref()?.all;
    let next = schedule.next(subject.options.now)?;
    let gap = schedule.next(next)? - next;
    let most = ttl.num_seconds() / gap.num_seconds().max(1) + 1;
    (most < i64::from(limit)).then_some((name, limit, most))
}
