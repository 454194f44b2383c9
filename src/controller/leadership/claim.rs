//! Who may do what when, with a Lease. No I/O and no clock.

use std::time::Instant;

use crate::controller::leadership::duration::LeaseDuration;

/// What a Lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The replica that holds it; empty when it was released.
    pub(super) holder: String,
    /// The version, which changes with every renewal.
    pub(super) version: String,
    /// How long it lasts, as its holder has it: replicas that are being replaced may have been given another duration.
    pub(super) lasts: LeaseDuration,
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
    /// How long the Lease lasts when we hold it.
    pub(super) lasts: LeaseDuration,
    /// What the Lease said last, and when that was first seen. None before the first look, `Some(None)` without one.
    seen: Option<(Option<Record>, Instant)>,
    looked: Option<Instant>,
    /// When the last write that made us the holder was sent.
    renewed: Option<Instant>,
}

impl Claim {
    pub(super) fn new(identity: String, lasts: LeaseDuration) -> Self {
        Claim {
            identity,
            lasts,
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
        let renewed = self.renewed.filter(|_| ours);
        renewed.map(|sent| sent + self.lasts.step_down_after())
    }

    /// What to do next; at once, where no moment is given.
    pub(super) fn next(&self, now: Instant) -> Step {
        let (Some((seen, since)), Some(looked)) = (&self.seen, self.looked) else {
            return Step::Look(now);
        };
        let Some(record) = seen else { return Step::Create };
        if record.holder == self.identity {
            return Step::Renew(self.renewed.map_or(now, |sent| sent + self.lasts.renew_every()));
        }
        let free_at = if record.holder.is_empty() {
            *since
        } else {
            *since + record.lasts.take_after()
        };
        if free_at <= now {
            Step::Take
        } else {
            Step::Look(free_at.min(looked + self.lasts.poll_every()).max(now))
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
    use std::time::Duration;

    use super::*;

    const USUAL: LeaseDuration = LeaseDuration::USUAL;

    #[test]
    fn without_a_lease_one_is_created_and_a_released_one_is_taken_at_once() {
        let start = Instant::now();
        let mut claim = Claim::new("me".into(), USUAL);
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
        let mut claim = Claim::new("me".into(), USUAL);
        for tick in 0..20 {
            let now = start + USUAL.poll_every() * tick;
            claim.looked(Some(record("other", &tick.to_string())), now);
            assert_eq!(claim.next(now), Step::Look(now + USUAL.poll_every()));
        }
        let last = start + USUAL.poll_every() * 19;
        let almost = USUAL.take_after().saturating_sub(ms(1));
        claim.looked(Some(record("other", "19")), last + almost);
        assert_eq!(
            claim.next(last + almost),
            Step::Look(last + USUAL.take_after()),
            "not a poll later, but when the time is up"
        );
        assert_eq!(claim.next(last + USUAL.take_after()), Step::Take);
    }

    #[test]
    fn the_holder_renews_and_stops_writing_when_it_cannot() {
        let start = Instant::now();
        let mut claim = Claim::new("me".into(), USUAL);
        claim.looked(None, start);
        claim.wrote(record("me", "1"), start);
        assert_eq!(claim.next(start), Step::Renew(start + USUAL.renew_every()));
        assert_eq!(claim.held_until(), Some(start + USUAL.step_down_after()));
        claim.wrote(record("me", "2"), start + ms(600));
        assert_eq!(
            claim.held_until(),
            Some(start + ms(600) + USUAL.step_down_after())
        );
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
                let mut holder = Claim::new("holder".into(), USUAL);
                holder.wrote(record("holder", "1"), sent);
                let mut standby = Claim::new("standby".into(), USUAL);
                let seen = sent + on_its_way + seen_after;
                standby.looked(Some(record("holder", "1")), seen);
                let stops = holder.held_until().expect("held");
                assert!(
                    !matches!(standby.next(stops), Step::Take),
                    "{on_its_way:?} {seen_after:?}"
                );
                assert!(matches!(standby.next(seen + USUAL.take_after()), Step::Take));
            }
        }
    }

    /// Replicas that are replaced by ones with another duration do not take the Lease from each other.
    #[test]
    fn a_lease_lasts_as_long_as_its_holder_says() {
        let long = LeaseDuration::of_seconds(30).expect("within the bounds");
        let start = Instant::now();
        for (theirs, ours) in [(USUAL, long), (long, USUAL)] {
            let mut claim = Claim::new("me".into(), ours);
            let lasts = theirs;
            claim.looked(
                Some(Record {
                    lasts,
                    ..record("other", "1")
                }),
                start,
            );
            let almost = theirs.take_after().saturating_sub(ms(1));
            assert!(matches!(claim.next(start + almost), Step::Look(_)));
            assert_eq!(claim.next(start + theirs.take_after()), Step::Take);
        }
    }

    #[test]
    fn a_lease_that_was_ours_before_a_restart_is_not_held_until_it_is_renewed() {
        let start = Instant::now();
        let mut claim = Claim::new("me".into(), USUAL);
        claim.looked(Some(record("me", "9")), start);
        assert_eq!(claim.held_until(), None);
        assert_eq!(claim.next(start), Step::Renew(start));
    }

    fn record(holder: &str, version: &str) -> Record {
        Record {
            holder: holder.into(),
            version: version.into(),
            lasts: USUAL,
        }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
}
