//! What an edit of the schedule starts, and when it wakes.

use punctual::policy::{Decision, Memory};

use crate::world::{cronjob, decide_at, duration, instant};

/// `TestControllerV2UpdateCronJob`: the delay after an edit, at 09:59:59 with the last run at 09:59:00.
#[test]
fn an_edit_wakes_at_the_next_instant_of_the_new_schedule() {
    for (before, after, wake) in [
        ("30 * * * *", "*/1 * * * *", "1s"),
        ("@every 1m", "@every 3m", "2m1s"),
        ("@every 3m", "@every 1m", "1s"),
    ] {
        let decision = edit(before, after, "C", "C+59s");
        let expected = instant("C+59s") + duration(wake);
        assert_eq!(decision.start, None, "{before} -> {after}");
        assert_eq!(decision.wake, Some(expected), "{before} -> {after}");
    }
}

/// DIFFERENCE (D9): an edit never starts an instant of the past, however often it is looked at afterwards.
#[test]
fn an_edit_never_starts_an_instant_of_the_past() {
    let decision = edit("0 23 * * *", "0 5 * * *", "T-11h", "T+2h");
    assert_eq!(decision.start, None);

    let mut cronjob = cronjob("0 5 * * *", None);
    cronjob.status = decision.status;
    for later in ["T+3h", "T+10h", "T+18h59m"] {
        assert_eq!(
            decide_at(&cronjob, &[], &decision.memory, later).start,
            None,
            "at {later}"
        );
    }
    let start = decide_at(&cronjob, &[], &decision.memory, "T+19h")
        .start
        .expect("the new schedule's own first run");
    assert_eq!(start.scheduled, instant("T+19h"));
}

/// The decision at the moment an edit is seen.
fn edit(before: &str, after: &str, last: &str, now: &str) -> Decision {
    let mut old = cronjob(before, None);
    old.created = instant("A-2d");
    old.status.last_schedule_time = Some(instant(last));
    let seen = decide_at(&old, &[], &Memory::default(), last);
    let mut new = cronjob(after, None);
    new.created = old.created;
    new.status = old.status;
    decide_at(&new, &[], &seen.memory, now)
}
