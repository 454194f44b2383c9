//! Durations on the command line.

use std::time::Duration;

/// No duration is longer: Kubernetes counts those of a Job in seconds with 32 bits. It keeps every instant that is reckoned
/// with one within the years that can be written.
const LONGEST: Duration = Duration::from_secs(i32::MAX as u64);

/// The names of values that are durations. One may begin with a minus, to be refused for what it is.
pub(super) const VALUE_NAMES: [&str; 3] = ["DURATION", "[NAME=]DURATION", "WHEN"];

/// A duration on the command line.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "not a duration; write it like 30s, 10m or 1h30m")?;
    let duration = Duration::try_from(duration)
        .map_err(|_| "a duration can't be negative; write it like 30s, 10m or 1h30m")?;
    if duration > LONGEST {
        let hours = LONGEST.as_secs() / 3_600;
        return Err(format!(
            "longer than Kubernetes can count; write {hours}h, which is 68 years, or less"
        ));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_neither_negative_nor_longer_than_can_be_reckoned_with() {
        for (text, taken) in [
            ("0s", Ok(0)),
            ("1h30m", Ok(5_400)),
            ("596523h", Ok(2_147_482_800)),
            ("tomorrow", Err("not a duration")),
            ("-5m", Err("a duration can't be negative")),
            ("596524h", Err("longer than Kubernetes can count")),
            ("99999999999h", Err("longer than Kubernetes can count")),
        ] {
            let found = duration(text).map(|duration| duration.as_secs());
            match (&found, taken) {
                (Err(error), Err(begin)) => assert!(error.starts_with(begin), "{text}: {error}"),
                _ => assert_eq!(found.ok(), taken.ok(), "{text}"),
            }
        }
    }
}
