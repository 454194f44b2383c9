//! Kubernetes' own cases for the CronJob controller (v1.36, `cronjob_controllerv2_test.go` and `utils_test.go`),
//! each marked `same` or with the number of the difference that the README lists.
//!
//! One thing differs throughout and is not marked in each row: Kubernetes wakes 100 ms after an instant, Punctual
//! at it (D8).

use punctual::cronjob::{Concurrency, CronJob, HistoryLimits, JobRef, RunState};
use punctual::policy::{
    DeletionOutcome, DeletionResult, Memory, Note, Situation, StartResult, decide, settle,
};

use crate::world::{cronjob, done, duration, instant, notes, run};

const H: &str = "0 * * * ?";
const V: &str = "@every 1h";
const BAD: &str = "obvious error schedule";

/// `TestControllerV2SyncCronJob`. `jobs` is the one earlier run: `done@B` or `active@B` by the instant it was due,
/// `!` when the status does not record it. `start` is the instant that is started, `del` how many runs are ended
/// for it, `upd` whether the status changes once the start has succeeded.
///
/// Row 22 (the old run cannot be deleted), 13, 14, 28 and 45 (the create is refused) go on in the tests below.
const SYNC: &str = "
 # | pol   | sched   | zone             | deadline | created | last | jobs          | now     | start | del | wake     | upd | notes                              | mark
 1 | A,F   | BAD     | -                | -        | C       | -    | -             | C       | -     | 0   | none     | no  | UnparseableSchedule                | same
 2 | A     | H       | bad timezone     | -        | C       | -    | -             | C       | -     | 0   | none     | no  | UnknownTimeZone                    | same
 3 | A,F,R | H       | -                | -        | C       | -    | -             | C       | -     | 0   | 1m       | no  |                                    | same
 4 | A     | H       | America/New_York | -        | C       | -    | -             | C       | -     | 0   | 1m       | no  |                                    | same
 5 | A,F,R | H       | -                | -        | C       | -    | -             | D       | T     | 0   | 59m      | yes |                                    | same
 6 | A     | H       | America/New_York | -        | C       | -    | -             | D       | T     | 0   | 59m      | yes |                                    | same
 7 | A     | TZ=UTC  | America/New_York | -        | C       | -    | -             | D       | T     | 0   | 59m      | yes | UnsupportedSchedule                | same
 8 | A     | H       | suspended        | -        | C       | -    | -             | D       | -     | 0   | none     | no  | Suspended                          | same
 9 | A     | H       | -                | 10s      | C       | -    | -             | T+12m   | -     | 0   | 48m      | no  | MissSchedule                       | D6
