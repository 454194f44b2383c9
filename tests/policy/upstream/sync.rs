//! What starts, what is ended for it, and what is recorded once that has been carried out.

use punctual::cronjob::{Concurrency, CronJob, HistoryLimits, JobRef, RunState};
use punctual::policy::{
    Decision, Deletion, DeletionOutcome, DeletionResult, Memory, Note, StartResult, settle,
};
use punctual::schedule::Timestamp;

use super::H;
use crate::world::{cronjob, decide_at, done, duration, instant, run, told};

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
    let decision = decide_at(&cronjob, &runs, &Memory::default(), row.cells[8]);

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
    assert_eq!(told(&decision), row.cells[13], "notes, {policy}: {line}");

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

fn decision_name(decision: &Decision) -> String {
    decision
        .start
        .as_ref()
        .map(|start| start.name.clone())
        .unwrap_or_default()
}

fn started(name: &str, at: Timestamp) -> StartResult {
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

fn deleted(deletion: Deletion) -> DeletionResult {
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
        let decision = decide_at(&cronjob, &runs, &Memory::default(), "A");
        assert_eq!(decision.prune.jobs.len(), pruned, "limit {limit:?}");
        assert_eq!(told(&decision), notes, "limit {limit:?}");
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
    let decision = decide_at(&cronjob, &runs, &Memory::default(), "D");
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
        let decision = decide_at(&cronjob, &[], &Memory::default(), "C");
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
        let decision = decide_at(&cronjob, &runs, &Memory::default(), now);
        assert_eq!(decision.prune.jobs.len(), deleted);
        assert!(
            decision
                .prune
                .jobs
                .iter()
                .all(|deletion| deletion.name == runs[0].name)
        );
    }
}
