//! From the text of a script to its commands.

use http::StatusCode;

use super::tokens::Tokens;
use super::{Answer, Apply, Command, CutKind, Effect, Extent, Fault, JobKind, Verb, Watched, Which};
use crate::cronjob::extension::REGISTER;
use crate::schedule::Timestamp;

/// The words that a line can begin with.
const COMMANDS: [&str; 28] = [
    "apply",
    "at",
    "auto-finish",
    "break",
    "crash",
    "create",
    "delay",
    "delete",
    "edit",
    "expire",
    "fail",
    "finish",
    "hang",
    "heal",
    "hush",
    "lose",
    "malform",
    "pace",
    "release",
    "restart",
    "show",
    "slow",
    "start",
    "step",
    "stop",
    "summarise",
    "tick",
    "write",
];

/// A script: its commands, with the lines that they were written on.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// The lines that say something, in their order.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A comment, which is carried over into the output.
    Comment(String),
    /// A command.
    Command(Command),
}

/// A mistake in a script.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct ScriptError {
    file: String,
    line: usize,
    problem: String,
}

impl Script {
    /// The instant of the first command; `None` when that is another command than `at`.
    pub fn begin(&self) -> Option<Timestamp> {
        let first = self.lines.iter().find_map(|line| match line {
            Line::Command(command) => Some(command),
            Line::Comment(_) => None,
        });
        match first {
            Some(Command::At(instant)) => Some(*instant),
            _ => None,
        }
    }

    /// Parses the text of `file`.
    ///
    /// # Errors
    ///
    /// At the first line that is no command.
    pub fn parse(file: &str, text: &str) -> Result<Script, ScriptError> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let at_line = |problem| ScriptError {
                file: file.to_owned(),
                line: index + 1,
                problem,
            };
            if let Some(comment) = line.trim_start().strip_prefix('#') {
                lines.push(Line::Comment(comment.trim().to_owned()));
                continue;
            }
            let mut tokens = Tokens::split(line).map_err(at_line)?;
            if tokens.is_empty() {
                continue;
            }
            let command = command(&mut tokens).map_err(at_line)?;
            tokens.end().map_err(at_line)?;
            lines.push(Line::Command(command));
        }
        Ok(Script { lines })
    }
}

fn command(tokens: &mut Tokens) -> Result<Command, String> {
    let first = tokens.word("a command")?;
    Ok(match first.as_str() {
        "at" => Command::At(tokens.value("an instant such as `2026-03-08T01:59:00Z`")?),
        "tick" => Command::Tick(tokens.duration()?),
        "step" => {
            tokens.expect("clock")?;
            Command::StepClock(tokens.duration()?)
        }
        "apply" => Command::Apply(apply(tokens)?),
        "edit" => edit(tokens)?,
        "delete" => delete(tokens)?,
        "release" => Command::Release(tokens.key("a CronJob")?),
        "create" => {
            tokens.expect("namespace")?;
            Command::CreateNamespace(tokens.word("a name")?)
        }
        "start" => start(tokens)?,
        "finish" => Command::Finish {
            which: which(tokens)?,
            outcome: tokens.outcome()?,
        },
        "auto-finish" => auto_finish(tokens)?,
        "stop" => Command::Stop,
        "restart" => Command::Restart,
        "pace" => Command::Pace(tokens.value("a number of starts in a second")?),
        "fail" | "lose" | "hang" | "slow" | "crash" => Command::Fault(fault(&first, tokens)?),
        "delay" => delay(tokens)?,
        "expire" => cut(tokens, CutKind::Expire)?,
        "break" => cut(tokens, CutKind::Break)?,
        "malform" => Command::Malform(tokens.key("a CronJob")?),
        "heal" => Command::Heal(tokens.key("a CronJob")?),
        "hush" => Command::Hush,
        "summarise" => Command::Summarise,
        "show" => show(tokens)?,
        "write" => {
            tokens.expect("events")?;
            Command::WriteEvents
        }
        other => {
            return Err(format!(
                "`{other}` is not a command; there are {}",
                COMMANDS.join(", ")
            ));
        }
    })
}

