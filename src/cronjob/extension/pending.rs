//! `pending-deadline`: a run none of whose pods could start by then is ended, so that it never blocks the next one.
//!
//! An image that can't be pulled, a quota that is full, a node that is not there, a webhook that refuses: Kubernetes tries
//! for ever. The time counts from the Job's `startTime`, so a Job that is suspended has not begun to wait.

use chrono::TimeDelta;

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;

/// The longest time that a run can be waited for.
const PENDING_MAX: TimeDelta = TimeDelta::days(31);

/// How long a run may wait for its first pod to start.
pub(super) const PENDING_DEADLINE: Extension = Extension {
    name: "punctual.dev/pending-deadline",
    values: "a duration up to 31d: 5m, 1h",
    default: "none",
    doc: "A run none of whose pods could start within this time is ended, and an event says what kept them",
    meanwhile: Meanwhile::Default("a run may wait for ever"),
    read: |value, _, into| {
        let length = word::duration(value, PENDING_MAX, "a duration up to 31d, such as 5m or 1h")?;
        into.policies.pending_deadline = Some(length).filter(|length| !length.is_zero());
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn durations() {
        let deadline = read(&[("punctual.dev/pending-deadline", "5m")])
            .policies
            .pending_deadline;
        assert_eq!(deadline, Some(TimeDelta::minutes(5)));
        insta::assert_snapshot!(said(&[("punctual.dev/pending-deadline", "soon")]), @r#"annotation punctual.dev/pending-deadline is "soon"; write a duration up to 31d, such as 5m or 1h. Until then a run may wait for ever"#);
    }
}
