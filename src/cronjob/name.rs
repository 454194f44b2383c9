//! The name of a run, which is also its lock.
//!
//! The name is a function of the CronJob and the due instant, so that two controllers, a restart or a retry can
//! never start the same run twice: the API server refuses the second create.

use crate::schedule::Timestamp;

/// The name of the Job that runs `cronjob` for the instant `scheduled`.
///
/// As in Kubernetes (`getJobName` of the CronJob controller) it is the CronJob's name and the minutes since 1970:
/// `backup-24394200`. Kubernetes would give two instants of one minute the same name; here an instant that is off the
/// minute is named by its second instead, `backup-1463652005` (design decision D7). Neither form can be mistaken for
/// the other before the year 2160, and both keep a name of 52 characters within the 63 that Jobs allow.
pub fn run_name(cronjob: &str, scheduled: Timestamp) -> String {
    let seconds = scheduled.timestamp();
    if seconds.rem_euclid(60) == 0 {
        format!("{cronjob}-{}", seconds.div_euclid(60))
    } else {
        format!("{cronjob}-{seconds}")
    }
}

/// Whether a Job's name is that of a run of `cronjob`, for whatever instant.
pub fn is_run_name(cronjob: &str, job: &str) -> bool {
    let suffix = job.strip_prefix(cronjob).and_then(|rest| rest.strip_prefix('-'));
    suffix.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

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
    fn a_run_is_known_by_its_name() {
        for (job, is_run) in [
            ("tick-24394200", true),
            ("tick-1463652005", true),
            ("tick-manual-7xk", false),
            ("tick-", false),
            ("tick", false),
            ("tock-24394200", false),
        ] {
            assert_eq!(is_run_name("tick", job), is_run, "{job}");
        }
    }

    #[test]
    fn the_longest_cronjob_name_leaves_room_for_the_suffix() {
        let longest = "a".repeat(52);
        assert_eq!(run_name(&longest, at("2016-05-19T10:00:05Z")).len(), 63);
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an RFC 3339 instant")
    }
}
