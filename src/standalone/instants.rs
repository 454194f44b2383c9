//! Kubernetes' timestamps and ours.
//!
//! Kubernetes writes whole seconds (`metav1.Time`). The fraction is dropped here, before an object is made, so that
//! an object compares equal to itself after it was written and read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff;

use crate::schedule::Timestamp;

/// A moment as Kubernetes writes it: in whole seconds, rounded down.
pub(crate) fn to_time(instant: Timestamp) -> Time {
    let seconds = instant.timestamp();
    Time(jiff::Timestamp::new(seconds, 0).unwrap_or(if seconds < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    }))
}

/// A moment that was read from an object.
pub(crate) fn from_time(time: &Time) -> Timestamp {
    let nanoseconds = u32::try_from(time.0.subsec_nanosecond()).unwrap_or_default();
    Timestamp::from_timestamp(time.0.as_second(), nanoseconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_in_whole_seconds() {
        let instant = Timestamp::from_timestamp(1_795_444_200, 987_000_000).unwrap();
        let read = from_time(&to_time(instant));
        assert_eq!(read.to_rfc3339(), "2026-11-23T14:30:00+00:00");
    }

    #[test]
    fn a_moment_that_kubernetes_cannot_write_is_its_last_one() {
        assert_eq!(to_time(Timestamp::MAX_UTC).0, jiff::Timestamp::MAX);
    }
}
