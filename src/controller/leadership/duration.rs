//! How long a Lease lasts, and the times that follow from it. No I/O and no clock.

use std::fmt;
use std::time::Duration;

/// How long after its holder has died another replica leads at the latest. All other times are parts of it, so that the
/// holder stops writing before anybody takes the Lease.
///
/// Built-in controllers wait for 15 s. They have to be sure; here nothing worse than a wasted request happens if a holder is
/// taken for dead that is not, since names are the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseDuration {
    seconds: u32,
}

/// A standby looks no less often than this: a Lease that is released is taken at once, however long it lasts.
const LONGEST_POLL: Duration = Duration::from_secs(1);

/// As it is asked for: `3s`.
impl fmt::Display for LeaseDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.seconds)
    }
}

impl LeaseDuration {
    /// The shortest. With less, a single write that takes half a second costs the lead.
    pub const SHORTEST: LeaseDuration = LeaseDuration { seconds: 2 };

    /// The longest. So long nothing is started when the holder has died, and after a minute without a leader there is an alert.
    pub const LONGEST: LeaseDuration = LeaseDuration { seconds: 60 };

    /// Where nothing else is asked for: a run is at most three seconds late when the leader dies.
    pub const USUAL: LeaseDuration = LeaseDuration { seconds: 3 };

    /// So many seconds, unless they are too few or too many.
    pub fn of_seconds(seconds: u64) -> Option<Self> {
        let seconds = u32::try_from(seconds).ok()?;
        let within = (Self::SHORTEST.seconds..=Self::LONGEST.seconds).contains(&seconds);
        within.then_some(LeaseDuration { seconds })
    }

    /// What a Lease says that somebody else wrote, who may have been given another duration; the nearest one, where there is
    /// none such.
    pub(super) fn said(seconds: Option<i32>) -> Self {
        let said = seconds.and_then(|seconds| u32::try_from(seconds).ok());
        said.map_or(Self::USUAL, |seconds| LeaseDuration {
            seconds: seconds.clamp(Self::SHORTEST.seconds, Self::LONGEST.seconds),
        })
    }

    /// In seconds.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// How often the holder renews.
    pub(super) fn renew_every(self) -> Duration {
        self.part(5, 30)
    }

    /// How long a request about the Lease may take, so that a holder has time for a second attempt before it must stop.
    pub(super) fn request_time(self) -> Duration {
        self.part(7, 30)
    }

    /// The pause after a request that failed.
    pub(super) fn retry_after(self) -> Duration {
        self.part(2, 30)
    }

    /// How long after its last successful renewal was sent the holder stops writing.
    pub(super) fn step_down_after(self) -> Duration {
        self.part(20, 30)
    }

    /// How long a standby must have seen no change before it takes the Lease. A run that is due right after the holder
    /// died is late by this, a look of the standby and one request.
    pub(super) fn take_after(self) -> Duration {
        self.part(24, 30)
    }

    /// How often a standby looks at the Lease.
    pub(super) fn poll_every(self) -> Duration {
        self.part(3, 30).min(LONGEST_POLL)
    }

    fn part(self, of: u32, whole: u32) -> Duration {
        Duration::from_secs(self.seconds.into()) * of / whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_times() {
        let usual = LeaseDuration::USUAL;
        let times = [
            usual.retry_after(),
            usual.poll_every(),
            usual.renew_every(),
            usual.request_time(),
            usual.step_down_after(),
            usual.take_after(),
        ];
        assert_eq!(
            times.map(|time| time.as_millis()),
            [200, 300, 500, 700, 2_000, 2_400]
        );
    }

    /// The holder has two attempts to renew before it stops, then a standby takes over, and all that within the duration.
    #[test]
    fn whatever_it_is_its_parts_fit_together() {
        for seconds in 2..=60 {
            let lease = LeaseDuration::of_seconds(seconds).expect("within the bounds");
            let two_attempts = lease.renew_every() + lease.request_time() + lease.retry_after();
            assert!(
                two_attempts + lease.request_time() / 2 < lease.step_down_after(),
                "{seconds}"
            );
            assert!(lease.step_down_after() < lease.take_after(), "{seconds}");
            assert!(
                lease.poll_every() + lease.take_after() < Duration::from_secs(seconds),
                "{seconds}"
            );
        }
    }

    /// One row a number of seconds: whether one may ask for it, and what is made of it in a Lease.
    #[test]
    fn it_has_bounds() {
        for (seconds, may_be, said) in [
            (0, false, 2),
            (1, false, 2),
            (2, true, 2),
            (15, true, 15),
            (60, true, 60),
            (61, false, 60),
        ] {
            let asked = LeaseDuration::of_seconds(seconds);
            assert_eq!(asked.is_some(), may_be, "{seconds}");
            assert_eq!(
                LeaseDuration::said(i32::try_from(seconds).ok()).seconds(),
                said,
                "{seconds}"
            );
        }
        assert_eq!(LeaseDuration::said(None), LeaseDuration::USUAL);
        assert_eq!(LeaseDuration::said(Some(-1)), LeaseDuration::USUAL);
    }
}