10 | A     | H       | -                | 1000000s | C       | -    | -             | D       | T     | 0   | 59m      | yes |                                    | same
11 | A,F,R | H       | -                | -        | A       | B    | done@B        | C       | -     | 0   | 1m       | yes | SawCompletedJob                    | same
12 | A,F,R | H       | -                | -        | A       | B    | done@B        | D       | T     | 0   | 59m      | yes | SawCompletedJob                    | same
13 | A     | H       | -                | -        | A       | B    | done@B        | D       | T     | 0   | 59m      | yes | SawCompletedJob                    | same
14 | A     | H       | -                | -        | A       | B    | done@B!       | D       | T     | 0   | 59m      | yes |                                    | same
15 | A     | H       | suspended        | -        | A       | B    | done@B        | D       | -     | 0   | none     | yes | SawCompletedJob Suspended          | same
16 | A     | H       | -                | 10s      | A       | B    | done@B        | D       | -     | 0   | 59m      | yes | SawCompletedJob MissSchedule       | D6
17 | A     | H       | -                | 1000000s | A       | B    | done@B        | D       | T     | 0   | 59m      | yes | SawCompletedJob                    | same
18 | A,F,R | H       | -                | -        | A       | B    | active@B      | C       | -     | 0   | 1m       | no  |                                    | same
19 | A     | H       | -                | -        | A       | B    | active@B      | D       | T     | 0   | 59m      | yes |                                    | same
20 | F     | H       | -                | -        | A       | B    | active@B      | D       | -     | 0   | 59m      | no  | JobAlreadyActive                   | same
21 | R     | H       | -                | -        | A       | B    | active@B      | D       | T     | 1   | 59m      | yes |                                    | same
22 | R     | H       | -                | -        | A       | B    | active@B      | D       | T     | 1   | 59m      | yes |                                    | same
23 | A     | H       | suspended        | -        | A       | B    | active@B      | D       | -     | 0   | none     | no  | Suspended                          | same
24 | A     | H       | -                | 10s      | A       | B    | active@B      | D       | -     | 0   | 59m      | no  | MissSchedule                       | D6
25 | A     | H       | -                | 1000000s | A       | B    | active@B      | D       | T     | 0   | 59m      | yes |                                    | same
26 | A,F,R | H       | -                | -        | A       | B    | done@B        | W       | W     | 0   | 1h       | yes | SawCompletedJob PassedOver TooManyMissedTimes | same
26 | A,F,R | H       | -                | 1000000s | A       | B    | done@B        | W       | W     | 0   | 1h       | yes | SawCompletedJob PassedOver TooManyMissedTimes | same
27 | A,F,R | H       | -                | 7200s    | A       | B    | done@B        | W       | W     | 0   | 1h       | yes | SawCompletedJob MissSchedule PassedOver | D6
27 | A,F,R | H       | -                | 10s      | A       | B    | done@B        | W       | W     | 0   | 1h       | yes | SawCompletedJob MissSchedule       | D6
28 | F     | H       | -                | -        | A       | B    | done@D!       | C       | -     | 0   | 1m       | yes |                                    | same
29 | A,F,R | H       | -                | 1000000s | A       | B    | active@T      | D+0.1s  | -     | 0   | 58m59.9s | yes | AlreadyStarted                     | D4
30 | A,F,R | H       | -                | 1000000s | A       | B    | active@T!     | D+0.1s  | -     | 0   | 58m59.9s | yes | AdoptedJob AlreadyStarted          | D4
31 | A     | V       | -                | -        | C       | -    | -             | T       | -     | 0   | 59m      | no  |                                    | same
32 | A     | V       | -                | -        | A       | -    | -             | C       | C     | 0   | 1h       | yes |                                    | same
33 | A     | V       | -                | 10s      | A       | -    | -             | C+11s   | -     | 0   | 59m49s   | no  | MissSchedule                       | D6
34 | A     | V       | -                | 1000000s | A       | -    | -             | C+9s    | C     | 0   | 59m51s   | yes |                                    | same
35 | A     | V       | -                | -        | A       | C    | done@A        | T       | -     | 0   | 59m      | yes | SawCompletedJob                    | same
36 | A     | V       | -                | -        | A       | C    | done@A        | T+1h    | E     | 0   | 59m      | yes | SawCompletedJob                    | same
37 | A     | V       | -                | 10s      | A       | C    | done@A        | E+11s   | -     | 0   | 59m49s   | yes | SawCompletedJob MissSchedule       | D6
38 | A     | V       | -                | 10s      | A       | C    | done@A        | E+9s    | E     | 0   | 59m51s   | yes | SawCompletedJob                    | D10
39 | A     | V       | -                | -        | A       | C    | active@C      | T       | -     | 0   | 59m      | no  |                                    | same
40 | A     | V       | -                | -        | A       | A    | active@A      | D       | C     | 0   | 58m      | yes |                                    | same
41 | A     | V       | -                | 10s      | A       | C    | active@C      | E+11s   | -     | 0   | 59m49s   | no  | MissSchedule                       | D6
42 | A     | V       | -                | 1000000s | A       | C    | active@C      | E+9s    | E     | 0   | 59m51s   | yes |                                    | same
43 | A     | V       | -                | -        | B       | D    | done@B        | W       | W-59m | 0   | 1m       | yes | SawCompletedJob PassedOver TooManyMissedTimes | same
44 | A     | V       | -                | 10s      | B       | D    | done@B        | W+1m11s | -     | 0   | 59m49s   | yes | SawCompletedJob MissSchedule       | D6
45 | A     | H       | -                | -        | A       | B    | active@B!     | D       | T     | 0   | 59m      | yes | AdoptedJob                         | D4
";

