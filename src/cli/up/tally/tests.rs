//! What is counted, told in the order in which it happens.

use super::waits::FAILED;
use super::*;
use crate::cli::up::text;
use crate::policy::WaitReason;
use crate::schedule::Timestamp;

/// One row a step: what is decided, and how many are skipped and wait after it.
#[test]
fn of_the_runs_behind_an_earlier_one_the_newest_waits_and_the_others_are_skipped() {
    let passed_over = Note::PassedOver {
        count: 1,
        oldest: at(5),
        newest_runs: at(10),
    };
    let passed = Note::DeadlinePassed {
        count: 1,
        newest: at(15),
    };
    let mut tally = Tally::default();
    for (notes, skipped, waiting) in [
        (vec![blocked(5), blocked(5)], 0, 1),
        (vec![blocked(10)], 1, 1),
        (vec![passed_over, started(10)], 1, 0),
        (vec![blocked(15)], 1, 1),
        (vec![passed], 2, 0),
        (vec![blocked(20)], 2, 1),
    ] {
        decide(&mut tally, notes, (skipped, waiting));
    }
    insta::assert_snapshot!(text::summary(&tally), @r"
    1 started, 0 succeeded, 0 failed, 2 skipped, 1 pending, 1 waiting
      1 skipped: a newer run took their place
      1 skipped: the starting deadline passed
      1 pending: no process has started
      1 waiting for an earlier run to end (concurrencyPolicy: Forbid)
    ");
}

#[test]
fn a_run_that_could_not_be_started_is_counted_once_and_by_what_became_of_it() {
    let failed = |second| Note::StartFailed {
        job: format!("tick-{second}"),
        scheduled: at(second),
        error: "the disk is full".into(),
    };
    let mut tally = Tally::default();
    for note in [failed(5), failed(5), failed(10), failed(15)] {
        tally.count(&Happening::Decision(told(note)));
    }
    assert_eq!(tally.skipped(), [(FAILED, 3)].into());
    let passed_over = Note::PassedOver {
        count: 2,
        oldest: at(5),
        newest_runs: at(15),
    };
    tally.count(&Happening::Decision(told(passed_over)));
    assert_eq!(tally.skipped().into_values().sum::<u64>(), 3);
    tally.count(&Happening::Decision(told(started(15))));
    assert_eq!(tally.skipped(), [("a newer run took their place", 2)].into());
}

/// A pod of no Job counts as a Job does.
#[test]
fn a_bare_pod_is_started_and_ends() {
    let origin = runtime::Origin {
        namespace: "default".into(),
        job: None,
        index: None,
        pod: "once".into(),
        container: "main".into(),
        is_alone: true,
    };
    let work = origin.work();
    let begins = Happening::Process(runtime::Event {
        origin: std::sync::Arc::new(origin),
        at: at(1),
        what: What::Started { pid: 7 },
    });
    let ends = |outcome| {
        Happening::Ended(Ended {
            at: at(2),
            work: work.clone(),
            outcome,
            took: chrono::TimeDelta::seconds(1),
            why: None,
        })
    };
    let mut tally = Tally::default();
    tally.count(&begins);
    assert_eq!((tally.started, tally.failed, tally.stopped()), (1, 0, 1));
    tally.count(&ends(Some(Outcome::Failed)));
    assert_eq!((tally.started, tally.failed, tally.stopped()), (1, 1, 0));
    tally.count(&begins);
    tally.count(&ends(None));
    tally.count(&ends(None));
    assert_eq!(
        (tally.started, tally.deleted, tally.stopped()),
        (2, 1, 0),
        "it began once"
    );
    insta::assert_snapshot!(
        text::summary(&tally),
        @"2 started, 0 succeeded, 1 failed, 0 skipped, 1 replaced or deleted"
    );
}

/// A Job is counted once, by whatever is told of it first, and however many processes it has.
#[test]
fn a_job_that_was_given_is_started_as_a_run_is() {
    let begins = |job| process(job, What::Started { pid: 7 });
    let fails = process(
        "unfit",
        What::NotStarted {
            reason: "CommandRequired".into(),
            message: String::new(),
        },
    );
    let restarts = process(
        "unfit",
        What::RestartsAfter {
            delay: std::time::Duration::from_secs(10),
        },
    );
    let line = process(
        "kept",
        What::Line {
            stream: runtime::Stream::Stdout,
            text: "hello".into(),
            ends: true,
        },
    );
    let kept = Work {
        kind: WorkKind::Job,
        namespace: "default".into(),
        name: "kept".into(),
    };
    let mut tally = Tally::after([kept].into());
    for happening in [
        begins("given"),
        begins("given"),
        Happening::Decision(told(started(5))),
        begins("later"),
        fails,
        restarts,
        line,
    ] {
        tally.count(&happening);
    }
    assert_eq!((tally.started, tally.carried_over), (3, 1));
    assert_eq!((tally.stopped(), tally.pending()), (3, 1));
    insta::assert_snapshot!(text::summary(&tally), @r"
    3 started, 0 succeeded, 0 failed, 0 skipped, 1 carried over from before, 3 stopped before the end, 1 pending
      1 pending: no process has started
    ");
}

/// One row a step: what is decided, and how many are skipped and wait after it.
#[test]
fn all_in_a_line_wait() {
    let in_line = |second, waiting, why| {
        Note::Ruled(Ruling::Waiting {
            scheduled: at(second),
            waiting,
            behind: vec!["earlier".into()],
            why,
        })
    };
    let turn = |second, waiting| in_line(second, waiting, WaitReason::MaxActive(1));
    let full = Note::Ruled(Ruling::Skipped {
        count: 1,
        newest: at(20),
        why: SkipReason::QueueFull(2),
    });
    let passed = Note::DeadlinePassed {
        count: 2,
        newest: at(15),
    };
    let group = |second| in_line(second, 1, WaitReason::Group { slots: 1, ahead: 0 });
    let mut tally = Tally::default();
    for (notes, skipped, waiting) in [
        (vec![turn(5, 1)], 0, 1),
        (vec![turn(5, 2)], 0, 2),
        (vec![turn(5, 3)], 0, 3),
        (vec![full], 1, 3),
        (vec![started(5)], 1, 2),
        (vec![turn(10, 2)], 1, 2),
        (vec![started(10)], 1, 1),
        (vec![started(15)], 1, 0),
        (vec![turn(15, 3)], 1, 3),
        (vec![passed, turn(25, 1)], 3, 1),
        (vec![started(25), group(30), group(35)], 4, 1),
    ] {
        decide(&mut tally, notes, (skipped, waiting));
    }
    insta::assert_snapshot!(text::summary(&tally), @r"
    1 started, 0 succeeded, 0 failed, 4 skipped, 1 pending, 1 waiting
      1 skipped: a newer run took their place
      1 skipped: the queue was full (queue-limit)
      2 skipped: the starting deadline passed
      1 pending: no process has started
      1 waiting for a slot of their group
    ");
}

/// What is given twice counts once, and what an earlier `up` had started is not started by this one.
#[test]
fn every_job_that_was_started_is_in_one_other_count() {
    let work = |name: &str| Work {
        kind: WorkKind::Job,
        namespace: "default".into(),
        name: name.into(),
    };
    let ends = |name: &str, outcome| {
        Happening::Ended(Ended {
            at: at(2),
            work: work(name),
            outcome,
            took: chrono::TimeDelta::seconds(1),
            why: None,
        })
    };
    let mut tally = Tally::after(["goes-on", "ended-meanwhile", "suspended"].map(work).into());
    let starts = process("goes-on", What::Started { pid: 7 });
    let succeeded = Some(Outcome::Succeeded);
    for happening in [
        starts,
        ends("ended-meanwhile", succeeded),
        ends("without-pods", succeeded),
        ends("never-began", None),
        Happening::Decision(told(started(5))),
    ] {
        tally.count(&happening);
    }
    let (began, ended) = (tally.started + tally.carried_over, tally.succeeded);
    assert_eq!((began, ended + tally.stopped() + tally.pending()), (4, 4));
    insta::assert_snapshot!(text::summary(&tally), @r"
    2 started, 2 succeeded, 0 failed, 0 skipped, 2 carried over from before, 1 stopped before the end, 1 pending
      1 pending: no process has started
    ");
}

/// Counts what is decided, after which so many are skipped and wait.
fn decide(tally: &mut Tally, notes: Vec<Note>, expected: (u64, u64)) {
    for note in notes {
        tally.count(&Happening::Decision(told(note)));
    }
    let [skipped, waiting] = [tally.skipped(), tally.waiting()].map(|counts| counts.into_values().sum());
    assert_eq!((skipped, waiting), expected);
}

fn process(job: &str, what: What) -> Happening {
    let origin = runtime::Origin {
        namespace: "default".into(),
        job: Some(job.into()),
        index: None,
        pod: format!("{job}-x7k2p"),
        container: "main".into(),
        is_alone: true,
    };
    Happening::Process(runtime::Event {
        origin: std::sync::Arc::new(origin),
        at: at(1),
        what,
    })
}

fn blocked(second: i64) -> Note {
    Note::Blocked {
        scheduled: at(second),
        behind: vec!["earlier".into()],
    }
}

fn started(second: i64) -> Note {
    Note::Started {
        job: "later".into(),
        scheduled: at(second),
        lateness: chrono::TimeDelta::zero(),
        held_back: chrono::TimeDelta::zero(),
        waited: false,
    }
}

fn told(note: Note) -> Told {
    let cronjob = Key {
        namespace: "default".into(),
        name: "slow".into(),
    };
    Told {
        at: at(0),
        cronjob,
        uid: String::new(),
        note,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).expect("a small number")
}
