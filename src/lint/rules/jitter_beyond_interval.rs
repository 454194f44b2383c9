//! A jitter that reaches beyond the next run.

use chrono::TimeDelta;

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};

/// So many instants tell how close together runs are.
const INSTANTS: usize = 100;

pub(super) const RULE: Rule = Rule {
    code: "P053",
    name: "jitter-beyond-interval",
    severity: Severity::Error,
    summary: "punctual.dev/jitter is longer than the time between two runs",
    page: r"
Each run starts later by an offset that is below the jitter and always the same. Where that can be longer than the
time until the next run is due, a run starts when it is the next one's turn, under the name and the time of
the one before: whoever looks at it takes it for late, by a whole run. What the jitter is for, that CronJobs which
are due together do not start together, an offset within one interval does as well.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let jitter = subject.extensions.policies.jitter;
    let interval = shortest_interval(subject).filter(|interval| jitter > *interval);
    let said = interval.map(|interval| {
        let path = FieldPath::of("metadata.annotations").key("punctual.dev/jitter");
        let seconds = interval.num_seconds();
        subject
            .say(
                &path,
                format!(
                    "the next run can be due {seconds} s after one, so it may be due before that one starts"
                ),
            )
            .help(format!("write {seconds}s or less"))
    });
    said.into_iter().collect()
}

/// How close together runs are in the near future.
pub(super) fn shortest_interval(subject: &Subject) -> Option<TimeDelta> {
    let schedule = &subject.timing.as_ref()?.all;
    let now = subject.options.now;
    let schedule = schedule.anchored(now);
    let due: Vec<_> = std::iter::successors(schedule.next(now), |due| schedule.next(*due))
        .take(INSTANTS)
        .collect();
    due.windows(2).map(|pair| pair[1] - pair[0]).min()
}
