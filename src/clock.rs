//! The wall clock, as a value that is handed around.
//!
//! Everything that needs the time is given a [`Clock`]: the real one in `main`, one that is moved by hand in tests.
//! This is the only file that reads the machine's clock.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::schedule::Timestamp;

/// A future that ends when the clock has reached a moment.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A clock that is shared between tasks.
pub type SharedClock = Arc<dyn Clock>;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The wall-clock time now.
    fn now(&self) -> Timestamp;

    /// Waits until the wall clock reads `instant` or later; returns at once when it already does.
    ///
    /// The wait follows the wall clock: a clock that is set, or a machine that slept, is noticed within
    /// [`LONGEST_SLEEP`]. When the clock is put back the wait is over too, before `instant`: whoever chose it did so by
    /// a time that was wrong, and has to look again.
    fn sleep_until(&self, instant: Timestamp) -> Sleep;
}

/// How long the system clock sleeps before it looks at the wall clock again.
///
/// Timers run on the monotonic clock, which knows nothing of a wall clock that is set and stands still while a
/// machine sleeps. Half a second bounds how late such a step is noticed, at a cost of two wake-ups a second.
pub const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock, ready to be shared.
    pub fn shared() -> SharedClock {
        Arc::new(SystemClock)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A machine whose clock stands before 1970 reads as 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_timestamp(seconds, since_epoch.subsec_nanos()).unwrap_or(Timestamp::MAX_UTC)
    }

    fn sleep_until(&self, instant: Timestamp) -> Sleep {
        Box::pin(async move {
            let mut seen = SystemClock.now();
            while let Some(pause) = pause(seen, SystemClock.now(), instant) {
                seen = SystemClock.now();
                tokio::time::sleep(pause).await;
            }
        })
    }
}

/// How long to sleep before looking at the clock again, or `None` when the wait until `instant` is over. `seen` is
/// what the clock read before.
fn pause(seen: Timestamp, now: Timestamp, instant: Timestamp) -> Option<Duration> {
    let left = (instant - now).to_std().ok().filter(|left| !left.is_zero())?;
    (now >= seen).then_some(left.min(LONGEST_SLEEP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_at_its_instant_or_when_the_clock_is_put_back() {
        let at = |millis| Timestamp::from_timestamp_millis(millis).expect("a small number");
        for (seen, now, instant, pause_millis) in [
            (1_000, 1_000, 1_003, Some(3)),
            (1_000, 1_500, 9_000, Some(500)),
            (1_000, 9_000, 9_000, None),
            (1_000, 9_001, 9_000, None),
            (1_000, 999, 9_000, None),
        ] {
            let expected = pause_millis.map(Duration::from_millis);
            assert_eq!(
                pause(at(seen), at(now), at(instant)),
                expected,
                "{seen} {now} {instant}"
            );
        }
    }
}
