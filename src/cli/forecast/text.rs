//! A forecast in the terminal: a heat map, and the most crowded minutes.
//!
//! Of a day, a row is an hour and a column a minute; of a week, a row is a day and a column 20 minutes, which show the
//! most crowded one of them.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use chrono::Timelike as _;

use crate::cli::forecast::outlook::{MINUTE, NAMED, Outlook};
use crate::cli::page::local;
use crate::cli::present::columns;
use crate::foresight::Minute;
use crate::schedule::Zone;

const QUIET: Style = Style::new().dimmed();
const NOTICE: Style = AnsiColor::Yellow.on_default();

/// From few to many; each is told from the others without colours as well.
const SHADES: [(char, Style); 5] = [
    ('·', Style::new().dimmed()),
    ('░', AnsiColor::Cyan.on_default()),
    ('▒', AnsiColor::Green.on_default()),
    ('▓', AnsiColor::Yellow.on_default()),
    ('█', AnsiColor::Red.on_default()),
];

/// The whole of it.
pub(super) fn text(outlook: &Outlook, zone: &Zone, top: usize) -> String {
    let mut text = headline(outlook, zone);
    let most = outlook.peak(|minute| minute.starts).map_or(0, |(_, most)| most);
    if most == 0 {
        text += "\nNothing starts.";
    } else {
        let thresholds = thresholds(most);
        let _ = write!(
            text,
            "\n\n{}\n\n{}",
            heat_map(outlook, zone, &thresholds),
            legend(&thresholds)
        );
    }
    let crowded = outlook.crowded(top);
    if !crowded.is_empty() {
        let rows = crowded.into_iter().map(|crowded| {
            [
                local(crowded.at, zone).format(MINUTE).to_string(),
                crowded.minute.starts.to_string(),
                crowded.minute.running.to_string(),
                outlook.names(&crowded.who, NAMED),
            ]
        });
        let _ = write!(
            text,
            "\n\n{}",
            columns(["MOST CROWDED", "STARTS", "RUNNING", "WHO STARTS"], rows)
        );
    }
    for advice in outlook.advice() {
        let _ = write!(text, "\n\n{NOTICE}help:{NOTICE:#} {advice}");
    }
    for caveat in outlook.caveats(zone) {
        let _ = write!(text, "\n\n{QUIET}note: {caveat}{QUIET:#}");
    }
    text
}

fn headline(outlook: &Outlook, zone: &Zone) -> String {
    let format = "%a %-d %b %Y %H:%M";
    let (from, to) = (local(outlook.from, zone), local(outlook.to, zone));
    let mut text = format!(
        "{} to {}, {}\n",
        from.format(format),
        to.format(format),
        zone.name()
    );
    let count = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    text += &count(outlook.members.len() as u64, "CronJob");
    text += ", ";
    text += &count(outlook.starts(), "start");
    if let (Some((_, starts)), Some((_, running))) = (
        outlook.peak(|minute| minute.starts),
        outlook.peak(|minute| minute.running),
    ) {
        let _ = write!(
            text,
            ", at most {starts} in one minute and {running} running at once"
        );
    }
    text
}

/// Up to how many starts each shade goes: each a multiple of the one before it, so that few and many are both seen.
fn thresholds(most: u32) -> Vec<u32> {
    let shades = 1..=u32::try_from(SHADES.len()).unwrap_or(5);
    let upto = shades.map(|shade| {
        let part = f64::from(most).powf(f64::from(shade) / 5.0).round();
        // From 1 to `most`, which is a `u32`.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within bounds"
        )]
        let part = part as u32;
        part.max(shade).min(most)
    });
    let mut upto: Vec<u32> = upto.collect();
    upto.dedup();
    upto
}

/// The shade of so many starts; a blank for none.
fn shade(count: u32, thresholds: &[u32]) -> String {
    let Some(step) = thresholds
        .iter()
        .position(|upto| count <= *upto)
        .filter(|_| count > 0)
    else {
        return " ".into();
    };
    let (sign, style) = SHADES[SHADES.len() - thresholds.len() + step];
    format!("{style}{sign}{style:#}")
}

fn heat_map(outlook: &Outlook, zone: &Zone, thresholds: &[u32]) -> String {
    let minutes = outlook.crowd.minutes();
    let is_week = minutes.len() > 48 * 60;
    let (row, cell) = if is_week { (24 * 60, 20) } else { (60, 1) };
    let begin = local(outlook.from, zone).hour();
    let header: Vec<String> = if is_week {
        (0..12)
            .map(|step| format!("{:02}    ", (begin + 2 * step) % 24))
            .collect()
    } else {
        (0..6).map(|step| format!("{:02}        ", 10 * step)).collect()
    };
    let header = header.concat();
    let header = format!("            {}", header.trim_end());
    let mut text = format!("{QUIET}{header}{QUIET:#}");
    let mut day = String::new();
    for (index, stretch) in minutes.chunks(row).enumerate() {
        let at = local(outlook.crowd.begin_of(index * row), zone);
        let today = at.format("%a %-d").to_string();
        let label = match (is_week, today == day) {
            (true, _) => at.format("%a %-d %b").to_string(),
            (false, true) => at.format("       %H").to_string(),
            (false, false) => format!("{today:<6} {}", at.format("%H")),
        };
        day = today;
        let most = |cell: &[Minute]| cell.iter().map(|minute| minute.starts).max().unwrap_or(0);
        let cells: String = stretch
            .chunks(cell)
            .map(|cell| shade(most(cell), thresholds))
            .collect();
        let _ = write!(text, "\n{QUIET}{label:<10}{QUIET:#}  {}", cells.trim_end());
    }
    text
}

fn legend(thresholds: &[u32]) -> String {
    let mut from = 1;
    let entries = thresholds.iter().map(|upto| {
        let range = if from == *upto {
            from.to_string()
        } else {
            format!("{from}–{upto}")
        };
        from = upto + 1;
        format!("{} {range}", shade(*upto, thresholds))
    });
    let entries: Vec<String> = entries.collect();
    format!("            starts in a minute: {}", entries.join("   "))
}
