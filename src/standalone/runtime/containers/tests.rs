//! Containers of a real Podman, with a service, a store and an image of the test's own.
//!
//!     cargo test --lib containers -- --ignored
//!
//! runs them where podman, runc and a static busybox are (Debian: `podman runc busybox-static`).

#[path = "../../../../tests/support/podman.rs"]
mod podman;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::clock::SystemClock;
use crate::standalone::data_dir::DataDir;
use crate::standalone::runtime::engine::Ended;
use crate::standalone::runtime::order::Order;
use crate::standalone::runtime::variables::sources::Sources;
use podman::{IMAGE, Podman};

/// Long enough that only a test that hangs takes it.
const PATIENCE: Duration = Duration::from_mins(1);

fn containers(podman: &Podman, data: &DataDir) -> Containers {
    Containers::new(Some(&podman.socket()), SystemClock::shared(), data)
}

fn attempt(data: &DataDir, container: &Value, pod_spec: &Value, number: u32) -> Attempt {
    let mut container = container.clone();
    let fields = container.as_object_mut().unwrap();
    fields.entry("name").or_insert(json!("main"));
    fields.entry("image").or_insert(json!(IMAGE));
    let mut spec = pod_spec.clone();
    spec["containers"] = json!([container]);
    let pod = json!({"metadata": {"name": "test-1", "namespace": "shop", "uid": "u-1"}, "spec": spec});
    Attempt {
        pod: Arc::new(serde_json::from_value(pod).unwrap()),
        container: serde_json::from_value(container).unwrap(),
        number,
        log: data.pod("u-1").log("main", number),
    }
}

async fn ended(started: Started) -> Ended {
    tokio::time::timeout(PATIENCE, started.end).await.expect("an end")
}

/// What a log holds, without its times.
fn written(attempt: &Attempt) -> String {
    let text = fs::read_to_string(&attempt.log).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| line.split_once(' ').map(|(_, rest)| rest));
    lines.collect::<Vec<_>>().join("\n")
}

