//! Which note is written now, and as the how manieth of its kind.
//!
//! There are three kinds of notes. What happened to one Job (`Created job a-1`) is an Event of its own. So is each of
//! several mistakes in one CronJob (`punctual.dev/jitter …`), whenever it is told. Both hold until a CronJob has used up
//! its allowance for them; from then on they are counted together by their reason. The other Warnings are about a state
//! that lasts (`exceeded quota`), and are counted together from the start, whatever the words. client-go's event
//! correlator has the same ideas; its spam filter drops what we count.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::policy::{Note, Ruling, Severity};
use crate::schedule::Timestamp;
use crate::telemetry::Told;

/// How many Events for one thing each, of one kind, a CronJob may have at once (client-go allows 25 in a row).
const ALLOWANCE: i32 = 25;

/// How often the allowance grows by one (as in client-go).
const ALLOWANCE_GROWS_EVERY: TimeDelta = TimeDelta::minutes(5);

/// The first pause between two writes of the same Event.
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// The longest pause. The API server keeps an Event for an hour after it was written last, so one that is still true
/// does not go away.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(30);

/// What has not been told for this long is forgotten; its Event is gone by then.
const FORGET_AFTER: TimeDelta = TimeDelta::hours(2);

/// How many series are remembered. Beyond it, which takes thousands of CronJobs in trouble, those that were told of least
/// lately are forgotten, and start anew.
const MOST_SERIES: usize = 20_000;

/// How often what is old is looked for.
const SWEEP_EVERY: TimeDelta = TimeDelta::minutes(10);

/// An Event that is to be written now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    /// What tells this Event from others of the same CronJob: stable, so that a restart finds it again.
    pub(super) series: String,
    /// How often it has been told, this time included.
    pub(super) count: i32,
    /// When it was told first.
    pub(super) first: Timestamp,
    /// Its type.
    pub(super) severity: Severity,
    /// What was told last.
    pub(super) told: Told,
}

/// Remembers what was told.
#[derive(Debug, Default)]
pub(super) struct Correlator {
    /// By the CronJob's UID and the series.
    series: HashMap<(String, String), Series>,
    /// By the CronJob's UID: runs do not use up what mistakes may have.
    allowances: HashMap<(String, Kind), Allowance>,
    swept: Option<Timestamp>,
}

#[derive(Debug)]
struct Series {
    count: i32,
    first: Timestamp,
    last: Timestamp,
    written: Timestamp,
    pause: TimeDelta,
}

/// What has an Event for one thing each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// What happened to a Job. It happens once, so there is nothing to remember.
    Job,
    /// A mistake, which is told as long as it is there, in the same words.
    Mistake,
}

#[derive(Debug)]
struct Allowance {
    used: i32,
    since: Timestamp,
}

