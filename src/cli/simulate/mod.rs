//! `punctual simulate`: what would happen, minute by minute, without running anything.
//!
//! | file | what it shows |
//! |---|---|
//! | `text` | a timeline and what it comes to, for people |
//! | `json` | the same, an object a line, for programs |
//! | `picture` | the same, as an HTML page |

mod json;
mod picture;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, IsTerminal as _, Stdout, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::{SubsecRound as _, TimeDelta};

use crate::cli::asked::{self, Asked, AskedArgs};
use crate::cli::assumed::{self, FailArgs, RunTimeArgs};
use crate::cli::console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::page::grouped;
use crate::cli::present::rfc3339;
use crate::cli::progress::{Progress, moments};
use crate::cli::zoneinfo::TzdataArgs;
use crate::clock::{Clock, SystemClock};
use crate::cronjob::Key;
use crate::foresight::script::Script;
use crate::foresight::{Entry, Life, NotPlayed, Shown, Simulation, Tally, caught_up, play};
use crate::schedule::{TimeZones, Timestamp};

use picture::Picture;

/// With more due instants than this, nothing would be seen for an hour where things are not shown as they happen. A year of
/// a thousand CronJobs has half as many.
const MOST_SUMMED_UP: u64 = 50_000_000;

/// Arguments of `punctual simulate`.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["expression", "files", "script"]),
    after_help = "\
Examples:
  punctual simulate -f cron.yaml --run-time backup=90m --fail report=every:3
  punctual simulate '*/5 * * * *' --run-time 7m
  punctual simulate --script outage.script --show notable

A script is a command a line, such as:
  at 2026-03-08T01:59:00Z
  apply backup schedule=\"*/5 * * * *\" policy=Forbid
  auto-finish backup after 90s succeeded
  tick 20m
  stop
  tick 1h
  restart"
)]
pub(super) struct SimulateArgs {
    #[command(flatten)]
    asked: AskedArgs,

    /// Play this script instead (- for standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "run_times", "failing"])]
    script: Option<PathBuf>,

    /// Begin at this instant (RFC 3339) instead of now, with everything before it done
    #[arg(long, value_name = "INSTANT", value_parser = asked::instant)]
    from: Option<Timestamp>,

    /// End with this instant (RFC 3339) instead of a day later
    #[arg(long, value_name = "INSTANT", value_parser = asked::instant)]
    to: Option<Timestamp>,

    #[command(flatten)]
    run_times: RunTimeArgs,

    #[command(flatten)]
    failing: FailArgs,

    /// What to show of it
    #[arg(long, value_enum, default_value_t = Show::All)]
    show: Show,

    /// How to show it
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,

    #[command(flatten)]
    tzdata: TzdataArgs,
}

impl SimulateArgs {
    /// Whether little or nothing is shown before the end.
    fn sums_up(&self) -> bool {
        self.show != Show::All || self.output == Output::Html
    }
}

/// What to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Show {
    /// Everything that happens, and what it comes to.
    All,
    /// What does not go by itself: runs that wait, are late, skipped, replaced or fail; and what it comes to.
    Notable,
    /// Only what it comes to.
    Summary,
}

/// How to show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// One HTML page that needs nothing else.
    Html,
}

/// Simulates.
///
/// # Errors
///
/// When the expression, its zone, a manifest or the script is refused.
pub(super) fn simulate(args: &SimulateArgs) -> Result<Exit, Failure> {
    let zones = args.tzdata.load()?;
    match &args.script {
        Some(script) => play_script(script, &zones, args),
        None => pass_time(args, &zones),
    }
}

/// The CronJobs that are asked about, from one instant to another.
fn pass_time(args: &SimulateArgs, zones: &TimeZones) -> Result<Exit, Failure> {
    let from = args.from.unwrap_or_else(|| SystemClock.now().trunc_subsecs(0));
    let to = args.to.unwrap_or(from + TimeDelta::days(1));
    if to <= from {
        return Err(Failure::usage("--to has to be after --from"));
    }
    let found = args.asked.find(zones)?;
    let exit = found.exit();
    let asked = found.asked;
    if args.sums_up() && are_due_more_often_than(MOST_SUMMED_UP, &asked, from, to) {
        return Err(Failure::usage(format!(
            "more than {} runs are due from {} to {}, too many to sum up; let it end sooner with --to",
            grouped(MOST_SUMMED_UP),
            rfc3339(from),
            rfc3339(to),
        )));
    }
    let keys: Vec<Key> = asked.iter().map(|asked| asked.cronjob.key.clone()).collect();
    args.run_times.check(&keys)?;
    args.failing.check(&keys)?;
    assumed::say_what_is_assumed(&args.run_times, &keys);

    let mut simulation = Simulation::starting_at(from);
    let picture = (args.output == Output::Html).then(|| {
        let said = asked
            .iter()
            .map(|asked| (asked.cronjob.key.clone(), asked.said_with_zone()));
        Picture::new(from, to, said.collect())
    });
    let mut page = Page::new(args, keys, picture);
    for asked in asked {
        let template = Life::of(&asked.object);
        let life = assumed::life(&asked.cronjob.key, template, &args.run_times, &args.failing);
        simulation.add(caught_up(asked.cronjob, from), life);
    }
    let is_quiet = args.show == Show::Summary || !std::io::stdout().is_terminal();
    let mut progress = Progress::of("simulating", is_quiet);
    for until in moments(from, to) {
        // Until then may be centuries, and whoever reads may stop at any time.
        while simulation.advance(until, &mut |happening| page.show(&Shown::Happening(happening))) {
            if page.is_closed {
                return Ok(exit);
            }
        }
        progress.step();
    }
    drop(progress);
    page.finish(&simulation);
    Ok(exit)
}

