//! An expression in a zone, ready to answer.

use std::sync::Arc;

use chrono::{NaiveDateTime, TimeDelta};

use super::almanac::Almanac;
use super::calendar::Calendar;
use super::expression::{Expression, Rule};
use super::terms::Amended;
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
    /// Whenever another is due, but at some instants not, in seconds since 1970.
    Without {
        rest: Arc<Schedule>,
        instants: Arc<[i64]>,
    },
    /// Whenever another is due, but for what was asked beyond its expressions.
    Amended(Arc<Amended>),
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
        Schedule::any_of(expressions, zone, |_, alone| alone)
    }

    /// The same, with something done to the schedule of each expression.
    pub(super) fn any_of(
        expressions: &[Expression],
        zone: &Arc<Zone>,
        each: impl Fn(&Expression, Schedule) -> Schedule,
    ) -> Schedule {
        let alone = |expression| each(expression, Schedule::new(expression, Arc::clone(zone)));
        match expressions {
            [only] => alone(only),
            several => Schedule {
                timing: Timing::Any(several.iter().map(alone).collect()),
                zone: Arc::clone(zone),
            },
        }
    }

    /// The same schedule with nothing due at some instants, and at these only: those of before are due again.
    #[must_use]
    pub fn without(&self, instants: &[Timestamp]) -> Schedule {
        let rest = match &self.timing {
            Timing::Without { rest, .. } => rest.as_ref(),
            _ => self,
        };
        if instants.is_empty() {
            return rest.clone();
        }
        let timing = Timing::Without {
            rest: Arc::new(rest.clone()),
            instants: instants.iter().map(Timestamp::timestamp).collect(),
        };
        let zone = Arc::clone(&self.zone);
        Schedule { timing, zone }
    }

    /// The instants at which it would be due, were they not left out; in no order.
    pub fn left_out(&self) -> impl Iterator<Item = Timestamp> {
        let rest = match &self.timing {
            Timing::Without { rest, .. } => rest.as_ref(),
            _ => self,
        };
        self.skips().filter(|at| rest.is_due(*at))
    }

    /// The instants that are left out, whether it would be due at them or not.
    pub fn skips(&self) -> impl Iterator<Item = Timestamp> {
        let instants = match &self.timing {
            Timing::Without { instants, .. } => instants.as_ref(),
            _ => &[],
        };
        instants.iter().filter_map(|at| Timestamp::from_timestamp(*at, 0))
    }

    /// Whether it is due at an instant.
    pub fn is_due(&self, at: Timestamp) -> bool {
        self.previous(at) == Some(at)
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
            Timing::Without { rest, .. } => *rest = Arc::new(rest.anchored(anchor)),
            Timing::Amended(amended) => {
                *amended = Arc::new(amended.around(amended.base.anchored(anchor)));
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
            Timing::Without { rest, instants } => {
                let mut due = std::iter::successors(rest.next(instant), |due| rest.next(*due));
                due.find(|due| !instants.contains(&due.timestamp()))
            }
            Timing::Amended(amended) => amended.next(instant),
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
            Timing::Without { rest, instants } => {
                let before = |due: &Timestamp| rest.previous(*due - TimeDelta::seconds(1));
                let mut due = std::iter::successors(rest.previous(instant), before);
                due.find(|due| !instants.contains(&due.timestamp()))
            }
            Timing::Amended(amended) => amended.previous(instant),
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
    /// there are more. Whole days are counted at once, whatever the range; only the instants of several expressions, which
    /// they may have in common, and those under terms are listed, up to `cap`.
    pub fn count(&self, after: Timestamp, until: Timestamp, cap: u64) -> u64 {
        let range = (after, until);
        let (after, until) = (after.timestamp(), until.timestamp());
        let count = match &self.timing {
            Timing::Calendar(calendar) => search::count(calendar, &self.zone, after + 1, until),
            Timing::Almanac(almanac) => search::count(almanac.as_ref(), &self.zone, after + 1, until),
            Timing::Any(_) | Timing::Amended(_) => {
                let most = usize::try_from(cap).unwrap_or(usize::MAX);
                self.due(range.0, range.1)
                    .take(most)
                    .fold(0, |count, _| count + 1)
            }
            Timing::Without { rest, .. } => {
                let is_meant = |at: &Timestamp| (after + 1..=until).contains(&at.timestamp());
                let without = self.left_out().filter(is_meant).fold(0, |count, _| count + 1);
                rest.count(range.0, range.1, cap.saturating_add(without))
                    .saturating_sub(without)
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
            Timing::Without { rest, .. } => rest.never_fires(),
            Timing::Amended(amended) => amended.base.never_fires(),
            Timing::Every { .. } => false,
        }
    }

    /// Whether an interval is in it: when it is due depends on the last run.
    pub(crate) fn has_interval(&self) -> bool {
        match &self.timing {
            Timing::Every { .. } => true,
            Timing::Any(several) => several.iter().any(Schedule::has_interval),
            Timing::Without { rest, .. } => rest.has_interval(),
            Timing::Amended(amended) => amended.base.has_interval(),
            Timing::Calendar(_) | Timing::Almanac(_) => false,
        }
    }

    /// Whether it is by an interval, which does not look at the wall clock.
    pub(super) fn is_interval(&self) -> bool {
        match &self.timing {
            Timing::Every { .. } => true,
            Timing::Without { rest, .. } => rest.is_interval(),
            Timing::Amended(amended) => amended.base.is_interval(),
            Timing::Calendar(_) | Timing::Almanac(_) | Timing::Any(_) => false,
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
            Timing::Without { rest, .. } => rest.reading_from(from),
            Timing::Amended(amended) => amended
                .base
                .reading_from(from)
                .filter(|_| amended.loses_skipped()),
            Timing::Every { .. } => None,
        }
    }

    /// The reading for which something is due at an instant though the wall clock does not show it then: a change of the clock
    /// has just skipped it. None where something is due at that instant anyway.
    pub(super) fn put_off(&self, at: Timestamp) -> Option<i64> {
        match &self.timing {
            Timing::Calendar(_) | Timing::Almanac(_) | Timing::Every { .. } => None,
            Timing::Any(several) => {
                let due = several.iter().filter(|each| each.is_due(at));
                due.map(|each| each.put_off(at)).min().flatten()
            }
            Timing::Without { rest, .. } => rest.put_off(at),
            Timing::Amended(amended) => amended.put_off(at),
        }
    }

    /// Whether a reading that a change of the clock skips would have been due by all that is asked beyond the expressions.
    pub(super) fn asks_for(&self, wall: NaiveDateTime, change: Timestamp) -> bool {
        match &self.timing {
            Timing::Without { rest, .. } => rest.asks_for(wall, change),
            Timing::Amended(amended) => amended.asks_for(wall, change),
            Timing::Calendar(_) | Timing::Almanac(_) | Timing::Any(_) | Timing::Every { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every hour, but not at three and four o'clock; and not at half past one, when nothing is due anyway.
    #[test]
    fn nothing_is_due_at_the_instants_that_are_left_out() {
        let hourly = schedule("0 * * * *");
        let without = hourly.without(&[at("03:00"), at("04:00"), at("01:30")]);
        let due = |schedule: &Schedule| -> Vec<String> {
            let due = schedule.due(at("00:30"), at("06:00"));
            due.map(|due| due.format("%H:%M").to_string()).collect()
        };
        assert_eq!(due(&without), ["01:00", "02:00", "05:00", "06:00"]);
        assert_eq!(without.previous(at("04:30")), Some(at("02:00")));
        assert_eq!(without.count(at("00:30"), at("06:00"), 100), 4);
        assert!(without.left_out().eq([at("03:00"), at("04:00")]));
        assert_eq!(hourly.left_out().count(), 0);
        assert_eq!(without.count(at("00:30"), at("06:00"), 3), 3);
        assert_eq!(due(&without.without(&[])), due(&hourly));
        assert_eq!(
            due(&without.without(&[at("06:00")])).len(),
            5,
            "those of before are due again"
        );
    }

    #[test]
    fn an_interval_goes_on_over_an_instant_that_is_left_out() {
        let every = schedule("@every 2h")
            .without(&[at("04:00")])
            .anchored(at("00:00"));
        assert_eq!(every.next(at("02:00")), Some(at("06:00")));
        assert_eq!(every.previous(at("05:00")), Some(at("02:00")));
    }

    fn schedule(text: &str) -> Schedule {
        Schedule::new(&Expression::parse(text).expect("an expression"), Zone::utc())
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-11-23T{time}:00Z").parse().expect("an instant")
    }
}
