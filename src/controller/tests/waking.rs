//! When a decision is taken, and by whom.

use super::*;

#[test]
fn nothing_is_decided_before_both_watches_have_listed_everything() {
    let mut state = World {
        state: empty(),
        version: 1,
    };
    state.watch_cronjob(&json!({}));
    state.state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
    assert!(state.ready(120).is_none(), "the Jobs are not known yet");
    state.state.job_event(&Scope::CLUSTER, Event::InitDone);
    assert!(matches!(state.ready(120), Some(Task::Submit { .. })));
}

/// One row a history of two scopes, the CronJob's and another one: what is heard of their CronJobs and Jobs, and after which
/// of that the CronJob is run.
#[test]
fn a_scope_that_may_not_be_listed_holds_up_no_other_and_nothing_is_decided_there() {
    let scopes = ["default", "other"].map(|namespace| Scope(Some(namespace.into())));
    let charge = Charge {
        namespaces: vec!["default".into(), "other".into()],
        ..Charge::default()
    };
    for (history, runs_after) in [
        ("default cronjobs, default jobs", None),
        (
            "default cronjobs, default jobs, other cronjobs, other jobs",
            Some(3),
        ),
        ("default cronjobs, default jobs, other refused", Some(2)),
        ("other refused, default cronjobs", None),
        ("default refused, other refused", None),
        // It may be that only its Jobs are hidden, or only its CronJobs.
        (
            "default cronjobs, default refused, other cronjobs, other jobs",
            None,
        ),
        (
            "other cronjobs, other jobs, default cronjobs, default refused, default jobs",
            Some(4),
        ),
        (
            "other cronjobs, other jobs, default refused, default jobs, default cronjobs",
            Some(4),
        ),
        // What can be listed half by now holds up nobody any more.
        (
            "default cronjobs, default jobs, other refused, other cronjobs",
            Some(2),
        ),
    ] {
        let mut world = World {
            state: State::new(Arc::new(TimeZones::built_in()), &charge),
            version: 1,
        };
        for (index, heard) in history.split(", ").enumerate() {
            let (scope, what) = heard.split_once(' ').expect("two words");
            let scope = &scopes[usize::from(scope == "other")];
            match what {
                "cronjobs" => {
                    world.state.cronjob_event(scope, Event::Init);
                    if scope.covers("default") {
                        let object = world.cronjob(&json!({}));
                        world.state.cronjob_event(scope, Event::InitApply(object));
                    }
                    world.state.cronjob_event(scope, Event::InitDone);
                }
                "jobs" => world.state.job_event(scope, Event::InitDone),
                _ => assert!(world.state.listing_refused(scope), "it is news"),
            }
            let tasks = world.state.ready(at(120)).0;
            assert_eq!(
                !tasks.is_empty(),
                runs_after == Some(index),
                "{history}: at {heard}"
            );
        }
        assert!(runs_after.is_none() || world.state.is_synced(), "{history}");
    }
}

#[test]
fn it_wakes_at_the_due_instant_and_not_before() {
    let mut world = World::new();
    assert!(world.ready(30).is_none());
    assert_eq!(world.state.next_wake(), Some(at(60)));
    assert!(world.ready(59).is_none());
    assert!(matches!(world.ready(60), Some(Task::Submit { .. })));
}

#[test]
fn the_oldest_due_are_started_first() {
    let mut world = World::new();
    let mut other = world.cronjob(&json!({}));
    other.metadata.name = Some("a-daily-one".into());
    other.metadata.uid = Some("another uid".into());
    other.spec.schedule = "2 10 * * *".into();
    world.state.cronjob_event(&Scope::CLUSTER, Event::Apply(other));
    let mut first = world.cronjob(&json!({}));
    first.spec.schedule = "1 10 * * *".into();
    world.state.cronjob_event(&Scope::CLUSTER, Event::Apply(first));
    let (tasks, _) = world.state.ready(at(180));
    let names: Vec<_> = tasks.iter().map(|task| task.key().name.as_str()).collect();
    assert_eq!(names, ["tick", "a-daily-one"]);
}

#[test]
fn one_task_at_a_time() {
    let mut world = World::new();
    assert!(world.ready(60).is_some());
    world.watch_cronjob(&json!({}));
    assert!(world.ready(61).is_none(), "the first task is still under way");
}

