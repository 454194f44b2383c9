//! What is tried again, and when.

use super::*;
use crate::manifest::Adoption;

/// A decision is carried out, and the API server refuses it.
fn fail(world: &mut World, second: i64) {
    let task = world.ready(second);
    assert!(matches!(task, Some(Task::Submit { .. })), "not tried at {second}");
    let carried = Carried {
        trouble: Some(Trouble::passing("quota")),
        ..Carried::default()
    };
    world.carried(carried, second);
}

#[test]
fn a_failure_is_tried_again_after_a_pause_that_grows() {
    let mut world = World::new();
    let mut second = 60;
    for pause in [1, 1, 1] {
        fail(&mut world, second);
        assert!(world.ready(second).is_none(), "not at once");
        second += pause;
    }
}

/// A few that nobody lets start would drown among the others: no run of theirs fails, and none is missed without a deadline.
#[test]
fn what_is_refused_for_long_is_told_until_it_starts_or_nothing_is_due() {
    for goes_through in [true, false] {
        let mut world = World::new();
        let mut refused_from = None;
        for second in 60..900 {
            if let Some(task) = world.ready(second) {
                assert!(matches!(task, Task::Submit { .. }));
                let carried = Carried {
                    trouble: Some(Trouble::passing("quota")),
                    ..Carried::default()
                };
                world.carried(carried, second);
            }
            match is_refused(&mut world) {
                Some(true) => {
                    refused_from.get_or_insert(second);
                }
                Some(false) => assert_eq!(refused_from, None, "it still is at {second}"),
                None => {}
            }
        }
        let from = refused_from.expect("it is told");
        assert!(
            (660..=700).contains(&from),
            "ten minutes and a pause later: {from}"
        );
        world.version += 1;
        if goes_through {
            let second = (900..1_000).find_map(|second| {
                let task = world.ready(second)?;
                let Task::Submit { decision, .. } = task else {
                    return None;
                };
                world.answered(&decision.start.expect("a start"), second);
                Some(second)
            });
            assert!(world.ready(second.expect("tried again")).is_none());
        } else {
            let mut object = world.cronjob(&json!({}));
            object.spec.suspend = Some(true);
            world.state.cronjob_event(&Scope::CLUSTER, Event::Apply(object));
            let _nothing = world.ready(900);
        }
        assert_eq!(
            is_refused(&mut world),
            Some(false),
            "goes through: {goes_through}"
        );
    }
}

/// Its CronJobs go with it.
#[test]
fn what_is_refused_in_a_namespace_that_is_being_deleted_is_no_news() {
    let mut world = World::new();
    for second in 60..3_600 {
        if world.ready(second).is_some() {
            let trouble = Trouble {
                message: "it is being terminated".into(),
                retry: Retry::Seldom,
            };
            let carried = Carried {
                trouble: Some(trouble),
                ..Carried::default()
            };
            world.carried(carried, second);
        }
        assert_ne!(is_refused(&mut world), Some(true));
    }
}

/// What is told since the last call.
fn is_refused(world: &mut World) -> Option<bool> {
    let mut told = world.state.take_wellbeing();
    let (_, wellbeing) = told.pop_first()?;
    Some(wellbeing?.refused)
}

#[test]
fn a_pause_is_short_again_after_a_decision_that_found_nothing_to_do() {
    let mut world = World::new();
    for second in [60, 61, 62, 63] {
        fail(&mut world, second);
    }
    // Somebody wrote down that the run was started: there is nothing left to try.
    world.version += 1;
    world.watch_cronjob(&json!({ "lastScheduleTime": "2026-01-01T10:01:00Z" }));
    assert!(world.ready(65).is_none());
    fail(&mut world, 120);
    let pause = world.state.next_wake().map(|wake| wake - at(120));
    assert!(pause < Some(chrono::TimeDelta::milliseconds(130)), "{pause:?}");
}

#[test]
fn a_server_that_asks_for_patience_is_left_alone_until_the_owner_changes_something() {
    for edited in [false, true] {
        let mut world = World::new();
        let task = world.ready(60);
        assert!(matches!(task, Some(Task::Submit { .. })), "no start");
        let carried = Carried {
            trouble: Some(Trouble {
                message: "busy".into(),
                retry: Retry::After(std::time::Duration::from_secs(20)),
            }),
            ..Carried::default()
        };
        world.carried(carried, 60);
        world.version += 1;
        let mut object = world.cronjob(&json!({}));
        object.metadata.generation = edited.then_some(2);
        world.state.cronjob_event(&Scope::CLUSTER, Event::Apply(object));
        let tried = (61..200).find(|second| world.ready(*second).is_some());
        let tried = tried.expect("tried again");
        assert!(
            if edited { tried == 61 } else { tried >= 80 },
            "edited {edited}: {tried}"
        );
    }
}

