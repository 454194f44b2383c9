//! The state machine, moved by hand.

use std::sync::Arc;

use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::charge::{Charge, Scope};
use super::state::{State, Task};
use crate::cronjob::JobRef;
use crate::manifest::CronJob;
use crate::policy::Note;
use crate::schedule::{TimeZones, Timestamp};
use crate::submit::{Carried, JobView, Retry, Trouble};

/// One CronJob, `default/tick`, due at every full minute.
struct World {
    state: State,
    version: u64,
}

impl World {
    /// A world in which both watches have listed everything: the CronJob, created at 10:00:00, and no Jobs.
    fn new() -> World {
        let mut world = World {
            state: State::new(Arc::new(TimeZones::built_in()), &Charge::default()),
            version: 1,
        };
        world.state.cronjob_event(&Scope::CLUSTER, Event::Init);
        world.watch_cronjob(&json!({}));
        world.state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
        world.state.job_event(&Scope::CLUSTER, Event::InitDone);
        world
    }

    fn cronjob(&self, status: &Value) -> CronJob {
        let object = json!({
            "metadata": {
                "name": "tick", "namespace": "default", "uid": "tick-uid",
                "resourceVersion": self.version.to_string(), "creationTimestamp": "2026-01-01T10:00:00Z",
            },
            "spec": { "schedule": "* * * * *", "jobTemplate": {} },
            "status": status,
        });
        serde_json::from_str(&object.to_string()).expect("a CronJob")
    }

    fn watch_cronjob(&mut self, status: &Value) {
        let object = self.cronjob(status);
        self.state.cronjob_event(&Scope::CLUSTER, Event::Apply(object));
    }

    /// Decides at the given second after 10:00, and returns the only task, if there is one.
    fn ready(&mut self, second: i64) -> Option<Task> {
        let (mut tasks, _) = self.state.ready(at(second));
        assert!(tasks.len() < 2, "one CronJob, one task");
        tasks.pop()
    }

    /// The start that was decided at the given second went through; the status was written as the next version.
    fn start_goes_through(&mut self, second: i64) {
        let Some(Task::Submit { key, decision, .. }) = self.ready(second) else {
            panic!("no start")
        };
        let start = decision.start.expect("a start");
        self.version += 1;
        let active = json!([{ "name": start.name, "uid": format!("uid of {}", start.name) }]);
        let status = json!({ "active": active, "lastScheduleTime": start.scheduled.to_rfc3339() });
        let carried = Carried {
            cronjob: Some(self.cronjob(&status)),
            job: Some(job(&start.name)),
            ..Carried::default()
        };
        self.state.carried(&key, carried, at(second));
    }
}

