//! One container: its process, and the processes after it while the restart policy asks for them.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, ContainerStateTerminated, Pod};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::machine::Machine;
use super::output::{Stream, What, origin};
use super::process::{Exit, Order, Process, changed};
use super::restart::{BackOff, RestartPolicy};
use super::start_error::START_ERROR;
use super::status::Change;
use super::stream::{Sink, pump};
use crate::schedule::Timestamp;
use crate::standalone::instants::to_time;

/// How long to wait before looking again for a config map or secret that was missing.
const CONFIG_RETRY: Duration = Duration::from_secs(5);

/// The message of an error with those beneath it.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// A container that is to live.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) machine: Arc<Machine>,
    pub(super) pod: Arc<Pod>,
    pub(super) container: Container,
    /// Its number in its pod, init containers first.
    pub(super) number: usize,
    pub(super) policy: RestartPolicy,
    pub(super) orders: watch::Receiver<Order>,
    /// Where its changes go.
    pub(super) news: mpsc::Sender<(usize, Change)>,
    /// What was last told to be missing: it is told once, however often it is looked for.
    pub(super) missing: Option<String>,
}

/// How one run of a container went.
struct Run {
    started: Timestamp,
    finished: Timestamp,
    exit_code: i32,
}

impl Life {
    /// Lives: runs the process, and runs it again as long as the policy says and nobody orders an end.
    pub(super) async fn live(mut self) {
        let sink = self.sink();
        let mut back_off = BackOff::default();
        while *self.orders.borrow() == Order::Run {
            let Some(run) = self.run(&sink).await else {
                continue;
            };
            if !self.policy.restarts_after(run.exit_code) {
                break;
            }
            self.back_off(
                &sink,
                back_off.next((run.finished - run.started).to_std().unwrap_or_default()),
            )
            .await;
        }
        self.tell(Change::Done).await;
    }

    /// Runs the process once. Nothing, when what it needs is not there yet.
    async fn run(&mut self, sink: &Sink) -> Option<Run> {
        let invocation = match self.machine.prepare(&self.pod, &self.container).await {
            Ok(invocation) => invocation,
            Err(error) => {
                self.wait_for_config(sink, chain(&error)).await;
                return None;
            }
        };
        let started = {
            let _place = self.machine.starts.acquire().await.ok()?;
            invocation.start().await
        };
        let now = self.machine.clock.now();
        match started {
            Ok(process) => Some(self.follow(process, sink, now).await),
            Err(error) => {
                let message = chain(&error);
                self.warn("Failed", &message);
                sink.tell(What::NotStarted {
                    reason: START_ERROR.to_owned(),
                    message: message.clone(),
                })
                .await;
                self.tell(ended(
                    error.exit_code(),
                    None,
                    START_ERROR,
                    Some(message),
                    (now, now),
                ))
                .await;
                Some(Run {
                    started: now,
                    finished: now,
                    exit_code: error.exit_code(),
                })
            }
        }
    }

    /// Follows a process to its end, and its output to the last line.
    async fn follow(&mut self, mut process: Process, sink: &Sink, started: Timestamp) -> Run {
        let pid = process.pid();
        self.tell(Change::Running { pid, since: started }).await;
        sink.tell(What::Started { pid }).await;
        let (over, ended_at) = watch::channel(None);
        let mut pumps = JoinSet::new();
        let (stdout, stderr) = process.streams();
        if let Some(stdout) = stdout {
            pumps.spawn(pump(stdout, Stream::Stdout, sink.clone(), ended_at.clone()));
        }
        if let Some(stderr) = stderr {
            pumps.spawn(pump(stderr, Stream::Stderr, sink.clone(), ended_at));
        }
        let exit = process.end(&mut self.orders).await;
        let finished = self.machine.clock.now();
        over.send_replace(Some(Instant::now()));
        pumps.join_all().await;
        let (exit, message) = match exit {
            Ok(exit) => (exit, None),
            Err(error) => (
                Exit::UNKNOWN,
                Some(format!("the end of process {pid} could not be learned: {error}")),
            ),
        };
        let reason = if exit.code == 0 { "Completed" } else { "Error" };
        sink.tell(What::Ended {
            exit_code: exit.code,
            signal: exit.signal,
        })
        .await;
        self.tell(ended(
            exit.code,
            exit.signal,
            reason,
            message,
            (started, finished),
        ))
        .await;
        Run {
            started,
            finished,
            exit_code: exit.code,
        }
    }

    /// Waits before the next run.
    async fn back_off(&mut self, sink: &Sink, delay: Duration) {
        if delay.is_zero() || *self.orders.borrow() != Order::Run {
            return;
        }
        let message = format!(
            "back-off {delay:?} restarting failed container={} pod={}",
            self.container.name, sink.origin.pod
        );
        self.warn("BackOff", &message);
        sink.tell(What::RestartsAfter { delay }).await;
        self.tell(Change::Waiting {
            reason: "CrashLoopBackOff",
            message,
        })
        .await;
        self.pause(delay).await;
    }

    async fn wait_for_config(&mut self, sink: &Sink, message: String) {
        let reason = "CreateContainerConfigError";
        if self.missing.as_ref() != Some(&message) {
            self.warn("Failed", &message);
            sink.tell(What::NotStarted {
                reason: reason.to_owned(),
                message: message.clone(),
            })
            .await;
            self.missing = Some(message.clone());
        }
        self.tell(Change::Waiting { reason, message }).await;
        self.pause(CONFIG_RETRY).await;
    }

    /// Waits, but not past an order.
    async fn pause(&mut self, delay: Duration) {
        let mut orders = self.orders.clone();
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = changed(&mut orders) => {}
        }
    }

    fn warn(&self, reason: &str, message: &str) {
        self.machine
            .warn(&self.pod, &self.container.name, reason, message);
    }

    async fn tell(&self, change: Change) {
        // The pod listens until all its containers are done.
        let _pod_gone = self.news.send((self.number, change)).await;
    }

    fn sink(&self) -> Sink {
        let origin = origin(&self.pod, self.container.name.clone());
        Sink {
            origin: Arc::new(origin),
            output: self.machine.output.clone(),
            clock: self.machine.clock.clone(),
        }
    }
}

fn ended(
    exit_code: i32,
    signal: Option<i32>,
    reason: &str,
    message: Option<String>,
    (started, finished): (Timestamp, Timestamp),
) -> Change {
    Change::Ended(Box::new(ContainerStateTerminated {
        exit_code,
        signal,
        reason: Some(reason.to_owned()),
        message,
        started_at: Some(to_time(started)),
        finished_at: Some(to_time(finished)),
        container_id: None,
    }))
}