/// DIFFERENCE (D11): otherwise the wake-up, computed by the wrong time, would come an hour late.
#[test]
fn a_clock_that_is_put_back_wakes_everybody() {
    let mut world = World::new();
    assert!(
        world
            .ready(3_590)
            .is_some_and(|task| matches!(task, Task::Submit { .. }))
    );
    let mut world = World::new();
    assert!(world.ready(30).is_none());
    world.version = 2;
    world.watch_cronjob(&json!({ "lastScheduleTime": "2026-01-01T11:00:00Z" }));
    assert!(world.ready(3_601).is_none());
    assert_eq!(world.state.next_wake(), Some(at(3_660)));
    let Some(Task::Submit { decision, .. }) = world.ready(90) else {
        panic!("nobody noticed")
    };
    assert_eq!(decision.status.last_schedule_time, Some(at(60)));
    assert_eq!(world.state.next_wake(), Some(at(120)));
}

#[test]
fn a_deleted_cronjob_is_forgotten() {
    let mut world = World::new();
    let object = world.cronjob(&json!({}));
    world.ready(30);
    world.state.cronjob_event(&Scope::CLUSTER, Event::Delete(object));
    assert!(world.ready(60).is_none());
    assert_eq!(world.state.next_wake(), None);
}

#[test]
fn a_cronjob_that_a_new_listing_no_longer_has_is_forgotten() {
    let mut world = World::new();
    world.ready(30);
    world.state.cronjob_event(&Scope::CLUSTER, Event::Init);
    world.state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
    assert_eq!(world.state.next_wake(), None);
}

#[test]
fn who_stands_by_decides_nothing_and_who_takes_over_decides_everything() {
    let mut world = World::new();
    world.state.stand_by(at(70));
    assert_eq!(world.state.next_wake(), None);
    world.state.take_over();
    assert!(matches!(world.ready(71), Some(Task::Submit { .. })));
    // What was under way is given up, and decided anew by whoever leads next; here that is us again.
    world.state.step_down();
    world.state.stand_by(at(72));
    world.state.take_over();
    assert!(matches!(world.ready(73), Some(Task::Submit { .. })));
}

/// The clock of who led may be ahead of ours by a second or two.
#[test]
fn who_takes_over_repeats_no_run_that_was_started_a_moment_early() {
    let mut world = World::new();
    world.state.stand_by(at(1));
    let early = job("tick-29454361");
    world
        .state
        .job_event(&Scope::CLUSTER, Event::Apply(early.clone()));
    world.state.job_event(&Scope::CLUSTER, Event::Delete(early));
    world.state.stand_by(at(58));
    world.state.take_over();
    assert!(world.ready(58).is_none());
    let Some(Task::Submit { decision, .. }) = world.ready(60) else {
        panic!("the run is not recorded")
    };
    assert_eq!(decision.start, None);
    assert_eq!(decision.status.last_schedule_time, Some(at(60)));
}

/// With `ttlSecondsAfterFinished: 0`, the Job of a short run may go before its start was recorded; then who recorded nothing
/// leads no more. Of an instant of the future, by the clock of another, nobody says that it has had its run.
#[test]
fn who_takes_over_repeats_no_run_whose_job_is_gone() {
    for was_leading in [true, false] {
        let mut world = World::new();
        if was_leading {
            assert_eq!(world.start(60).name, "tick-29454361");
            world.state.step_down();
        }
        world.state.stand_by(at(61));
        for gone in ["tick-29454361", "tick-29454363"] {
            world.state.job_event(&Scope::CLUSTER, Event::Apply(job(gone)));
            world.state.job_event(&Scope::CLUSTER, Event::Delete(job(gone)));
        }
        world.state.stand_by(at(62));
        world.state.take_over();
        let Some(Task::Submit { decision, .. }) = world.ready(63) else {
            panic!("the run is not recorded")
        };
        assert_eq!(decision.start, None);
        assert_eq!(decision.status.last_schedule_time, Some(at(60)));
        world.version += 1;
        let written = world.cronjob(&json!({ "lastScheduleTime": "2026-01-01T10:01:00Z" }));
        let carried = Carried {
            cronjob: Some(written),
            ..Carried::default()
        };
        world.carried(carried, 63);
        assert_eq!(world.start(180).name, "tick-29454363");
    }
}
