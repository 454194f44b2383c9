//! What a person reads who got an expression wrong: every mistake, as it is shown.

use punctual::schedule::Expression;

/// The expressions of a list, each with what is said about it.
fn told(expressions: &[&str]) -> String {
    let told = |expression: &&str| match Expression::parse(expression) {
        Ok(_) => format!("{expression}\n  accepted\n"),
        Err(error) => format!("{}\n", error.render()),
    };
    expressions.iter().map(told).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_expression_as_a_whole() {
    insta::assert_snapshot!(told(&[
        "",
        " \t ",
        "*",
        "0 2 * *",
        "0 2 * MON",
        "0 25 * *",
        "2:30 * * *",
        "0 0 2 * * *",
        "*/10 * * * * *",
        "0 0 12 ? * MON#2",
        "0 0 12 ? * 2-6",
        "03:30",
        "${SCHEDULE}",
        "cron(0 3 ? * 2-6 *)",
        "rate(5 minutes)",
        "0 2 * * * 2027",
        "0 0 2 * * ? 2027",
        "0, 30 * * * *",
        "0 0 1 , 15 * *",
        "0 2 * * * root",
        "0 2 * * * /usr/bin/backup --all",
        "0 2 * * * # every night",
        "* * * * * * * * *",
        "99 * * * * *",
        "\"0 2 * * *\"",
        "daily",
        "every 5m",
        "every five minutes",
    ]));
}

#[test]
fn the_time_zone_in_front() {
    insta::assert_snapshot!(told(&[
        "TZ=",
        "TZ=Europe/Rome",
        "CRON_TZ=UTC\t0 2 * * *",
        "TZ=Europe/Rome ",
        "tz=Europe/Rome 0 2 * * *",
        "Cron_TZ=UTC @daily",
        " TZ=UTC 0 2 * * *",
        "0 2 * * * TZ=Europe/Rome",
        "TZ=Europe/Rome 0 24 * * *",
    ]));
}

#[test]
fn macros() {
    insta::assert_snapshot!(told(&[
        " @daily",
        "@daily ",
        "@hourly 5",
        "@Daily",
        "@WEEKLY",
        "@reboot",
        "@dayly",
        "@evry 5m",
        "@evey 5 minutes",
        "@noon",
        "@minutely",
        "@fortnightly",
        "@",
        "@Every 5m",
        "@every",
        "@every ",
        "@every5m",
        "@every  5m",
        "@every\t5m",
        "@every 5",
        "@every 5 m",
        "@every 5m ",
        "@every 1h 30m",
        "@every h",
        "@every -",
        "@every .s",
        "@every 1d",
        "@every 2 weeks",
        "@every 2weeks",
        "@every 1month",
        "@every 5min",
        "@every 5M",
        "@every 5x",
        "@every 1,5h",
        "@every 1h-5m",
        "@every 300000000h",
    ]));
}

#[test]
fn values() {
    insta::assert_snapshot!(told(&[
        "0 0 * * 7",
        "0 0 * * 0-7",
        "0 0 * * 1-7",
        "0 0 * * 5-7",
        "0 0 * * 5,7",
        "0 0 * * MON-7",
        "0 0 * * 8",
        "0 24 * * *",
        "0 8-24 * * *",
        "0 0-24/6 * * *",
        "0 25 * * *",
        "60 * * * *",
        "0-60/5 * * * *",
        "61 * * * *",
        "0 0 0 * *",
        "0 0 0-5 * *",
        "0 0 32 * *",
        "0 0 1 0 *",
        "0 0 1 13 *",
        "0 0 99999999999999999999 * *",
        "0 0 * * MONDAY",
        "0 0 * * mo-fr",
        "0 0 1 January *",
        "0 0 1 sept *",
        "0 0 * MON *",
        "0 0 * * JAN",
        "0 mon * * *",
        "0 0 * * mno",
        "0 0 * * Tusday",
        "0 0 * * xyz",
        "0 1–5 * * *",
        "0 ５ * * *",
        "∗ * * * *",
        "0 2;4 * * *",
        "12:30 * * * *",
        "5x * * * *",
        "0 $hour * * *",
        "0 0x10 * * *",
        "0 1.5 * * *",
        "+ * * * *",
        "0 27 * MONDAY 7",
    ]));
}

#[test]
fn ranges_and_steps() {
    insta::assert_snapshot!(told(&[
        "*5 * * * *",
        "** * * * *",
        "5* * * * *",
        "0 22-2 * * *",
        "0 22-4/2 * * *",
        "0 0 * * FRI-MON",
        "0 0 * * sat-sun",
        "0 0 25-5 * *",
        "0 5- * * *",
        "-5 * * * *",
        "0 -5-7 * * *",
        "0 5-* * * *",
        "0 1-3-5 * * *",
        "0 1..5 * * *",
        "*/0 * * * *",
        "*/-5 * * * *",
        "*/ * * * *",
        "/5 * * * *",
        "*/5/2 * * * *",
        "*/5m * * * *",
        "*/x * * * *",
        "*/99999999999999999999 * * * *",
        "0 0 * * */mon",
    ]));
}

#[test]
fn other_dialects() {
    insta::assert_snapshot!(told(&[
        "0 0 L * *",
        "0 0 L-3 * *",
        "0 0 LW * *",
        "0 0 * * 5L",
        "0 0 * * FRIL",
        "0 0 15W * *",
        "0 0 * * 1#2",
        "0 0 * * MON#1",
        "H H * * *",
        "H/15 * * * *",
        "H(0-29)/10 * * * *",
        "0~59 * * * *",
    ]));
}

/// What is suggested as a whole expression can be used as it stands, whatever was written.
#[test]
fn carets_stand_under_characters() {
    let error = Expression::parse("0\u{a0}１ * * *").expect_err("a full-width digit");
    assert_eq!(error.span(), 3..6);
    assert_eq!(&error.text()[error.span()], "１");
    assert_eq!(error.suggestion().as_deref(), Some("0\u{a0}1 * * *"));
}