struct Row<'a> {
    cells: Vec<&'a str>,
}

impl Row<'_> {
    fn cronjob(&self, policy: &str) -> CronJob {
        let (schedule, zone) = (self.cells[2], self.cells[3]);
        let schedule = match schedule {
            "H" => H,
            "V" => V,
            "BAD" => BAD,
            "TZ=UTC" => "TZ=UTC 0 * * * ?",
            other => other,
        };
        let named_zone = (!matches!(zone, "-" | "suspended")).then_some(zone);
        let mut cronjob = cronjob(schedule, named_zone);
        cronjob.spec.suspend = zone == "suspended";
        cronjob.spec.starting_deadline = (self.cells[4] != "-").then(|| duration(self.cells[4]));
        cronjob.spec.concurrency = match policy {
            "A" => Concurrency::Allow,
            "F" => Concurrency::Forbid,
            "R" => Concurrency::Replace,
            other => panic!("no policy is called {other:?}"),
        };
        cronjob.created = instant(self.cells[5]);
        cronjob.status.last_schedule_time = (self.cells[6] != "-").then(|| instant(self.cells[6]));
        cronjob
    }
}

#[test]
fn sync() {
    for line in SYNC.lines().filter(|line| !line.trim().is_empty()).skip(1) {
        let row = Row {
            cells: line.split('|').map(str::trim).collect(),
        };
        for policy in row.cells[1].split(',') {
            check_sync(&row, policy, line);
        }
    }
}

fn check_sync(row: &Row<'_>, policy: &str, line: &str) {
    let mut cronjob = row.cronjob(policy);
    let mut runs = vec![];
    if let Some((state, due)) = row.cells[7].split_once('@') {
        let recorded = !due.ends_with('!');
        let due = instant(due.trim_end_matches('!'));
        let finished = done(due + duration("10s"));
        let earlier = run(
            due,
            if state == "done" {
                finished
            } else {
                RunState::Active
            },
        );
        if recorded {
            cronjob.status.active.push(JobRef::from(&earlier));
        }
        runs.push(earlier);
    }
    let now = instant(row.cells[8]);
    let memory = Memory::default();
    let decision = decide(
        Situation {
            cronjob: &cronjob,
            runs: &runs,
            memory: &memory,
        },
        now,
    );

    let start = decision.start.as_ref().map(|start| start.scheduled);
    assert_eq!(
        start,
        (row.cells[9] != "-").then(|| instant(row.cells[9])),
        "start, {policy}: {line}"
    );
    assert_eq!(
        decision.replace.len().to_string(),
        row.cells[10],
        "deleted, {policy}: {line}"
    );
    let wake = decision.wake.map(|wake| wake - now);
    assert_eq!(
        wake,
        (row.cells[11] != "none").then(|| duration(row.cells[11])),
        "wake, {policy}: {line}"
    );
    let notes = notes(&decision);
    let notes: Vec<_> = notes.iter().map(Note::reason).collect();
    assert_eq!(notes.join(" "), row.cells[13], "notes, {policy}: {line}");

    let deletions: Vec<_> = decision.replace.iter().cloned().map(deleted).collect();
    let (status, _) = settle(
        &decision,
        &deletions,
        start.map(|due| started(&decision_name(&decision), due)),
    );
    assert_eq!(
        status != cronjob.status,
        row.cells[12] == "yes",
        "status update, {policy}: {line}"
    );
    let mark = row.cells[14];
    assert!(mark == "same" || mark.starts_with('D'), "{line}");
}

