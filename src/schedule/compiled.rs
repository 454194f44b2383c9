//! An expression in a zone, ready to answer.

use std::sync::Arc;

use super::almanac::Almanac;
use super::calendar::Calendar;
use super::expression::{Expression, Rule};
use super::wall_clock::{Match, WallClock as _};
use super::{Due, Readings, Timestamp, Zone, search};

/// When something is due: an expression on the wall clock of a zone.
///
/// Compiled once to bit masks, so that an answer costs some tens of nanoseconds however far away it is. Cloning is
/// cheap. Nothing is due after [`HORIZON`](super::HORIZON).
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(super) timing: Timing,
    pub(super) zone: Arc<Zone>,
}

/// The kinds of schedule.
#[derive(Clone, Debug)]
pub(super) enum Timing {
    /// Whenever the wall clock's reading matches.
    Calendar(Calendar),
    /// The same, for what five fields cannot say.
    Almanac(Arc<Almanac>),
    /// Whenever one of several is due.
    Any(Arc<[Schedule]>),
    /// `@every`: at `anchor + k * interval` for `k >= 1`, both in seconds; without an anchor, from wherever one asks.
    Every { interval: i64, anchor: Option<i64> },
}

impl Schedule {
    /// Puts an expression on the wall clock of a zone.
    ///
    /// Which zone, the caller decides: the expression's own [prefix](Expression::zone_prefix) or `spec.timeZone`.
    pub fn new(expression: &Expression, zone: Arc<Zone>) -> Schedule {
        let timing = match expression.rule() {
            Rule::Calendar(calendar) => Timing::Calendar(*calendar),
            Rule::Almanac(almanac) => Timing::Almanac(Arc::clone(almanac)),
            Rule::Every { seconds } => Timing::Every {
                interval: *seconds,
                anchor: None,
            },
        };
        Schedule { timing, zone }
    }

    /// Several expressions on the wall clock of one zone: due whenever one of them is, and once where several are.
    pub fn any(expressions: &[Expression], zone: &Arc<Zone>) -> Schedule {
        let alone = |expression| Schedule::new(expression, Arc::clone(zone));
        match expressions {
            [only] => alone(only),
            several => Schedule {
                timing: Timing::Any(several.iter().map(alone).collect()),
                zone: Arc::clone(zone),
            },
        }
    }

    /// The same schedule with `@every` counting from an instant, cut to the whole second; the instant itself is not due.
    ///
    /// It has no effect on the other expressions.
    #[must_use]
    pub fn anchored(&self, anchor: Timestamp) -> Schedule {
        let mut schedule = self.clone();
        match &mut schedule.timing {
            Timing::Every { anchor: from, .. } => *from = Some(anchor.timestamp()),
            Timing::Any(several) => {
                *several = several.iter().map(|each| each.anchored(anchor)).collect();
            }
            Timing::Calendar(_) | Timing::Almanac(_) => {}
        }
        schedule
    }

    /// The first due instant after a given one.
    ///
    /// As in robfig/cron v3, `after` is cut to the whole second, and `@every` without an anchor counts from there.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let instant = after;
        let after = after.timestamp();
        match &self.timing {
            Timing::Calendar(calendar) => search::first_from(calendar, &self.zone, after + 1),
            Timing::Almanac(almanac) => search::first_from(almanac.as_ref(), &self.zone, after + 1),
            Timing::Any(several) => several.iter().filter_map(|each| each.next(instant)).min(),
            Timing::Every { interval, anchor } => {
                let anchor = anchor.unwrap_or(after);
                let elapsed = (after - anchor).max(0) / interval;
                let second = interval.checked_mul(elapsed + 1)?.checked_add(anchor)?;
                Timestamp::from_timestamp(second, 0)
            }
        }
    }

    /// The newest due instant at or before a given one; none for `@every` without an anchor, which has no past.
    pub fn previous(&self, at: Timestamp) -> Option<Timestamp> {
        let instant = at;
        let at = at.timestamp();
        match &self.timing {
            Timing::Calendar(calendar) => search::last_until(calendar, &self.zone, at),
            Timing::Almanac(almanac) => search::last_until(almanac.as_ref(), &self.zone, at),
            Timing::Any(several) => several.iter().filter_map(|each| each.previous(instant)).max(),
            Timing::Every { interval, anchor } => {
                let anchor = (*anchor)?;
                let elapsed = (at - anchor).max(0) / interval;
                let second = (elapsed > 0).then_some(anchor + elapsed * interval)?;
                Timestamp::from_timestamp(second, 0)
            }
        }
    }

    /// The due instants after one instant, up to and including another, in order.
    pub fn due(&self, after: Timestamp, until: Timestamp) -> Due {
        Due::new(self, after, until)
    }

    /// How many instants are due after one instant, up to and including another: exact up to `cap`, and `cap` where
    /// there are more. Whole days are counted at once, whatever the range; only the instants that several expressions
    /// may have in common are listed, up to `cap`.
    pub fn count(&self, after: Timestamp, until: Timestamp, cap: u64) -> u64 {
        let range = (after, until);
        let (after, until) = (after.timestamp(), until.timestamp());
        let count = match &self.timing {
            Timing::Calendar(calendar) => search::count(calendar, &self.zone, after + 1, until),
            Timing::Almanac(almanac) => search::count(almanac.as_ref(), &self.zone, after + 1, until),
            Timing::Any(_) => {
                let most = usize::try_from(cap).unwrap_or(usize::MAX);
                self.due(range.0, range.1)
                    .take(most)
                    .fold(0, |count, _| count + 1)
            }
            Timing::Every { interval, anchor } => {
                let anchor = anchor.unwrap_or(after);
                let elapsed = |second: i64| (second - anchor).max(0) / interval;
                u64::try_from(elapsed(until) - elapsed(after)).unwrap_or(0)
            }
        };
        count.min(cap)
    }

    /// The readings of the wall clock that match, after one instant and up to and including another: those that are due,
    /// marked where the clock shows them twice, and those that a clock change skips.
    pub fn readings(&self, after: Timestamp, until: Timestamp) -> Readings {
        Readings::new(self, after, until)
    }

    /// The zone on whose wall clock the expression is read.
    pub fn zone(&self) -> &Arc<Zone> {
        &self.zone
    }

    /// Whether nothing is ever due, as for `0 0 31 2 *`.
    pub fn never_fires(&self) -> bool {
        match &self.timing {
            Timing::Calendar(calendar) => calendar.is_empty(),
            Timing::Almanac(almanac) => almanac.is_empty(),
            Timing::Any(several) => several.iter().all(Schedule::never_fires),
            Timing::Every { .. } => false,
        }
    }

    /// The first reading of an unchanging wall clock, at or after one, that matches; none for `@every`, which does not
    /// look at the wall clock.
    pub(super) fn reading_from(&self, from: i64) -> Option<i64> {
        let reading = |found: Match| found.reading;
        match &self.timing {
            _ if self.never_fires() => None,
            Timing::Calendar(calendar) => calendar.first_from(from).map(reading),
            Timing::Almanac(almanac) => almanac.first_from(from).map(reading),
            Timing::Any(several) => several.iter().filter_map(|each| each.reading_from(from)).min(),
            Timing::Every { .. } => None,
        }
    }
}
