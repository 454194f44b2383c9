//! A stop ends, whatever does not: an engine, a process, a client.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{ListParams, WatchParams};
use kube::{Api, Client};

use crate::machine::{Place, Up, until};
use crate::restarts::job;

/// A Job named `work` that asks for a container.
fn container() -> String {
    let template = "template: {metadata: {annotations: {punctual.dev/runtime: container}}, ";
    job("true", "").replace("template: {", template)
}

async fn client(up: &Up) -> Client {
    up.client().await.expect("a client")
}

fn exit_code(pod: &Pod) -> Option<i32> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    let ended = containers.first()?.state.as_ref()?.terminated.as_ref()?;
    Some(ended.exit_code)
}

/// Waits until the only pod shows this reason to wait.
async fn waits(up: &Up, reason: &str) {
    let pods: Api<Pod> = Api::default_namespaced(client(up).await);
    until(&format!("a pod that waits: {reason}"), || async {
        let pod = pods.list(&ListParams::default()).await.ok()?.items.pop()?;
        let container = pod.status?.container_statuses?.pop()?;
        let waiting = container.state?.waiting?.reason?;
        (waiting == reason).then_some(())
    })
    .await;
}

/// Nobody knows whether an earlier one has started it, so it is neither ended nor started.
pub(crate) async fn a_pod_whose_engine_is_gone_is_left_and_found_again() {
    let place = Place::new();
    place.manifest(&container());
    let nowhere = ["--container-engine", "/nowhere/engine.sock"];
    let up = place.up_with(&nowhere);
    up.serves().await;
    waits(&up, "CreateContainerError").await;
    up.kill();
    for _ in 0..2 {
        let up = place.up_with(&nowhere);
        up.serves().await;
        up.shows("no container engine answers").await;
        waits(&up, "CreateContainerError").await;
        up.interrupt();
    }
}

/// It says where one was looked for, and what to do, as at a start.
pub(crate) async fn an_engine_that_goes_away_is_named_with_the_way_to_have_it_back() {
    let place = Place::new();
    place.manifest(&container());
    let socket = place.path("engine.sock");
    fleeting_engine(&socket);
    let name = socket.to_str().expect("UTF-8");
    let up = place.up_with(&["--container-engine", name]);
    up.serves().await;
    up.shows(&format!("no container engine answers (unix://{name}: "))
        .await;
    up.interrupt();
}

pub(crate) async fn an_engine_that_never_answers_does_not_hold_a_stop_up() {
    let place = Place::new();
    place.manifest(&container().replace("restartPolicy", "terminationGracePeriodSeconds: 0, restartPolicy"));
    let socket = place.path("engine.sock");
    let asked = place.path("asked");
    silent_engine(&socket, &asked);
    // First it is asked for the image; the next one asks whether the container runs, and nobody can tell.
    for is_left in [false, true] {
        let up = place.up_with(&["--container-engine", socket.to_str().expect("UTF-8")]);
        up.serves().await;
        place.lines_until("asked", 1).await;
        std::fs::remove_file(&asked).expect("noted");
        let said = up.interrupt();
        assert_eq!(said.contains("a pod could not be ended"), is_left, "{said}");
    }
}

/// What it opens before anything runs may not answer: an engine, a disk.
pub(crate) async fn it_can_be_interrupted_before_anything_runs() {
    let place = Place::new();
    let socket = place.path("engine.sock");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let engine = ["--runtime", "container", "--container-engine"];
    let up = place.up_with(&[&engine[..], &[socket.to_str().expect("UTF-8")]].concat());
    let (_asked, _) = tokio::task::block_in_place(|| listener.accept()).expect("a connection");
    let said = up.interrupt();
    assert!(said.contains("stopped before anything was started"), "{said}");
}

/// Supervisors wait for what is due next. They are nobody's when `punctual` is killed.
pub(crate) async fn supervisors_that_wait_end_with_who_is_killed() {
    let place = Place::new();
    let every_second = |number| {
        format!(
            "---\n{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: often-{number}}}, spec: {{schedule: '@every 1s', \
             jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [\
             {{name: main, image: none, command: ['true']}}]}}}}}}}}}}}}\n"
        )
    };
    place.manifest(&(0..3).map(every_second).collect::<String>());
    let up = place.up().await;
    let children = until("supervisors", || async {
        Some(children(up.pid())).filter(|children| children.len() >= 3)
    })
    .await;
    up.kill();
    until("all of them have ended", || async {
        let left = children.iter().any(|pid| parent(*pid).is_some());
        (!left).then_some(())
    })
    .await;
}