fn decision_name(decision: &punctual::policy::Decision) -> String {
    decision
        .start
        .as_ref()
        .map(|start| start.name.clone())
        .unwrap_or_default()
}

fn started(name: &str, at: punctual::schedule::Timestamp) -> StartResult {
    StartResult::Started {
        job: reference(name),
        at,
    }
}

fn reference(name: &str) -> JobRef {
    JobRef {
        name: name.into(),
        uid: format!("uid of {name}"),
        resource_version: "1".into(),
    }
}

fn deleted(deletion: punctual::policy::Deletion) -> DeletionResult {
    DeletionResult {
        deletion,
        outcome: DeletionOutcome::Deleted,
    }
}

/// Row 46: with the history limit 0 the completion is only told by the deletion, as in a whole sync of Kubernetes.
#[test]
fn last_successful_time_is_recorded_whatever_the_history_keeps() {
    for (limit, pruned, notes) in [
        (Some(0), 1, ""),
        (Some(10), 0, "SawCompletedJob"),
        (None, 0, "SawCompletedJob"),
    ] {
        let mut cronjob = cronjob(H, None);
        cronjob.spec.history = HistoryLimits {
            successful: limit,
            failed: None,
        };
        let earlier = run(instant("A"), done(instant("A")));
        cronjob.status.active.push(JobRef::from(&earlier));
        let runs = [earlier];
        let memory = Memory::default();
        let decision = decide(
            Situation {
                cronjob: &cronjob,
                runs: &runs,
                memory: &memory,
            },
            instant("A"),
        );
        assert_eq!(decision.prune.len(), pruned, "limit {limit:?}");
        assert_eq!(
            decision
                .notes
                .iter()
                .map(Note::reason)
                .collect::<Vec<_>>()
                .join(" "),
            notes,
            "limit {limit:?}"
        );
        assert_eq!(
            decision.status.last_successful_time,
            Some(instant("A")),
            "limit {limit:?}"
        );
        assert_eq!(decision.status.active, [], "limit {limit:?}");
    }
}

/// Row 22: nothing starts when the run to be replaced could not be deleted, and nothing is recorded.
#[test]
fn a_replacement_that_cannot_be_deleted_keeps_its_place() {
    let mut cronjob = cronjob(H, None);
    cronjob.spec.concurrency = Concurrency::Replace;
    cronjob.status.last_schedule_time = Some(instant("B"));
    let earlier = run(instant("B"), RunState::Active);
    cronjob.status.active.push(JobRef::from(&earlier));
    let runs = [earlier];
    let memory = Memory::default();
    let decision = decide(
        Situation {
            cronjob: &cronjob,
            runs: &runs,
            memory: &memory,
        },
        instant("D"),
    );
    let refused = DeletionResult {
        deletion: decision.replace[0].clone(),
        outcome: DeletionOutcome::Refused("bad request".into()),
    };
    let result = StartResult::Failed {
        error: "the active run could not be replaced".into(),
    };
    let (status, notes) = settle(&decision, &[refused], Some(result));
    assert_eq!(status, cronjob.status);
    assert_eq!(
        notes.iter().map(Note::reason).collect::<Vec<_>>(),
        ["FailedDelete", "FailedCreate"]
    );
}

