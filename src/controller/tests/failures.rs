//! What is tried again, and when.

use super::*;

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
