//! How long to wait after a failure.

use chrono::TimeDelta;

/// The first pause. A conflict or a lost connection is usually over by then.
const FIRST_PAUSE_MILLIS: i64 = 100;

/// The longest pause. An API server that is back is noticed within this time, and a CronJob that can't be created
/// costs no more than two requests a minute.
const LONGEST_PAUSE_MILLIS: i64 = 30_000;

/// The pause after the given number of failures in a row: doubling, between the two bounds.
pub(super) fn pause(failures: u32) -> TimeDelta {
    let doublings = failures.saturating_sub(1).min(16);
    TimeDelta::milliseconds((FIRST_PAUSE_MILLIS << doublings).min(LONGEST_PAUSE_MILLIS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<_> = [1, 2, 3, 9, 10, 1_000]
            .map(|n| pause(n).num_milliseconds())
            .into();
        assert_eq!(pauses, [100, 200, 400, 25_600, 30_000, 30_000]);
    }
}
