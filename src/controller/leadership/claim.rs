//! Who may do what when, with a Lease. No I/O and no clock.

use std::time::{Duration, Instant};

/// How often the holder renews.
pub const RENEW_EVERY: Duration = Duration::from_millis(500);

/// How long after its last successful renewal was sent the holder stops writing: time for three attempts.
pub const STEP_DOWN_AFTER: Duration = Duration::from_secs(2);

/// How long a standby must have seen no change before it takes the Lease. A run that is due right after the holder
/// died is late by this, a poll of the standby (300 ms) and one request: less than three seconds.
///
/// Built-in controllers wait for 15 s. They have to be sure; here nothing worse than a wasted request happens if a
/// holder is taken for dead that is not, since names are the lock.
pub const TAKE_AFTER: Duration = Duration::from_millis(2_400);

/// How often a standby looks at the Lease.
pub(super) const POLL_EVERY: Duration = Duration::from_millis(300);

/// What a Lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The replica that holds it; empty when it was released.
    pub(super) holder: String,
    /// The version, which changes with every renewal.
    pub(super) version: String,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Look at the Lease at this moment.
    Look(Instant),
    /// Create the Lease, which does not exist, with us as its holder.
    Create,
    /// Write ourselves into the Lease in place of another holder.
    Take,
    /// Write the time into the Lease, which is ours, at this moment.
    Renew(Instant),
}

/// One replica's view of the Lease.
#[derive(Debug)]
pub(super) struct Claim {
    identity: String,
    /// What the Lease said last, and when that was first seen. None before the first look, `Some(None)` without one.
    seen: Option<(Option<Record>, Instant)>,
    looked: Option<Instant>,
    /// When the last write that made us the holder was sent.
    renewed: Option<Instant>,
}

impl Claim {
    pub(super) fn new(identity: String) -> Self {
        Claim {
            identity,
            seen: None,
            looked: None,
            renewed: None,
        }
    }

    /// The Lease was read.
    pub(super) fn looked(&mut self, record: Option<Record>, now: Instant) {
        self.looked = Some(now);
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != record) {
            self.seen = Some((record, now));
        }
    }

    /// A write that makes us the holder went through; it was sent at `sent`.
    pub(super) fn wrote(&mut self, record: Record, sent: Instant) {
        self.renewed = Some(sent);
        self.seen = Some((Some(record), sent));
    }

    /// A write was refused because the Lease changed: what was seen of it is out of date.
    pub(super) fn was_outrun(&mut self) {
        self.looked = None;
    }

    /// Until when we are sure to be the only holder, if we are.
    pub(super) fn held_until(&self) -> Option<Instant> {
        let (Some(record), _) = self.seen.as_ref()? else {
            return None;
        };
        let ours = record.holder == self.identity;
        self.renewed.filter(|_| ours).map(|sent| sent + STEP_DOWN_AFTER)
    }

    /// What to do next; at once, where no moment is given.
    pub(super) fn next(&self, now: Instant) -> Step {
        let (Some((seen, since)), Some(looked)) = (&self.seen, self.looked) else {
            return Step::Look(now);
        };
        let Some(record) = seen else { return Step::Create };
        if record.holder == self.identity {
            return Step::Renew(self.renewed.map_or(now, |sent| sent + RENEW_EVERY));
        }
        let free_at = if record.holder.is_empty() {
            *since
        } else {
            *since + TAKE_AFTER
        };
        if free_at <= now {
            Step::Take
        } else {
            Step::Look(free_at.min(looked + POLL_EVERY).max(now))
        }
    }

    /// The version of the Lease to write over.
    pub(super) fn version(&self) -> Option<&str> {
        let (Some(record), _) = self.seen.as_ref()? else {
            return None;
        };
        Some(&record.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_lease_one_is_created_and_a_released_one_is_taken_at_once() {
        let start = Instant::now();
        let mut claim = Claim::new("me".into());
        assert_eq!(claim.next(start), Step::Look(start));
        claim.looked(None, start);
        assert_eq!(claim.next(start), Step::Create);
        claim.looked(Some(record("", "7")), start);
        assert_eq!(claim.next(start), Step::Take);
        assert_eq!(claim.version(), Some("7"));
        assert_eq!(claim.held_until(), None);
    }

    #[test]
    fn a_holder_that_renews_is_left_alone_and_one_that_does_not_is_replaced() {
        let start = Instant::now();
        let mut claim = Claim::new("me".into());
        for tick in 0..20 {
            let now = start + POLL_EVERY * tick;
            claim.looked(Some(record("other", &tick.to_string())), now);
            assert_eq!(claim.next(now), Step::Look(now + POLL_EVERY));
        }
        let last = start + POLL_EVERY * 19;
        let almost = TAKE_AFTER.saturating_sub(ms(1));
        claim.looked(Some(record("other", "19")), last + almost);
        assert_eq!(
            claim.next(last + almost),
            Step::Look(last + TAKE_AFTER),
            "not a poll later, but when the time is up"
        );
        assert_eq!(claim.next(last + TAKE_AFTER), Step::Take);
    }

    #[test]
    fn the_holder_renews_and_stops_writing_when_it_cannot() {
        let start = Instant::now();
        let mut claim = Claim::new("me".into());
        claim.looked(None, start);
        claim.wrote(record("me", "1"), start);
        assert_eq!(claim.next(start), Step::Renew(start + RENEW_EVERY));
        assert_eq!(claim.held_until(), Some(start + STEP_DOWN_AFTER));
        claim.wrote(record("me", "2"), start + ms(600));
        assert_eq!(claim.held_until(), Some(start + ms(600) + STEP_DOWN_AFTER));
        claim.was_outrun();
        claim.looked(Some(record("other", "3")), start + ms(700));
        assert_eq!(
            claim.held_until(),
            None,
            "another took it, however that came about"
        );
    }

    /// The latest moment at which a holder writes lies before the earliest at which a standby takes the Lease,
    /// wherever in its polling the standby is, and however long the renewal was on its way.
    #[test]
    fn a_holder_always_stops_before_a_standby_takes_over() {
        let sent = Instant::now();
        for on_its_way in [0, 1, 100, 500, 1_900].map(ms) {
            for seen_after in [0, 1, 150, 300].map(ms) {
                let mut holder = Claim::new("holder".into());
                holder.wrote(record("holder", "1"), sent);
                let mut standby = Claim::new("standby".into());
                let seen = sent + on_its_way + seen_after;
                standby.looked(Some(record("holder", "1")), seen);
                let stops = holder.held_until().expect("held");
                assert!(
                    !matches!(standby.next(stops), Step::Take),
                    "{on_its_way:?} {seen_after:?}"
                );
                assert!(matches!(standby.next(seen + TAKE_AFTER), Step::Take));
            }
        }
        assert!(
            POLL_EVERY + TAKE_AFTER < ms(3_000),
            "a run is at most three seconds late"
        );
    }

    #[test]
    fn a_lease_that_was_ours_before_a_restart_is_not_held_until_it_is_renewed() {
        let start = Instant::now();
        let mut claim = Claim::new("me".into());
        claim.looked(Some(record("me", "9")), start);
        assert_eq!(claim.held_until(), None);
        assert_eq!(claim.next(start), Step::Renew(start));
    }

    fn record(holder: &str, version: &str) -> Record {
        Record {
            holder: holder.into(),
            version: version.into(),
        }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
}
