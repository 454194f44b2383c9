//! How long to wait after a failure.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::TimeDelta;

use crate::cronjob::Key;
use crate::schedule::Timestamp;
use crate::submit::Retry;

/// The first pause. A conflict or a lost connection is usually over by then.
const FIRST_PAUSE_MILLIS: i64 = 100;

/// The longest pause. An API server that is back is noticed within this time, and a CronJob that can't be created
/// costs no more than two requests a minute.
const LONGEST_PAUSE_MILLIS: i64 = 30_000;

/// So long before a start is too late it is tried once more. Whatever the request needs, its answer comes in time.
const LAST_CHANCE_BEFORE: TimeDelta = TimeDelta::milliseconds(500);

/// The first pause in a namespace that is being deleted: most are gone by then, and their CronJobs with them.
const FIRST_SELDOM_PAUSE_MILLIS: i64 = 30_000;

/// The longest pause in a namespace that is being deleted, and the longest that a server's `Retry-After` is heeded.
const LONGEST_SELDOM_PAUSE_MILLIS: i64 = 300_000;

/// The pause of a CronJob after the given number of failures in a row: doubling, between two bounds, and never less
/// than the server asked for.
///
/// Up to a quarter is added so that those who failed together do not come back together. It is drawn from the name
/// and the number of failures, and is the same in every replay.
pub(super) fn pause(retry: Retry, failures: u32, key: &Key) -> TimeDelta {
    let doubled = |first: i64, longest: i64| (first << failures.saturating_sub(1).min(16)).min(longest);
    let millis = match retry {
        Retry::Backoff => doubled(FIRST_PAUSE_MILLIS, LONGEST_PAUSE_MILLIS),
        Retry::Seldom => doubled(FIRST_SELDOM_PAUSE_MILLIS, LONGEST_SELDOM_PAUSE_MILLIS),
        Retry::After(asked) => i64::try_from(asked.as_millis())
            .unwrap_or(i64::MAX)
            .clamp(FIRST_PAUSE_MILLIS, LONGEST_SELDOM_PAUSE_MILLIS),
    };
    TimeDelta::milliseconds(millis + millis * jitter_percent(failures, key) / 100)
}

/// The time of the next attempt, which would be at `again`: a little before a start is too late at the latest, or the last
/// pause before would have cost the run.
pub(super) fn not_too_late(again: Timestamp, start_by: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let last_chance = start_by.map(|by| by - LAST_CHANCE_BEFORE);
    last_chance.filter(|at| now < *at && *at < again).unwrap_or(again)
}

/// From 0 to 24.
fn jitter_percent(failures: u32, key: &Key) -> i64 {
    let mut hasher = DefaultHasher::new();
    (failures, key).hash(&mut hasher);
    i64::try_from(hasher.finish() % 25).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn pauses_double_up_to_the_longest_and_heed_the_server() {
        let asked = |seconds| Retry::After(Duration::from_secs(seconds));
        for (retry, failures, at_least) in [
            (Retry::Backoff, 1, 100),
            (Retry::Backoff, 2, 200),
            (Retry::Backoff, 3, 400),
            (Retry::Backoff, 9, 25_600),
            (Retry::Backoff, 10, 30_000),
            (Retry::Backoff, 1_000, 30_000),
            (Retry::Seldom, 1, 30_000),
            (Retry::Seldom, 99, 300_000),
            (asked(7), 1, 7_000),
            (asked(7), 50, 7_000),
            (asked(0), 1, 100),
            (asked(u64::MAX), 1, 300_000),
        ] {
            let pause = pause(retry, failures, &key("a")).num_milliseconds();
            assert!(
                (at_least..=at_least * 5 / 4).contains(&pause),
                "{retry:?}, {failures}: {pause}"
            );
        }
    }

    #[test]
    fn there_is_a_last_attempt_before_it_is_too_late() {
        let at = |millis| Timestamp::from_timestamp_millis(millis).expect("an instant");
        for (again, start_by, now, tried) in [
            (30_000, None, 0, 30_000),
            (30_000, Some(40_000), 0, 30_000),
            (30_000, Some(20_000), 0, 19_500),
            (30_000, Some(20_000), 19_500, 30_000),
            (30_000, Some(20_000), 19_600, 30_000),
            (30_000, Some(20_000), 25_000, 30_000),
        ] {
            let next = not_too_late(at(again), start_by.map(at), at(now));
            assert_eq!(next, at(tried), "again {again}, start by {start_by:?}, now {now}");
        }
    }

    #[test]
    fn those_who_failed_together_do_not_come_back_together() {
        let mut pauses: Vec<_> = (0..100)
            .map(|n| pause(Retry::Backoff, 10, &key(&n.to_string())))
            .collect();
        pauses.sort();
        pauses.dedup();
        assert!(pauses.len() > 10, "{pauses:?}");
    }

    fn key(name: &str) -> Key {
        Key {
            namespace: "default".into(),
            name: name.into(),
        }
    }
}