/// Whether more due instants than `limit` lie between two others.
fn are_due_more_often_than(limit: u64, asked: &[Asked], from: Timestamp, to: Timestamp) -> bool {
    let due = asked.iter().flat_map(|asked| asked.schedule.due(from, to));
    due.zip(0..=limit).any(|(_, before)| before == limit)
}

/// What a script says.
fn play_script(file: &Path, zones: &TimeZones, args: &SimulateArgs) -> Result<Exit, Failure> {
    let name = file.display().to_string();
    let text = if name == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| Failure::new(format!("{name} can't be read: {error}")))?;
    let script = Script::parse(&name, &text).map_err(|error| Failure::refused(error.to_string()))?;
    let refused = |error: NotPlayed| Failure::refused(format!("{name}: {error}"));
    let picture = match script.begin().filter(|_| args.output == Output::Html) {
        Some(begin) => {
            // Once without looking, to know when it ends.
            let played = play(&script, zones, &mut |_| ControlFlow::Continue(())).map_err(refused)?;
            Some(Picture::new(begin, played.now(), HashMap::new()))
        }
        None => None,
    };
    let mut page = Page::new(args, vec![], picture);
    let show = &mut |shown: Shown<'_>| {
        page.show(&shown);
        if page.is_closed {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let simulation = play(&script, zones, show).map_err(refused)?;
    page.finish(&simulation);
    Ok(Exit::Fine)
}

/// Where a simulation is written down: what happens as it happens, and the counts.
struct Page<'a> {
    args: &'a SimulateArgs,
    out: BufWriter<anstream::AutoStream<Stdout>>,
    /// Whoever read it has stopped.
    is_closed: bool,
    /// By the number of the CronJob.
    tallies: BTreeMap<usize, (Key, Tally)>,
    /// What the HTML page is made of.
    picture: Option<Picture>,
}

impl<'a> Page<'a> {
    /// A page on CronJobs that are known from the begin; a script adds others as it goes on.
    fn new(args: &'a SimulateArgs, keys: Vec<Key>, picture: Option<Picture>) -> Page<'a> {
        let tallies = keys.into_iter().map(|key| (key, Tally::default()));
        Page {
            args,
            out: BufWriter::new(anstream::stdout()),
            is_closed: false,
            tallies: tallies.enumerate().collect(),
            picture,
        }
    }

    fn show(&mut self, shown: &Shown<'_>) {
        if let Shown::Happening(happening) = shown {
            let new = || (happening.cronjob.clone(), Tally::default());
            let (_, tally) = self.tallies.entry(happening.number).or_insert_with(new);
            tally.count(happening);
            if let Some(picture) = &mut self.picture {
                picture.see(happening);
            }
        }
        let line = match self.args.output {
            _ if !self.args.show.includes(shown) => None,
            Output::Text => text::line(shown),
            Output::Json => json::line(shown),
            Output::Html => None,
        };
        if let Some(line) = line {
            self.is_closed |= !console::written(writeln!(self.out, "{line}"));
        }
    }

    /// The last lines: what it came to.
    fn finish(mut self, simulation: &Simulation) {
        let tallies: Vec<&(Key, Tally)> = self.tallies.values().collect();
        let lines = match (self.args.output, self.picture.take()) {
            (_, Some(picture)) => vec![picture.html(simulation, &tallies)],
            (Output::Json, _) => {
                let until = simulation.now();
                tallies
                    .iter()
                    .map(|(key, tally)| json::summary(key, tally, until))
                    .collect()
            }
            _ if self.args.show == Show::Summary => vec![text::summary(&tallies)],
            _ => vec![String::new(), text::summary(&tallies)],
        };
        for line in lines {
            console::written(writeln!(self.out, "{line}"));
        }
        console::written(self.out.flush());
    }
}

impl Show {
    fn includes(self, shown: &Shown<'_>) -> bool {
        match (self, shown) {
            (Show::Summary, _) => false,
            (Show::Notable, Shown::Happening(happening)) => {
                Entry::of(happening).is_some_and(|entry| !entry.kind.is_smooth())
            }
            (Show::Notable | Show::All, _) => true,
        }
    }
}
