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
    /// [`LONGEST_SLEEP`].
    fn sleep_until(&self, instant: Timestamp) -> Sleep;

    /// Waits until the wall clock is set backwards. (That it is set forwards, sleepers notice.)
    fn set_back(&self) -> Sleep;
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
            loop {
                let left = (instant - SystemClock.now()).to_std().unwrap_or_default();
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            }
        })
    }

    fn set_back(&self) -> Sleep {
        Box::pin(async move {
            let mut latest = SystemClock.now();
            loop {
                tokio::time::sleep(LONGEST_SLEEP).await;
                let now = SystemClock.now();
                if now < latest {
                    return;
                }
                latest = now;
            }
        })
    }
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
    /// whoever sleeps until a moment that has come closer or gone further away is told at once.
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
        Box::pin(async move {
            loop {
                let left = (instant - clock.now()).to_std().unwrap_or_default();
                if left.is_zero() {
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

    fn set_back(&self) -> Sleep {
        let mut steps = self.origin.subscribe();
        let mut before = *steps.borrow_and_update();
        let clock = self.clone();
        Box::pin(async move {
            let _open = clock;
            while steps.changed().await.is_ok() {
                let after = *steps.borrow_and_update();
                if after < before {
                    return;
                }
                before = after;
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
    async fn a_step_backwards_lets_a_sleeper_wait_longer() {
        let clock = ManualClock::starting_at(at(0));
        let begun = Instant::now();
        let sleeper = tokio::spawn(clock.sleep_until(at(60)));
        tokio::task::yield_now().await;
        clock.step(TimeDelta::seconds(-30));
        sleeper.await.expect("the sleeper wakes");
        assert_eq!(clock.now(), at(60));
        assert_eq!(begun.elapsed(), Duration::from_secs(90));
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_step_backwards_is_one() {
        let clock = ManualClock::starting_at(at(0));
        let mut set_back = clock.set_back();
        clock.step(TimeDelta::seconds(60));
        assert!(futures::poll!(&mut set_back).is_pending());
        clock.step(TimeDelta::seconds(-10));
        assert!(futures::poll!(&mut set_back).is_ready(), "although it still reads more than at first");
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("a small number")
    }
}
