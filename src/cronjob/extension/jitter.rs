//! `jitter`: a stable offset, so that CronJobs that are due together do not start together.
//!
//! The offset is the FNV-1a hash of the CronJob's UID, modulo the jitter, in milliseconds: the same with every run, and
//! another one for another CronJob. Names and scheduled times stay nominal; only the start is later, and the starting
//! deadline with it.

use chrono::TimeDelta;

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;
use crate::fnv::fnv1a;

/// The longest jitter.
const JITTER_MAX: TimeDelta = TimeDelta::hours(24);

/// By how much starts are spread.
pub(super) const JITTER: Extension = Extension {
    name: "punctual.dev/jitter",
    values: "a duration up to 24h: 90s, 10m, 1h30m",
    default: "0s",
    doc: "Each run starts later by an offset below this that is always the same; names and scheduled times do not change",
    meanwhile: Meanwhile::Default("runs start on time"),
    read: |value, _, into| {
        into.policies.jitter =
            word::duration(value, JITTER_MAX, "a duration up to 24h, such as 90s or 1h30m")?;
        Ok(())
    },
};

/// The offset of a CronJob: at least nothing, and less than `jitter`.
pub(super) fn offset(uid: &str, jitter: TimeDelta) -> TimeDelta {
    let Some(below) = u64::try_from(jitter.num_milliseconds())
        .ok()
        .filter(|millis| *millis > 0)
    else {
        return TimeDelta::zero();
    };
    TimeDelta::milliseconds(i64::try_from(fnv1a(uid.bytes()) % below).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(
            read(&[("punctual.dev/jitter", "1h30m")]).policies.jitter,
            TimeDelta::minutes(90)
        );
        assert_eq!(
            read(&[("punctual.dev/jitter", "0s")]).policies.jitter,
            TimeDelta::zero()
        );
        insta::assert_snapshot!(said(&[("punctual.dev/jitter", "30")]), @r#"annotation punctual.dev/jitter is "30"; write a duration up to 24h, such as 90s or 1h30m. Until then runs start on time"#);
        insta::assert_snapshot!(said(&[("punctual.dev/jitter", "25h")]), @r#"annotation punctual.dev/jitter is "25h"; write a duration up to 24h, such as 90s or 1h30m. Until then runs start on time"#);
    }

    #[test]
    fn an_offset_is_stable_below_the_jitter_and_spread() {
        let jitter = TimeDelta::minutes(10);
        let offsets: Vec<i64> = (0..1000)
            .map(|n| offset(&format!("uid-{n}"), jitter).num_seconds())
            .collect();
        assert!(offsets.iter().all(|offset| (0..600).contains(offset)));
        for tenth in 0..10 {
            let there = offsets.iter().filter(|offset| **offset / 60 == tenth).count();
            assert!((50..200).contains(&there), "{there} of 1000 in minute {tenth}");
        }
        assert_eq!(offset("uid-1", jitter), TimeDelta::milliseconds(375_683));
        assert_eq!(offset("uid-1", TimeDelta::zero()), TimeDelta::zero());
    }
}
