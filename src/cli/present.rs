//! How the commands show things: tables, durations, wall-clock times, paths to paste.

use std::path::Path;

use chrono::{FixedOffset, SecondsFormat, TimeDelta};
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use crate::schedule::{Timestamp, Zone};

/// Rows under a header, in columns.
pub(super) fn columns<'a, R: IntoIterator<Item = String>>(
    header: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = R>,
) -> String {
    // What somebody wrote may have lines, and more that would move what stands beside it.
    let in_a_line = |cell: String| cell.replace(char::is_control, " ");
    let rows = rows.into_iter().map(|row| row.into_iter().map(in_a_line));
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// A duration as a person says it: `3 ms`, `1.2 s`, `2 min 5 s`, `3 h 20 min`, `12 d 4 h`.
pub(super) fn span(duration: TimeDelta) -> String {
    let millis = duration.num_milliseconds().max(0);
    let seconds = millis / 1_000;
    match seconds {
        0 => format!("{millis} ms"),
        1..=9 => format!("{seconds}.{} s", millis % 1_000 / 100),
        10..=59 => format!("{seconds} s"),
        60..=3_599 => two_units(seconds / 60, "min", seconds % 60, "s"),
        3_600..=86_399 => two_units(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two_units(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

fn two_units(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

/// An instant as a clock in the zone shows it, with its offset.
pub(super) fn wall_clock(at: Timestamp, zone: &Zone) -> String {
    match FixedOffset::east_opt(zone.offset_seconds(at)) {
        Some(offset) => at
            .with_timezone(&offset)
            .format("%a %Y-%m-%d %H:%M:%S %:z")
            .to_string(),
        None => at.format("%a %Y-%m-%d %H:%M:%S +00:00").to_string(),
    }
}

/// An instant as programs read it, in UTC and whole seconds.
pub(super) fn rfc3339(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A path as a shell takes it.
pub(super) fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_a_person_says_them() {
        for (millis, said) in [
            (-5, "0 ms"),
            (3, "3 ms"),
            (999, "999 ms"),
            (1_250, "1.2 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (125_000, "2 min 5 s"),
            (12_000_000, "3 h 20 min"),
            (86_400_000, "1 d"),
            (1_051_200_000, "12 d 4 h"),
        ] {
            assert_eq!(span(TimeDelta::milliseconds(millis)), said);
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [
            ["a".to_owned(), "1".to_owned()],
            ["longer".to_owned(), "22".to_owned()],
            ["two\nlines".to_owned(), "3".to_owned()],
        ];
        insta::assert_snapshot!(columns(["NAME", "N"], rows), @r"
        NAME        N
        a           1
        longer      22
        two lines   3
        ");
    }
}
