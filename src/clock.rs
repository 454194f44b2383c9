//! The wall clock, as a value that is handed around.
//!
//! Everything that needs the time is given a [`Clock`]: the real one in `main`, one that is moved by hand in tests.
//! This is the only file that reads the machine's clock.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::time::Instant;

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

/// A wall clock for simulations: it starts where it is told to, runs with tokio's clock, and can be stepped.
///
/// On a runtime whose time is paused it stands still while there is anything left to do, and moves when tokio's time
/// does. So the timers of everybody, those that know nothing of this clock included, go off in their order and at
/// the moment they were set for. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock {
    started: Instant,
    /// What the clock read when it was started, moved by every step since.
    origin: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A clock that reads `now` now. Must be called on a tokio runtime.
    pub fn starting_at(now: Timestamp) -> Self {
        ManualClock {
            started: Instant::now(),
            origin: watch::Sender::new(now),
        }
    }

    /// Sets the clock forwards or backwards, as time synchronisation or an administrator does. No time passes, and
    /// sleepers notice at once.
    pub fn step(&self, by: TimeDelta) {
        self.origin
            .send_modify(|origin| *origin = origin.checked_add_signed(by).unwrap_or(*origin));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let elapsed = TimeDelta::from_std(self.started.elapsed()).unwrap_or(TimeDelta::MAX);
        let origin = *self.origin.borrow();
        origin.checked_add_signed(elapsed).unwrap_or(Timestamp::MAX_UTC)
    }

    fn sleep_until(&self, instant: Timestamp) -> Sleep {
        let clock = self.clone();
        let mut steps = self.origin.subscribe();
        let origin = *steps.borrow_and_update();
        Box::pin(async move {
            loop {
                let left = (instant - clock.now()).to_std().unwrap_or_default();
                let was_put_back = *steps.borrow_and_update() < origin;
                if left.is_zero() || was_put_back {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    // The clock is held here, so the channel stays open.
                    _ = steps.changed() => {}
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sleeper_wakes_at_its_instant_and_no_time_is_lost() {
        let clock = ManualClock::starting_at(at(100));
        clock.sleep_until(at(4_000_000)).await;
        assert_eq!(clock.now(), at(4_000_000));
        clock.sleep_until(at(5)).await;
        assert_eq!(clock.now(), at(4_000_000), "what has passed is not waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_forwards_wakes_who_waits_for_a_moment_that_was_skipped() {
        let clock = ManualClock::starting_at(at(0));
        let sleeper = tokio::spawn(clock.sleep_until(at(60)));
        tokio::task::yield_now().await;
        clock.step(TimeDelta::seconds(90));
        sleeper.await.expect("the sleeper wakes");
        assert_eq!(clock.now(), at(90));
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_backwards_ends_a_wait_at_once() {
        let clock = ManualClock::starting_at(at(0));
        let sleeper = tokio::spawn(clock.sleep_until(at(60)));
        tokio::task::yield_now().await;
        clock.step(TimeDelta::seconds(-30));
        sleeper.await.expect("the sleeper wakes");
        assert_eq!(clock.now(), at(-30));
    }

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

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("a small number")
    }
}
