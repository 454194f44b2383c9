//! How crowded it gets: how many runs start in each minute, how many go on, and whose they are.

use chrono::TimeDelta;

use crate::foresight::{Happening, What};
use crate::policy::Note;
use crate::schedule::Timestamp;

/// The longest stretch that is looked at, in minutes: a year.
pub const MINUTES_MAX: usize = 366 * 24 * 60;

/// One minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Minute {
    /// Runs that start in it.
    pub starts: u32,
    /// Runs that go on at the same time in it, at most.
    pub running: u32,
}

/// A stretch of time, minute by minute.
#[derive(Debug, Clone)]
pub struct Crowd {
    from: Timestamp,
    minutes: Vec<Minute>,
    /// When the runs of each CronJob start.
    starts: Vec<Starts>,
    /// How many runs go on, and the minute up to which that is written down.
    running: u32,
    written: usize,
}

impl Crowd {
    /// Nobody so far, between two instants of which the first is a full minute.
    pub fn new(from: Timestamp, to: Timestamp) -> Crowd {
        let seconds = usize::try_from((to - from).num_seconds()).unwrap_or_default();
        let minutes = seconds.div_ceil(60).min(MINUTES_MAX);
        Crowd {
            from,
            minutes: vec![Minute::default(); minutes],
            starts: vec![],
            running: 0,
            written: 0,
        }
    }

    /// Takes in what happens.
    pub fn see(&mut self, happening: &Happening<'_>) {
        match happening.what {
            What::Noted(Note::Started { .. }) => {
                let Some(minute) = self.minute_of(happening.at) else {
                    return;
                };
                self.pass_until(minute);
                self.running += 1;
                let slot = &mut self.minutes[minute];
                slot.starts += 1;
                slot.running = slot.running.max(self.running);
                if self.starts.len() <= happening.number {
                    self.starts.resize_with(happening.number + 1, Starts::default);
                }
                let second = (happening.at - self.from).num_seconds();
                self.starts[happening.number].push(u32::try_from(second).unwrap_or(u32::MAX));
            }
            What::Ended { .. } => {
                // Who ends as a minute begins does not run in it.
                if let Some(minute) = self.minute_of(happening.at - TimeDelta::seconds(1)) {
                    self.pass_until(minute);
                }
                self.running = self.running.saturating_sub(1);
            }
            What::Noted(_) => {}
        }
    }

    /// Time passes: those who run go on.
    fn pass_until(&mut self, minute: usize) {
        for slot in &mut self.minutes[self.written.min(minute)..=minute] {
            slot.running = slot.running.max(self.running);
        }
        self.written = minute;
    }

    /// Nothing more will happen.
    pub fn close(&mut self) {
        if let Some(last) = self.minutes.len().checked_sub(1) {
            self.pass_until(last);
        }
    }

    fn minute_of(&self, at: Timestamp) -> Option<usize> {
        let minute = usize::try_from((at - self.from).num_seconds().div_euclid(60)).ok()?;
        (minute < self.minutes.len()).then_some(minute)
    }

    /// Every minute, in order.
    pub fn minutes(&self) -> &[Minute] {
        &self.minutes
    }

    /// When a minute begins.
    pub fn begin_of(&self, minute: usize) -> Timestamp {
        self.from + TimeDelta::minutes(i64::try_from(minute).unwrap_or_default())
    }

    /// When the runs of a CronJob start, by its number.
    pub fn starts_of(&self, number: usize) -> &Starts {
        static NONE: Starts = Starts { runs: vec![] };
        self.starts.get(number).unwrap_or(&NONE)
    }