fn apply(tokens: &mut Tokens) -> Result<Apply, String> {
    let mut apply = Apply::of(tokens.key("a CronJob")?);
    apply.count = tokens.times();
    while let Some(setting) = tokens.next() {
        let Some((field, value)) = setting.split_once('=') else {
            return Err(format!("expected `field=value`, found `{setting}`"));
        };
        set(&mut apply, field, value)?;
    }
    Ok(apply)
}

fn set(apply: &mut Apply, field: &str, value: &str) -> Result<(), String> {
    let bad = |what: &str| format!("`{value}` is not {what}");
    let text = value.to_owned();
    match field {
        "schedule" => apply.schedule = Some(text),
        "zone" => apply.zone = Some(Some(text).filter(|zone| zone != "none")),
        "policy" => apply.policy = Some(text),
        "deadline" if value == "none" => apply.deadline = Some(None),
        "deadline" => apply.deadline = Some(Some(value.parse().map_err(|_| bad("a number of seconds"))?)),
        "suspend" => apply.suspend = Some(value.parse().map_err(|_| bad("`true` or `false`"))?),
        "history" => apply.history = Some(history(value).ok_or_else(|| bad("a history such as `3/1`"))?),
        "finalizer" => apply.finalizer = Some(text),
        _ if REGISTER.iter().any(|known| known.short_name() == field) => {
            // Schedules stand on a line each, which a script has not.
            let value = Some(text.replace("; ", "\n")).filter(|value| value != "none");
            apply.extensions.insert(field.to_owned(), value);
        }
        _ => {
            return Err(format!(
                "`{field}` is not a field; there are schedule, zone, policy, deadline, suspend, history, finalizer \
                 and the annotations of Punctual"
            ));
        }
    }
    Ok(())
}

fn history(value: &str) -> Option<(u32, u32)> {
    let (successful, failed) = value.split_once('/')?;
    Some((successful.parse().ok()?, failed.parse().ok()?))
}

fn edit(tokens: &mut Tokens) -> Result<Command, String> {
    let cronjob = tokens.key("a CronJob")?;
    if !tokens.take("before") {
        return Ok(Command::Edit(cronjob));
    }
    let (verb, extent) = requests(tokens)?;
    let (effect, extent) = (Effect::EditFirst(cronjob), extent_of(extent, tokens)?);
    Ok(Command::Fault(Fault { verb, effect, extent }))
}

fn delete(tokens: &mut Tokens) -> Result<Command, String> {
    Ok(match tokens.word("`cronjob`, `job` or `namespace`")?.as_str() {
        "cronjob" => Command::DeleteCronJob(tokens.key("a CronJob")?),
        "job" => Command::DeleteJob(tokens.key("a Job")?),
        "namespace" => Command::DeleteNamespace(tokens.word("a name")?),
        other => {
            return Err(format!(
                "expected `cronjob`, `job` or `namespace`, found `{other}`"
            ));
        }
    })
}

fn start(tokens: &mut Tokens) -> Result<Command, String> {
    tokens.expect("job")?;
    let name = tokens.key("a Job")?;
    tokens.expect("of")?;
    let of = tokens.key("a CronJob")?;
    let kind = match tokens
        .word("`manual`, `backfill`, `stray`, `lookalike` or `foreign`")?
        .as_str()
    {
        "manual" => JobKind::Manual,
        "backfill" => JobKind::Backfill,
        "stray" => JobKind::Stray,
        "lookalike" => JobKind::Lookalike,
        "foreign" => JobKind::Foreign,
        other => {
            return Err(format!(
                "expected `manual`, `backfill`, `stray`, `lookalike` or `foreign`, found `{other}`"
            ));
        }
    };
    Ok(Command::StartJob { name, of, kind })
}

