//! Draws histories. What is drawn often is what people and clusters do often; what is drawn together is what hurts.

use std::collections::BTreeMap;

use chrono::{DurationRound, TimeDelta};
use fastrand::Rng;
use http::StatusCode;
use punctual::cronjob::{Key, Outcome, run_name};
use punctual::schedule::Timestamp;

use super::History;
use crate::language::{
    Answer, Apply, Command, CutKind, Effect, Extent, Fault, JobKind, Verb, Watched, Which,
};

const NAMES: [&str; 3] = ["a", "b", "c"];
/// When and where a history is played: at noon, around midnight, and where clocks change within minutes: by an hour, by half an
/// hour, and at midnight.
const SCENES: [(&str, Option<&str>); 12] = [
    ("2026-11-23T12:00:00Z", None),
    ("2026-11-23T12:00:00Z", None),
    ("2026-11-23T12:00:00Z", None),
    ("2026-11-23T12:00:00Z", None),
    ("2026-11-23T12:00:00Z", None),
    ("2026-11-22T23:56:00Z", None),
    ("2026-10-25T00:54:00Z", Some("Europe/Berlin")),
    ("2027-03-28T00:54:00Z", Some("Europe/Berlin")),
    ("2026-11-01T05:52:00Z", Some("America/New_York")),
    ("2026-10-03T15:25:00Z", Some("Australia/Lord_Howe")),
    ("2027-04-03T14:55:00Z", Some("Australia/Lord_Howe")),
    ("2027-04-29T21:55:00Z", Some("Africa/Cairo")),
];
/// A zone that a CronJob is moved to, where it is another day.
const ELSEWHERE: &str = "Pacific/Kiritimati";
const SCHEDULES: [&str; 9] = [
    "* * * * *",
    "* * * * *",
    "*/7 0-3 * * *",
    "1-59/2 * * * *",
    "*/2 * * * *",
    "*/5 * * * *",
    "1-59/3 * * * *",
    "@every 20s",
    "@every 90s",
];
const POLICIES: [&str; 4] = ["Allow", "Forbid", "Forbid", "Replace"];
const DEADLINES: [Option<i64>; 6] = [None, None, None, Some(10), Some(45), Some(200)];
const STEPS: [i64; 6] = [-3_600, -120, -3, 3, 120, 3_600];

/// What a CronJob may ask for with annotations. Those that make no sense alone come with others often enough.
///
/// `<n>` is the whole minute that is `n` minutes away, and `<today>` the day of the beginning.
const EXTENSIONS: [(&str, &[&str]); 22] = [
    ("missed-runs", &["Skip", "All", "All"]),
    ("missed-runs-limit", &["1", "3", "1000"]),
    ("overlap", &["Skip", "Queue", "Queue", "ReplaceWhenStopped"]),
    ("queue-limit", &["1", "2", "3"]),
    ("max-active", &["1", "2"]),
    ("jitter", &["5s", "30s"]),
    ("exclude", &["<today>", "<tomorrow>", "<yesterday>, <tomorrow>"]),
    ("on-excluded", &["After", "Before"]),
    ("start-at", &["<2>", "<4>"]),
    ("end-at", &["<5>", "<9>"]),
    ("skip", &["<1>", "<2>,<3>", "<-1>,<5>"]),
    ("suspend-until", &["<1>", "<6>"]),
    ("schedules", &["*/30 * * * * *", "@every 45s"]),
    ("clock-gap", &["RunAfter"]),
    ("clock-repeat", &["First"]),
    ("pending-deadline", &["1m"]),
    ("suspend-after-failures", &["1", "3"]),
    ("on-resume", &["Skip", "Latest"]),
    ("on-edit", &["Skip", "Latest"]),
    ("expected-within", &["1m"]),
    ("group", &["shared"]),
    ("group-slots", &["2"]),
];

/// Every pair of annotations.
pub(super) fn pairs() -> Vec<[&'static str; 2]> {
    let names = EXTENSIONS.map(|(name, _)| name);
    let pairs = names.iter().enumerate().flat_map(|(index, one)| {
        let others = names[index + 1..].iter();
        others.map(|other| [*one, *other])
    });
    pairs.collect()
}

/// The history of a seed, of CronJobs with policies or without.
pub(super) fn history(seed: u64, with_policies: bool) -> History {
    let pairs = pairs();
    let mut rng = Rng::with_seed(seed);
    let (begin, zone) = SCENES[rng.usize(..SCENES.len())];
    let begin: Timestamp = begin.parse().unwrap_or_default();
    let begin = begin + TimeDelta::seconds(rng.i64(0..120));
    let mut draw = Draw {
        rng,
        begin,
        now: begin,
        zone,
        jobs: 0,
        pair: with_policies.then(|| pairs[usize::try_from(seed).unwrap_or_default() % pairs.len()]),
    };
    let mut commands = Vec::new();
    for name in &NAMES[..draw.rng.usize(1..=NAMES.len())] {
        let name = key(name);
        commands.push(draw.new_cronjob(name.clone()));
        if draw.rng.u8(0..4) > 0 {
            commands.push(draw.auto_finish(name));
        }
    }
    for _ in 0..draw.rng.usize(4..24) {
        let command = draw.command();
        commands.push(command);
        if draw.rng.bool() {
            commands.push(draw.tick());
        }
    }
    History { begin, commands }
}

