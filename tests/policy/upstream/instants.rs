//! Which instant is started, however long ago the last one was, and when the next one is.

use punctual::policy::{Memory, Note};

use crate::world::{cronjob, decide_at, duration, instant, notes, told};

/// `TestNextScheduleTime`, `TestMostRecentScheduleTime` and the cases of the estimate that loses runs, all through
/// the decision: which instant is started. DIFFERENCE (D2) where Kubernetes finds none.
const MOST_RECENT: &str = "
schedule                | deadline | created | last   | now       | start     | many | mark
0 * * * ?               | -        | T-10m   | -      | T-7m      | -         | no   | same
0 * * * ?               | -        | T-10m   | -      | T+2s      | T         | no   | same
0 * * * ?               | -        | T-10m   | T      | T+2m      | -         | no   | same
0 * * * ?               | -        | T-10m   | T      | T+1h5m    | T+1h      | no   | same
0 * * * ?               | -        | T-2h    | T-1h   | T+1h5m    | T+1h      | no   | same
0 * * * ?               | -        | T-2h    | T-1h   | T+10d1h   | T+10d1h   | yes  | same
0 * * * ?               | 7200s    | T-2h    | T-1h   | T+10d1h   | T+10d1h   | no   | same
59 23 31 2 *            | -        | T+10s   | -      | T+1h      | -         | no   | same
0 * * * *               | -        | T       | -      | T+30s     | -         | no   | same
0 * * * *               | -        | T       | -      | T+61m     | T+60m     | no   | same
0 * * * *               | -        | T+10s   | -      | T+301m    | T+300m    | no   | same
30 6-16/4 * * 1-5       | -        | T       | T+30m  | T+24h31m  | T+24h30m  | no   | same
30 10,11,12 * * 1-5     | -        | T       | T+30m  | T+30h30m  | T+26h30m  | no   | D2
30 6-16/4 * * 1-5       | -        | T       | T+30m  | T+96h31m  | T+96h30m  | no   | same
30 6-16/4 * * 1-5       | -        | T       | -      | T+24h31m  | T+24h30m  | no   | same
@every 1h               | -        | T-59m   | T+1m   | T+7d      | T+6d23h1m | yes  | same
0 * * * *               | -        | T       | T      | T+30s     | -         | no   | same
*/5 * * * *             | -        | T       | T+30m  | T+31m     | -         | no   | same
*/5 * * * *             | 60s      | T       | T+30m  | T+31m     | -         | no   | same
*/5 * * * *             | 60s      | T       | T+30m  | T+32m     | -         | no   | same
*/5 9 * * *             | -        | A       | T-1h   | T+3m      | T-5m      | no   | D2
*/5 9 * * *             | -        | A       | T-1h   | T+22h     | T-5m      | no   | D2
0,1 * * * *             | -        | A       | B      | T+2m      | T+1m      | no   | D2
0 9,10 * * *            | -        | A       | T      | T+5d2h30m | T+5d      | no   | D2
0 9 * * 1-5             | -        | A-9d    | T-25h  | T+2d22h30m | T+23h    | no   | D2
0 9 * * 1-5             | -        | A-9d    | T-1h   | T+2d22h30m | T+23h    | no   | same
0 8-18 * * 1-5          | -        | A-9d    | T+1d6h | T+3d2h    | T+1d8h    | no   | D2
*/15 8-18 * * 1-5       | -        | A-9d    | T+1d   | T+1d10h   | T+1d8h45m | no   | D2
0 0 28-31 * *           | -        | A-99d   | T-3d   | T+20d     | T+11d14h  | no   | D2
0 0 1 * *               | -        | A-99d   | T-48d10h | T+20d   | T+12d14h  | no   | same
";

#[test]
fn most_recent() {
    for line in MOST_RECENT.lines().filter(|line| !line.trim().is_empty()).skip(1) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let mut cronjob = cronjob(cells[0], None);
        cronjob.spec.starting_deadline = (cells[1] != "-").then(|| duration(cells[1]));
        cronjob.created = instant(cells[2]);
        cronjob.status.last_schedule_time = (cells[3] != "-").then(|| instant(cells[3]));
        let decision = decide_at(&cronjob, &[], &Memory::default(), cells[4]);
        let start = decision.start.as_ref().map(|start| start.scheduled);
        assert_eq!(start, (cells[5] != "-").then(|| instant(cells[5])), "{line}");
        let many = notes(&decision)
            .iter()
            .any(|note| matches!(note, Note::TooManyMissed { .. }));
        assert_eq!(many, cells[6] == "yes", "{line}");
    }
}

/// `TestNextScheduleTimeDuration`: how long until the next wake-up.
#[test]
fn wake_up() {
    for (schedule, last, now, wake) in [
        ("30 6-16/4 * * 1-5", Some("T+30m"), "T+24h31m", "3h59m"),
        ("30 10,11,12 * * 1-5", Some("T+30m"), "T+30h30m", "66h"),
        ("0 12 * * 4", Some("T+2h"), "T+19d1h30m", "48h30m"),
        ("0 12 * * 5", None, "T+6h", "20h"),
    ] {
        let mut cronjob = cronjob(schedule, None);
        cronjob.created = instant("T");
        cronjob.status.last_schedule_time = last.map(instant);
        let decision = decide_at(&cronjob, &[], &Memory::default(), now);
        assert_eq!(
            decision.wake.map(|at| at - instant(now)),
            Some(duration(wake)),
            "{schedule}"
        );
    }
}

/// A schedule that can never fire is said to be invalid, as in Kubernetes, and costs nothing further.
#[test]
fn a_schedule_that_can_never_fire_is_told_and_left() {
    for schedule in ["59 23 31 2 *", "0 0 31 2 *"] {
        let cronjob = cronjob(schedule, None);
        let decision = decide_at(&cronjob, &[], &Memory::default(), "T");
        assert_eq!(told(&decision), "InvalidSchedule");
        assert_eq!(decision.wake, None);
    }
}
