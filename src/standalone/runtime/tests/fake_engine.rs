//! What takes long, with an engine that runs nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Container, ContainerStateTerminated, ContainerStatus};
use tokio::time::Instant;

use super::super::containers::ContainerError;
use super::super::engine::{Attempt, Control, Ended, Engine, Found, Setup, Started};
use super::super::machine::STARTS_AT_ONCE;
use super::super::pod::status::Model;
use super::super::process::Exit;
use super::super::start_error::StartError;
use super::*;
use crate::clock::Clock as _;
use crate::standalone::instants::to_time;
use crate::standalone::runtime::process::fitness::Unfit;

/// An engine that runs nothing, and is as slow as it is told to be.
#[derive(Debug)]
struct FakeEngine {
    begun: Instant,
    /// For how many tries its registry is away.
    away: usize,
    /// How many attempts fail; every other of them does not even start.
    fail: u32,
    /// How far its clock is behind.
    lag: TimeDelta,
    /// Whether it does not say of the next start that it went well.
    is_silent: AtomicBool,
    /// Whether it does not come to an end with what it is to discard.
    is_stuck: bool,
    /// Whether it does not come to an end with a start, and how many it has begun.
    hangs: bool,
    begun_starts: watch::Sender<usize>,
    /// After how many seconds its registry was asked.
    asked: Mutex<Vec<u64>>,
    discarded: Mutex<Vec<u32>>,
}

impl FakeEngine {
    /// One that is quick, and with which all goes well.
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            away: 0,
            fail: 0,
            lag: TimeDelta::zero(),
            is_silent: false.into(),
            is_stuck: false,
            hangs: false,
            begun_starts: watch::Sender::new(0),
            asked: Mutex::default(),
            discarded: Mutex::default(),
        }
    }

    fn started(&self, attempt: &Attempt) -> Started {
        let (code, now) = (
            i32::from(attempt.number < self.fail),
            SystemClock.now() - self.lag,
        );
        let exit = Exit { code, signal: None };
        Started {
            id: format!("fake://{}", attempt.number),
            pid: 0,
            since: now,
            writes: watch::channel(0).1,
            trouble: watch::channel(None).1,
            end: std::future::ready(Ended::of(exit, false, now)).boxed(),
            control: Arc::new(Deaf),
        }
    }
}

/// What hears no order.
struct Deaf;

impl Control for Deaf {
    fn obey(&self, _order: Order) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }
}

impl Engine for FakeEngine {
    fn check(&self, _pod: &Pod) -> Result<(), Unfit> {
        Ok(())
    }

    fn caveat(&self, _container: &Container) -> Option<(&'static str, String)> {
        None
    }

    fn caveat_of_pod(&self, _pod: &Pod) -> Option<(&'static str, String)> {
        None
    }