struct Draw {
    rng: Rng,
    begin: Timestamp,
    /// What the clock reads by now.
    now: Timestamp,
    /// The zone of the scene.
    zone: Option<&'static str>,
    /// So that the Jobs that people make have different names.
    jobs: u32,
    /// The annotations that every CronJob has, where they have any: each seed has a pair, so that no pair is left out.
    pair: Option<[&'static str; 2]>,
}

impl Draw {
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.rng.usize(..of.len())].clone()
    }

    fn cronjob(&mut self) -> Key {
        key(self.one(&NAMES))
    }

    fn seconds(&mut self, range: std::ops::Range<i64>) -> TimeDelta {
        TimeDelta::seconds(self.rng.i64(range))
    }

    fn tick(&mut self) -> Command {
        let by = match self.rng.u8(0..5) {
            0 => TimeDelta::milliseconds(self.rng.i64(1..2_000)),
            1 => self.seconds(1..20),
            2 => self.seconds(20..150),
            3 => self.seconds(150..400),
            // What comes next comes at a due instant, or a moment before or after one.
            _ => {
                let beside = TimeDelta::milliseconds(self.one(&[-1, 0, 0, 1, 900]));
                let away = self.rng.i64(1..4);
                self.minute(away) + beside - self.now
            }
        };
        self.now += by;
        Command::Tick(by)
    }

    /// The whole minute that is so many minutes away.
    fn minute(&self, away: i64) -> Timestamp {
        let minute = self.now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(self.now);
        minute + TimeDelta::minutes(away)
    }

    fn new_cronjob(&mut self, name: Key) -> Command {
        Command::Apply(Apply {
            schedule: Some(self.one(&SCHEDULES).into()),
            zone: self
                .zone
                .filter(|_| self.rng.u8(0..4) > 0)
                .map(|zone| Some(zone.into())),
            policy: Some(self.one(&POLICIES).into()),
            deadline: self.one(&DEADLINES).map(Some),
            history: Some((self.rng.u32(0..3), self.rng.u32(0..3))),
            extensions: self.extensions(),
            ..Apply::of(name)
        })
    }

    /// The pair of the seed, and up to two more annotations; whoever is in the group has a priority.
    fn extensions(&mut self) -> BTreeMap<String, Option<String>> {
        let mut extensions = BTreeMap::new();
        let Some(pair) = self.pair else {
            return extensions;
        };
        for (name, values) in EXTENSIONS.iter().filter(|(name, _)| pair.contains(name)) {
            extensions.insert((*name).to_owned(), Some(self.value(values)));
        }
        for _ in 0..self.rng.usize(0..=2) {
            let (name, values) = self.one(&EXTENSIONS);
            extensions.insert(name.to_owned(), Some(self.value(values)));
        }
        if extensions.contains_key("group") {
            extensions.insert("priority".into(), Some(self.rng.i32(-1..=1).to_string()));
        }
        extensions
    }

    /// One of some values, with what it says of the time filled in.
    fn value(&mut self, values: &[&str]) -> String {
        let mut value = self.one(values).to_owned();
        for (word, days) in [("<yesterday>", -1), ("<today>", 0), ("<tomorrow>", 1)] {
            let day = (self.begin + TimeDelta::days(days)).date_naive();
            value = value.replace(word, &day.to_string());
        }
        for away in -1..10 {
            let minute = self
                .minute(away)
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            value = value.replace(&format!("<{away}>"), &minute);
        }
        value
    }

    fn auto_finish(&mut self, cronjob: Key) -> Command {
        Command::AutoFinish {
            cronjob,
            after: self.seconds(1..180),
            outcome: self.outcome(),
        }
    }

    fn outcome(&mut self) -> Outcome {
        self.one(&[Outcome::Succeeded, Outcome::Succeeded, Outcome::Failed])
    }

    fn command(&mut self) -> Command {
        match self.rng.u8(0..40) {
            0..=4 => self.tick(),
            5..=7 => Command::Restart,
            8 => Command::Stop,
            9..=15 => Command::Fault(self.fault()),
            16..=18 => self.disturb_watch(),
            19 => {
                let by = TimeDelta::seconds(self.one(&STEPS));
                self.now += by;
                Command::StepClock(by)
            }
            20..=23 => self.finish(),
            24..=26 | 34..=38 => self.edit(),
            27 => Command::Edit(self.cronjob()),
            28 => Command::DeleteCronJob(self.cronjob()),
            29 => {
                let name = self.cronjob();
                self.new_cronjob(name)
            }
            30 => self.start_job(),
            31 | 32 => Command::DeleteJob(self.run(-3..2)),
            33 => self.take_name(),
            _ => {
                let name = self.cronjob();
                self.auto_finish(name)
            }
        }
    }

    fn fault(&mut self) -> Fault {
        let verb = self.one(&[
            Verb::Create,
            Verb::Create,
            Verb::Status,
            Verb::Status,
            Verb::Delete,
            Verb::Read,
            Verb::List,
        ]);
        let effect = match self.rng.u8(0..8) {
            0 | 1 => Effect::Answer(self.answer()),
            2 => Effect::Lose,
            3 => Effect::Hang(self.seconds(1..70)),
            4 => Effect::Slow(self.seconds(1..70)),
            5 => Effect::CrashBefore,
            6 => Effect::CrashAfter,
            _ => Effect::EditFirst(self.cronjob()),
        };
        let lasts = matches!(effect, Effect::Answer(_)) && self.rng.bool();
        let extent = if lasts {
            Extent::For(self.seconds(1..200))
        } else {
            Extent::Next(self.rng.u32(1..4))
        };
        Fault { verb, effect, extent }
    }

    fn answer(&mut self) -> Answer {
        let code = self.one(&[
            StatusCode::INTERNAL_SERVER_ERROR,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::FORBIDDEN,
            StatusCode::GATEWAY_TIMEOUT,
        ]);
        let hints = code == StatusCode::TOO_MANY_REQUESTS && self.rng.bool();
        Answer {
            code,
            retry_after_seconds: hints.then(|| self.rng.u32(1..9)),
        }
    }

    fn disturb_watch(&mut self) -> Command {
        let of = self.one(&[Watched::Jobs, Watched::CronJobs]);
        match self.rng.u8(0..4) {
            0 => Command::CutWatch {
                of,
                how: CutKind::Expire,
            },
            1 => Command::CutWatch {
                of,
                how: CutKind::Break,
            },
            2 => Command::DelayWatch {
                of,
                by: TimeDelta::zero(),
            },
            _ => Command::DelayWatch {
                of,
                by: TimeDelta::milliseconds(self.rng.i64(1..9_000)),
            },
        }
    }

    fn finish(&mut self) -> Command {
        let cronjob = self.cronjob();
        let which = match self.rng.u8(0..3) {
            0 => Which::Oldest(cronjob),
            1 => Which::Newest(cronjob),
            _ => Which::All(cronjob),
        };
        Command::Finish {
            which,
            outcome: self.outcome(),
        }
    }

    /// An edit of a CronJob, or a new one when it is not there.
    fn edit(&mut self) -> Command {
        let mut apply = Apply::of(self.cronjob());
        match self.rng.u8(0..10) {
            0 | 1 => apply.schedule = Some(self.one(&SCHEDULES).into()),
            2 => apply.history = Some((self.rng.u32(0..3), self.rng.u32(0..3))),
            3 => apply.policy = Some(self.one(&POLICIES).into()),
            4 => apply.deadline = Some(self.one(&DEADLINES)),
            5 => {
                let zone = self.one(&[self.zone, None, Some(ELSEWHERE)]);
                apply.zone = Some(zone.map(Into::into));
            }
            6 | 7 if self.pair.is_some() => {
                let (name, values) = self.one(&EXTENSIONS);
                let value = Some(self.value(values)).filter(|_| self.rng.u8(0..3) > 0);
                apply.extensions.insert(name.to_owned(), value);
                if name == "group" {
                    apply
                        .extensions
                        .insert("priority".into(), Some(self.rng.i32(-1..=1).to_string()));
                }
            }
            _ => apply.suspend = Some(self.rng.bool()),
        }
        Command::Apply(apply)
    }

    /// A run of the last minutes or the next, by its name.
    fn run(&mut self, away: std::ops::Range<i64>) -> Key {
        let cronjob = self.one(&NAMES);
        let away = self.rng.i64(away);
        let minute = self.minute(away);
        key(&run_name(cronjob, minute))
    }

    /// Somebody makes a Job that has the name of a run to come.
    fn take_name(&mut self) -> Command {
        Command::StartJob {
            name: self.run(0..4),
            of: self.cronjob(),
            kind: self.one(&[JobKind::Manual, JobKind::Lookalike, JobKind::Foreign]),
        }
    }

    fn start_job(&mut self) -> Command {
        self.jobs += 1;
        Command::StartJob {
            name: key(&format!("extra-{}", self.jobs)),
            of: self.cronjob(),
            kind: self.one(&[
                JobKind::Manual,
                JobKind::Backfill,
                JobKind::Stray,
                JobKind::Lookalike,
                JobKind::Foreign,
            ]),
        }
    }
}

fn key(name: &str) -> Key {
    Key {
        namespace: "default".into(),
        name: name.into(),
    }
}