/// Waits until a container has said that it is up: before that, a signal meets the runtime that sets it up.
async fn is_up(attempt: &Attempt) {
    let begun = std::time::Instant::now();
    while !written(attempt).contains("up") {
        assert!(begun.elapsed() < PATIENCE, "{}", written(attempt));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One container after another, to its end: what it wrote and how it ended.
async fn told(containers: &Containers, attempt: &Attempt, setup: Setup) -> String {
    if let Err(error) = containers.fetch(&attempt.container).await {
        return crate::telemetry::chain(&error);
    }
    match containers.start(attempt, setup).await {
        Ok(started) => {
            let end = ended(started).await;
            format!("{}\n{} {}", written(attempt), end.reason, end.exit.code)
        }
        Err(error) => crate::telemetry::chain(&error),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn what_a_manifest_says_reaches_the_container() {
    let podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let containers = containers(&podman, &data);
    let shell = |script: &str| json!({"command": ["/bin/sh", "-c", script]});
    let mut rows = Vec::new();
    let table = [
        ("entrypoint and command of the image", json!({})),
        ("arguments alone", json!({"args": ["of-pod", "$(WHO)"]})),
        ("command alone", json!({"command": ["/bin/echo", "mine"]})),
        (
            "both streams, a code",
            shell("echo out; sleep 0.2; echo err >&2; exit 3"),
        ),
        ("variables", shell("echo $COLOUR $WHO")),
        (
            "a working folder",
            json!({"command": ["/bin/sh", "-c", "pwd"], "workingDir": "/tmp"}),
        ),
        (
            "a user",
            json!({"command": ["id", "-u"], "securityContext": {"runAsUser": 1000, "runAsGroup": 1000}}),
        ),
        (
            "read-only",
            json!({"command": ["/bin/sh", "-c", "(echo x > /x) 2>/dev/null || echo refused"], "securityContext": {"readOnlyRootFilesystem": true}}),
        ),
        ("no root", json!({"securityContext": {"runAsNonRoot": true}})),
        (
            "out of memory",
            json!({"command": ["/bin/sh", "-c", "x=$(cat /dev/zero | tr '\\0' a)"], "resources": {"limits": {"memory": "16Mi"}}}),
        ),
        (
            "never pulled",
            json!({"image": "localhost/absent:1", "imagePullPolicy": "Never"}),
        ),
    ];
    for (number, (name, container)) in (0..).zip(table) {
        let attempt = attempt(&data, &container, &json!({}), number);
        let variables = [("WHO".to_owned(), "world".to_owned())].into();
        let setup = Setup {
            variables,
            ..Setup::default()
        };
        rows.push(format!("== {name}\n{}", told(&containers, &attempt, setup).await));
    }
    insta::assert_snapshot!(rows.join("\n"), @r#"
        == entrypoint and command of the image
        stdout F entry of-image
        Completed 0
        == arguments alone
        stdout F entry of-pod world
        Completed 0
        == command alone
        stdout F mine
        Completed 0
        == both streams, a code
        stdout F out
        stderr F err
        Error 3
        == variables
        stdout F blue world
        Completed 0
        == a working folder
        stdout F /tmp
        Completed 0
        == a user
        stdout F 1000
        Completed 0
        == read-only
        stdout F refused
        Completed 0
        == no root
        container "main" has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else
        == out of memory

        OOMKilled 137
        == never pulled
        image "localhost/absent:1" is not here, and `imagePullPolicy: Never` forbids to pull it; load it into the engine, or change the policy
        "#);

    let absent = json!({"image": "localhost:1/absent:1"});
    let absent = attempt(&data, &absent, &json!({}), 90).container;
    let error = containers.fetch(&absent).await.unwrap_err();
    assert_eq!(error.waits(), Some("ErrImagePull"), "{error}");
    let no_command = json!({"command": ["/no/such/program"]});
    let error = containers
        .start(&attempt(&data, &no_command, &json!({}), 91), Setup::default())
        .await
        .unwrap_err();
    assert_eq!(error.waits(), None, "{error}");

    let pod = attempt(&data, &json!({}), &json!({}), 0).pod;
    assert!(podman.count() > 0);
    containers.forget(&pod).await;
    assert_eq!(podman.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn a_container_that_is_there_already_is_not_started_again() {
    let podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let containers = containers(&podman, &data);
    let attempt = attempt(&data, &json!({"command": ["/bin/echo", "once"]}), &json!({}), 0);
    for _ in 0..2 {
        let started = containers.start(&attempt, Setup::default()).await.unwrap();
        assert_eq!(ended(started).await.exit.code, 0);
    }
    assert_eq!(podman.count(), 1);
    assert_eq!(written(&attempt), "stdout F once");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn all_of_much_is_copied_that_is_written_up_to_the_end() {
    let podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let containers = containers(&podman, &data);
    let script = "/bin/echo up; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); echo $i; done";
    let container = json!({"command": ["/bin/sh", "-c", script]});
    let attempt = attempt(&data, &container, &json!({}), 0);
    let started = containers.start(&attempt, Setup::default()).await.unwrap();
    assert_eq!(ended(started).await.exit.code, 0);
    // What the engine has read in pieces, it hands on in pieces.
    let written = written(&attempt);
    let whole = written.lines().filter(|line| line.starts_with("stdout F "));
    assert_eq!(whole.count(), 100_001);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn what_an_ephemeral_punctual_that_was_killed_has_left_is_removed() {
    let podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let sleep = json!({"command": ["/bin/sleep", "600"]});
    let bound = |bond: Bond| Containers {
        bond: Some(bond),
        ..containers(&podman, &data)
    };
    let killed = bound(Bond::own().of_the_one_before());
    let of_last_run = bound(Bond::own().of_the_run_before());
    let living = containers(&podman, &data);
    let quick = json!({"command": ["/bin/echo"]});
    for (containers, container, number) in [
        (&living, &sleep, 0),
        (&killed, &sleep, 1),
        (&of_last_run, &sleep, 2),
        (&of_last_run, &quick, 3),
    ] {
        let attempt = attempt(&data, container, &json!({}), number);
        let started = containers.start(&attempt, Setup::default()).await.unwrap();
        if container == &quick {
            ended(started).await;
        }
    }
    let next = containers(&podman, &data);
    next.engine().await.unwrap();
    let begun = std::time::Instant::now();
    // Where the machine has no id, nobody can tell whose last run it was.
    let is_known = Bond::own().of_the_run_before().is_of_an_earlier_run(&Bond::own());
    let left = if is_known { 2 } else { 3 };
    while podman.count() > left {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let lives = attempt(&data, &sleep, &json!({}), 0);
    assert!(matches!(next.find(&lives).await, Ok(Found::Started(_))));
    // Whoever lives removes its own.
    living.release().await;
    assert_eq!(podman.count(), left - 1);
    next.forget(&lives.pod).await;
    assert_eq!(podman.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn volumes_are_mounted() {
    let podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let containers = containers(&podman, &data);
    let colon = data.path().join("at:12:30");
    fs::create_dir(&colon).unwrap();
    fs::set_permissions(&colon, Permissions::from_mode(0o777)).unwrap();
    let spec = json!({"volumes": [
        {"name": "scratch", "emptyDir": {}},
        {"name": "door", "secret": {"secretName": "door"}},
        {"name": "colon", "hostPath": {"path": colon}},
    ]});
    let container = json!({
        "command": ["/bin/sh", "-c", "echo $(cat /door/key); echo kept > /data/file; (echo x > /door/key) 2>/dev/null || echo refused; \
                    (echo x > /fixed/file) 2>/dev/null || echo refused; echo 12:30 > /at:noon/file; cat /door/in/file"],
        "securityContext": {"runAsUser": 1000},
        "volumeMounts": [{"name": "scratch", "mountPath": "/data", "subPath": "of-main"}, {"name": "door", "mountPath": "/door"},
            {"name": "scratch", "mountPath": "/door/in", "subPath": "of-main"},
            {"name": "colon", "mountPath": "/at:noon"}, {"name": "colon", "mountPath": "/fixed", "readOnly": true}],
    });
    let attempt = attempt(&data, &container, &spec, 0);
    let mut sources = Sources::default();
    sources.add_secret(
        "door",
        serde_json::from_value(json!({"data": {"key": "b3Blbg=="}})).unwrap(),
    );
    let dir = data.pod("u-1");
    let contents = volumes::contents(&attempt.pod, &sources).unwrap();
    volumes::store(&contents, &dir, None).unwrap();
    let binds = volumes::binds(&attempt.container, &contents, &dir, &[].into()).unwrap();
    for bind in &binds {
        volumes::settle(bind, "main").unwrap();
    }
    let mut setup = Setup {
        binds,
        ..Setup::default()
    };
    containers.lay_out(&attempt, &mut setup).unwrap();
    // A folder that is made for a subPath belongs to us; a container that runs as somebody else may still write to it.
    insta::assert_snapshot!(told(&containers, &attempt, setup).await, @r"
        stdout F open
        stdout F refused
        stdout F refused
        stdout F kept
        Completed 0
        ");
    assert_eq!(fs::read_to_string(colon.join("file")).unwrap(), "12:30\n");
    assert_eq!(
        fs::read_to_string(dir.volume("scratch").join("of-main/file")).unwrap(),
        "kept\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn what_is_said_of_the_end_is_found_whoever_says_it() {
    let podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let containers = containers(&podman, &data);
    for (number, path) in [(0, "/dev/termination-log"), (1, "/tmp/last/words")] {
        let script = format!("echo why > {path}; exit 3");
        let container = json!({
            "command": ["/bin/sh", "-c", script], "terminationMessagePath": path, "securityContext": {"runAsUser": 1000},
        });
        let attempt = attempt(&data, &container, &json!({}), number);
        let file = data.pod("u-1").message("main", number);
        let mut setup = Setup::default();
        containers.give_message_file(&attempt.container, &file, &mut setup);
        assert_eq!(told(&containers, &attempt, setup).await, "\nError 3");
        assert_eq!(fs::read_to_string(&file).unwrap(), "why\n", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn a_container_is_found_again_and_told_to_end() {
    let podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let script = "trap 'echo stopped; exit 7' TERM; echo up; while :; do sleep 0.1; done";
    let attempt = attempt(
        &data,
        &json!({"command": ["/bin/sh", "-c", script]}),
        &json!({}),
        0,
    );
    let first = containers(&podman, &data);
    assert!(matches!(first.find(&attempt).await, Ok(Found::Never)));
    let before = first.start(&attempt, Setup::default()).await.unwrap();
    let id = before.id.clone();
    // The first punctual is gone; another one comes, with the same data folder.
    drop((before, first));
    let second = containers(&podman, &data);
    let Ok(Found::Started(found)) = second.find(&attempt).await else {
        panic!("the container is not found again")
    };
    assert_eq!(found.id, id);
    let control = Arc::clone(&found.control);
    let end = tokio::spawn(ended(found));
    is_up(&attempt).await;
    control.obey(Order::Stop { grace: PATIENCE }).await;
    let end = end.await.unwrap();
    assert_eq!((end.exit.code, end.reason), (7, "Error"));
    assert_eq!(written(&attempt), "stdout F up\nstdout F stopped");
    // Its end is kept, and found as well.
    let Ok(Found::Started(found)) = second.find(&attempt).await else {
        panic!("the end is not kept")
    };
    assert_eq!(ended(found).await.exit.code, 7);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn what_does_not_end_is_killed_when_its_grace_is_over() {
    let podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let containers = containers(&podman, &data);
    let stubborn =
        json!({"command": ["/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"]});
    let attempt = attempt(&data, &stubborn, &json!({}), 0);
    let started = containers.start(&attempt, Setup::default()).await.unwrap();
    let grace = Duration::from_millis(300);
    let control = Arc::clone(&started.control);
    let end = tokio::spawn(ended(started));
    is_up(&attempt).await;
    control.obey(Order::Stop { grace }).await;
    let end = end.await.unwrap();
    assert_eq!(
        (end.exit.code, end.exit.signal, end.reason),
        (137, Some(9), "Error")
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs podman, runc and a static busybox"]
async fn an_engine_that_is_gone_for_a_while_is_named_and_an_order_waits_for_it() {
    let mut podman = Podman::start().await;
    let data = DataDir::ephemeral().unwrap();
    let containers = containers(&podman, &data);
    let script = "trap 'echo stopped; exit 7' TERM; echo up; while :; do sleep 0.1; done";
    let attempt = attempt(
        &data,
        &json!({"command": ["/bin/sh", "-c", script]}),
        &json!({}),
        0,
    );
    let started = containers.start(&attempt, Setup::default()).await.unwrap();
    let (control, mut trouble) = (Arc::clone(&started.control), started.trouble.clone());
    let end = tokio::spawn(ended(started));
    is_up(&attempt).await;
    podman.halt();
    let told = tokio::time::timeout(PATIENCE, trouble.wait_for(Option::is_some)).await;
    let told = told.unwrap().unwrap().clone().unwrap();
    let folder = podman.socket().replace("/podman.sock", "");
    insta::assert_snapshot!(told.replace(folder.trim_start_matches("unix://"), "/folder"), @"the end of the container can't be seen; it is asked for every second, and recorded when it is known: no container engine answers (unix:///folder/podman.sock: Socket not found: /folder/podman.sock); start Docker, or Podman's service (`systemctl start podman.socket`, or `podman system service --time 0`), or name the engine's socket by `--container-engine unix:///…` or DOCKER_HOST");
    // Nobody hears it now.
    control.obey(Order::Stop { grace: PATIENCE }).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    podman.resume().await;
    let end = tokio::time::timeout(PATIENCE, end).await.unwrap().unwrap();
    assert_eq!((end.exit.code, end.reason), (7, "Error"));
    assert_eq!(written(&attempt), "stdout F up\nstdout F stopped");
}
