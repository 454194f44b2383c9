//! What is told, and what is not told again.

use super::*;

#[test]
fn what_is_said_again_is_not_told_again() {
    let mut world = World::new();
    world.version = 2;
    let suspended = |world: &World| {
        let mut object = world.cronjob(&json!({}));
        object.spec.suspend = Some(true);
        Event::Apply(object)
    };
    for (second, told) in [(10, vec![Note::Suspended]), (11, vec![])] {
        world.state.cronjob_event(&Scope::CLUSTER, suspended(&world));
        let (_, news) = world.state.ready(at(second));
        assert_eq!(news.into_iter().map(|news| news.note).collect::<Vec<_>>(), told);
    }
}

/// A Job that has the name of a run and that somebody else created, while we are in charge.
#[test]
fn a_second_controller_is_told_of_once_an_hour() {
    let mut world = World::new();
    world.ready(1);
    for (minute, name, manager, told) in [
        (0, "tick-manual-x7", "kubectl-create", vec![]),
        (0, "tick-29454361", "punctual", vec![]),
        (
            1,
            "tick-29454362",
            "kube-controller-manager",
            vec!["OtherController"],
        ),
        (2, "tick-29454363", "kube-controller-manager", vec![]),
        (
            61,
            "tick-29454422",
            "kube-controller-manager",
            vec!["OtherController"],
        ),
    ] {
        let job = job_created_by(manager, name);
        world.state.job_event(&Scope::CLUSTER, Event::Apply(job.clone()));
        // Its later changes are no news.
        world.state.job_event(&Scope::CLUSTER, Event::Apply(job));
        let (_, news) = world.state.ready(at(minute * 60 + 1));
        let rivals = news.iter().map(|news| news.note.reason());
        let rivals: Vec<_> = rivals.filter(|reason| *reason == "OtherController").collect();
        assert_eq!(rivals, told, "minute {minute}: {name} by {manager}");
    }
}

#[test]
fn jobs_of_the_time_before_us_are_no_sign_of_a_second_controller() {
    let mut world = World::new();
    world.state.job_event(&Scope::CLUSTER, Event::Init);
    let job = job_created_by("kube-controller-manager", "tick-29454361");
    world.state.job_event(&Scope::CLUSTER, Event::InitApply(job));
    world.state.job_event(&Scope::CLUSTER, Event::InitDone);
    let (_, news) = world.state.ready(at(1));
    assert!(
        news.iter().all(|news| news.note.reason() != "OtherController"),
        "{news:?}"
    );
}

/// The Job watch is ahead of the CronJob watch.
#[test]
fn a_second_controller_is_told_of_when_its_job_is_seen_before_the_cronjob() {
    let told = |generation: i64, synced: bool| {
        let mut world = World {
            state: empty(),
            version: 1,
        };
        let listed = |state: &mut State| {
            state.cronjob_event(&Scope::CLUSTER, Event::Init);
            state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
            state.job_event(&Scope::CLUSTER, Event::InitDone);
        };
        if synced {
            listed(&mut world.state);
        }
        let job = job_created_by("kube-controller-manager", "tick-29454361");
        world.state.job_event(&Scope::CLUSTER, Event::Apply(job));
        if !synced {
            listed(&mut world.state);
        }
        let mut object = world.cronjob(&json!({}));
        object.metadata.generation = Some(generation);
        // What it shows later is no news.
        for _ in 0..2 {
            world
                .state
                .cronjob_event(&Scope::CLUSTER, Event::Apply(object.clone()));
        }
        let (_, news) = world.state.ready(at(1));
        let reasons = news.iter().map(|news| news.note.reason());
        reasons.filter(|reason| *reason == "OtherController").count()
    };
    assert_eq!(told(1, true), 1, "a new CronJob");
    assert_eq!(told(2, true), 0, "it may have been handed over");
    assert_eq!(told(1, false), 0, "the Job may be of the time before us");
}
