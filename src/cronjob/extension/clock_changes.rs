//! `clock-gap` and `clock-repeat`: another rule for clock changes than that of the wall clock.
//!
//! Schedules that fire every hour or more often (every hour of the day is among theirs, or they are `@every`) keep running
//! through whatever is asked for here.

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;
use crate::schedule::{ClockGap, ClockRepeat};

/// What becomes of a reading that is skipped.
pub(super) const CLOCK_GAP: Extension = Extension {
    name: "punctual.dev/clock-gap",
    values: "Skip or RunAfter",
    default: "Skip",
    doc: "What becomes of a run whose time a clock change skips: it does not happen, or it runs when the gap ends",
    meanwhile: Meanwhile::Default("what a clock change skips does not run"),
    read: |value, _, into| {
        const ALL: [ClockGap; 2] = [ClockGap::Skip, ClockGap::RunAfter];
        into.policies.terms.clock_gap = word::one_of(value, &["Skip", "RunAfter"], &ALL)?;
        Ok(())
    },
};

/// What becomes of a reading that is repeated.
pub(super) const CLOCK_REPEAT: Extension = Extension {
    name: "punctual.dev/clock-repeat",
    values: "Twice, First or Second",
    default: "Twice",
    doc: "What becomes of a run whose time a clock change repeats: it runs both times, the first, or the second",
    meanwhile: Meanwhile::Default("what a clock change repeats runs twice"),
    read: |value, _, into| {
        const ALL: [ClockRepeat; 3] = [ClockRepeat::Twice, ClockRepeat::First, ClockRepeat::Second];
        into.policies.terms.clock_repeat = word::one_of(value, &["Twice", "First", "Second"], &ALL)?;
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn words() {
        let terms = read(&[
            ("punctual.dev/clock-gap", "RunAfter"),
            ("punctual.dev/clock-repeat", "Second"),
        ])
        .policies
        .terms;
        assert_eq!(
            (terms.clock_gap, terms.clock_repeat),
            (ClockGap::RunAfter, ClockRepeat::Second)
        );
        insta::assert_snapshot!(said(&[("punctual.dev/clock-gap", "Twice")]), @r#"annotation punctual.dev/clock-gap is "Twice"; write "Skip" or "RunAfter". Until then what a clock change skips does not run"#);
        insta::assert_snapshot!(said(&[("punctual.dev/clock-repeat", "once")]), @r#"annotation punctual.dev/clock-repeat is "once"; write "Twice", "First" or "Second". Until then what a clock change repeats runs twice"#);
    }
}
