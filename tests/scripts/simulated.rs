//! The same scripts in a simulation (`punctual simulate`): what is decided, and when, is what the controller decided.
//!
//! Scripts that need an API server are left out: a simulation refuses them.

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use punctual::foresight::{NotPlayed, Shown, What, play};
use punctual::schedule::TimeZones;

use crate::language::{Script, in_full, moment, name};
use crate::play::{difference, stem};

/// One test for a script, if it can be simulated.
pub(crate) fn trial(path: PathBuf) -> Option<Trial> {
    let simulated = simulate(&path);
    let needs_server = matches!(&simulated, Ok(Err(NotPlayed::NeedsServer { .. })));
    let name = format!("simulated::{}", stem(&path));
    (!needs_server).then(|| Trial::test(name, move || check(&path, &simulated??)))
}

/// Compares each CronJob by itself: the order of those that are decided on at the same moment means nothing.
fn check(path: &Path, simulated: &str) -> Result<(), Failed> {
    let controller = fs::read_to_string(path.with_extension("out"))?;
    let is_decision = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit()) && !line.contains(" → ");
    let decided = controller.lines().filter(is_decision);
    let is_counted = controller.contains(" × ");
    let mut decided: Vec<String> = decided.flat_map(listed).collect();
    let shown = |line: &str| {
        if is_counted {
            without_words(line)
        } else {
            line.to_owned()
        }
    };
    let mut simulated: Vec<String> = simulated.lines().map(shown).collect();
    for lines in [&mut decided, &mut simulated] {
        lines.sort_by_cached_key(|line| line.split_whitespace().nth(1).map(str::to_owned));
    }
    if decided == simulated {
        return Ok(());
    }
    let change = difference(&decided.join("\n"), &simulated.join("\n"));
    Err(format!("the controller (-) and the simulation (+) decide differently:\n{change}").into())
}

/// `2026-11-23T12:05:00Z  200 × SuccessfulCreate` as so many lines.
fn listed(line: &str) -> Vec<String> {
    let counted = line.split_once("  ").and_then(|(at, rest)| {
        let (count, reason) = rest.split_once(" × ")?;
        Some(vec![format!("{at}  {reason}"); count.parse().ok()?])
    });
    counted.unwrap_or_else(|| vec![line.to_owned()])
}

/// Only when, and the reason.
fn without_words(line: &str) -> String {
    let mut words = line.split_whitespace();
    let (at, _, reason) = (words.next(), words.next(), words.next());
    format!(
        "{}  {}",
        at.unwrap_or_default(),
        reason.unwrap_or_default().trim_end_matches(':')
    )
}

/// What is decided in a simulation.
fn simulate(path: &Path) -> Result<Result<String, NotPlayed>, Failed> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let script = Script::parse(&file, &fs::read_to_string(path)?)?;
    let mut lines = String::new();
    let played = play(&script, &TimeZones::built_in(), &mut |shown| {
        if let Shown::Happening(happening) = shown
            && let What::Noted(note) = happening.what
        {
            let (at, cronjob, reason) = (moment(happening.at), name(happening.cronjob), note.reason());
            // A `String` takes everything.
            let _ = writeln!(lines, "{at}  {cronjob}: {reason}: {}", in_full(note));
        }
        ControlFlow::Continue(())
    });
    Ok(played.map(|_| lines))
}
