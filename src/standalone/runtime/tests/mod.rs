//! Containers on the whole way from their life to a process of `/bin/sh`, and pods on theirs to a status in the API. What a
//! room can test by itself stands there.
//!
//! | file | one idea |
//! |---|---|
//! | `processes` | one container, one process |
//! | `failed_starts` | what goes wrong on the way to a start, and is waited for |
//! | `unrecorded` | a start that can't be recorded |
//! | `fake_engine` | what takes long, with an engine that runs nothing |
//! | `sharing` | what the containers of a pod share |
//! | `failing_api` | an API that fails when a status is written |

mod failed_starts;
mod failing_api;
mod fake_engine;
mod processes;
mod sharing;
mod unrecorded;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::engine::Engine;
use super::machine::{Machine, Options};
use super::order::Order;
use super::output::{Event, Outlet, Stream, What, channel};
use super::pod::container::{Life, Past};
use super::pod::restart::Restarts;
use super::pod::status::Change;
use super::pod::waits::Waits;
use super::process::base::Base;
use super::process::supervisor::ProcessEngine;
use crate::clock::SystemClock;
use crate::standalone::data_dir::DataDir;

/// Long enough that only a test that hangs takes it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client of an API that knows nothing.
pub(super) fn deaf_client() -> kube::Client {
    let answer = |_request: http::Request<kube::client::Body>| async {
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "not found", "reason": "NotFound", "code": 404});
        let body = kube::client::Body::from(status.to_string().into_bytes());
        Ok::<_, Infallible>(http::Response::builder().status(404).body(body).unwrap())
    };
    kube::Client::new(tower::service_fn(answer), "default")
}

fn pod_of(container: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "test-1", "namespace": "default", "uid": "u-1"},
        "spec": {"containers": [container], "restartPolicy": "Never"},
    }))
    .unwrap()
}

/// A node whose supervisors are this test program: see [`supervise`].
fn options() -> Options {
    options_with("supervise")
}

/// A node whose supervisors are this one of these tests.
fn options_with(supervisor: &str) -> Options {
    let supervisor = [
        "/proc/self/exe",
        &format!("standalone::runtime::tests::{supervisor}"),
        "--exact",
        "--ignored",
        "--nocapture",
    ];
    Options {
        supervisor: Some(supervisor.map(Into::into).to_vec()),
        ..Options::new("here", DataDir::ephemeral().unwrap())
    }
}

#[test]
#[ignore = "not a test: what the other tests start as supervisors"]
fn supervise() {
    super::process::supervisor::supervise(None);
    std::process::exit(0);
}

/// A container that lives, and what is seen of it.
struct Lived {
    orders: watch::Sender<Order>,
    news: mpsc::Receiver<(usize, Change)>,
    events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
    /// The folder with what it writes, which may be read when it has ended.
    _data: DataDir,
}

/// Lets a container live on its own, without a pod's task.
fn live(container: &Value) -> Lived {
    live_with(container, "Never", Base::chosen_from("/tmp".into(), []))
}

fn live_with(container: &Value, policy: &str, base: Base) -> Lived {
    live_on(container, policy, Options { base, ..options() })
}

fn live_on(container: &Value, policy: &str, options: Options) -> Lived {
    let engine = Arc::new(ProcessEngine::new(&options, SystemClock::shared()));
    live_by(engine, container, policy, options)
}

fn live_by(engine: Arc<dyn Engine>, container: &Value, policy: &str, options: Options) -> Lived {
    let (output, Outlet { events, .. }) = channel();
    let data = options.data.clone();
    let machine = Arc::new(Machine::new(
        deaf_client(),
        SystemClock::shared(),
        output,
        options,
    ));
    let (orders, news, task) = live_at(machine, engine, pod_of(container), policy);
    Lived {
        orders,
        news,
        events,
        task,
        _data: data,
    }
}

/// A container that lives at a machine that may have others: orders to it, its changes, its task.
type Beside = (
    watch::Sender<Order>,
    mpsc::Receiver<(usize, Change)>,
    JoinHandle<()>,
);

/// Lets the container of a pod live at a machine that may have others.
fn live_at(machine: Arc<Machine>, engine: Arc<dyn Engine>, pod: Pod, policy: &str) -> Beside {
    live_after(Past::default(), machine, engine, pod, policy)
}

/// The same, of a container of which something is known already.
fn live_after(past: Past, machine: Arc<Machine>, engine: Arc<dyn Engine>, pod: Pod, policy: &str) -> Beside {
    let pod = Arc::new(pod);
    let container = pod.spec.as_ref().unwrap().containers[0].clone();
    let restarts = Restarts::of(&container, Some(policy), false);
    let (news_out, news) = mpsc::channel(64);
    let orders = watch::Sender::new(Order::Run);
    let life = Life {
        engine,
        machine,
        pod,
        container,
        number: 0,
        restarts,
        orders: orders.subscribe(),
        news: news_out,
        past,
        turn: Arc::default(),
        waits: Waits::default(),
    };
    (orders, news, tokio::spawn(life.live()))
}

/// A container with a script for `/bin/sh`.
fn script(script: &str) -> Value {
    json!({"name": "main", "image": "x", "command": ["/bin/sh", "-c", script]})
}

impl Lived {
    /// Waits until the process has written a line.
    async fn line(&mut self) -> String {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.events.recv())
                .await
                .unwrap()
                .unwrap();
            if let What::Line { text, .. } = event.what {
                return text;
            }
        }
    }

    /// Waits for the end; what was seen, one event a line, without process ids.
    async fn story(mut self) -> String {
        let mut story = String::new();
        while let Ok(Some(event)) = tokio::time::timeout(PATIENCE, self.events.recv()).await {
            story.push_str(&told(&event.what));
            story.push('\n');
        }
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
        story
    }

    /// Waits for the end; the changes, as the pod's task would hear them.
    async fn changes(mut self) -> Vec<Change> {
        self.events.close();
        let mut changes = Vec::new();
        while let Ok(Some((_, change))) = tokio::time::timeout(PATIENCE, self.news.recv()).await {
            changes.push(change);
        }
        changes
    }
}

fn told(what: &What) -> String {
    match what {
        What::Started { .. } => "started".to_owned(),
        What::Line {
            stream: Stream::Stdout,
            text,
            ..
        } => format!("  {text}"),
        What::Line {
            stream: Stream::Stderr,
            text,
            ..
        } => format!("! {text}"),
        What::LeftOut { lines } => format!("  {lines} lines left out"),
        What::Unread { message } => format!("  unread: {message}"),
        What::Ended {
            unseen: Some(why), ..
        } => format!("ended unseen: {why}"),
        What::Ended {
            exit_code,
            signal: None,
            ..
        } => format!("ended with {exit_code}"),
        What::Ended {
            exit_code,
            signal: Some(signal),
            ..
        } => format!("ended with {exit_code} by signal {signal}"),
        What::NotStarted { reason, message } => format!("{reason}: {message}"),
        What::Unseen { message } => format!("unseen: {message}"),
        What::RestartsAfter { delay } => format!("restarts after {delay:?}"),
    }
}
