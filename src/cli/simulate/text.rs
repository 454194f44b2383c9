//! A simulation for people: a line for everything that happens, and a table of what it comes to.

use anstyle::{AnsiColor, Style};
use chrono::SubsecRound as _;

use crate::cli::present::{columns, span};
use crate::cronjob::Key;
use crate::foresight::script::{moment, name};
use crate::foresight::{Entry, Kind, Shown, Tally};

const QUIET: Style = Style::new().dimmed();

/// The line for what is shown, or `None` where another one says it.
pub(super) fn line(shown: &Shown<'_>) -> Option<String> {
    Some(match shown {
        Shown::Comment(comment) => format!("{QUIET}# {comment}{QUIET:#}"),
        Shown::Command(command) => format!("{QUIET}> {command}{QUIET:#}"),
        Shown::Reply(reply) => format!("  {reply}"),
        Shown::Happening(happening) => {
            let entry = Entry::of(happening)?;
            // A jitter has milliseconds, which nobody reads.
            let (at, cronjob) = (moment(happening.at.trunc_subsecs(0)), name(happening.cronjob));
            let (style, kind) = (style(entry.kind), entry.kind.word());
            format!(
                "{QUIET}{at}{QUIET:#}  {style}{kind:<8}{style:#}  {cronjob:<20}  {}",
                entry.text
            )
        }
    })
}

fn style(kind: Kind) -> Style {
    match kind {
        Kind::Start | Kind::Note => Style::new(),
        Kind::Success => AnsiColor::Green.on_default(),
        Kind::Failure | Kind::Pause | Kind::Overdue => AnsiColor::Red.on_default(),
        Kind::CatchUp | Kind::Replaced | Kind::Skip => AnsiColor::Yellow.on_default(),
        Kind::Wait | Kind::Queue => AnsiColor::Magenta.on_default(),
    }
}

/// What it comes to, a line for each CronJob.
pub(super) fn summary(tallies: &[&(Key, Tally)]) -> String {
    let header = [
        "CRONJOB",
        "RUNS",
        "SUCCEEDED",
        "FAILED",
        "REPLACED",
        "SKIPPED",
        "LATE",
        "AT MOST LATE",
        "AT ONCE",
    ];
    let rows = tallies.iter().map(|(key, tally)| {
        let latest = if tally.late > 0 {
            span(tally.latest)
        } else {
            "-".into()
        };
        [
            name(key),
            tally.started.to_string(),
            tally.succeeded.to_string(),
            tally.failed.to_string(),
            tally.replaced.to_string(),
            tally.skipped.to_string(),
            tally.late.to_string(),
            latest,
            tally.most_active.to_string(),
        ]
    });
    columns(header, rows)
}