/// The pods of a run that may have waited too long can't be listed: what is due starts all the same, and they are asked for again.
#[test]
fn nothing_that_is_due_waits_for_a_look_at_pods() {
    let mut world = World::new();
    let carried = |world: &mut World, start: &Start, active: &[&str]| {
        world.version += 1;
        let active: Vec<Value> = active
            .iter()
            .map(|name| json!({ "name": name, "uid": format!("uid of {name}") }))
            .collect();
        let mut object = world.cronjob(&json!({
            "active": active, "lastScheduleTime": start.scheduled.to_rfc3339(),
        }));
        let annotation = ("punctual.dev/pending-deadline".into(), "30s".into());
        object.metadata.annotations = Some([annotation].into());
        Carried {
            cronjob: Some(object),
            job: Some(job_with(
                &start.name,
                1,
                &json!({ "startTime": start.scheduled.to_rfc3339() }),
            )),
            ..Carried::default()
        }
    };
    let first = world.start(60);
    let done = carried(&mut world, &first, &[&first.name]);
    let job = done.job.clone().expect("the Job");
    world.carried(done, 60);
    world.state.job_event(&Scope::CLUSTER, Event::Apply(job));
    assert!(world.ready(60).is_none());
    assert!(matches!(world.ready(90), Some(Task::LookAt { .. })));
    world.ended(Done::NotAsked(Retry::Backoff), 90);
    let second = world.start(120);
    let done = carried(&mut world, &second, &[&first.name, &second.name]);
    world.carried(done, 120);
    assert!(matches!(world.ready(120), Some(Task::LookAt { .. })));
}

/// A fault of ours in the rules, which comes to light with one CronJob: it is told once, tried again, and others run.
#[test]
fn a_rule_that_breaks_down_on_one_cronjob_stops_no_other() {
    let mut world = World::new();
    world.state.rules = |situation, group, now| {
        assert!(
            situation.cronjob.key.name != "tick" || now >= at(100),
            "on purpose"
        );
        decide_in_group(situation, group, now)
    };
    let mut other = world.cronjob(&json!({}));
    other.metadata.name = Some("tock".into());
    other.metadata.uid = Some("another uid".into());
    world.state.cronjob_event(&Scope::CLUSTER, Event::Apply(other));
    let mut told = vec![];
    let mut started = vec![];
    for second in 0..140 {
        let (tasks, news) = world.state.ready(at(second));
        told.extend(
            news.into_iter()
                .map(|news| (second, news.cronjob.name, news.note)),
        );
        started.extend(tasks.iter().map(|task| (second, task.key().name.clone())));
    }
    let error = "on purpose".into();
    assert_eq!(told, [(0, "tick".into(), Note::Fault { error })]);
    assert_eq!(started[0], (60, "tock".into()));
    let (second, name) = &started[1];
    assert!((100..140).contains(second) && name == "tick", "{started:?}");
    let mut wellbeing = world.state.take_wellbeing();
    let (_, tick) = wellbeing.pop_first().expect("it is told how they are");
    assert!(!tick.expect("it is there").held, "no more");
}