/// Rows 13, 14 and `TestControllerV2CronJobSyncJobAlreadyExists`: a create that is refused because the Job is there.
#[test]
fn a_job_that_exists_is_recorded_when_it_is_ours() {
    for (ours, active, reason) in [(true, 1, "AlreadyStarted"), (false, 0, "JobNameTaken")] {
        let mut cronjob = cronjob(V, None);
        cronjob.spec.concurrency = Concurrency::Forbid;
        cronjob.status.last_schedule_time = Some(instant("A"));
        let memory = Memory::default();
        let decision = decide(
            Situation {
                cronjob: &cronjob,
                runs: &[],
                memory: &memory,
            },
            instant("C"),
        );
        let existing = reference(&decision_name(&decision));
        let result = if ours {
            StartResult::AlreadyStarted {
                active: Some(existing.clone()),
            }
        } else {
            StartResult::NameTaken
        };
        let (status, notes) = settle(&decision, &[], Some(result));
        assert_eq!(status.active.len(), active);
        // DIFFERENCE (D5): the foreign Job costs this instant, and the next one goes ahead.
        assert_eq!(status.last_schedule_time, Some(instant("C")));
        assert_eq!(notes.iter().map(Note::reason).collect::<Vec<_>>(), [reason]);
    }
}

/// `TestControllerV2UpdateCronJob`: the delay after an edit, at 09:59:59 with the last run at 09:59:00.
#[test]
fn an_edit_wakes_at_the_next_instant_of_the_new_schedule() {
    for (before, after, wake) in [
        ("30 * * * *", "*/1 * * * *", "1s"),
        ("@every 1m", "@every 3m", "2m1s"),
        ("@every 3m", "@every 1m", "1s"),
    ] {
        let now = instant("C+59s");
        let decision = edit(before, after, instant("C"), now);
        assert_eq!(decision.start, None, "{before} -> {after}");
        assert_eq!(decision.wake, Some(now + duration(wake)), "{before} -> {after}");
    }
}

/// DIFFERENCE (D9): an edit never starts an instant of the past, however often it is looked at afterwards.
#[test]
fn an_edit_never_starts_an_instant_of_the_past() {
    let noon = instant("T+2h");
    let decision = edit("0 23 * * *", "0 5 * * *", instant("T-11h"), noon);
    assert_eq!(decision.start, None);

    let mut cronjob = cronjob("0 5 * * *", None);
    cronjob.status = decision.status;
    for later in ["T+3h", "T+10h", "T+18h59m"] {
        let situation = Situation {
            cronjob: &cronjob,
            runs: &[],
            memory: &decision.memory,
        };
        assert_eq!(decide(situation, instant(later)).start, None, "at {later}");
    }
    let situation = Situation {
        cronjob: &cronjob,
        runs: &[],
        memory: &decision.memory,
    };
    let start = decide(situation, instant("T+19h"))
        .start
        .expect("the new schedule's own first run");
    assert_eq!(start.scheduled, instant("T+19h"));
}

/// The decision at the moment an edit is seen.
fn edit(
    before: &str,
    after: &str,
    last: punctual::schedule::Timestamp,
    now: punctual::schedule::Timestamp,
) -> punctual::policy::Decision {
    let mut old = cronjob(before, None);
    old.created = instant("A-2d");
    old.status.last_schedule_time = Some(last);
    let memory = Memory::default();
    let seen = decide(
        Situation {
            cronjob: &old,
            runs: &[],
            memory: &memory,
        },
        last,
    );
    let mut new = cronjob(after, None);
    new.created = old.created;
    new.status = old.status;
    decide(
        Situation {
            cronjob: &new,
            runs: &[],
            memory: &seen.memory,
        },
        now,
    )
}

