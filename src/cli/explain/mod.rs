//! `punctual explain`: what does a schedule mean, when is it due, and what may surprise about it?
//!
//! `rules` has what a CronJob says about its runs beside their schedule.

mod rules;

use std::fmt::Write as _;

use chrono::{SecondsFormat, TimeDelta};
use serde::Serialize;

use crate::cli::asked::{self, Asked};
use crate::cli::exit::{Exit, Failure};
use crate::cli::present::{columns, span, wall_clock};
use crate::clock::{Clock, SystemClock};
use crate::schedule::{Advice, Dialect, Timestamp, advice};

use rules::Rule;

/// How many instants are shown of what comes.
const NEXT: usize = 3;

/// A year of whole weeks, over which days and weeks are counted.
const WEEKS: i64 = 52;

/// More runs than this in a year are not counted: one a second is 31 million.
const MOST_RUNS: u64 = 100_000_000;

/// Arguments of `punctual explain`.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["expression", "files"]),
    after_help = "Examples:\n  punctual explain '0 0 13 * 5' --time-zone Europe/Berlin\n  \
                  punctual explain '0 17 * * FRIL' --dialect extended\n  punctual explain -f cron.yaml -o json"
)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    asked: asked::AskedArgs,

    #[command(flatten)]
    answer: asked::AnswerArgs,
}

/// Explains schedules.
///
/// # Errors
///
/// When the expression, its zone or the manifest is refused.
pub(super) fn explain(args: &ExplainArgs) -> Result<Exit, Failure> {
    let zones = args.answer.tzdata.load()?;
    let asked = args.asked.find(&zones)?;
    let now = args.answer.at.unwrap_or_else(|| SystemClock.now());
    args.answer.say_each(
        &asked,
        |asked| Explanation::of(asked, now).json(),
        |asked| Explanation::of(asked, now).text(asked, now),
    )
}

/// What there is to say about a schedule; also the JSON output, in the order of its fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    schedule: String,
    dialect: &'static str,
    time_zone: &'a str,
    description: String,
    previous: Option<String>,
    next: Vec<String>,
    /// The fewest and the most runs within 24 hours, over the next 52 weeks.
    runs_per_day: [u64; 2],
    /// The same within 7 days.
    runs_per_week: [u64; 2],
    /// All of the next 52 weeks.
    runs_in52_weeks: u64,
    /// What a CronJob says about its runs; nothing for an expression.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
    surprises: Vec<Surprise>,
    same: Vec<Same>,
    #[serde(skip)]
    instants: (Option<Timestamp>, Vec<Timestamp>),
}

#[derive(Serialize)]
struct Surprise {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'static str>,
}

/// The same schedule in another dialect.
#[derive(Serialize)]
struct Same {
    dialect: &'static str,
    schedule: String,
}

impl Explanation<'_> {
    fn of(asked: &Asked, now: Timestamp) -> Explanation<'_> {
        let (expressions, schedule) = (&asked.expressions, &asked.schedule);
        let previous = schedule.previous(now);
        let next: Vec<Timestamp> = schedule.due(now, Timestamp::MAX_UTC).take(NEXT).collect();
        let text = |at: &Timestamp| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let counted = |length: TimeDelta, windows: i64| {
            let counts = (0..windows).map(|window| {
                let from = now + length * i32::try_from(window).unwrap_or(0);
                schedule.count(from, from + length, MOST_RUNS)
            });
            counts.fold([u64::MAX, 0], |[least, most], count| {
                [least.min(count), most.max(count)]
            })
        };
        let surprise = |found: &Advice| Surprise {
            message: found.message(),
            help: found.help(),
        };
        let mistakes = rules::mistakes(asked)
            .into_iter()
            .map(|message| Surprise { message, help: None });
        let mut advised: Vec<Advice> = Vec::new();
        for expression in expressions {
            let terms = &asked.cronjob.spec.policies.terms;
            advised.extend(advice(expression, schedule.zone(), terms, now));
        }
        let same = Dialect::ALL.into_iter().filter_map(|dialect| {
            let [expression] = expressions.as_slice() else {
                return None;
            };
            let schedule = expression.written_in(dialect)?;
            (schedule != expression.as_str()).then(|| Same {
                dialect: dialect.name(),
                schedule,
            })
        });
        Explanation {
            namespace: asked.name().map(|key| key.namespace.as_str()),
            name: asked.name().map(|key| key.name.as_str()),
            schedule: asked.text(),
            dialect: expressions
                .first()
                .map_or("", |expression| expression.dialect().name()),
            time_zone: schedule.zone().name(),
            description: asked.said(),
            previous: previous.as_ref().map(text),
            next: next.iter().map(text).collect(),
            runs_per_day: counted(TimeDelta::days(1), WEEKS * 7),
            runs_per_week: counted(TimeDelta::weeks(1), WEEKS),
            runs_in52_weeks: schedule.count(now, now + TimeDelta::weeks(WEEKS), MOST_RUNS),
            rules: asked.name().map(|_| rules::rules(asked)).unwrap_or_default(),
            surprises: mistakes.chain(advised.iter().map(surprise)).collect(),
            same: same.collect(),
            instants: (previous, next),
        }
    }

    fn json(&self) -> Result<String, Failure> {
        serde_json::to_string(self)
            .map_err(|error| Failure::from_error("the output could not be written", &error))
    }

    fn text(&self, asked: &Asked, now: Timestamp) -> String {
        let zone = asked.schedule.zone();
        let mut text = String::new();
        if let (Some(namespace), Some(name)) = (self.namespace, self.name) {
            let _ = write!(text, "{namespace}/{name}: ");
        }
        let _ = writeln!(text, "{} in {}", self.schedule, self.time_zone);
        let _ = writeln!(text, "  {}.", self.description);
        let (previous, next) = &self.instants;
        let at = |at: Timestamp| wall_clock(at, zone);
        if let Some(previous) = previous {
            let ago = match now - *previous {
                none if none.is_zero() => "now".to_owned(),
                some => format!("{} ago", span(some)),
            };
            let _ = write!(text, "\n  previous  {}   {ago}", at(*previous));
        }
        if next.is_empty() {
            text += "\n  next      never";
        }
        for (place, next) in next.iter().enumerate() {
            let title = if place == 0 { "next" } else { "" };
            let _ = write!(text, "\n  {title:<8}  {}   in {}", at(*next), span(*next - now));
        }
        let _ = write!(
            text,
            "\n  runs      {} in 24 hours, {} in 7 days, {} in the next {WEEKS} weeks",
            between(self.runs_per_day),
            between(self.runs_per_week),
            self.runs_in52_weeks
        );
        for same in &self.same {
            let _ = write!(text, "\n  {:<8}  {}", same.dialect, same.schedule);
        }
        if !self.rules.is_empty() {
            let rows = self
                .rules
                .iter()
                .map(|rule| [rule.field.into(), rule.value.clone(), rule.meaning.clone()]);
            text += "\n";
            for line in columns(["RULE", "VALUE", "MEANING"], rows).lines() {
                let _ = write!(text, "\n  {line}");
            }
        }
        for surprise in &self.surprises {
            let _ = write!(text, "\n\n  note: {}", surprise.message);
            if let Some(help) = surprise.help {
                let _ = write!(text, "\n  help: {help}");
            }
        }
        text
    }
}

/// `5`, `0 to 24`.
fn between([least, most]: [u64; 2]) -> String {
    if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    }
}
