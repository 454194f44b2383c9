//! `expected-within`: somebody is told when no run has succeeded within this time after a due instant.

use chrono::TimeDelta;

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;

/// The longest time that can be waited for a success.
const WITHIN_MAX: TimeDelta = TimeDelta::days(366);

/// Within which time after a due instant a run has to have succeeded.
pub(super) const EXPECTED_WITHIN: Extension = Extension {
    name: "punctual.dev/expected-within",
    values: "a duration up to 366d: 90m, 26h, 8d",
    default: "none",
    doc: "An event and a metric tell when no run has succeeded within this time after a due instant, until one does",
    meanwhile: Meanwhile::Default("no success is expected"),
    read: |value, _, into| {
        let what = "a duration up to 366d, such as 90m or 26h";
        into.policies.expected_within =
            Some(word::duration(value, WITHIN_MAX, what)?).filter(|within| !within.is_zero());
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn durations() {
        let within = |value| {
            read(&[("punctual.dev/expected-within", value)])
                .policies
                .expected_within
        };
        assert_eq!(within("26h"), Some(TimeDelta::hours(26)));
        assert_eq!(within("1d2h"), Some(TimeDelta::hours(26)));
        insta::assert_snapshot!(said(&[("punctual.dev/expected-within", "a day")]), @r#"annotation punctual.dev/expected-within is "a day"; write a duration up to 366d, such as 90m or 26h. Until then no success is expected"#);
    }
}
