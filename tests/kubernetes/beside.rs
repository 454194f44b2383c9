//! The built-in CronJob controller at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt;
use punctual::clock::{Clock as _, SystemClock};
use serde_json::json;

use crate::world::{World, due, eventually, lateness, seconds};

/// Who created a Job.
fn creator(job: &Job) -> String {
    let entries = job.metadata.managed_fields.iter().flatten();
    let mut managers = entries.filter(|entry| entry.subresource.is_none());
    managers
        .find_map(|entry| entry.manager.clone())
        .unwrap_or_default()
}

/// The whole answer to a request, head included.
fn get(address: &str, path: &str) -> String {
    let mut answer = String::new();
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("sent");
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

pub(crate) async fn those_handed_over_are_ours_alone(world: World) {
    let handed_over = json!({
        "metadata": { "annotations": { "punctual.dev/managed": "true" } },
        "spec": { "suspend": true },
    });
    world.cronjob("ours", "@every 2s", handed_over).await;
    world.cronjob("theirs", "@every 2s", json!({})).await;
    let _controller = world.controller("one", &["--adopt", "opted-in"]);
    eventually("both run", || async {
        world.jobs_of("ours").await.len() >= 3 && !world.jobs_of("theirs").await.is_empty()
    })
    .await;
    for job in world.jobs_of("ours").await {
        assert_eq!(creator(&job), "punctual", "{}", job.name_any());
    }
    for job in world.jobs_of("theirs").await {
        assert_eq!(creator(&job), "kube-controller-manager", "{}", job.name_any());
    }

    // Paused, nobody has anything to write: there is no war about the status.
    let path = format!("/apis/batch/v1/namespaces/{}/cronjobs/ours", world.namespace);
    let pause = json!({ "metadata": { "annotations": { "punctual.dev/suspend": "true" } } });
    world.send("PATCH", &path, &pause).await.expect("paused");
    seconds(2).await;
    let before = world.get("ours").await.resource_version();
    let jobs = world.jobs_of("ours").await.len();
    seconds(4).await;
    assert_eq!(world.get("ours").await.resource_version(), before);
    assert_eq!(world.jobs_of("ours").await.len(), jobs);
    assert_eq!(world.events("OtherController").await.len(), 0);
    for reason in ["UnexpectedJob", "MissingJob"] {
        let told = world.events(reason).await;
        let ours = told
            .iter()
            .filter(|event| event.reporting_component.as_deref() == Some("punctual"));
        assert_eq!(ours.count(), 0, "{reason}");
    }
}

/// Looking on, it writes nothing, not even a lease, and tells of each run how much later the other one started it.
pub(crate) async fn a_shadow_writes_nothing_and_tells_the_difference(world: World) {
    world.cronjob("theirs", "@every 2s", json!({})).await;
    // Kubernetes gives all runs of a minute one name, so most are never started.
    let shadow = world.controller("shadow", &["--shadow"]);
    eventually("the other one runs it", || async {
        !world.jobs_of("theirs").await.is_empty()
    })
    .await;
    eventually("a run that was never started is told of", || async {
        shadow.log().contains("nobody did")
    })
    .await;
    let log = shadow.log();
    assert!(log.contains("after punctual would have"), "{log}");
    for job in world.jobs_of("theirs").await {
        assert_eq!(creator(&job), "kube-controller-manager", "{}", job.name_any());
    }
    assert_eq!(world.leader().await, "");
    shadow.signal("TERM");
    assert_eq!(shadow.exit_code(Duration::from_secs(30)).await, 0);
    let log = shadow.log();
    assert!(log.contains("what punctual would have done differently"), "{log}");
}

/// Punctual is the faster one, so the other starts a run only while punctual is frozen.
pub(crate) async fn two_in_charge_are_told_of(world: World) {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = address.expect("a port").to_string();
    let controller = world.controller("one", &["--adopt", "all", "--metrics-listen", &address]);
    eventually("it leads", || async { !world.leader().await.is_empty() }).await;
    // Jobs of its first listing would be of the time before it.
    eventually("it has listed everything", || async {
        get(&address, "/readyz").contains("200 OK")
    })
    .await;
    controller.signal("STOP");
    world.cronjob("both", "@every 2s", json!({})).await;
    eventually("the built-in one runs it", || async {
        !world.jobs_of("both").await.is_empty()
    })
    .await;
    controller.signal("CONT");
    eventually("it is told", || async {
        !world.events("OtherController").await.is_empty()
    })
    .await;
    let told = world.events("OtherController").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].type_.as_deref(), Some("Warning"));
    let message = told[0].message.clone().unwrap_or_default();
    assert!(
        message.contains("was created by kube-controller-manager"),
        "{message}"
    );
    let metrics = get(&address, "/metrics");
    assert!(
        metrics.contains(r#"punctual_notes_total{reason="OtherController"} 1"#),
        "{metrics}"
    );
}

