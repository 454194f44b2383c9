//! `suspend-after-failures`: so many failed runs in a row suspend the schedule, until somebody has looked.
//!
//! The suspension is the annotation `punctual.dev/suspended`, which holds when it began. Nobody's `spec` is changed, so
//! that no deployment tool puts it back, unless it replaces the object as a whole; and the controller needs no permission
//! for it. To resume, remove it: `kubectl annotate cronjob NAME punctual.dev/suspended-`, or `punctual resume NAME`. A run
//! that succeeds starts the count anew, and so does a resume.

use super::mistake::{Fault, Meanwhile, Problem};
use super::register::Extension;
use super::word;
use crate::schedule::Timestamp;

/// More failures in a row than this are a way of life.
const FAILURES_MAX: usize = 1_000;

/// Says that a CronJob was suspended for its failures, and when.
pub const SUSPENDED_ANNOTATION: &str = "punctual.dev/suspended";

/// After how many failed runs in a row the schedule is suspended.
pub(super) const SUSPEND_AFTER_FAILURES: Extension = Extension {
    name: "punctual.dev/suspend-after-failures",
    values: "a whole number from 1 to 1000",
    default: "none",
    doc: "So many failed runs in a row suspend the schedule, until `punctual resume`",
    meanwhile: Meanwhile::Default("it is never suspended for its failures"),
    read: |value, _, into| {
        let count = word::count(value, FAILURES_MAX)?;
        into.policies.suspend_after_failures = u32::try_from(count).ok();
        Ok(())
    },
};

/// That it is.
pub(super) const SUSPENDED: Extension = Extension {
    name: SUSPENDED_ANNOTATION,
    values: "written by Punctual: since when",
    default: "not suspended",
    doc: "Punctual suspended the schedule after too many failures; remove the annotation to resume",
    meanwhile: Meanwhile::Default("it stays suspended"),
    // It is a part of the status, and read with it.
    read: |value, _, _| match value.parse::<Timestamp>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::whole(value, Problem::Tampered).into()),
    },
};

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};

    #[test]
    fn a_number() {
        assert_eq!(
            read(&[("punctual.dev/suspend-after-failures", "3")])
                .policies
                .suspend_after_failures,
            Some(3)
        );
        insta::assert_snapshot!(said(&[("punctual.dev/suspend-after-failures", "never")]), @r#"annotation punctual.dev/suspend-after-failures is "never"; write a whole number from 1 to 1000. Until then it is never suspended for its failures"#);
        insta::assert_snapshot!(said(&[("punctual.dev/suspended", "yes")]), @"annotation punctual.dev/suspended: it is not what Punctual wrote there; remove it. Until then it stays suspended");
    }
}