    fn fetch<'a>(&'a self, container: &'a Container) -> BoxFuture<'a, Result<(), StartError>> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(self.begun.elapsed().as_secs());
        let fetched = if asked.len() > self.away {
            Ok(())
        } else {
            Err(StartError::from(ContainerError::Pull {
                image: container.image.clone().unwrap_or_default(),
                source: bollard::errors::Error::RequestTimeoutError,
            }))
        };
        std::future::ready(fetched).boxed()
    }

    fn find<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Found, StartError>> {
        let found = if attempt.log.exists() {
            Found::Started(self.started(attempt))
        } else {
            Found::Never
        };
        std::future::ready(Ok(found)).boxed()
    }

    fn start<'a>(
        &'a self,
        attempt: &'a Attempt,
        _setup: Setup,
    ) -> BoxFuture<'a, Result<Started, StartError>> {
        self.begun_starts.send_modify(|begun| *begun += 1);
        if self.hangs {
            return std::future::pending().boxed();
        }
        std::fs::create_dir_all(attempt.log.parent().unwrap()).unwrap();
        std::fs::write(&attempt.log, "2026-11-24T16:00:00Z stdout F at work\n").unwrap();
        let started = if self.is_silent.swap(false, Ordering::Relaxed) {
            let source = ContainerError::Engine {
                asked: "start the container",
                source: bollard::errors::Error::RequestTimeoutError,
            };
            let source = source.into();
            Err(ContainerError::Unseen { source }.into())
        } else if attempt.number < self.fail && attempt.number % 2 == 1 {
            Err(StartError::NoProgram)
        } else {
            Ok(self.started(attempt))
        };
        std::future::ready(started).boxed()
    }

    fn discard<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, ()> {
        self.discarded.lock().unwrap().push(attempt.number);
        if self.is_stuck {
            std::future::pending().boxed()
        } else {
            std::future::ready(()).boxed()
        }
    }

    fn forget<'a>(&'a self, _pod: &'a Pod) -> BoxFuture<'a, ()> {
        std::future::ready(()).boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_away_is_asked_at_longer_and_longer_intervals() {
    let engine = Arc::new(FakeEngine {
        away: 7,
        ..FakeEngine::new()
    });
    let mut lived = live_by(engine.clone(), &script("true"), "Never", options());
    lived.events.close();
    let mut told = Vec::new();
    while let Some((_, change)) = lived.news.recv().await {
        let what = match change {
            Change::Waiting { reason, message } => format!("{reason}: {message}"),
            Change::Ended(ended) => format!("ended with {}", ended.exit_code),
            Change::Done => "done".to_owned(),
            Change::Running { .. } => "runs".to_owned(),
            other @ Change::Unseen { .. } => format!("{other:?}"),
        };
        told.push(format!("{} s: {what}", engine.begun.elapsed().as_secs()));
    }
    told.push(format!("asked after {:?} s", engine.asked.lock().unwrap()));
    insta::assert_snapshot!(told.join("\n"), @r#"
    0 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    5 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    10 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    15 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    30 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    35 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    70 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    75 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    150 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    155 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    310 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    315 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    610 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    615 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    910 s: runs
    910 s: ended with 0
    910 s: done
    asked after [0, 10, 30, 70, 150, 310, 610, 910] s
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_order_is_not_held_up_by_an_image() {
    let engine = FakeEngine {
        away: usize::MAX,
        ..FakeEngine::new()
    };
    stops_at_once(engine).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_is_not_held_up_by_what_is_forgotten() {
    let engine = FakeEngine {
        fail: u32::MAX,
        is_stuck: true,
        ..FakeEngine::new()
    };
    stops_at_once(engine).await;
}

/// Orders a stop when a container has come to what it does not get past.
async fn stops_at_once(engine: FakeEngine) {
    let lived = live_by(Arc::new(engine), &script("true"), "Always", options());
    tokio::time::sleep(Duration::from_mins(10)).await;
    let begun = Instant::now();
    lived.orders.send_replace(Order::Stop { grace: PATIENCE });
    let changes = lived.changes().await;
    assert_eq!(changes.last(), Some(&Change::Done));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_found_out_about_later_is_told_all_the_same() {
    let engine = FakeEngine {
        is_silent: true.into(),
        ..FakeEngine::new()
    };
    let lived = live_by(Arc::new(engine), &script("true"), "Never", options());
    insta::assert_snapshot!(lived.story().await, @"
    ContainerStatusUnknown: the container may run, and nobody can tell; it is left alone, and looked for again: the container engine could not start the container: Timeout error
    started
      at work
    ended with 0
    ");
}

#[tokio::test(start_paused = true)]
async fn of_a_container_that_fails_for_ever_the_last_two_starts_are_kept() {
    let engine = Arc::new(FakeEngine {
        fail: 6,
        ..FakeEngine::new()
    });
    let options = options();
    let data = options.data.clone();
    let pod = data.pod("u-1");
    let lived = live_by(engine.clone(), &script("true"), "OnFailure", options);
    let Lived { mut news, .. } = lived;
    while news.recv().await.is_some() {}
    assert_eq!(*engine.discarded.lock().unwrap(), [0, 1, 2, 3, 4]);
    let mut logs: Vec<_> = pod.logs().collect();
    logs.sort();
    assert_eq!(logs, [pod.log("main", 5), pod.log("main", 6)]);
}

/// An API whose pod has this status, whatever is written: there is no room for more.
fn client_of(pod: &Pod) -> kube::Client {
    let pod = serde_json::to_vec(pod).unwrap();
    let answer = move |_request: http::Request<kube::client::Body>| {
        let body = kube::client::Body::from(pod.clone());
        std::future::ready(Ok::<_, Infallible>(http::Response::new(body)))
    };
    kube::Client::new(tower::service_fn(answer), "default")
}

/// What is recorded of a container that is restarted on failure.
fn past_of(pod: &Pod) -> Past {
    let mut model = Model::new(pod, SystemClock.now());
    model.recall(pod.status.as_ref().unwrap());
    let container = &pod.spec.as_ref().unwrap().containers[0];
    let restarts = Restarts::of(container, Some("OnFailure"), false);
    model.records().next().unwrap().past(&restarts).unwrap()
}

/// The wait is counted from the end, whoever was there meanwhile: `punctual` may be restarted more often than a container.
#[tokio::test(start_paused = true)]
async fn a_restart_is_not_put_off_anew_by_whoever_comes_after() {
    for (ended_ago, starts_after) in [(0, 10), (4, 6), (60, 0)] {
        let mut pod = pod_of(&script("true"));
        let end = to_time(SystemClock.now() - TimeDelta::seconds(ended_ago));
        let waits = json!({"name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 1, "state": {"waiting": {}}});
        let mut waits: ContainerStatus = serde_json::from_value(waits).unwrap();
        waits.last_state.get_or_insert_default().terminated = Some(ContainerStateTerminated {
            exit_code: 1,
            started_at: Some(end.clone()),
            finished_at: Some(end),
            ..ContainerStateTerminated::default()
        });
        pod.status.get_or_insert_default().container_statuses = Some(vec![waits]);
        let engine = Arc::new(FakeEngine::new());
        let (output, _outlet) = channel();
        let machine = Machine::new(client_of(&pod), SystemClock::shared(), output, options());
        let past = past_of(&pod);
        let (_orders, mut news, _task) =
            live_after(past, Arc::new(machine), engine.clone(), pod, "OnFailure");
        while next(&mut news).await != Some(Change::Done) {}
        let waited = engine.begun.elapsed().as_secs();
        assert_eq!(waited, starts_after, "it ended {ended_ago} s ago");
    }
}

/// Or a container that fails would be started again and again at once.
#[tokio::test(start_paused = true)]
async fn a_restart_is_put_off_as_long_whatever_the_clock_of_an_engine_says() {
    for lag in [-10, 0, 10].map(TimeDelta::minutes) {
        let engine = Arc::new(FakeEngine {
            fail: 3,
            lag,
            ..FakeEngine::new()
        });
        let mut lived = live_by(engine.clone(), &script("true"), "OnFailure", options());
        while lived.news.recv().await.is_some() {}
        let waited = engine.begun.elapsed().as_secs();
        assert_eq!(waited, 10 + 20, "it is {lag} behind");
    }
}

/// On a full disk a container is restarted, and its status can't be written. Whoever comes after a kill knows of its first
/// start only.
#[tokio::test(start_paused = true)]
async fn starts_that_could_not_be_recorded_are_found_and_not_made_again() {
    let mut pod = pod_of(&script("true"));
    let running = json!({"name": "main", "image": "", "imageID": "", "ready": true, "restartCount": 0, "containerID": "fake://0", "state": {"running": {}}});
    pod.status = Some(serde_json::from_value(json!({"containerStatuses": [running]})).unwrap());
    let engine = Arc::new(FakeEngine {
        fail: 6,
        ..FakeEngine::new()
    });
    let (output, _outlet) = channel();
    let machine = Machine::new(client_of(&pod), SystemClock::shared(), output, options());
    let machine = Arc::new(machine);
    let (_orders, _news, task) = live_at(machine.clone(), engine.clone(), pod.clone(), "OnFailure");
    let mut begun = engine.begun_starts.subscribe();
    begun.wait_for(|begun| *begun == 5).await.unwrap();
    task.abort();

    let killed = Instant::now();
    let (_orders, mut news, _task) = live_after(past_of(&pod), machine, engine.clone(), pod, "OnFailure");
    let mut codes = Vec::new();
    while let Some((_, change)) = news.recv().await {
        if let Change::Ended(ended) = change {
            codes.push((ended.exit_code, killed.elapsed().as_secs()));
        }
    }
    assert_eq!(*begun.borrow(), 7);
    // Those that are found are told at once; the wait before the sixth is that of a sixth.
    let found = [(1, 0); 5];
    assert_eq!(codes, [&found[..], &[(128, 80), (0, 240)]].concat());
}

/// A machine with so many starts under way as there is room for, none of which comes to an end.
async fn full_of_starts_that_hang(runtime: &str) -> (Arc<Machine>, Vec<impl Sized>) {
    let (output, _outlet) = channel();
    let clock = SystemClock::shared();
    let machine = Arc::new(Machine::new(deaf_client(), clock, output, options()));
    let hanging = Arc::new(FakeEngine {
        hangs: true,
        ..FakeEngine::new()
    });
    let hung = (0..STARTS_AT_ONCE).map(|number| live_beside(&machine, hanging.clone(), runtime, number));
    let hung = hung.collect();
    let mut begun = hanging.begun_starts.subscribe();
    let begun = tokio::time::timeout(PATIENCE, begun.wait_for(|begun| *begun == STARTS_AT_ONCE));
    assert!(begun.await.is_ok());
    (machine, hung)
}

fn live_beside(machine: &Arc<Machine>, engine: Arc<FakeEngine>, runtime: &str, number: usize) -> Beside {
    let mut pod = pod_of(&script("true"));
    pod.metadata.uid = Some(format!("{runtime}-{number}"));
    pod.metadata.annotations = Some([("punctual.dev/runtime".into(), runtime.into())].into());
    live_at(Arc::clone(machine), engine, pod, "Never")
}

/// Waits for the next change of a container.
async fn next(news: &mut mpsc::Receiver<(usize, Change)>) -> Option<Change> {
    let next = tokio::time::timeout(PATIENCE, news.recv()).await.unwrap();
    next.map(|(_, change)| change)
}

/// Containers have places of their own to start at, and wait for these only.
#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_holds_up_no_process() {
    let (machine, _hung) = full_of_starts_that_hang("container").await;
    let begun = Instant::now();
    let (_orders, mut news, _task) = live_beside(&machine, Arc::new(FakeEngine::new()), "process", 0);
    while next(&mut news).await != Some(Change::Done) {}
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn starts_that_hang_hold_up_others_for_a_moment_only() {
    let (machine, _hung) = full_of_starts_that_hang("process").await;
    let (_orders, mut news, _task) =
        live_beside(&machine, Arc::new(FakeEngine::new()), "process", STARTS_AT_ONCE);
    while next(&mut news).await != Some(Change::Done) {}
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_when_an_order_comes_is_not_started() {
    let (machine, _hung) = full_of_starts_that_hang("container").await;
    let engine = Arc::new(FakeEngine::new());
    let (orders, mut news, _task) = live_beside(&machine, engine.clone(), "container", STARTS_AT_ONCE);
    tokio::time::sleep(Duration::from_secs(1)).await;
    orders.send_replace(Order::Stop { grace: PATIENCE });
    assert_eq!(next(&mut news).await, Some(Change::Done));
    assert_eq!(*engine.begun_starts.borrow(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_takes_long_is_told() {
    let hanging = FakeEngine {
        hangs: true,
        ..FakeEngine::new()
    };
    let mut lived = live_by(Arc::new(hanging), &script("true"), "Never", options());
    let Some(Change::Waiting { reason, message }) = next(&mut lived.news).await else {
        panic!("it waits");
    };
    insta::assert_snapshot!(format!("{reason}: {message}"), @"ContainerCreating: it is being started, and that takes long, e.g. as its command, its working folder or the data folder is on a disk that does not answer; it is waited for");
}