pub(crate) async fn two_in_charge_start_nothing_twice(world: World) {
    world.cronjob("minutely", "* * * * *", json!({})).await;
    let _controller = world.controller("one", &["--adopt", "all"]);
    for _ in 0..90 {
        if !world.jobs_of("minutely").await.is_empty() {
            break;
        }
        seconds(1).await;
    }
    seconds(3).await;
    let jobs = world.jobs_of("minutely").await;
    assert_eq!(jobs.len(), 1, "names are the lock");
    assert_eq!(lateness(&jobs[0]), 0);
    assert_eq!(world.active("minutely").await, 1);
}

/// How many CronJobs go over and come back.
const MOVED: usize = 20;

/// Each is handed over and back while it is due: a little before its instant, at it, or a little after.
pub(crate) async fn moving_there_and_back_loses_and_doubles_nothing(world: World) {
    let names: Vec<String> = (0..MOVED).map(|number| format!("moved-{number:02}")).collect();
    for name in &names {
        world.cronjob(name, "* * * * *", json!({})).await;
    }
    let _controller = world.controller("one", &["--adopt", "opted-in"]);
    eventually("it leads", || async { !world.leader().await.is_empty() }).await;
    let over = json!({
        "metadata": { "annotations": { "punctual.dev/managed": "true" } },
        "spec": { "suspend": true },
    });
    let back = json!({
        "metadata": { "annotations": { "punctual.dev/managed": null } },
        "spec": { "suspend": false },
    });
    let begin = now();
    for patch in [&over, &back] {
        // From five seconds before the full minute to five seconds after it.
        let minute = (now() + 65) / 60 * 60;
        until(minute - 5).await;
        for name in &names {
            let path = format!("/apis/batch/v1/namespaces/{}/cronjobs/{name}", world.namespace);
            world.send("PATCH", &path, patch).await.expect("patched");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        // Until the next minute's runs are there as well, by whoever is in charge then.
        until(minute + 80).await;
    }
    let mut creators = BTreeSet::new();
    for name in &names {
        let jobs = world.jobs_of(name).await;
        let mut minutes: Vec<i64> = jobs.iter().map(|job| due(job) / 60).collect();
        minutes.sort_unstable();
        let first = *minutes.first().expect("it ran");
        assert!(first * 60 <= begin + 120, "{name} began late: {minutes:?}");
        let whole: Vec<i64> = (first..=(now() - 20) / 60).collect();
        assert_eq!(minutes, whole, "{name}: one run of every minute");
        creators.extend(jobs.iter().map(creator));
    }
    let both = ["kube-controller-manager", "punctual"].map(String::from);
    assert_eq!(creators, BTreeSet::from(both), "each was in charge for a while");
}

/// How many CronJobs are due at once while controllers come and go.
const HERD: usize = 100;

/// As the guide has it: punctual comes, and the built-in controller goes in the middle of a herd; then the other way round.
pub(crate) async fn replacing_it_and_going_back_loses_and_doubles_nothing(world: World) {
    let names: Vec<String> = (0..HERD).map(|number| format!("herd-{number:02}")).collect();
    for name in &names {
        world.cronjob(name, "* * * * *", json!({})).await;
    }
    let built_in = world.built_in();
    let first = (now() / 60 + 1) * 60;
    until(first + 20).await;
    let punctual = world.controller("one", &["--adopt", "all"]);
    eventually("it leads", || async { !world.leader().await.is_empty() }).await;
    until(first + 60).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    built_in.signal("KILL");
    until(first + 85).await;
    let _built_in = world.built_in();
    until(first + 120).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    punctual.signal("TERM");
    assert_eq!(punctual.exit_code(Duration::from_secs(30)).await, 0);
    until(first + 180).await;
    let mut runs: BTreeMap<i64, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    eventually("the next herd is there, too", || async {
        let jobs = world.jobs().await;
        jobs.iter().filter(|job| due(job) == first + 180).count() == HERD
    })
    .await;
    for job in world.jobs().await {
        let (minute, name) = (due(&job), job.name_any());
        let cronjob = name
            .rsplit_once('-')
            .map_or("", |(cronjob, _)| cronjob)
            .to_owned();
        runs.entry(minute)
            .or_default()
            .entry(cronjob)
            .or_default()
            .push(creator(&job));
    }
    let names: BTreeSet<&String> = names.iter().collect();
    for minute in (0..4).map(|minute| first + 60 * minute) {
        let herd = &runs[&minute];
        let ran: BTreeSet<&String> = herd.keys().collect();
        assert_eq!(ran, names, "none is lost in minute {minute}");
        let doubled: Vec<_> = herd.iter().filter(|(_, creators)| creators.len() > 1).collect();
        assert!(doubled.is_empty(), "minute {minute}: {doubled:?}");
    }
    let creators =
        |minute: i64| -> BTreeSet<&str> { runs[&minute].values().flatten().map(String::as_str).collect() };
    let built_in = BTreeSet::from(["kube-controller-manager"]);
    assert_eq!(
        (creators(first), creators(first + 180)),
        (built_in.clone(), built_in)
    );
    assert!(creators(first + 60).contains("punctual"), "it was in charge");
}

/// Waits for a time, in seconds since 1970, that is to come.
async fn until(second: i64) {
    seconds(u64::try_from(second - now()).unwrap_or(0)).await;
}

fn now() -> i64 {
    SystemClock.now().timestamp()
}
