//! The ends of time, expressions that never fire, counts without lists, and texts that nobody would write.

use proptest::prelude::*;
use punctual::schedule::{Expression, HORIZON, Timestamp};

use crate::{at, schedule};

#[test]
fn what_can_never_fire_is_known_at_once() {
    // Whether it can never fire.
    let rows = [
        ("0 0 30 2 *", true),
        ("0 0 31 2,4,6,9,11 *", true),
        (", * * * *", true),
        ("* , * * *", true),
        ("* * * , *", true),
        ("* * , * *", true),
        ("* * * * ,", true),
        ("* * , * ,", true),
        // With two day fields and no star, either is enough.
        ("* * , * 1", false),
        ("* * 1 * ,", false),
        ("0 0 30 2 1", false),
        ("0 0 31 2 */2", false),
        ("0 0 29 2 *", false),
        ("@every 1s", false),
    ];
    for (expression, never) in rows {
        assert_eq!(
            Expression::parse(expression).expect("accepted").never_fires(),
            never,
            "{expression}"
        );
        let schedule = schedule(expression, "Europe/Rome");
        assert_eq!(schedule.never_fires(), never, "{expression}");
        let now = at("2026-11-23T12:00:00Z");
        assert_eq!(schedule.next(now).is_none(), never, "{expression}");
        assert_eq!(
            schedule.count(now, at("2036-11-23T12:00:00Z"), 1) == 0,
            never,
            "{expression}"
        );
        if never {
            assert_eq!(schedule.previous(now), None, "{expression}");
        }
    }
}

/// The star rule of robfig/cron: with a star in either day field both must match, else either is enough.
#[test]
fn the_star_rule() {
    // The days of June 2026, which begins on a Monday.
    let rows: [(&str, &[u32]); 9] = [
        ("0 0 13 6 5", &[5, 12, 13, 19, 26]),
        ("0 0 13 6 *", &[13]),
        ("0 0 13 6 ?", &[13]),
        ("0 0 * 6 5", &[5, 12, 19, 26]),
        ("0 0 */1 6 1", &[1, 8, 15, 22, 29]),
        ("0 0 *,1 6 1", &[1, 8, 15, 22, 29]),
        ("0 0 */10 6 5", &[1, 5, 11, 12, 19, 21, 26]),
        (
            "0 0 1 6 0-6",
            &[
                1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                26, 27, 28, 29, 30,
            ],
        ),
        ("0 0 1 6 */7", &[1, 7, 14, 21, 28]),
    ];
    for (expression, days) in rows {
        let due = schedule(expression, "UTC").due(at("2026-05-31T12:00:00Z"), at("2026-06-30T12:00:00Z"));
        let due: Vec<u32> = due.map(|due| chrono::Datelike::day(&due)).collect();
        assert_eq!(due, days, "{expression}");
    }
}

#[test]
fn counts_without_a_list() {
    // Expression, zone, after, until, count.
    let rows = [
        (
            "* * * * *",
            "UTC",
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
            525_600,
        ),
        (
            "* * * * *",
            "UTC",
            "1970-01-01T00:00:00Z",
            "2400-01-01T00:00:00Z",
            226_157_759,
        ),
        (
            "* * * * *",
            "Pacific/Apia",
            "2011-12-01T00:00:00Z",
            "2012-02-01T00:00:00Z",
            89_280,
        ),
        (
            "30 2 * * *",
            "America/New_York",
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
            364,
        ),
        (
            "30 1 * * *",
            "America/New_York",
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
            366,
        ),
        (
            "0 0 29 2 *",
            "Europe/Rome",
            "1999-01-01T00:00:00Z",
            "2399-01-01T00:00:00Z",
            97,
        ),
        (
            "0 0 * * *",
            "UTC",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            0,
        ),
        (
            "0 0 * * *",
            "UTC",
            "2026-01-02T00:00:00Z",
            "2026-01-01T00:00:00Z",
            0,
        ),
    ];
    for (expression, zone, after, until, count) in rows {
        assert_eq!(
            schedule(expression, zone).count(at(after), at(until), u64::MAX),
            count,
            "{expression} {zone}"
        );
        assert_eq!(
            schedule(expression, zone).count(at(after), at(until), 100),
            count.min(100),
            "{expression} {zone}"
        );
    }
}

#[test]
fn the_ends_of_time() {
    let last = Timestamp::from_timestamp(HORIZON, 0).expect("within chrono's years");
    for zone in [
        "UTC",
        "Europe/Rome",
        "Pacific/Kiritimati",
        "Etc/GMT+12",
        "America/New_York",
    ] {
        let schedule = schedule("* * * * *", zone);
        assert_eq!(schedule.next(last), None, "{zone}");
        assert_eq!(schedule.next(Timestamp::MAX_UTC), None, "{zone}");
        assert_eq!(
            schedule.previous(Timestamp::MAX_UTC),
            Some(at("2399-12-31T23:59:00Z")),
            "{zone}"
        );
        // A wall clock may show a day there that chrono cannot express; it is enough that nothing panics.
        let _ = (
            schedule.next(Timestamp::MIN_UTC),
            schedule.previous(Timestamp::MIN_UTC),
        );
        assert!(
            schedule.count(Timestamp::MIN_UTC, Timestamp::MAX_UTC, u64::MAX) > 0,
            "{zone}"
        );
    }
    let rare = schedule("0 0 29 2 *", "Asia/Tehran");
    assert_eq!(rare.previous(Timestamp::MIN_UTC), None);
}

proptest! {
    /// Whatever the text, the verdict comes without a panic, and the error points at characters of the text.
    #[test]
    fn no_text_is_too_odd(text in prop_oneof![
        any::<String>(),
        "[-*?/,0-9 LWH#@a-zA-Z:.+~(µ\u{a0}–５]{0,40}",
        "(CRON_)?TZ=[A-Za-z/]{0,8}[ \t]?[@*0-9 /,-]{0,20}",
        "@every ?[-+.0-9a-zµ ]{0,30}",
        "([-*?/,0-9]{1,5} ){3,6}[-*?/,0-9a-zA-Z#]{1,7}",
    ]) {
        if let Err(error) = Expression::parse(&text) {
            prop_assert!(text.get(error.span()).is_some(), "{error:?}");
            prop_assert!(!error.to_string().is_empty());
            prop_assert!(error.render().lines().count() >= 3, "{}", error.render());
        }
    }

    /// Blanks between fields do not matter, nor does the case of names.
    #[test]
    fn blanks_and_case_do_not_matter(blank in "[ \t\u{a0}\u{2003}]{1,3}") {
        let written = ["*/5", "8-18", "?", "jan-JUN", "mOn,FRI"].join(&blank);
        let spaced = Expression::parse(&format!("{blank}{written}{blank}")).expect("accepted");
        let plain = Expression::parse("*/5 8-18 * 1-6 1,5").expect("accepted");
        let zone = punctual::schedule::Zone::utc();
        let now = at("2026-11-23T12:00:00Z");
        let due = |expression| punctual::schedule::Schedule::new(expression, zone.clone()).due(now, Timestamp::MAX_UTC);
        prop_assert!(due(&spaced).take(200).eq(due(&plain).take(200)));
    }
}