#[test]
fn nothing_is_decided_before_both_watches_have_listed_everything() {
    let mut state = World {
        state: State::new(Arc::new(TimeZones::built_in()), &Charge::default()),
        version: 1,
    };
    state.watch_cronjob(&json!({}));
    state.state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
    assert!(state.ready(120).is_none(), "the Jobs are not known yet");
    state.state.job_event(&Scope::CLUSTER, Event::InitDone);
    assert!(matches!(state.ready(120), Some(Task::Submit { .. })));
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
fn one_task_at_a_time() {
    let mut world = World::new();
    assert!(world.ready(60).is_some());
    world.watch_cronjob(&json!({}));
    assert!(world.ready(61).is_none(), "the first task is still under way");
}

#[test]
fn a_watch_that_lags_behind_our_own_write_starts_nothing_twice() {
    let mut world = World::new();
    world.start_goes_through(60);
    // The watch shows the CronJob as it was before, twice; then our own write.
    world.version -= 1;
    world.watch_cronjob(&json!({}));
    assert!(world.ready(61).is_none());
    world.version += 1;
    world.watch_cronjob(&json!({
        "active": [{ "name": "tick-29454361", "uid": "uid of tick-29454361" }],
        "lastScheduleTime": "2026-01-01T10:01:00Z",
    }));
    assert!(world.ready(62).is_none());
    assert_eq!(world.state.next_wake(), Some(at(120)));
}

#[test]
fn an_active_job_that_no_watch_shows_is_looked_up_before_it_is_missed() {
    let mut world = World::new();
    world.version = 2;
    world.watch_cronjob(&json!({
        "active": [{ "name": "gone", "uid": "gone-uid" }], "lastScheduleTime": "2026-01-01T10:01:00Z",
    }));
    let Some(Task::LookUp { key, jobs }) = world.ready(70) else {
        panic!("no look-up")
    };
    assert_eq!(names(&jobs), ["gone"]);
    world.state.looked_up(&key, &jobs, Some(vec![]), at(70));
    let (tasks, news) = world.state.ready(at(71));
    assert_eq!(
        news.iter().map(|news| news.note.reason()).collect::<Vec<_>>(),
        ["MissingJob"]
    );
    let [Task::Submit { decision, .. }] = &tasks[..] else {
        panic!("the status is not written")
    };
    assert_eq!(decision.status.active, []);
}

#[test]
fn an_active_job_that_is_found_stays_active() {
    let mut world = World::new();
    world.version = 2;
    world.watch_cronjob(&json!({
        "active": [{ "name": "slow", "uid": "uid of slow" }], "lastScheduleTime": "2026-01-01T10:01:00Z",
    }));
    let Some(Task::LookUp { key, jobs }) = world.ready(70) else {
        panic!("no look-up")
    };
    world
        .state
        .looked_up(&key, &jobs, Some(vec![job("slow")]), at(70));
    assert!(world.ready(71).is_none());
}

/// The answer to our write and the event that shows it race; here the event comes first.
#[test]
fn an_edit_is_seen_although_the_watch_showed_our_write_before_its_answer() {
    let mut world = World::new();
    let Some(Task::Submit { key, decision, .. }) = world.ready(60) else {
        panic!("no start")
    };
    let start = decision.start.expect("a start");
    let status = json!({
        "active": [{ "name": start.name, "uid": format!("uid of {}", start.name) }],
        "lastScheduleTime": start.scheduled.to_rfc3339(),
    });
    world.version += 1;
    world.watch_cronjob(&status);
    let carried = Carried {
        cronjob: Some(world.cronjob(&status)),
        job: Some(job(&start.name)),
        ..Carried::default()
    };
    world.state.carried(&key, carried, at(60));
    world.version += 1;
    let mut suspended = world.cronjob(&status);
    suspended.spec.suspend = Some(true);
    world
        .state
        .cronjob_event(&Scope::CLUSTER, Event::Apply(suspended));
    assert!(world.ready(120).is_none(), "a suspended CronJob starts nothing");
}

/// A new listing may skip the version that our write made: somebody changed the CronJob right after.
#[test]
fn an_edit_is_seen_although_the_watch_never_shows_our_write() {
    let mut world = World::new();
    world.start_goes_through(60);
    world.version += 1;
    let mut suspended = world.cronjob(&json!({
        "active": [{ "name": "tick-29454361", "uid": "uid of tick-29454361" }],
        "lastScheduleTime": "2026-01-01T10:01:00Z",
    }));
    suspended.spec.suspend = Some(true);
    world.state.cronjob_event(&Scope::CLUSTER, Event::Init);
    world
        .state
        .cronjob_event(&Scope::CLUSTER, Event::InitApply(suspended));
    world.state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
    assert!(world.ready(120).is_none(), "a suspended CronJob starts nothing");
}

/// A short run is over before the answers to its create and to the status write have been taken in.
#[test]
fn a_run_that_ended_while_its_start_was_under_way_is_not_active_again() {
    let mut world = World::new();
    let Some(Task::Submit { key, decision, .. }) = world.ready(60) else {
        panic!("no start")
    };
    let start = decision.start.expect("a start");
    let finished = json!({ "conditions": [{ "type": "Complete", "status": "True" }] });
    world
        .state
        .job_event(&Scope::CLUSTER, Event::Apply(job_with(&start.name, 9, &finished)));
    let status = json!({
        "active": [{ "name": start.name, "uid": format!("uid of {}", start.name) }],
        "lastScheduleTime": start.scheduled.to_rfc3339(),
    });
    world.version += 1;
    let carried = Carried {
        cronjob: Some(world.cronjob(&status)),
        job: Some(job(&start.name)),
        ..Carried::default()
    };
    world.state.carried(&key, carried, at(60));
    let Some(Task::Submit { decision, .. }) = world.ready(61) else {
        panic!("the end of the run is not recorded")
    };
    assert_eq!(decision.status.active, []);
}

/// Deleted by somebody else, or by its own time to live, before the answers have been taken in.
#[test]
fn a_run_that_was_deleted_while_its_start_was_under_way_is_not_active_for_ever() {
    let mut world = World::new();
    let Some(Task::Submit { key, decision, .. }) = world.ready(60) else {
        panic!("no start")
    };
    let start = decision.start.expect("a start");
    world
        .state
        .job_event(&Scope::CLUSTER, Event::Apply(job(&start.name)));
    world
        .state
        .job_event(&Scope::CLUSTER, Event::Delete(job(&start.name)));
    let status = json!({
        "active": [{ "name": start.name, "uid": format!("uid of {}", start.name) }],
        "lastScheduleTime": start.scheduled.to_rfc3339(),
    });
    world.version += 1;
    let carried = Carried {
        cronjob: Some(world.cronjob(&status)),
        job: Some(job(&start.name)),
        ..Carried::default()
    };
    world.state.carried(&key, carried, at(60));
    let Some(Task::Submit { decision, .. }) = world.ready(61) else {
        panic!("the loss of the run is not recorded")
    };
    assert_eq!(decision.status.active, []);
}

#[test]
fn an_active_job_that_is_not_ours_any_more_is_looked_up_once() {
    let mut world = World::new();
    world.version = 2;
    world.watch_cronjob(&json!({
        "active": [{ "name": "freed", "uid": "uid of freed" }], "lastScheduleTime": "2026-01-01T10:01:00Z",
    }));
    let Some(Task::LookUp { key, jobs }) = world.ready(70) else {
        panic!("no look-up")
    };
    let freed = json!({ "metadata": { "name": "freed", "namespace": "default", "uid": "uid of freed" } });
    let freed: JobView = serde_json::from_value(freed).expect("a Job");
    world.state.looked_up(&key, &jobs, Some(vec![freed]), at(70));
    let Some(Task::Submit { decision, .. }) = world.ready(71) else {
        panic!("it is looked up over and over")
    };
    assert_eq!(decision.status.active, []);
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
fn a_pause_is_short_again_after_a_decision_that_found_nothing_to_do() {
    let mut world = World::new();
    let fail = |world: &mut World, second| {
        let Some(Task::Submit { key, .. }) = world.ready(second) else {
            panic!("not tried at {second}")
        };
        let carried = Carried {
            trouble: Some(Trouble::passing("quota")),
            ..Carried::default()
        };
        world.state.carried(&key, carried, at(second));
    };
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
fn a_failure_is_tried_again_after_a_pause_that_grows() {
    let mut world = World::new();
    let mut second = 60;
    for pause in [1, 1, 1] {
        let Some(Task::Submit { key, .. }) = world.ready(second) else {
            panic!("not tried at {second}")
        };
        let carried = Carried {
            trouble: Some(Trouble::passing("quota")),
            ..Carried::default()
        };
        world.state.carried(&key, carried, at(second));
        assert!(world.ready(second).is_none(), "not at once");
        second += pause;
    }
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

#[test]
fn a_server_that_asks_for_patience_is_left_alone_until_the_owner_changes_something() {
    for edited in [false, true] {
        let mut world = World::new();
        let Some(Task::Submit { key, .. }) = world.ready(60) else {
            panic!("no start")
        };
        let carried = Carried {
            trouble: Some(Trouble {
                message: "busy".into(),
                retry: Retry::After(std::time::Duration::from_secs(20)),
            }),
            ..Carried::default()
        };
        world.state.carried(&key, carried, at(60));
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

fn job_created_by(manager: &str, name: &str) -> JobView {
    let mut object = job_object(name, 1, &json!({}));
    object["metadata"]["managedFields"] = json!([{ "manager": manager, "time": "2026-01-01T10:00:00Z" }]);
    serde_json::from_value(object).expect("a Job")
}

fn job(name: &str) -> JobView {
    job_with(name, 1, &json!({}))
}

fn job_with(name: &str, version: u64, status: &Value) -> JobView {
    serde_json::from_value(job_object(name, version, status)).expect("a Job")
}

fn job_object(name: &str, version: u64, status: &Value) -> Value {
    json!({
        "status": status,
        "metadata": {
            "name": name, "namespace": "default", "uid": format!("uid of {name}"),
            "resourceVersion": version.to_string(),
            "ownerReferences": [
                { "apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": "tick-uid", "controller": true },
            ],
        },
    })
}

fn names(jobs: &[JobRef]) -> Vec<&str> {
    jobs.iter().map(|job| job.name.as_str()).collect()
}

fn at(second: i64) -> Timestamp {
    let ten: Timestamp = "2026-01-01T10:00:00Z".parse().expect("an instant");
    ten + chrono::TimeDelta::seconds(second)
}