/// `TestControllerV2CleanUpFinishedJobs`: the history is cleaned up even when the start is refused.
#[test]
fn the_history_is_cleaned_up_beside_a_start() {
    for (limit, now, finished, deleted) in [(1, "D", &["A", "C"][..], 1), (2, "C", &["A"][..], 0)] {
        let mut cronjob = cronjob(H, None);
        cronjob.spec.history.successful = Some(limit);
        let runs: Vec<_> = finished
            .iter()
            .map(|at| run(instant(at), done(instant(at))))
            .collect();
        let memory = Memory::default();
        let decision = decide(
            Situation {
                cronjob: &cronjob,
                runs: &runs,
                memory: &memory,
            },
            instant(now),
        );
        assert_eq!(decision.prune.len(), deleted);
        assert!(
            decision
                .prune
                .iter()
                .all(|deletion| deletion.name == runs[0].name)
        );
    }
}

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
        let memory = Memory::default();
        let decision = decide(
            Situation {
                cronjob: &cronjob,
                runs: &[],
                memory: &memory,
            },
            instant(cells[4]),
        );
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
        let memory = Memory::default();
        let now = instant(now);
        let decision = decide(
            Situation {
                cronjob: &cronjob,
                runs: &[],
                memory: &memory,
            },
            now,
        );
        assert_eq!(
            decision.wake.map(|at| at - now),
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
        let memory = Memory::default();
        let decision = decide(
            Situation {
                cronjob: &cronjob,
                runs: &[],
                memory: &memory,
            },
            instant("T"),
        );
        assert_eq!(
            decision.notes.iter().map(Note::reason).collect::<Vec<_>>(),
            ["InvalidSchedule"]
        );
        assert_eq!(decision.wake, None);
    }
}

/// DIFFERENCE (D11): a run that a wrong clock recorded for the future does not silence the CronJob.
#[test]
fn a_clock_that_was_ahead_is_healed() {
    let mut cronjob = cronjob(H, None);
    cronjob.status.last_schedule_time = Some(instant("T+1d"));
    let memory = Memory::default();
    let decision = decide(
        Situation {
            cronjob: &cronjob,
            runs: &[],
            memory: &memory,
        },
        instant("D"),
    );
    assert_eq!(
        decision.start, None,
        "what passed before the healing is not started"
    );
    assert_eq!(decision.status.last_schedule_time, Some(instant("T")));
    assert_eq!(decision.wake, Some(instant("T+1h")));
    assert_eq!(
        decision.notes.iter().map(Note::reason).collect::<Vec<_>>(),
        ["ClockWentBack"]
    );
}

/// DIFFERENCE (D4): manual runs are known by their annotation and left alone.
#[test]
fn a_manual_run_neither_blocks_nor_is_adopted() {
    let mut cronjob = cronjob(H, None);
    cronjob.spec.concurrency = Concurrency::Forbid;
    cronjob.status.last_schedule_time = Some(instant("B"));
    let mut manual = run(instant("B"), RunState::Active);
    manual.origin = punctual::cronjob::Origin::Manual;
    manual.name = "by-hand".into();
    let runs = [manual];
    let memory = Memory::default();
    let decision = decide(
        Situation {
            cronjob: &cronjob,
            runs: &runs,
            memory: &memory,
        },
        instant("D"),
    );
    assert_eq!(decision.start.map(|start| start.scheduled), Some(instant("T")));
    assert_eq!(decision.notes, []);
}

/// A blocked run that passes its deadline is reported when it does, and only once.
#[test]
fn a_blocked_run_is_reported_as_missed_when_its_deadline_passes() {
    let mut cronjob = cronjob(H, None);
    cronjob.spec.concurrency = Concurrency::Forbid;
    cronjob.spec.starting_deadline = Some(duration("30s"));
    cronjob.status.last_schedule_time = Some(instant("B"));
    let earlier = run(instant("B"), RunState::Active);
    cronjob.status.active.push(JobRef::from(&earlier));
    let runs = [earlier];

    let mut memory = Memory::default();
    for (now, notes, wake) in [
        ("T", "JobAlreadyActive", "T+30s"),
        ("T+10s", "JobAlreadyActive", "T+30s"),
        ("T+30s", "MissSchedule", "T+1h"),
        ("T+31s", "", "T+1h"),
    ] {
        let decision = decide(
            Situation {
                cronjob: &cronjob,
                runs: &runs,
                memory: &memory,
            },
            instant(now),
        );
        assert_eq!(
            decision
                .notes
                .iter()
                .map(Note::reason)
                .collect::<Vec<_>>()
                .join(" "),
            notes,
            "at {now}"
        );
        assert_eq!(decision.wake, Some(instant(wake)), "at {now}");
        memory = decision.memory;
    }
}
