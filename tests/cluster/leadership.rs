//! Two replicas and one lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use k8s_openapi::api::coordination::v1::Lease;
use kube::client::Body;
use kube::{Api, Client};
use punctual::clock::{Clock, SystemClock};
use punctual::controller::{Charge, Elector, Leadership, LeaseDuration, LeaseName};
use punctual::schedule::TimeZones;
use punctual::submit::{open_gate, watched_client};
use punctual::telemetry::Metrics;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::world::{Fate, Running, World, creates_job, eventually, faulty, hangs, start};

/// A replica: an elector and a controller that writes only while it leads.
struct Replica {
    leadership: Leadership,
    controller: Option<Running>,
    elector: JoinHandle<()>,
    stop_elector: watch::Sender<bool>,
}

impl Replica {
    fn start(client: &Client, identity: &str) -> Self {
        let name = LeaseName {
            namespace: "kube-system".into(),
            name: "punctual".into(),
            identity: identity.into(),
        };
        let metrics = Metrics::default();
        let (elector, leadership) = Elector::new(
            client.clone(),
            SystemClock::shared(),
            metrics.clone(),
            name,
            LeaseDuration::USUAL,
        );
        let (stop_elector, stops) = watch::channel(false);
        let gate = leadership.clone();
        let gated = watched_client(
            client,
            &metrics,
            &SystemClock::shared(),
            Arc::new(move || gate.is_held()),
        );
        Replica {
            controller: Some(start(gated, Charge::default(), leadership.clone())),
            leadership,
            elector: tokio::spawn(elector.run(stops)),
            stop_elector,
        }
    }

    async fn leads(&self) {
        eventually("it leads", || async { self.leadership.is_held() }).await;
    }

    /// As SIGKILL: nothing is finished, nothing is released.
    fn kill(&mut self) {
        self.controller = None;
        self.elector.abort();
    }

    /// As SIGTERM: what is under way is finished, then the lease is released.
    async fn stop(mut self) {
        if let Some(controller) = self.controller.take() {
            controller.stop().await;
        }
        self.stop_elector.send_replace(true);
        self.elector.await.expect("it ends");
    }
}

#[tokio::test]
async fn a_standby_takes_over_from_a_leader_that_was_killed() {
    let world = World::new().await;
    world.every_second("default", "tick", json!({})).await;
    let mut first = Replica::start(&world.client, "first");
    first.leads().await;
    let second = Replica::start(&world.client, "second");
    eventually("the first runs it", || async {
        world.jobs("default").await.len() >= 2
    })
    .await;
    assert!(!second.leadership.is_held());

    first.kill();
    let before = world.jobs("default").await.len();
    eventually("the second runs it", || async {
        world.jobs("default").await.len() > before
    })
    .await;
    assert!(second.leadership.is_held());
    let lease = lease(&world).await;
    let spec = lease.spec.expect("a spec");
    assert_eq!(spec.holder_identity.as_deref(), Some("second"));
    assert_eq!(spec.lease_transitions, Some(1));
}

#[tokio::test]
async fn a_leader_that_stops_hands_over_at_once() {
    let world = World::new().await;
    let first = Replica::start(&world.client, "first");
    first.leads().await;
    let second = Replica::start(&world.client, "second");
    tokio::time::sleep(Duration::from_millis(500)).await;
    first.stop().await;
    let spec = lease(&world).await.spec.expect("a spec");
    assert_ne!(spec.holder_identity.as_deref(), Some("first"), "it is released");
    second.leads().await;
}

/// A webhook of one namespace does not answer; those of the other namespaces are not to wait for it.
#[tokio::test]
async fn a_leader_that_stops_does_not_wait_for_a_request_that_hangs() {
    let world = World::new().await;
    world.every_second("default", "tick", json!({})).await;
    let asked = Arc::new(AtomicBool::new(false));
    let wire = Arc::clone(&asked);
    let hanging = faulty(
        &world.client,
        Arc::new(move |request| {
            if creates_job(request, "default") {
                wire.store(true, Ordering::SeqCst);
                return hangs();
            }
            Fate::Sent
        }),
    );
    let first = Replica::start(&hanging, "first");
    eventually("a request hangs", || async { asked.load(Ordering::SeqCst) }).await;
    let told = Instant::now();
    first.stop().await;
    // The request itself is given up after ten seconds.
    assert!(told.elapsed() < Duration::from_secs(6), "{:?}", told.elapsed());
    let spec = lease(&world).await.spec.expect("a spec");
    assert_eq!(spec.holder_identity.as_deref(), Some(""), "it is released");
}

#[tokio::test]
async fn a_lease_is_released_although_the_answer_to_its_last_renewal_was_lost() {
    let world = World::new().await;
    let lose = Arc::new(AtomicBool::new(false));
    let wire = Arc::clone(&lose);
    let losing = faulty(
        &world.client,
        Arc::new(move |request| {
            let renews = request.method() == "PUT" && request.uri().path().contains("/leases/");
            if renews && wire.swap(false, Ordering::SeqCst) {
                return Fate::AnswerLost;
            }
            Fate::Sent
        }),
    );
    let first = Replica::start(&losing, "first");
    first.leads().await;
    lose.store(true, Ordering::SeqCst);
    eventually("the answer to a renewal is lost", || async {
        !lose.load(Ordering::SeqCst)
    })
    .await;
    first.stop().await;
    let spec = lease(&world).await.spec.expect("a spec");
    assert_eq!(spec.holder_identity.as_deref(), Some(""), "it is released");
}

