//! `punctual next`: when is it due?

use std::fmt::Write as _;

use chrono::{Datelike as _, SecondsFormat, TimeDelta};
use serde::Serialize;

use crate::cli::asked::{self, Asked};
use crate::cli::exit::{Exit, Failure};
use crate::cli::present::{columns, rfc3339, span, wall_clock};
use crate::clock::{Clock, SystemClock};
use crate::schedule::{Fold, HORIZON, Reading, Timestamp, Zone};

/// More due instants than this are not listed: whoever wants them all wants a program, not a list.
const MOST_INSTANTS: i64 = 100_000;

/// How a time of the wall clock that never was is shown.
const DAY_AND_TIME: &str = "%a %Y-%m-%d %H:%M:%S";

/// Arguments of `punctual next`.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["expression", "files"]),
    after_help = "Examples:\n  punctual next '30 2 * * 1-5' --time-zone Europe/Berlin\n  punctual next -f cron.yaml -o json"
)]
pub(super) struct NextArgs {
    #[command(flatten)]
    asked: asked::AskedArgs,

    /// How many due instants to list
    #[arg(short = 'n', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=MOST_INSTANTS))]
    count: u32,

    #[command(flatten)]
    answer: asked::AnswerArgs,
}

/// Lists due instants.
///
/// # Errors
///
/// When the expression, its zone or the manifest is refused.
pub(super) fn next(args: &NextArgs) -> Result<Exit, Failure> {
    let zones = args.answer.tzdata.load()?;
    let asked = args.asked.find(&zones)?;
    let now = SystemClock.now();
    let after = args.answer.at.unwrap_or(now);
    args.answer.say_each(
        &asked,
        |asked| as_json(asked, after, args.count),
        |asked| as_table(asked, after, now, args.count),
    )
}

fn due(asked: &Asked, after: Timestamp, count: u32) -> impl Iterator<Item = Timestamp> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    asked.schedule.due(after, Timestamp::MAX_UTC).take(count)
}

/// The JSON output, in the order of its fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    schedule: String,
    time_zone: &'a str,
    due: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

fn as_json(asked: &Asked, after: Timestamp, count: u32) -> Result<String, Failure> {
    let cronjob = asked.name();
    let due = due(asked, after, count).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let due: Vec<String> = due.collect();
    let json = Json {
        namespace: cronjob.map(|key| key.namespace.as_str()),
        name: cronjob.map(|key| key.name.as_str()),
        schedule: asked.text(),
        time_zone: asked.schedule.zone().name(),
        message: match due.len() {
            0 => Some(why_nothing(asked, after)),
            found => nothing_more(found, count),
        },
        due,
    };
    serde_json::to_string(&json)
        .map_err(|error| Failure::from_error("the output could not be written", &error))
}

/// Why nothing is listed.
fn why_nothing(asked: &Asked, after: Timestamp) -> String {
    if asked.schedule.never_fires() {
        return "never fires: it matches no date there is".into();
    }
    format!("nothing is due any more after {}", rfc3339(after))
}

/// Why fewer are listed than were asked for.
fn nothing_more(found: usize, count: u32) -> Option<String> {
    let year = chrono::DateTime::from_timestamp(HORIZON, 0)?.year();
    (found < usize::try_from(count).ok()?)
        .then(|| format!("nothing more is due up to the end of the year {year}, and no further is looked"))
}

fn as_table(asked: &Asked, after: Timestamp, now: Timestamp, count: u32) -> String {
    let mut text = String::new();
    if let Some(key) = asked.name() {
        let _ = write!(text, "{key}: ");
    }
    let _ = write!(text, "{} in {}", asked.text(), asked.schedule.zone().name());
    if due(asked, after, 1).next().is_none() {
        let _ = write!(text, "\n  {}", why_nothing(asked, after));
        return text;
    }
    let mut left = count;
    let listed = asked
        .schedule
        .readings(after, Timestamp::MAX_UTC)
        .take_while(|reading| {
            let wanted = left > 0;
            left -= u32::from(wanted && !matches!(reading, Reading::Skipped { .. }));
            wanted
        });
    let rows = listed.map(|reading| row(&reading, asked.schedule.zone(), now));
    for line in columns(["DUE", "IN", "CLOCK CHANGE"], rows).lines() {
        let _ = write!(text, "\n  {line}");
    }
    if let Some(why) = nothing_more((count - left) as usize, count) {
        let _ = write!(text, "\n\n  {why}");
    }
    text
}

fn row(reading: &Reading, zone: &Zone, now: Timestamp) -> [String; 3] {
    let due = |at: Timestamp, mark: String| {
        let wait = if at >= now {
            span(at - now)
        } else {
            format!("{} ago", span(now - at))
        };
        [wall_clock(at, zone), wait, mark]
    };
    match reading {
        Reading::Due { at, fold } => {
            let mark = match fold {
                Fold::Once => "",
                Fold::First => "first of two: the clock is put back, and this time comes again",
                Fold::Second => "second of two: the clock was put back",
            };
            due(*at, mark.into())
        }
        Reading::PutOff { at, wall } => {
            let shown = at.naive_utc() + TimeDelta::seconds(zone.offset_seconds(*at).into());
            let is_that_day = shown.date() == wall.date();
            let asked = wall.format(if is_that_day { "%H:%M:%S" } else { DAY_AND_TIME });
            let mark = format!("for {asked}: the clock is put forward, and that time does not happen");
            due(*at, mark)
        }
        Reading::Skipped { wall, .. } => {
            let mark = "skipped: the clock is put forward, and this time does not happen";
            [wall.format(DAY_AND_TIME).to_string(), "-".into(), mark.into()]
        }
    }
}
