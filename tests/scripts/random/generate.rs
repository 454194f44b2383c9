//! Draws histories. What is drawn often is what people and clusters do often; what is drawn together is what hurts.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use fastrand::Rng;
use http::StatusCode;
use punctual::cronjob::{Key, Outcome};
use punctual::schedule::Timestamp;

use super::History;
use crate::language::{
    Answer, Apply, Command, CutKind, Effect, Extent, Fault, JobKind, Verb, Watched, Which,
};

const NAMES: [&str; 3] = ["a", "b", "c"];
const SCHEDULES: [&str; 7] = [
    "* * * * *",
    "* * * * *",
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
const EXTENSIONS: [(&str, &[&str]); 19] = [
    ("missed-runs", &["Skip", "All", "All"]),
    ("missed-runs-limit", &["1", "3", "1000"]),
    ("overlap", &["Skip", "Queue", "Queue", "ReplaceWhenStopped"]),
    ("queue-limit", &["1", "2", "3"]),
    ("max-active", &["1", "2"]),
    ("jitter", &["5s", "30s"]),
    ("exclude", &["2026-11-23", "2026-11-22, 2026-11-24"]),
    ("on-excluded", &["After", "Before"]),
    ("start-at", &["2026-11-23T12:04:00Z"]),
    ("end-at", &["2026-11-23T12:09:00Z"]),
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
    let mut draw = Draw {
        rng: Rng::with_seed(seed),
        jobs: 0,
        pair: with_policies.then(|| pairs[usize::try_from(seed).unwrap_or_default() % pairs.len()]),
    };
    let begin: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap_or_default();
    let begin = begin + TimeDelta::seconds(draw.rng.i64(0..120));
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
        Command::Tick(match self.rng.u8(0..4) {
            0 => TimeDelta::milliseconds(self.rng.i64(1..2_000)),
            1 => self.seconds(1..20),
            2 => self.seconds(20..150),
            _ => self.seconds(150..400),
        })
    }

    fn new_cronjob(&mut self, name: Key) -> Command {
        Command::Apply(Apply {
            schedule: Some(self.one(&SCHEDULES).into()),
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
            extensions.insert((*name).to_owned(), Some(self.one(values).to_owned()));
        }
        for _ in 0..self.rng.usize(0..=2) {
            let (name, values) = self.one(&EXTENSIONS);
            extensions.insert(name.to_owned(), Some(self.one(values).to_owned()));
        }
        if extensions.contains_key("group") {
            extensions.insert("priority".into(), Some(self.rng.i32(-1..=1).to_string()));
        }
        extensions
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
        match self.rng.u8(0..32) {
            0..=4 => self.tick(),
            5..=7 => Command::Restart,
            8 => Command::Stop,
            9..=15 => Command::Fault(self.fault()),
            16..=18 => self.disturb_watch(),
            19 => Command::StepClock(TimeDelta::seconds(self.one(&STEPS))),
            20..=23 => self.finish(),
            24..=26 => self.edit(),
            27 => Command::Edit(self.cronjob()),
            28 => Command::DeleteCronJob(self.cronjob()),
            29 => {
                let name = self.cronjob();
                self.new_cronjob(name)
            }
            30 => self.start_job(),
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
        match self.rng.u8(0..4) {
            0 => apply.schedule = Some(self.one(&SCHEDULES).into()),
            1 => apply.history = Some((self.rng.u32(0..3), self.rng.u32(0..3))),
            _ => apply.suspend = Some(self.rng.bool()),
        }
        Command::Apply(apply)
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
