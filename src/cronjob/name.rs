//! The name of a run, which is also its lock.
//!
//! The name is a function of the CronJob and the due instant, so that two controllers, a restart or a retry can
//! never start the same run twice: the API server refuses the second create.

use crate::schedule::Timestamp;

/// The name of the Job that runs `cronjob` for the instant `scheduled`.
///
/// As in Kubernetes (`getJobName` of the CronJob controller) it is the CronJob's name and the minutes since 1970:
/// `backup-24394200`. Neither form can be mistaken for the other before the year 2160, and both keep a name of 52
/// characters within the 63 that Jobs allow.
///
/// DIFFERENCE (D7): Kubernetes would give two instants of one minute the same name; here an instant that is off the
/// minute is named by its second instead, `backup-1463652005`.
pub fn run_name(cronjob: &str, scheduled: Timestamp) -> String {
    let seconds = scheduled.timestamp();
    if seconds.rem_euclid(60) == 0 {
        format!("{cronjob}-{}", seconds.div_euclid(60))
    } else {
        format!("{cronjob}-{seconds}")
    }
}

/// The name of the Job that runs `cronjob` once more for an instant that has had a Job: `backup-24394200-r1`, and so on.
///
/// It is a lock like the other. Where it would be too long, the name of the CronJob is cut.
pub fn rerun_name(cronjob: &str, scheduled: Timestamp, number: usize) -> String {
    let suffix = run_name("", scheduled) + &format!("-r{number}");
    let room = LONGEST_JOB_NAME.saturating_sub(suffix.len());
    let stem: String = cronjob.chars().take(room).collect();
    stem.trim_end_matches(['-', '.']).to_owned() + &suffix
}

/// The longest name of a Job: its pods' label `batch.kubernetes.io/job-name` holds it.
pub const LONGEST_JOB_NAME: usize = 63;

/// The instant that the Job `job` runs `cronjob` for; the inverse of [`run_name`]. `None` for a Job of another name,
/// such as one that a person started.
pub fn scheduled_by_name(cronjob: &str, job: &str) -> Option<Timestamp> {
    let number = job.strip_prefix(cronjob)?.strip_prefix('-')?;
    // A number with leading zeros or a sign is not a run's.
    let is_plain =
        number.bytes().all(|byte| byte.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
    let count: i64 = number.parse().ok().filter(|_| is_plain)?;
    let seconds = if number.len() < SECONDS_DIGITS {
        count.checked_mul(60)?
    } else {
        // A whole minute is named by its minutes.
        Some(count).filter(|seconds| seconds % 60 != 0)?
    };
    Timestamp::from_timestamp(seconds, 0)
}

/// Seconds since 1970 have this many digits from 2001 to 2286; minutes have fewer until the year 3871.
const SECONDS_DIGITS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_on_the_minute_are_named_as_kubernetes_names_them() {
        assert_eq!(
            run_name("mycronjob", at("2016-05-19T10:00:00Z")),
            "mycronjob-24394200"
        );
    }

    #[test]
    fn instants_off_the_minute_are_named_by_the_second() {
        assert_eq!(run_name("tick", at("2016-05-19T10:00:05Z")), "tick-1463652005");
        assert_eq!(run_name("tick", at("2016-05-19T10:00:10Z")), "tick-1463652010");
    }

    #[test]
    fn the_longest_cronjob_name_leaves_room_for_the_suffix() {
        let longest = "a".repeat(52);
        assert_eq!(run_name(&longest, at("2016-05-19T10:00:05Z")).len(), 63);
    }

    #[test]
    fn a_run_of_once_more_has_a_name_of_its_own_that_is_short_enough() {
        let instant = at("2016-05-19T10:00:05Z");
        assert_eq!(rerun_name("tick", instant, 1), "tick-1463652005-r1");
        let longest = format!("{}-b", "a".repeat(50));
        let name = rerun_name(&longest, instant, 12);
        assert_eq!(name, format!("{}-1463652005-r12", "a".repeat(48)));
        assert_eq!(scheduled_by_name("tick", "tick-1463652005-r1"), None);
    }

    #[test]
    fn a_name_tells_its_instant() {
        for instant in [
            "2016-05-19T10:00:00Z",
            "2016-05-19T10:00:05Z",
            "2100-01-01T00:00:00Z",
        ] {
            let name = run_name("tick", at(instant));
            assert_eq!(scheduled_by_name("tick", &name), Some(at(instant)), "{name}");
        }
        for name in [
            "tick",
            "tick-",
            "tick-soon",
            "tick-manual-7xk",
            "tick-024394200",
            "tick-+24394200",
            "tick--24394200",
            "tick-1463652000",
            "tock-24394200",
            "tick-9223372036854775807",
        ] {
            assert_eq!(scheduled_by_name("tick", name), None, "{name}");
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an RFC 3339 instant")
    }
}