    /// The CronJobs that start runs in a minute, and how many each, by number.
    pub fn who(&self, minute: usize) -> Vec<(usize, u32)> {
        let second = u32::try_from(minute * 60).unwrap_or(u32::MAX);
        let all = self.starts.iter().enumerate();
        all.map(|(number, starts)| (number, starts.count(second, second.saturating_add(60))))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// The starts of one CronJob, in seconds from the begin: runs of equal steps, because most schedules are even.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Starts {
    runs: Vec<Even>,
}

/// Starts at equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Even {
    /// The first.
    pub first: u32,
    /// How far apart they are; zero for one alone.
    pub step: u32,
    /// How many there are.
    pub count: u32,
}

impl Starts {
    /// Adds one that is not before the last.
    fn push(&mut self, second: u32) {
        match self.runs.last_mut() {
            Some(alone) if alone.count == 1 && second > alone.first => {
                alone.step = second - alone.first;
                alone.count = 2;
            }
            Some(even) if even.step > 0 && second == even.first + even.step * even.count => even.count += 1,
            _ => self.runs.push(Even {
                first: second,
                step: 0,
                count: 1,
            }),
        }
    }

    /// The runs of equal steps, in order.
    pub fn even(&self) -> &[Even] {
        &self.runs
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|even| u64::from(even.count)).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many there are from one second up to another, which is left out.
    fn count(&self, from: u32, to: u32) -> u32 {
        let before = |even: &Even, second: u32| match second.checked_sub(even.first) {
            None | Some(0) => 0,
            Some(_) if even.step == 0 => 1,
            Some(distance) => distance.div_ceil(even.step).min(even.count),
        };
        self.runs
            .iter()
            .map(|even| before(even, to) - before(even, from))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cronjob::{Key, Outcome};
    use crate::foresight::End;

    #[test]
    fn who_runs_is_counted_until_it_ends() {
        let mut crowd = Crowd::new(at(0), at(6 * 60));
        for (second, number, starts) in [
            (0, 0, true),
            (60, 1, true),
            (61, 0, true),
            (180, 1, false),
            (241, 0, false),
        ] {
            see(&mut crowd, second, number, starts);
        }
        crowd.close();
        let minutes: Vec<(u32, u32)> = crowd
            .minutes()
            .iter()
            .map(|minute| (minute.starts, minute.running))
            .collect();
        assert_eq!(minutes, [(1, 1), (2, 3), (0, 3), (0, 2), (0, 2), (0, 1)]);
        assert_eq!(crowd.who(1), [(0, 1), (1, 1)]);
        assert_eq!(crowd.who(2), []);
    }

    #[test]
    fn even_starts_are_kept_in_few_words() {
        let mut starts = Starts::default();
        for second in [0, 300, 600, 900, 3_600, 3_900, 3_900] {
            starts.push(second);
        }
        let words: Vec<(u32, u32, u32)> = starts.even().iter().map(|e| (e.first, e.step, e.count)).collect();
        assert_eq!(words, [(0, 300, 4), (3_600, 300, 2), (3_900, 0, 1)]);
        assert_eq!(starts.len(), 7);
        for (from, to, count) in [
            (0, 1, 1),
            (0, 300, 1),
            (1, 301, 1),
            (300, 901, 3),
            (901, 3_600, 0),
            (3_900, 3_960, 2),
        ] {
            assert_eq!(starts.count(from, to), count, "{from} {to}");
        }
    }

    fn see(crowd: &mut Crowd, second: i64, number: usize, starts: bool) {
        let cronjob = Key {
            namespace: "default".into(),
            name: number.to_string(),
        };
        let started = Note::Started {
            job: "job".into(),
            scheduled: at(second),
            lateness: TimeDelta::zero(),
            held_back: TimeDelta::zero(),
            waited: false,
        };
        let end = End::Finished(Outcome::Succeeded);
        let ended = What::Ended {
            job: "job",
            after: TimeDelta::zero(),
            end,
        };
        crowd.see(&Happening {
            at: at(second),
            cronjob: &cronjob,
            number,
            what: if starts { What::Noted(&started) } else { ended },
        });
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_795_500_000 + second, 0).expect("a small number")
    }
}
