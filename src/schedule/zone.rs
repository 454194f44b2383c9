//! The clock of a time zone, as the periods between its changes.
//!
//! Within a period the offset from UTC is constant, so each period is one unbroken stretch of wall-clock time. Where
//! one period's readings end later than the next one's begin, readings repeat; where they end earlier, readings are
//! skipped.

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::Timestamp;
use super::tzif::TzifError;

/// The last second, since 1970, at which anything is due: the end of the year 2399.
///
/// A zone's rules are written out that far, which is one full Gregorian cycle (400 years) from the year 2000; nobody
/// knows them even ten years ahead.
pub const HORIZON: i64 = 13_569_465_599;

/// Before every instant that chrono can express, and small enough that adding an offset does not overflow.
const BEGINNING: i64 = i64::MIN / 2;

/// After every instant that chrono can express.
const END: i64 = i64::MAX / 2;

/// How far a clock may be from UTC, in seconds: the 26 hours that the `TZif` format (RFC 9636) allows, and no more.
pub(super) const MAX_OFFSET: i64 = 26 * 3_600;

/// The index holds one entry for this many seconds, as a power of two: 48 days, so that few entries have a change in them.
const BUCKET_BITS: u32 = 22;

/// How far ahead of an instant a clock is asked for changes: three years, in seconds.
const YEARS_AHEAD: i64 = 3 * 366 * 86_400;

/// The most periods an index entry can name. The longest list in the database of 2026 has about 900.
const MAX_PERIODS: usize = u16::MAX as usize;

/// A stretch of time during which the clock's offset from UTC does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// The first second, in UTC.
    pub(super) start: i64,
    /// The first second after it, in UTC.
    pub(super) end: i64,
    /// Seconds to add to UTC to get the wall clock's reading.
    pub(super) offset: i64,
}

impl Period {
    /// The first reading.
    pub(super) fn first_reading(self) -> i64 {
        self.start + self.offset
    }

    /// The first reading that is not reached.
    pub(super) fn end_reading(self) -> i64 {
        self.end + self.offset
    }
}

/// A time zone: its name and every change of its clock up to [`HORIZON`].
pub struct Zone {
    name: Box<str>,
    /// In order, without a hole, from before all time to after it; neighbours differ in offset.
    periods: Box<[Period]>,
    /// For each stretch of 2^[`BUCKET_BITS`] seconds from the first change on: the period in force when it begins.
    index: Box<[u16]>,
}

impl Zone {
    /// Coordinated Universal Time, whose clock never changes.
    pub fn utc() -> Arc<Zone> {
        static UTC: LazyLock<Arc<Zone>> = LazyLock::new(|| {
            let always = Period {
                start: BEGINNING,
                end: END,
                offset: 0,
            };
            Arc::new(Zone {
                name: "UTC".into(),
                periods: [always].into(),
                index: [].into(),
            })
        });
        Arc::clone(&UTC)
    }

    /// A zone from the offset (in seconds) before the first change of its clock, and the changes: the second, in UTC,
    /// and the offset from then on.
    ///
    /// # Errors
    ///
    /// If the changes are not in order, or nothing that a clock on a wall could do.
    pub(super) fn from_changes(
        name: &str,
        first_offset: i64,
        changes: impl IntoIterator<Item = (i64, i64)>,
    ) -> Result<Zone, TzifError> {
        let mut periods = vec![Period {
            start: BEGINNING,
            end: END,
            offset: first_offset,
        }];
        for (start, offset) in changes {
            let last = periods.len() - 1;
            if offset == periods[last].offset {
                continue;
            }
            if start <= periods[last].start {
                return Err(TzifError::OutOfOrder { second: start });
            }
            periods[last].end = start;
            periods.push(Period {
                start,
                end: END,
                offset,
            });
        }
        check(&periods)?;
        let index = index(&periods);
        Ok(Zone {
            name: name.into(),
            periods: periods.into(),
            index,
        })
    }

    /// The name by which it was asked for, such as `Europe/Rome`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the zone's clock adds to UTC at an instant, in seconds; negative west of Greenwich.
    pub fn offset_seconds(&self, at: Timestamp) -> i32 {
        let period = self.periods[self.at(at.timestamp())];
        i32::try_from(period.offset).unwrap_or_default()
    }

    /// Whether the clock changes within the years after an instant.
    pub fn keeps_changing(&self, from: Timestamp) -> bool {
        let from = from.timestamp();
        self.at(from) != self.at(from.saturating_add(YEARS_AHEAD))
    }

    pub(super) fn periods(&self) -> &[Period] {
        &self.periods
    }

    /// Which period holds a second of UTC.
    pub(super) fn at(&self, second: i64) -> usize {
        let mut at = self.at_or_before(second);
        // Few stretches of the index hold a second change, so a first step without a branch leaves nothing to guess.
        at += usize::from(self.periods[at].end <= second);
        while self.periods[at].end <= second {
            at += 1;
        }
        at
    }

    /// A period that begins at or before a second of UTC, and not long before.
    pub(super) fn at_or_before(&self, second: i64) -> usize {
        let first_change = self.periods[0].end;
        if second < first_change {
            return 0;
        }
        let bucket = usize::try_from((second - first_change) >> BUCKET_BITS).unwrap_or(usize::MAX);
        usize::from(self.index[bucket.min(self.index.len() - 1)])
    }
}

/// Refuses what would make "first" and "last" mean different things on the wall and in UTC: offsets beyond any clock's,
/// and a change back that is longer than the time until the next change.
fn check(periods: &[Period]) -> Result<(), TzifError> {
    if periods.len() > MAX_PERIODS {
        return Err(TzifError::TooManyChanges {
            found: periods.len() - 1,
            most: MAX_PERIODS - 1,
        });
    }
    if let Some(period) = periods.iter().find(|period| period.offset.abs() >= MAX_OFFSET) {
        return Err(TzifError::OffsetTooLarge {
            seconds: period.offset,
        });
    }
    for pair in periods.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        if after.first_reading() < before.first_reading() || after.end_reading() < before.end_reading() {
            return Err(TzifError::OutOfOrder { second: after.start });
        }
    }
    Ok(())
}

/// For each bucket from the first change to the last: the period in force when it begins.
fn index(periods: &[Period]) -> Box<[u16]> {
    let (first, last) = (periods[0].end, periods[periods.len() - 1].start);
    let mut at: u16 = 0;
    let in_force = |bucket: i64| {
        while periods[usize::from(at)].end <= first + (bucket << BUCKET_BITS) {
            at += 1;
        }
        at
    };
    // A zone without a change has no buckets, and is never looked up in them.
    (0..=(last - first) >> BUCKET_BITS).map(in_force).collect()
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

/// Two zones are equal if they have the same name and the same clock.
impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name && self.periods == other.periods
    }
}

impl Eq for Zone {}