fn which(tokens: &mut Tokens) -> Result<Which, String> {
    let cronjob = "a CronJob";
    Ok(if tokens.take("oldest") {
        Which::Oldest(tokens.key(cronjob)?)
    } else if tokens.take("newest") {
        Which::Newest(tokens.key(cronjob)?)
    } else if tokens.take("all") {
        Which::All(tokens.key(cronjob)?)
    } else {
        Which::Named(tokens.key("a Job")?)
    })
}

fn auto_finish(tokens: &mut Tokens) -> Result<Command, String> {
    let cronjob = tokens.key("a CronJob")?;
    tokens.expect("after")?;
    Ok(Command::AutoFinish {
        cronjob,
        after: tokens.duration()?,
        outcome: tokens.outcome()?,
    })
}

fn fault(word: &str, tokens: &mut Tokens) -> Result<Fault, String> {
    let crash_before = word == "crash" && tokens.take("before");
    if word == "crash" && !crash_before {
        tokens.expect("after")?;
    }
    let (verb, next) = requests(tokens)?;
    let effect = match word {
        "fail" => Effect::Answer(answer(tokens)?),
        "lose" => Effect::Lose,
        "hang" => {
            tokens.expect("for")?;
            Effect::Hang(tokens.duration()?)
        }
        "slow" => {
            tokens.expect("by")?;
            Effect::Slow(tokens.duration()?)
        }
        _ if crash_before => Effect::CrashBefore,
        _ => Effect::CrashAfter,
    };
    let extent = extent_of(next, tokens)?;
    Ok(Fault { verb, effect, extent })
}

/// `next create`, or `creates`; whether it is the next one only.
fn requests(tokens: &mut Tokens) -> Result<(Verb, bool), String> {
    let next = tokens.take("next");
    let word = tokens.word("the kind of request")?;
    let words = Verb::WORDS.map(|(verb, one, many)| (verb, if next { one } else { many }));
    if let Some((verb, _)) = words.iter().find(|(_, known)| *known == word) {
        Ok((*verb, next))
    } else {
        let known = words.map(|(_, known)| known).join(", ");
        Err(format!(
            "`{word}` is not a kind of request; here, there are {known}"
        ))
    }
}

fn extent_of(next: bool, tokens: &mut Tokens) -> Result<Extent, String> {
    if next {
        return Ok(Extent::Next(tokens.times().unwrap_or(1)));
    }
    tokens.expect("for")?;
    Ok(Extent::For(tokens.duration()?))
}

fn answer(tokens: &mut Tokens) -> Result<Answer, String> {
    tokens.expect("with")?;
    let code: u16 = tokens.value("a status code such as `500`")?;
    let code = StatusCode::from_u16(code).map_err(|_| format!("`{code}` is not a status code"))?;
    let retry_after_seconds = if tokens.take("retry-after") {
        Some(tokens.value("a number of seconds")?)
    } else {
        None
    };
    Ok(Answer {
        code,
        retry_after_seconds,
    })
}

fn delay(tokens: &mut Tokens) -> Result<Command, String> {
    let of = watched(tokens)?;
    tokens.expect("by")?;
    let by = tokens.duration()?;
    Ok(Command::DelayWatch { of, by })
}

fn cut(tokens: &mut Tokens, how: CutKind) -> Result<Command, String> {
    let of = watched(tokens)?;
    Ok(Command::CutWatch { of, how })
}

fn watched(tokens: &mut Tokens) -> Result<Watched, String> {
    tokens.expect("watch")?;
    tokens.expect("of")?;
    match tokens.word("`jobs` or `cronjobs`")?.as_str() {
        "jobs" => Ok(Watched::Jobs),
        "cronjobs" => Ok(Watched::CronJobs),
        other => Err(format!("expected `jobs` or `cronjobs`, found `{other}`")),
    }
}

fn show(tokens: &mut Tokens) -> Result<Command, String> {
    match tokens.word("`status`, `jobs` or `events`")?.as_str() {
        "status" => Ok(Command::ShowStatus(tokens.key("a CronJob")?)),
        "jobs" => Ok(Command::ShowJobs),
        "events" => Ok(Command::ShowEvents),
        other => Err(format!("expected `status`, `jobs` or `events`, found `{other}`")),
    }
}