#[tokio::test]
async fn a_leader_that_is_cut_off_stops_before_the_other_takes_over() {
    let world = World::new().await;
    world.every_second("default", "tick", json!({})).await;
    let cut = Arc::new(AtomicBool::new(false));
    let wire = Arc::clone(&cut);
    let cuttable = faulty(
        &world.client,
        Arc::new(move |_| {
            if wire.load(Ordering::SeqCst) {
                hangs()
            } else {
                Fate::Sent
            }
        }),
    );
    let first = Replica::start(&cuttable, "first");
    first.leads().await;
    let second = Replica::start(&world.client, "second");
    tokio::time::sleep(Duration::from_millis(500)).await;

    cut.store(true, Ordering::SeqCst);
    eventually("the second leads, and never both", || async {
        let (first, second) = (first.leadership.is_held(), second.leadership.is_held());
        assert!(!(first && second), "both lead");
        second
    })
    .await;

    cut.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(second.leadership.is_held() && !first.leadership.is_held());
    let before = world.jobs("default").await.len();
    eventually("the second runs it", || async {
        world.jobs("default").await.len() > before
    })
    .await;
}

#[tokio::test]
async fn an_edit_that_the_standby_saw_fires_no_instant_of_the_past() {
    let world = World::new().await;
    // Due once a year, and made to look as if it had run last year: a schedule of every minute has long been due.
    world
        .every_second("default", "tick", json!({ "spec": { "schedule": "0 0 1 1 *" } }))
        .await;
    let first = Replica::start(&world.client, "first");
    first.leads().await;
    let second = Replica::start(&world.client, "second");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let status = json!({ "status": { "lastScheduleTime": "2026-01-01T00:00:00Z" } });
    let path = "/apis/batch/v1/namespaces/default/cronjobs/tick";
    world.send("PATCH", &format!("{path}/status"), &status).await;
    world
        .send("PATCH", path, &json!({ "spec": { "schedule": "0 0 * * *" } }))
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    first.stop().await;
    second.leads().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.jobs("default").await, [""; 0]);
}

/// A mistake on the command line, which must not become a load.
#[tokio::test]
async fn a_namespace_that_does_not_exist_is_asked_for_in_peace() {
    let world = World::new().await;
    let metrics = Metrics::default();
    let name = LeaseName {
        namespace: "nowhere".into(),
        name: "punctual".into(),
        identity: "first".into(),
    };
    let client = watched_client(&world.client, &metrics, &SystemClock::shared(), open_gate());
    let (elector, leadership) = Elector::new(
        client,
        SystemClock::shared(),
        metrics.clone(),
        name,
        LeaseDuration::USUAL,
    );
    let (_stop, stops) = watch::channel(false);
    let running = tokio::spawn(elector.run(stops));
    tokio::time::sleep(Duration::from_secs(1)).await;
    running.abort();
    assert!(!leadership.is_held());
    let metrics = metrics.render(&TimeZones::built_in(), SystemClock.now());
    let attempts = metrics.lines().find_map(|line| {
        let count =
            line.strip_prefix(r#"punctual_api_requests_total{verb="create",resource="leases",code="404"} "#)?;
        count.parse::<u32>().ok()
    });
    assert!(
        attempts.is_some_and(|attempts| (1..=6).contains(&attempts)),
        "{metrics}"
    );
}

/// As where a webhook or the API server's disk holds up every write.
#[tokio::test]
async fn a_longer_lease_is_held_where_writes_are_slow() {
    let world = World::new().await;
    let inner = world.client.clone();
    let slow = tower::service_fn(move |request: Request<Body>| {
        let inner = inner.clone();
        async move {
            if request.method() != "GET" {
                tokio::time::sleep(Duration::from_millis(1_500)).await;
            }
            inner.send(request).await
        }
    });
    let name = LeaseName {
        namespace: "kube-system".into(),
        name: "punctual".into(),
        identity: "first".into(),
    };
    let lasts = LeaseDuration::of_seconds(15).expect("within the bounds");
    let (elector, leadership) = Elector::new(
        Client::new(slow, "default"),
        SystemClock::shared(),
        Metrics::default(),
        name,
        lasts,
    );
    let (_stop, stops) = watch::channel(false);
    let running = tokio::spawn(elector.run(stops));
    eventually("it leads", || async { leadership.is_held() }).await;
    running.abort();
    let spec = lease(&world).await.spec.expect("a spec");
    assert_eq!(spec.lease_duration_seconds, Some(15));
}

async fn lease(world: &World) -> Lease {
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), "kube-system");
    leases.get("punctual").await.expect("a lease")
}
