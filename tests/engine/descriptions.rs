//! Schedules in plain English, and what may surprise about them.

use std::fmt::Write as _;

use punctual::schedule::{Dialect, Expression, Spread, Terms, TimeZones, Timestamp, advice};

const KUBERNETES: &[&str] = &[
    "* * * * *",
    "*/5 * * * *",
    "0 * * * *",
    "5 * * * *",
    "30 * * * *",
    "0 0 * * *",
    "30 2 * * *",
    "0 9 * * 1-5",
    "0 9 * * MON-FRI",
    "30 2 * * 0",
    "0 9,12,17 * * *",
    "15,45 9 * * 6,0",
    "*/15 9-17 * * 1-5",
    "0 9-17 * * 1-5",
    "0 */2 * * *",
    "30 */6 * * *",
    "0 8-20/3 * * *",
    "0 1-23/2 * * *",
    "*/7 * * * *",
    "5/15 * * * *",
    "0 */5 * * *",
    "* 2 * * *",
    "* 9-17 * * *",
    "0-10 * * * *",
    "5,20,50 * * * *",
    "5,20,50 9-17 * * *",
    "0 0 1 * *",
    "0 0 1,15 * *",
    "0 0 1-7 * *",
    "0 0 */2 * *",
    "0 0 1 1 *",
    "0 0 1 */3 *",
    "0 4 * 6-8 *",
    "*/10 * * 12 *",
    "0 0 13 * 5",
    "0 0 1-7 * 1",
    "0 0 1-31 * 1",
    "0 0 29 2 *",
    "0 0 31 2 *",
    "0 0 31 * *",
    "0 0 * * 1,3,5",
    "*/60 * * * *",
    "0 0 * * */2",
    ",  * * * *",
    "@hourly",
    "@daily",
    "@midnight",
    "@weekly",
    "@monthly",
    "@yearly",
    "@every 5m",
    "@every 1h30m",
    "@every 1h",
    "@every 45s",
    "TZ=Europe/Rome 0 6 * * *",
    "0,30 8,20 * * *",
    "*/20 1,5,9 * * *",
    "10-40/10 * * * *",
    "? ? ? ? ?",
    "10,20,30 5 * * *",
    "0-10 3 * * *",
    "*/7 3 * * *",
    "*/5 8-9 * * *",
    "*/5 14,18 * * *",
    "0 */12 * * *",
    "0 22-23,0-4 * * *",
    "*/10 22,23,0,1 * * 1-5",
    "*/20 * * * 6",
    "0 0 10,20,30 * *",
    "0 0 * * 5,6,0",
    "@every 90s",
];

const EXTENDED: &[&str] = &[
    "30 0 2 * * *",
    "*/10 * * * * *",
    "15 * * * * *",
    "0 12 * * 7",
    "0 12 * * SUNDAY",
    "0 12 * * FRI-MON",
    "0 22-2 * * *",
    "0 0 L * *",
    "0 0 L-3 * *",
    "0 0 15W * *",
    "0 0 LW * *",
    "0 9 * * FRI#2",
    "0 17 * * FRIL",
    "0 0 1,L * *",
    "0 9 * january MON#1,MON#3",
    "H 3 * * *",
    "H/15 * * * *",
    "H(0-29) 4 H * *",
    "*/30 0 9 * * *",
];

const QUARTZ: &[&str] = &[
    "0 30 2 * * ?",
    "0 30 2 ? * 2-6",
    "0 0 12 1 * MON",
    "0 0 0 1 1 ? 2030",
    "*/15 * * * * ?",
    "0 0 12 ? * 1 2027-2029",
];

fn described(expressions: &[&str], dialect: Dialect, zone: &str) -> String {
    let now: Timestamp = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let zone = TimeZones::built_in().zone(zone).expect("a zone");
    let mut text = String::new();
    for written in expressions {
        let spread = Some(Spread::of("shop", "report"));
        let expression = Expression::parse_in(written, dialect, spread)
            .unwrap_or_else(|error| panic!("{}", error.render()));
        let _ = writeln!(text, "{written:<26} {}", expression.describe());
        for found in advice(&expression, &zone, &Terms::default(), now) {
            let _ = writeln!(text, "{:<28} ! {}", "", found.message());
        }
    }
    text
}

#[test]
fn the_kubernetes_dialect_in_english() {
    insta::assert_snapshot!(described(KUBERNETES, Dialect::Kubernetes, "Europe/Berlin"));
}

#[test]
fn the_extended_dialect_in_english() {
    insta::assert_snapshot!(described(EXTENDED, Dialect::Extended, "Etc/UTC"));
}

#[test]
fn quartz_in_english() {
    insta::assert_snapshot!(described(QUARTZ, Dialect::Quartz, "Etc/UTC"));
}

#[test]
fn what_one_dialect_says_another_can_say_too() {
    let written = |text: &str, from, to| Expression::parse_in(text, from, None).expect(text).written_in(to);
    let quartz = |text| written(text, Dialect::Kubernetes, Dialect::Quartz);
    assert_eq!(quartz("30 2 * * 1-5").as_deref(), Some("0 30 2 ? * 2-6"));
    assert_eq!(quartz("@monthly").as_deref(), Some("0 0 0 1 * ?"));
    assert_eq!(quartz("0 0 13 * 5"), None, "Quartz does not OR its day fields");
    let kubernetes = |text| written(text, Dialect::Quartz, Dialect::Kubernetes);
    assert_eq!(kubernetes("0 */15 * ? * 1").as_deref(), Some("*/15 * * * 0"));
    assert_eq!(
        kubernetes("10 0 0 * * ?"),
        None,
        "there are no seconds in Kubernetes"
    );
}
