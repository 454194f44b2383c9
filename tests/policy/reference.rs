//! The reference of annotations, `docs/annotations.md`: what they say is written from the register, and what they come to is
//! played. `UPDATE_REFERENCE=1 cargo test --test policy reference` writes both anew.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::{env, fs};

use punctual::cronjob::extension::REGISTER;
use punctual::foresight::script::Script;
use punctual::foresight::{Shown, What, play};
use punctual::policy::Note;
use punctual::schedule::TimeZones;

/// Writes the reference anew instead of comparing it.
const UPDATE: &str = "UPDATE_REFERENCE";

#[test]
fn the_annotations_are_those_of_the_register() {
    let mut table =
        String::from("| `punctual.dev/…` | values | without it | what it is for |\n|---|---|---|---|\n");
    for extension in &REGISTER {
        let (name, values, default) = (extension.short_name(), extension.values, extension.default);
        let _ = writeln!(table, "| `{name}` | {values} | {default} | {} |", extension.doc);
    }
    compare("annotations", &table);
}

/// A run is due every ten minutes. That of 12:10 goes on until 12:47, and every other for four minutes. From 12:15 to 12:45
/// nobody could start anything: no controller ran, or the CronJob was suspended.
#[test]
fn the_truth_table_is_what_is_decided() {
    let mut table = String::from(
        "| `missed-runs` | overlap | down | down, deadline 15 min | suspended | suspended, deadline 15 min |\n\
         |---|---|---|---|---|---|\n",
    );
    for missed in ["Latest", "Skip", "All"] {
        for (overlap, setting) in [
            ("`Allow`", "policy=Allow"),
            ("`Forbid`", "policy=Forbid"),
            ("`Replace`", "policy=Replace"),
            ("`overlap: Skip`", "overlap=Skip"),
            ("`overlap: Queue`", "overlap=Queue"),
            ("`overlap: ReplaceWhenStopped`", "overlap=ReplaceWhenStopped"),
        ] {
            let cell = |suspended, deadline| started(missed, setting, suspended, deadline);
            let _ = writeln!(
                table,
                "| `{missed}` | {overlap} | {} | {} | {} | {} |",
                cell(false, "none"),
                cell(false, "900"),
                cell(true, "none"),
                cell(true, "900")
            );
        }
    }
    compare("truth table", &table);
}

/// What is started from 12:45 to 13:00: `12:40 at 12:47`, or `12:50` where it is on time.
fn started(missed: &str, setting: &str, suspended: bool, deadline: &str) -> String {
    let (away, back) = if suspended {
        ("apply job suspend=true", "apply job suspend=false")
    } else {
        ("stop", "restart")
    };
    let script = format!(
        "at 2026-11-26T12:00:00Z\n\
         apply job schedule=\"*/10 * * * *\" {setting} missed-runs={missed} deadline={deadline}\n\
         at 2026-11-26T12:15:00Z\n\
         auto-finish job after 4m succeeded\n\
         {away}\n\
         at 2026-11-26T12:45:00Z\n\
         {back}\n\
         at 2026-11-26T12:47:00Z\n\
         finish oldest job succeeded\n\
         at 2026-11-26T12:59:59Z\n"
    );
    let script = Script::parse("truth table", &script).expect("a script");
    let mut started = vec![];
    let played = play(&script, &TimeZones::built_in(), &mut |shown| {
        if let Shown::Happening(happening) = shown
            && let What::Noted(Note::Started {
                scheduled, lateness, ..
            }) = happening.what
        {
            let (due, at) = (
                scheduled.format("%H:%M").to_string(),
                happening.at.format("%H:%M"),
            );
            if due.as_str() > "12:10" {
                started.push(if lateness.is_zero() {
                    due
                } else {
                    format!("{due} at {at}")
                });
            }
        }
        ControlFlow::Continue(())
    });
    played.expect("a simulation");
    started.join(", ")
}

/// Compares a table with what stands between its marks in the reference.
fn compare(name: &str, table: &str) {
    let path = format!("{}/docs/annotations.md", env!("CARGO_MANIFEST_DIR"));
    let reference = fs::read_to_string(&path).expect("the reference");
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let from = reference.find(&begin).expect("the mark at the begin") + begin.len();
    let to = reference.find(&end).expect("the mark at the end");
    if env::var_os(UPDATE).is_some() {
        fs::write(
            &path,
            format!("{}{table}{}", &reference[..from], &reference[to..]),
        )
        .expect("the reference written");
        return;
    }
    assert_eq!(
        &reference[from..to],
        table,
        "the reference says something else; {UPDATE}=1 writes it anew"
    );
}
