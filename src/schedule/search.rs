//! The wall-clock rule: the search across clock changes.
//!
//! DIFFERENCE (D1): Kubernetes loses days at a missing midnight and at half-hour shifts, and may search for ever.
//!
//! Within a period of the zone the wall clock runs without a break, and `calendar` finds the match. If there is none
//! before the period ends, the search goes straight to the period in which the calendar's answer lies, however many
//! clock changes away that is. It may: a match in a period between would have a reading before that answer, so it
//! would have been the answer itself, unless its reading is one that had already passed when the search began. Only
//! the change right after the beginning can turn the clock back that far ([`Zone`] sees to it), so that one is looked
//! at by itself.
//!
//! Here instants are seconds since 1970, in UTC; readings are seconds of the wall clock.

use super::Timestamp;
use super::wall_clock::{Match, WallClock};
use super::zone::{HORIZON, MAX_OFFSET, Period, Zone};

/// The first due second at or after `from`.
pub(super) fn first_from<C: WallClock>(calendar: &C, zone: &Zone, from: i64) -> Option<Timestamp> {
    if calendar.is_empty() || from > HORIZON {
        return None;
    }
    let periods = zone.periods();
    if let [always] = periods {
        // As in UTC: there is no clock change to search across.
        return due(calendar.first_from(from + always.offset)?, always.offset);
    }
    let mut at = zone.at(from);
    let reading = from + periods[at].offset;
    let mut candidate = calendar.first_from(reading)?;
    if let Some(next) = periods.get(at + 1)
        && candidate.reading >= periods[at].end_reading()
        && next.first_reading() < reading
    {
        at += 1;
        candidate = calendar.first_from(next.first_reading())?;
    }
    while candidate.reading >= periods[at].end_reading() {
        // Whatever its offset, a period that is over this early has ended before the candidate.
        at = zone.at_or_before(candidate.reading - MAX_OFFSET).max(at + 1);
        while candidate.reading >= periods[at].end_reading() {
            at += 1;
        }
        if candidate.reading < periods[at].first_reading() {
            candidate = calendar.first_from(periods[at].first_reading())?;
        }
    }
    due(candidate, periods[at].offset)
}

/// The instant of a match on a clock that is `offset` seconds ahead of UTC, unless it lies beyond the horizon.
fn due(found: Match, offset: i64) -> Option<Timestamp> {
    if found.reading - offset <= HORIZON {
        found.instant(offset)
    } else {
        None
    }
}

/// The last due second at or before `until`: the mirror image.
pub(super) fn last_until<C: WallClock>(calendar: &C, zone: &Zone, until: i64) -> Option<Timestamp> {
    if calendar.is_empty() {
        return None;
    }
    let until = until.min(HORIZON);
    let periods = zone.periods();
    if let [always] = periods {
        return calendar.last_until(until + always.offset)?.instant(always.offset);
    }
    let mut at = zone.at(until);
    let reading = until + periods[at].offset;
    let mut candidate = calendar.last_until(reading)?;
    if at > 0 && candidate.reading < periods[at].first_reading() && periods[at - 1].end_reading() > reading {
        at -= 1;
        candidate = calendar.last_until(periods[at].end_reading() - 1)?;
    }
    while candidate.reading < periods[at].first_reading() {
        at = zone.at(candidate.reading + MAX_OFFSET).min(at - 1);
        while candidate.reading < periods[at].first_reading() {
            at -= 1;
        }
        if candidate.reading >= periods[at].end_reading() {
            candidate = calendar.last_until(periods[at].end_reading() - 1)?;
        }
    }
    candidate.instant(periods[at].offset)
}

/// How many seconds of `from..=until` are due.
pub(super) fn count<C: WallClock>(calendar: &C, zone: &Zone, from: i64, until: i64) -> u64 {
    let until = until.min(HORIZON);
    if calendar.is_empty() || from > until {
        return 0;
    }
    let periods = &zone.periods()[zone.at(from)..=zone.at(until)];
    let within = |period: &Period| {
        let (first, end) = (from.max(period.start), (until + 1).min(period.end));
        calendar.count(first + period.offset, end + period.offset)
    };
    periods.iter().map(within).sum()
}