/// A fault of ours in reading what was asked, which comes to light with one calendar: each CronJob that names it is not run and
/// told so once, until the calendar is mended.
#[test]
fn a_cronjob_that_a_fault_keeps_from_being_understood_is_told_once_and_tried_again_with_another_calendar() {
    let mut world = World::new();
    world.state.cache.lower = |object, zones, calendars, known| {
        assert!(calendars.keys().count() < 2, "on purpose");
        manifest::lower_with(object, zones, calendars, known)
    };
    let mut told = vec![];
    let mut ready = |world: &mut World, second| {
        let (tasks, news) = world.state.ready(at(second));
        told.extend(news.into_iter().map(|news| (second, news.note)));
        tasks.len()
    };
    let calendar = |name: &str| {
        let object =
            json!({ "metadata": { "name": name, "namespace": "default" }, "data": { "days": "2026-12-25" } });
        serde_json::from_value(object).expect("a calendar")
    };
    let show = |world: &mut World, event| world.state.calendar_event(&Scope::CLUSTER, event);
    show(&mut world, Event::InitApply(calendar("holidays")));
    show(&mut world, Event::InitDone);
    world.version += 1;
    let mut named = world.cronjob(&json!({}));
    named.metadata.annotations = Some([("punctual.dev/exclude".into(), "holidays".into())].into());
    world
        .state
        .cronjob_event(&Scope::CLUSTER, Event::Apply(named.clone()));
    assert_eq!(ready(&mut world, 1), 0);
    show(&mut world, Event::Apply(calendar("freeze")));
    assert_eq!(ready(&mut world, 2), 0);
    let wellbeing = |world: &mut World| world.state.take_wellbeing().pop_first().and_then(|(_, of)| of);
    assert!(wellbeing(&mut world).expect("it is there").held);
    // Whatever shows it again, it is no news.
    show(&mut world, Event::Apply(calendar("freeze")));
    world.state.cronjob_event(&Scope::CLUSTER, Event::Apply(named));
    assert_eq!(ready(&mut world, 60), 0, "it is not run");
    show(&mut world, Event::Delete(calendar("freeze")));
    assert_eq!(ready(&mut world, 61), 1, "it is caught up");
    assert!(!wellbeing(&mut world).expect("it is there").held);
    let error = "on purpose".into();
    let note = Note::NotUnderstood { error };
    assert!(
        note.to_string().contains("when it or a calendar has changed"),
        "{note}"
    );
    assert_eq!(told, [(2, note)]);
    show(&mut world, Event::Apply(calendar("freeze")));
    let gone = world.cronjob(&json!({}));
    world.state.cronjob_event(&Scope::CLUSTER, Event::Delete(gone));
    let (_, gone) = world.state.take_wellbeing().pop_first().expect("it is told");
    assert!(gone.is_none());
}

/// One that can't be read counts as held until it is gone, however often it is listed, and is told once.
#[test]
fn a_cronjob_that_cannot_be_read_is_held_until_it_is_gone() {
    let mut world = World::new();
    let metadata = world.cronjob(&json!({})).metadata;
    let held = |world: &mut World| {
        let wellbeing = world.state.take_wellbeing().pop_first();
        wellbeing.map(|(_, of)| of.is_some_and(|of| of.held))
    };
    let show = |world: &mut World| {
        world
            .state
            .malformed_cronjob(&Scope::CLUSTER, &metadata, "spec: no schedule");
    };
    show(&mut world);
    assert_eq!(held(&mut world), Some(true));
    assert_eq!(world.state.ready(at(1)).1.len(), 1);
    for second in [2, 3] {
        world.state.cronjob_event(&Scope::CLUSTER, Event::Init);
        show(&mut world);
        world.state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
        assert_eq!(held(&mut world), Some(true));
        assert!(world.state.ready(at(second)).1.is_empty(), "it is no news");
    }
    world.state.cronjob_gone(&metadata);
    assert_eq!(held(&mut world), Some(false));
}

/// The built-in controller's is told by nobody here, and counts nowhere. It may be handed over, and back.
#[test]
fn a_cronjob_of_somebody_else_that_cannot_be_read_is_none_of_ours() {
    let charge = Charge {
        adoption: Adoption::OptedIn,
        ..Charge::default()
    };
    let mut state = State::new(Arc::new(TimeZones::built_in()), &charge);
    for event in [Event::Init, Event::InitDone] {
        state.cronjob_event(&Scope::CLUSTER, event);
    }
    state.job_event(&Scope::CLUSTER, Event::InitDone);
    let mut metadata = World::new().cronjob(&json!({})).metadata;
    let mut shown = |managed: &str| {
        metadata.annotations = Some([("punctual.dev/managed".into(), managed.into())].into());
        state.malformed_cronjob(&Scope::CLUSTER, &metadata, "spec: no schedule");
        let held = state.take_wellbeing().into_values().flatten();
        (held.filter(|of| of.held).count(), state.ready(at(1)).1.len())
    };
    assert_eq!(shown("false"), (0, 0));
    assert_eq!(shown("true"), (1, 1));
    assert_eq!(shown("false"), (0, 0));
}