fn children(of: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("processes");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent(*pid) == Some(of)).collect()
}

/// The parent of a process that is there.
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    // One that has ended is there until somebody asks how.
    let _runs = fields.next().filter(|state| *state != "Z")?;
    fields.next()?.parse().ok()
}

/// An engine that says that it is there, and after that nothing: who asks more is noted in a file.
fn silent_engine(socket: &Path, asked: &Path) {
    let listener = UnixListener::bind(socket).expect("a socket");
    let asked = asked.to_owned();
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let asked = asked.clone();
            std::thread::spawn(move || converse(connection, &asked));
        }
    });
}

/// An engine that says that it is there, and is gone when it is asked for anything else.
fn fleeting_engine(socket: &Path) {
    let listener = UnixListener::bind(socket).expect("a socket");
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let socket = socket.clone();
            std::thread::spawn(move || {
                while says_hello(&mut connection) == Some(true) {}
                // Asked again, it is gone already.
                let _gone = std::fs::remove_file(&socket);
            });
        }
    });
}

fn converse(mut connection: UnixStream, asked: &Path) {
    while let Some(is_answered) = says_hello(&mut connection) {
        if !is_answered {
            std::fs::write(asked, "asked\n").expect("noted");
        }
    }
}

/// Answers the next request if it is one for the version. Whether it was; nothing when none comes any more.
fn says_hello(connection: &mut UnixStream) -> Option<bool> {
    let mut request = [0; 4096];
    let read = connection.read(&mut request).ok().filter(|read| *read > 0)?;
    let is_hello = String::from_utf8_lossy(&request[..read]).contains("/version ");
    if is_hello {
        let version = r#"{"ApiVersion":"1.41"}"#;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{version}",
            version.len()
        );
        connection.write_all(answer.as_bytes()).expect("answered");
    }
    Some(is_hello)
}

pub(crate) async fn a_process_that_ignores_sigterm_is_killed() {
    let place = Place::new();
    let ready = place.path("ready");
    let script = format!(
        "trap '' TERM; echo > {}; while :; do sleep 1; done",
        ready.display()
    );
    place.manifest(
        &job(&script, "").replace("restartPolicy", "terminationGracePeriodSeconds: 1, restartPolicy"),
    );
    let up = place.up().await;
    place.lines_until("ready", 1).await;
    up.interrupt();
    let up = place.up().await;
    let pods: Api<Pod> = Api::default_namespaced(client(&up).await);
    until("the pod that was killed", || async {
        let pods = pods.list(&ListParams::default()).await.ok()?;
        pods.iter().find(|pod| exit_code(pod) == Some(137)).map(drop)
    })
    .await;
    up.interrupt();
}

pub(crate) async fn a_client_that_watches_is_sent_away() {
    let place = Place::new();
    let up = place.up().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&up).await);
    let watched = maps.watch(&WatchParams::default(), "0").await;
    let mut watched = watched.expect("a watch").boxed();
    watched
        .next()
        .await
        .expect("an event")
        .expect("the one that is there");
    let stopped = tokio::task::spawn_blocking(move || up.interrupt());
    while watched.next().await.is_some_and(|event| event.is_ok()) {}
    stopped.await.expect("it stops");
}

/// What is shown waits in the pipe, and so would whoever shows it.
pub(crate) async fn a_reader_who_does_not_read_does_not_hold_a_stop_up() {
    let place = Place::new();
    let endless = job("yes", "").replace("restartPolicy", "terminationGracePeriodSeconds: 0, restartPolicy");
    place.manifest(&endless);
    let up = place.up_unread();
    until("a client", || up.client()).await;
    up.job_until("work", |status| status.ready == Some(1)).await;
    up.interrupt();
}

/// Whether what is started here hears that its terminal is closed: not what runs under `nohup`.
pub(crate) fn hangups_are_heard() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 0)
}

pub(crate) async fn a_terminal_that_is_closed_is_a_stop() {
    let place = Place::new();
    let up = place.up_with(&["--for", "2m"]);
    up.serves().await;
    let said = up.stopped_by("HUP");
    assert!(said.contains("stopping: no new runs"), "{said}");
}
