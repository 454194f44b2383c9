//! Which time-zone database is in use, and how old it is.

use chrono::NaiveDate;

use crate::schedule::{TimeZones, Timestamp};

/// A database older than this gives wrong times somewhere: some country has changed its law since.
pub const OLD_AFTER_DAYS: i64 = 366;

/// How many days old a database is, as near as its version tells; none for a version that is not IANA's.
///
/// IANA names releases by year and letter (`2026f`) and publishes five to eight a year. The letter is read as two
/// months, which is right to within a season.
pub fn age_in_days(version: &str, now: Timestamp) -> Option<i64> {
    let (year, letter) = version.split_at_checked(4)?;
    let letter = letter.bytes().next().filter(u8::is_ascii_lowercase)?;
    let month = (u32::from(letter - b'a') * 2 + 1).min(12);
    let released = NaiveDate::from_ymd_opt(year.parse().ok()?, month, 1)?;
    Some((now.date_naive() - released).num_days().max(0))
}

/// Logs which database is in use, as a warning when it is old.
pub fn tell_time_zones(zones: &TimeZones, now: Timestamp) {
    let (version, origin) = (zones.version(), zones.origin());
    let age_days = age_in_days(version, now);
    if age_days.is_some_and(|days| days > OLD_AFTER_DAYS) {
        tracing::warn!(
            version,
            origin,
            age_days,
            "the time-zone database is over a year old; install a newer one or name it with --tzdata"
        );
    } else {
        tracing::info!(version, origin, "time-zone database");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_tells_the_age_to_within_a_season() {
        let now = "2026-11-23T12:00:00Z".parse().expect("an instant");
        for (version, days) in [
            ("2026f", Some(22)),
            ("2026a", Some(326)),
            ("2025b", Some(632)),
            ("2026z", Some(0)),
            ("", None),
            ("2026", None),
            ("latest", None),
        ] {
            assert_eq!(age_in_days(version, now), days, "{version}");
        }
    }
}
