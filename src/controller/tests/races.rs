//! Our own writes, their answers and the watch arrive in any order.

use super::*;

impl World {
    /// A world whose CronJob has an active Job that no watch shows, and the Jobs that are looked up at 10:01:10.
    fn that_misses(job: &str) -> (World, Vec<JobRef>) {
        let mut world = World::new();
        world.version = 2;
        world.watch_cronjob(&json!({
            "active": [{ "name": job, "uid": format!("uid of {job}") }], "lastScheduleTime": "2026-01-01T10:01:00Z",
        }));
        let Some(Task::LookUp { jobs, .. }) = world.ready(70) else {
            panic!("no look-up")
        };
        (world, jobs)
    }

    /// At 10:01:10 the Jobs `asked` were looked up, and those of `found` exist.
    fn looked_up(&mut self, asked: Vec<JobRef>, found: Vec<JobView>) {
        self.ended(Done::LookedUp { asked, found }, 70);
    }
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
    let (mut world, jobs) = World::that_misses("gone");
    assert_eq!(names(&jobs), ["gone"]);
    world.looked_up(jobs, vec![]);
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

/// All Jobs of a cluster may be deleted at once, and each of them would be a request. One that waits to lead learns of it, too.
#[test]
fn an_active_job_that_the_watch_shows_as_gone_is_not_looked_up() {
    type Way<'a> = &'a dyn Fn(&mut State, &str);
    let is_deleted = |state: &mut State, name: &str| {
        state.job_event(&Scope::CLUSTER, Event::Delete(job(name)));
    };
    let is_not_listed_again = |state: &mut State, _: &str| {
        state.job_event(&Scope::CLUSTER, Event::Init);
        state.job_event(&Scope::CLUSTER, Event::InitDone);
    };
    let is_deleted_while_another_leads = |state: &mut State, name: &str| {
        state.step_down();
        state.stand_by(at(70));
        is_deleted(state, name);
        state.stand_by(at(71));
        state.take_over();
    };
    let ways: [Way<'_>; 3] = [&is_deleted, &is_not_listed_again, &is_deleted_while_another_leads];
    for (number, goes) in ways.into_iter().enumerate() {
        let mut world = World::new();
        let start = world.start(60);
        world.version += 1;
        world.answered(&start, 60);
        assert!(world.ready(61).is_none());
        goes(&mut world.state, &start.name);
        let Some(Task::Submit { decision, .. }) = world.ready(72) else {
            panic!("way {number}: the loss of the run is not recorded")
        };
        assert_eq!(decision.status.active, []);
    }
}

#[test]
fn an_active_job_that_is_found_stays_active() {
    let (mut world, jobs) = World::that_misses("slow");
    world.looked_up(jobs, vec![job("slow")]);
    assert!(world.ready(71).is_none());
}

#[test]
fn an_active_job_that_is_not_ours_any_more_is_looked_up_once() {
    let (mut world, jobs) = World::that_misses("freed");
    let freed = json!({ "metadata": { "name": "freed", "namespace": "default", "uid": "uid of freed" } });
    let freed: JobView = serde_json::from_value(freed).expect("a Job");
    world.looked_up(jobs, vec![freed]);
    let Some(Task::Submit { decision, .. }) = world.ready(71) else {
        panic!("it is looked up over and over")
    };
    assert_eq!(decision.status.active, []);
}

/// What a Job says of its owner has no namespace: it means one in the Job's own.
#[test]
fn a_job_of_another_namespace_is_not_ours_whatever_it_says() {
    let mut world = World::new();
    let mut elsewhere = job_object("copy", 1, &json!({}));
    elsewhere["metadata"]["namespace"] = json!("elsewhere");
    let elsewhere: JobView = serde_json::from_value(elsewhere).expect("a Job");
    world.state.job_event(&Scope::CLUSTER, Event::Apply(elsewhere));
    let (tasks, news) = world.state.ready(at(1));
    assert!(tasks.is_empty() && news.is_empty(), "{news:?}");
}

/// The answer to our write and the event that shows it race; here the event comes first.
#[test]
fn an_edit_is_seen_although_the_watch_showed_our_write_before_its_answer() {
    let mut world = World::new();
    let start = world.start(60);
    world.version += 1;
    world.watch_cronjob(&recorded(&start));
    world.answered(&start, 60);
    world.version += 1;
    let mut suspended = world.cronjob(&recorded(&start));
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
    let start = world.start(60);
    let finished = json!({ "conditions": [{ "type": "Complete", "status": "True" }] });
    world
        .state
        .job_event(&Scope::CLUSTER, Event::Apply(job_with(&start.name, 9, &finished)));
    world.version += 1;
    world.answered(&start, 60);
    let Some(Task::Submit { decision, .. }) = world.ready(61) else {
        panic!("the end of the run is not recorded")
    };
    assert_eq!(decision.status.active, []);
}

/// Deleted by somebody else, or by its own time to live, before the answers have been taken in.
#[test]
fn a_run_that_was_deleted_while_its_start_was_under_way_is_not_active_for_ever() {
    let mut world = World::new();
    let start = world.start(60);
    world
        .state
        .job_event(&Scope::CLUSTER, Event::Apply(job(&start.name)));
    world
        .state
        .job_event(&Scope::CLUSTER, Event::Delete(job(&start.name)));
    world.version += 1;
    world.answered(&start, 60);
    let Some(Task::Submit { decision, .. }) = world.ready(61) else {
        panic!("the loss of the run is not recorded")
    };
    assert_eq!(decision.status.active, []);
}

/// A start may wait for its turn for a while, and its CronJob be suspended meanwhile.
#[tokio::test]
async fn a_start_that_was_overtaken_while_it_waited_is_not_sent() {
    let mut world = World::new();
    let Some(Task::Submit {
        object,
        decision,
        overtaken,
        ..
    }) = world.ready(60)
    else {
        panic!("no start")
    };
    assert!(decision.start.is_some() && !overtaken.is_set());
    let mut suspended = world.cronjob(&json!({}));
    suspended.metadata.resource_version = Some("2".into());
    suspended.spec.suspend = Some(true);
    world
        .state
        .cronjob_event(&Scope::CLUSTER, Event::Apply(suspended));
    let nobody = tower::service_fn(|request: http::Request<kube::client::Body>| async move {
        Err::<http::Response<kube::client::Body>, _>(format!("{} was sent", request.uri()))
    });
    let client = kube::Client::new(nobody, "default");
    let zones = Arc::new(TimeZones::built_in());
    let submitter = Submitter::new(client, SystemClock::shared(), zones);
    let carried = submitter.carry_out(&object, &decision, &overtaken, &|_| ()).await;
    assert!(carried.job.is_none() && carried.trouble.is_none());
    world.carried(*carried, 61);
    let next = world.ready(61);
    let starts = |task: &Task| matches!(task, Task::Submit { decision, .. } if decision.start.is_some());
    assert!(!next.as_ref().is_some_and(starts), "it is suspended: {next:?}");
}

/// What a run says may come before its start is recorded, and is not to be shown before the start.
#[tokio::test]
async fn a_start_is_told_before_it_is_recorded() {
    let mut world = World::new();
    let Some(Task::Submit {
        object,
        decision,
        overtaken,
        ..
    }) = world.ready(60)
    else {
        panic!("nothing to do")
    };
    let takes_jobs = tower::service_fn(|request: http::Request<kube::client::Body>| async move {
        if request.method() != http::Method::POST {
            // The status is never written.
            std::future::pending::<()>().await;
        }
        let job =
            json!({ "metadata": { "name": "tick-29454361", "namespace": "default", "uid": "job-uid" } });
        let body = kube::client::Body::from(job.to_string().into_bytes());
        Ok::<_, std::convert::Infallible>(http::Response::new(body))
    });
    let client = kube::Client::new(takes_jobs, "default");
    let submitter = Submitter::new(client, SystemClock::shared(), Arc::new(TimeZones::built_in()));
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let tell = move |notes: &[Note]| told.send(notes.to_vec()).expect("somebody hears");
    tokio::select! {
        _ = submitter.carry_out(&object, &decision, &overtaken, &tell) => panic!("it is recorded"),
        notes = hears.recv() => {
            let notes = notes.expect("notes");
            assert_eq!(notes.iter().map(Note::reason).collect::<Vec<_>>(), ["SuccessfulCreate"]);
        }
    }
}
