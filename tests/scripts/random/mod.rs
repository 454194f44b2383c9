//! Histories that nobody thought of: drawn at random, played, and checked against what must always hold.
//!
//! A seed is a history. When one breaks an invariant, it is made as short as it can be while it still breaks one, and
//! printed as a script together with what happened: a new case for `cases/`.
//!
//! | file | what it does |
//! |---|---|
//! | `generate` | draws a history |
//! | `invariants` | looks on while it is played |
//! | `shrink` | leaves out what does not matter |

mod generate;
mod invariants;
mod shrink;

use std::collections::BTreeSet;
use std::env;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use libtest_mimic::{Failed, Trial};
use punctual::schedule::Timestamp;

use crate::language::{Command, Line, Script};
use crate::world::{Runtime, World};
use invariants::Onlooker;

/// How many histories are played; the variable with another number.
const HISTORIES: u64 = 400;
const HISTORIES_VARIABLE: &str = "SCRIPT_HISTORIES";

/// The seed of the first history; the others follow.
const SEED_VARIABLE: &str = "SCRIPT_SEED";

/// Without a number asked for, each share of the histories ends after this time, however far it is.
const TIME_MAX: Duration = Duration::from_secs(20);

/// The histories are played in shares, beside each other.
const SHARES: u64 = 4;

/// How long a world is left alone in the end, before it has to be in order: longer than any pause between attempts.
const QUIET: TimeDelta = TimeDelta::minutes(7);

/// One history.
pub(super) struct History {
    pub(super) begin: Timestamp,
    pub(super) commands: Vec<Command>,
}

/// What a history broke, and everything that happened.
struct Broken {
    invariant: String,
    output: String,
}

pub(crate) fn trials() -> Vec<Trial> {
    let number = |variable: &str| env::var(variable).ok()?.parse::<u64>().ok();
    let asked = number(HISTORIES_VARIABLE);
    let first = number(SEED_VARIABLE).unwrap_or_default();
    let histories = asked.unwrap_or(HISTORIES);
    let trial = |(share, with_policies): (u64, bool)| {
        let kind = if with_policies { "policies" } else { "histories" };
        let seeds = (first + share..first + histories).step_by(usize::try_from(SHARES).unwrap_or(1));
        let time_max = asked.is_none().then_some(TIME_MAX);
        Trial::test(format!("random-{kind}-{}", share + 1), move || {
            play_all(seeds, with_policies, time_max)
        })
    };
    let shares = [false, true].map(|with_policies| (0..SHARES).map(move |share| (share, with_policies)));
    let shares = shares.into_iter().flatten().map(trial);
    let every_pair = Trial::test("random-policies-have-every-pair", have_every_pair);
    shares.chain([every_pair]).collect()
}

/// The histories of a normal run leave out no pair of policies.
fn have_every_pair() -> Result<(), Failed> {
    let mut missing: BTreeSet<[&str; 2]> = generate::pairs().into_iter().collect();
    for seed in 0..HISTORIES {
        for command in generate::history(seed, true).commands {
            if let Command::Apply(apply) = command {
                missing.retain(|pair| !pair.iter().all(|name| apply.extensions.contains_key(*name)));
            }
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("no history has these pairs: {missing:?}").into())
    }
}

fn play_all(
    seeds: impl Iterator<Item = u64>,
    with_policies: bool,
    time_max: Option<Duration>,
) -> Result<(), Failed> {
    let begun = Instant::now();
    for seed in seeds {
        if time_max.is_some_and(|max| begun.elapsed() > max) {
            return Ok(());
        }
        let history = generate::history(seed, with_policies);
        check_text(&history)?;
        if play(&history).is_err() {
            return Err(report(seed, &history).into());
        }
    }
    Ok(())
}

/// A history survives being written down.
fn check_text(history: &History) -> Result<(), Failed> {
    let read = Script::parse("history", &history.text())?;
    let commands: Vec<Command> = read
        .lines
        .into_iter()
        .filter_map(|line| match line {
            Line::Command(command) => Some(command),
            Line::Comment(_) => None,
        })
        .collect();
    if commands.get(1..) == Some(&history.commands) {
        Ok(())
    } else {
        Err(format!("these lines are read as something else:\n{}", history.text()).into())
    }
}

/// Plays a history under the eyes of an onlooker.
fn play(history: &History) -> Result<(), Broken> {
    Runtime::new().run(|idle| async move {
        let mut world = World::new(history.begin, idle).await;
        let mut onlooker = Onlooker::default();
        let outcome = watch(&mut world, &mut onlooker, &history.commands).await;
        outcome.map_err(|invariant| Broken {
            invariant,
            output: world.output(),
        })
    })
}

async fn watch(world: &mut World, onlooker: &mut Onlooker, commands: &[Command]) -> Result<(), String> {
    for command in commands {
        if let Command::Tick(by) = command {
            world.remark(&command.to_string());
            pass(world, onlooker, *by).await?;
        } else {
            onlooker.before(world, command);
            world.perform(command).await;
            onlooker.look(world).await?;
        }
    }
    world.remark("From here on, nothing goes wrong any more.");
    world.wire().calm_down();
    world.perform(&Command::Restart).await;
    pass(world, onlooker, QUIET).await?;
    onlooker.look_at_the_end(world).await
}

/// Lets time pass, with a look at every due instant on the way.
async fn pass(world: &mut World, onlooker: &mut Onlooker, by: TimeDelta) -> Result<(), String> {
    let target = world.now() + by;
    while world.now() < target {
        let next = onlooker
            .next_due(world.now())
            .map_or(target, |due| due.min(target));
        world.pass_until(next).await;
        onlooker.look(world).await?;
    }
    Ok(())
}

fn report(seed: u64, history: &History) -> String {
    let shortest = shrink::shrink(history);
    let Err(broken) = play(&shortest) else {
        return format!("seed {seed} breaks an invariant, but not a second time");
    };
    format!(
        "{SEED_VARIABLE}={seed} {HISTORIES_VARIABLE}=1 breaks an invariant: {}\n\nThe shortest script that does:\n\n{}\nWhat happens:\n\n{}",
        broken.invariant,
        shortest.text(),
        broken.output
    )
}

impl History {
    /// As a script.
    fn text(&self) -> String {
        let begin = Command::At(self.begin);
        let lines = std::iter::once(&begin).chain(&self.commands);
        let lines: Vec<String> = lines.map(ToString::to_string).collect();
        lines.join("\n") + "\n"
    }
}
