//! All rows of `fixtures/vectors`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use punctual::schedule::{ChronoTz, Expression, Schedule, TimeZones, Timestamp, Zone, ZoneSource};

/// The lines of a vector file, without their ends. Blanks matter.
fn lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/vectors")
        .join(name);
    fs::read_to_string(path)
        .expect("the vectors are in the repository")
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn grammar() {
    let lines = lines("grammar.tsv");
    assert_eq!(lines.len(), 2_500);
    for line in lines {
        let (verdict, expression) = line.split_once('\t').expect("a verdict and an expression");
        let parsed = Expression::parse(expression);
        assert_eq!(parsed.is_ok(), verdict == "accept", "{expression:?}: {parsed:?}");
    }
}

/// A row of `next.tsv`.
struct Row {
    expression: String,
    zone: String,
    after: Timestamp,
    fires: Vec<Timestamp>,
}

fn rows() -> Vec<Row> {
    let row = |line: String| {
        let columns: Vec<&str> = line.split('\t').collect();
        let instant = |text: &str| text.parse().expect("an instant");
        let fires = columns[3]
            .split(' ')
            .filter(|text| *text != "never")
            .map(instant)
            .collect();
        Row {
            expression: columns[0].into(),
            zone: columns[1].into(),
            after: instant(columns[2]),
            fires,
        }
    };
    let rows: Vec<Row> = lines("next.tsv").into_iter().map(row).collect();
    assert_eq!(rows.len(), 4_000);
    rows
}

/// The due instants that the engine finds, as many as the row lists.
fn found(row: &Row, zone: &std::sync::Arc<Zone>) -> Vec<Timestamp> {
    let expression = Expression::parse(&row.expression).expect("the vectors hold good expressions");
    let schedule = Schedule::new(&expression, std::sync::Arc::clone(zone));
    assert_eq!(schedule.never_fires(), row.fires.is_empty(), "{}", row.expression);
    schedule
        .due(row.after, Timestamp::MAX_UTC)
        .take(row.fires.len())
        .collect()
}

/// With the database that the vectors were made with, every row agrees.
#[test]
fn next_in_2025b() {
    assert_eq!(ChronoTz.version(), "2025b");
    let mut zones: BTreeMap<String, std::sync::Arc<Zone>> = BTreeMap::new();
    for row in rows() {
        let zone = zones
            .entry(row.zone.clone())
            .or_insert_with(|| ChronoTz.zone(&row.zone).expect("readable").expect("known").into());
        assert_eq!(
            found(&row, zone),
            row.fires,
            "{} in {} after {}",
            row.expression,
            row.zone,
            row.after
        );
    }
}

/// With the newest database, rows disagree only in zones whose laws have changed since, and only from then on.
#[test]
fn next_in_the_newest_database() {
    let zones = TimeZones::built_in();
    let mut changed: BTreeMap<String, Timestamp> = BTreeMap::new();
    for row in rows() {
        let zone = zones.zone(&row.zone).expect("the vectors hold zones that exist");
        let found = found(&row, &zone);
        if let Some((found, fires)) = found.iter().zip(&row.fires).find(|(found, fires)| found != fires) {
            let first = *found.min(fires);
            changed
                .entry(row.zone)
                .and_modify(|at| *at = first.min(*at))
                .or_insert(first);
        }
    }
    let law_of_2026 = [
        // Morocco gives up its summer time: from 20 September 2026 on it stays at UTC.
        ("Africa/Casablanca", "2026-10-01T06:11:00Z"),
        // Cuba does not put its clocks back on 1 November 2026.
        ("America/Havana", "2026-11-01T15:40:00Z"),
    ];
    let expected = law_of_2026.map(|(zone, first)| (zone.to_owned(), first.parse().expect("an instant")));
    assert_eq!(changed, BTreeMap::from(expected));
}