impl Correlator {
    /// Takes in a note; returns the Event to write, if one is to be written now.
    pub(super) fn correlate(&mut self, told: Told) -> Option<Write> {
        let severity = told.note.severity()?;
        self.sweep(told.at);
        let at = told.at;
        let reason = told.note.reason();
        if let Some(job) = job_of(&told.note)
            && self.allows_one_more(&told.uid, Kind::Job, at)
        {
            return Some(Write {
                series: format!("{reason} {job}"),
                count: 1,
                first: at,
                severity,
                told,
            });
        }
        let key = self.series_of(&told);
        let series = key.1.clone();
        let known = self.series.entry(key).or_insert(Series {
            count: 0,
            first: at,
            last: at,
            written: at,
            pause: TimeDelta::zero(),
        });
        known.count = known.count.saturating_add(1);
        known.last = at;
        known.first = known.first.min(at);
        // A clock that was put back must not silence anything.
        if at - known.written < known.pause && at >= known.written {
            return None;
        }
        known.written = at;
        known.pause = (known.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        Some(Write {
            series,
            count: known.count,
            first: known.first,
            severity,
            told,
        })
    }

    /// The Event exists from before a restart, where it had this count.
    pub(super) fn found(&mut self, write: &Write, count: i32) {
        let key = (write.told.uid.clone(), write.series.clone());
        if let Some(series) = self.series.get_mut(&key) {
            series.count = series.count.saturating_add(count);
        }
    }

    /// With what a note is counted: the same mistake, or whatever has its reason.
    fn series_of(&mut self, told: &Told) -> (String, String) {
        let reason = told.note.reason();
        if is_a_mistake(&told.note) {
            let own = (told.uid.clone(), format!("{reason} {}", told.note));
            if self.series.contains_key(&own) || self.allows_one_more(&told.uid, Kind::Mistake, told.at) {
                return own;
            }
        }
        (told.uid.clone(), reason.to_owned())
    }

    fn allows_one_more(&mut self, uid: &str, kind: Kind, at: Timestamp) -> bool {
        let allowance = self
            .allowances
            .entry((uid.to_owned(), kind))
            .or_insert(Allowance { used: 0, since: at });
        // A clock that was put back must not silence anything.
        allowance.since = allowance.since.min(at);
        while allowance.used > 0 && at - allowance.since >= ALLOWANCE_GROWS_EVERY {
            allowance.used -= 1;
            allowance.since += ALLOWANCE_GROWS_EVERY;
        }
        if allowance.used == 0 {
            allowance.since = at;
        }
        let allowed = allowance.used < ALLOWANCE;
        allowance.used += i32::from(allowed);
        allowed
    }

    fn sweep(&mut self, now: Timestamp) {
        let full = self.series.len() >= MOST_SERIES;
        if !full
            && self
                .swept
                .is_some_and(|swept| swept <= now && now - swept < SWEEP_EVERY)
        {
            return;
        }
        self.swept = Some(now);
        self.series.retain(|_, series| now - series.last < FORGET_AFTER);
        self.allowances
            .retain(|_, allowance| now - allowance.since < FORGET_AFTER);
        if self.series.len() >= MOST_SERIES {
            let mut told: Vec<Timestamp> = self.series.values().map(|series| series.last).collect();
            let (_, median, _) = told.select_nth_unstable(MOST_SERIES / 2);
            let median = *median;
            self.series.retain(|_, series| series.last > median);
        }
    }
}

/// The Job that a note of something that happened once is about.
fn job_of(note: &Note) -> Option<&str> {
    match note {
        Note::Started { job, .. }
        | Note::Completed { job, .. }
        | Note::Missing { job }
        | Note::Adopted { job }
        | Note::Deleted { job, .. }
        | Note::Ruled(Ruling::NeverStarted { job, .. }) => Some(job),
        _ => None,
    }
}

/// Whether a note says what is wrong with what somebody wrote. There may be several at once with one reason, and another
/// after an edit; each is told once, so that none may be counted under the words of another.
fn is_a_mistake(note: &Note) -> bool {
    matches!(
        note,
        Note::BadAnnotation { .. }
            | Note::Unparseable { .. }
            | Note::UnknownTimeZone { .. }
            | Note::NeverFires { .. }
            | Note::ZoneInSchedule { .. }
            | Note::NameTaken { .. }
            | Note::Malformed { .. }
            | Note::MalformedJob { .. }
            | Note::Ruled(Ruling::GroupDisagrees { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cronjob::Key;

    #[test]
    fn each_mistake_is_an_event_of_its_own_until_there_are_too_many() {
        let mut correlator = Correlator::default();
        let mut told_of = |seconds, annotation: i32| {
            let problem = format!("punctual.dev/{annotation}: there is no such annotation");
            let write = correlator.correlate(told(seconds, Note::BadAnnotation { problem }))?;
            Some((write.series, write.count))
        };
        let own = |annotation: i32| {
            format!("InvalidAnnotation punctual.dev/{annotation}: there is no such annotation")
        };
        for annotation in 0..ALLOWANCE {
            assert_eq!(told_of(0, annotation), Some((own(annotation), 1)));
        }
        let together = "InvalidAnnotation".to_owned();
        assert_eq!(told_of(0, ALLOWANCE), Some((together.clone(), 1)));
        assert_eq!(told_of(60, ALLOWANCE), Some((together, 2)));
        // A known one goes on, as the state that it is.
        assert_eq!(told_of(30, 0), None);
        assert_eq!(told_of(60, 0), Some((own(0), 3)));
    }

    /// A busy CronJob has used up what its runs may have.
    #[test]
    fn what_happens_to_jobs_takes_nothing_from_mistakes() {
        let mut correlator = Correlator::default();
        for number in 0..2 * ALLOWANCE {
            let job = format!("tick-{number}");
            correlator.correlate(told(0, Note::Missing { job }));
        }
        let mut schedules = ["* * * *", "61 * * * *"].into_iter().map(|schedule| {
            let note = Note::Unparseable {
                schedule: schedule.into(),
                error: "no".into(),
            };
            correlator.correlate(told(0, note)).map(|write| write.count)
        });
        assert!(schedules.all(|count| count == Some(1)));
    }

    #[test]
    fn a_cronjob_that_is_stuck_for_a_day_costs_one_event_that_is_written_less_and_less_often() {
        let mut correlator = Correlator::default();
        let writes: Vec<Write> = (0..86_400 / 30)
            .filter_map(|n| {
                let note = Note::StartFailed {
                    job: format!("tick-{n}"),
                    scheduled: at(n * 30),
                    error: format!("jobs \"tick-{n}\" is forbidden: exceeded quota"),
                };
                correlator.correlate(told(n * 30, note))
            })
            .collect();
        let written: Vec<i64> = writes
            .iter()
            .map(|write| (write.told.at - at(0)).num_minutes())
            .collect();
        assert_eq!(written[..8], [0, 1, 3, 7, 15, 31, 61, 91], "in minutes");
        assert_eq!(writes.len(), 52);
        assert!(writes.iter().all(|write| write.series == "FailedCreate"));
        assert_eq!(writes.last().map(|write| write.first), Some(at(0)));
        assert!(writes.last().is_some_and(|write| write.count > 2_800));
    }

    /// So many Jobs that a series of them begins, by a clock that was a day ahead: after that each is an Event of its own again.
    #[test]
    fn a_clock_that_was_put_back_silences_nothing() {
        let mut correlator = Correlator::default();
        let mut series_of = |seconds, number: i32| {
            let job = format!("tick-{number}");
            let write = correlator.correlate(told(seconds, Note::Missing { job }))?;
            Some((write.series, write.first <= write.told.at))
        };
        for number in 0..2 * ALLOWANCE {
            series_of(24 * 3_600, number);
        }
        let (series, is_first) = series_of(0, 1_000).expect("an Event");
        assert_eq!((series.as_str(), is_first), ("MissingJob", true));
        let later = ALLOWANCE_GROWS_EVERY.num_seconds();
        let (series, _) = series_of(later, 1_001).expect("an Event");
        assert_eq!(series, "MissingJob tick-1001");
    }

    #[test]
    fn what_happens_to_a_job_is_an_event_of_its_own_until_there_are_too_many() {
        let mut correlator = Correlator::default();
        let mut own = 0;
        let mut together = 0;
        for minute in 0..24 * 60 {
            let note = Note::Deleted {
                job: format!("tick-{minute}"),
                ended: None,
            };
            match correlator.correlate(told(minute * 60, note)) {
                Some(write) if write.series == "SuccessfulDelete" => together += 1,
                Some(_) => own += 1,
                None => {}
            }
        }
        // The allowance, and one more every five minutes.
        assert_eq!(own, i64::from(ALLOWANCE) + 24 * 60 / 5 - 1);
        assert!(together < 60, "{together}");
    }

    #[test]
    fn cronjobs_do_not_share_a_series_or_an_allowance() {
        let mut correlator = Correlator::default();
        for uid in ["a", "b"] {
            let told = Told {
                uid: uid.into(),
                ..told(0, Note::NameTaken { job: "x".into() })
            };
            assert_eq!(
                correlator.correlate(told).map(|write| write.count),
                Some(1),
                "{uid}"
            );
        }
    }

    #[test]
    fn what_is_told_in_the_log_only_is_no_event() {
        assert_eq!(Correlator::default().correlate(told(0, Note::Suspended)), None);
    }

    #[test]
    fn a_count_goes_on_after_a_restart() {
        let mut correlator = Correlator::default();
        let taken = || Note::NameTaken { job: "x".into() };
        let write = correlator.correlate(told(0, taken())).expect("written");
        correlator.found(&write, 41);
        let write = correlator.correlate(told(60, taken())).expect("written");
        assert_eq!(write.count, 43);
    }

    #[test]
    fn thousands_that_are_well_do_not_make_it_forget_who_is_stuck() {
        let mut correlator = Correlator::default();
        let mut stuck_writes = 0;
        for second in (0..3 * 3_600).step_by(60) {
            for n in 0..1_000 {
                let well = Told {
                    uid: format!("well-{n}"),
                    ..told(
                        second,
                        Note::Deleted {
                            job: format!("well-{n}-{second}"),
                            ended: None,
                        },
                    )
                };
                correlator.correlate(well);
            }
            let stuck = correlator.correlate(told(second, Note::NameTaken { job: "x".into() }));
            stuck_writes += usize::from(stuck.is_some());
        }
        // After 0, 1, 3, 7, 15 and 31 minutes, and every half hour from then on.
        assert_eq!(stuck_writes, 10);
        assert!(correlator.series.len() < 2 * 1_000, "{}", correlator.series.len());
    }

    #[test]
    fn what_is_old_is_forgotten_and_the_rest_is_bounded() {
        let mut correlator = Correlator::default();
        for n in 0..i64::try_from(MOST_SERIES).expect("small") + 10 {
            let told = Told {
                uid: n.to_string(),
                ..told(0, Note::NameTaken { job: "x".into() })
            };
            correlator.correlate(told);
        }
        assert!(correlator.series.len() <= MOST_SERIES);
        correlator.correlate(told(3 * 3_600, Note::NameTaken { job: "x".into() }));
        assert_eq!(correlator.series.len(), 1);
    }

    fn told(second: i64, note: Note) -> Told {
        Told {
            at: at(second),
            cronjob: Key {
                namespace: "default".into(),
                name: "tick".into(),
            },
            uid: "u".into(),
            note,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + second, 0).expect("an instant")
    }
}
