//! A container's end, and how it is told to end.
//!
//! The engine keeps the exit code, so following can begin anew at any time, and goes on when an engine is back that went
//! away.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as ApiError;
use bollard::models::{ContainerInspectResponse, ContainerState};
use bollard::query_parameters::{InspectContainerOptions, KillContainerOptionsBuilder, WaitContainerOptions};
use chrono::DateTime;
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

use super::connect::Reached;
use super::{ContainerError, copy, is_missing, name_of, status_code};
use crate::clock::SharedClock;
use crate::schedule::Timestamp;
use crate::standalone::runtime::engine::{Attempt, Control, Ended, Started};
use crate::standalone::runtime::order::{self, Order, Stoppable, Word};
use crate::standalone::runtime::process::Exit;
use crate::telemetry::chain;

/// How long to wait before an engine is asked again that did not answer.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How long the engine may take to hand on more of what a container wrote, after its end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What a container gets that is asked to end and whose image names no signal.
const ASK_TO_END: &str = "SIGTERM";

/// The exit code of what SIGKILL ended.
const KILLED: i32 = 137;

/// How often an engine is asked again, and how long after, whose answer is not understood.
const INSPECTIONS: u32 = 100;
const INSPECT_AGAIN: Duration = Duration::from_millis(100);

/// Looks at a container.
pub(super) async fn inspect(engine: &Docker, name: &str) -> Result<ContainerInspectResponse, ApiError> {
    understood(|| engine.inspect_container(name, None::<InspectContainerOptions>)).await
}

/// Asks for the state of containers. Podman calls one whose end it has seen and not yet recorded `stopped`, a word that the
/// Docker API does not know, and fails to look at one that ends at this moment; soon after it says `exited`.
pub(super) async fn understood<T, F>(ask: impl Fn() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    for _ in 1..INSPECTIONS {
        match ask().await {
            Err(error) if is_of_an_end(&error) => tokio::time::sleep(INSPECT_AGAIN).await,
            answer => return answer,
        }
    }
    ask().await
}

fn is_of_an_end(error: &ApiError) -> bool {
    match error {
        ApiError::JsonDataError { .. } => true,
        ApiError::DockerResponseServerError { message, .. } => message.ends_with("no such process"),
        _ => false,
    }
}

/// A container that was started, running or ended.
pub(super) fn started(
    engine: Reached,
    inspected: &ContainerInspectResponse,
    attempt: &Attempt,
    clock: SharedClock,
) -> Started {
    let state = inspected.state.clone().unwrap_or_default();
    let signal = inspected
        .config
        .as_ref()
        .and_then(|config| config.stop_signal.clone());
    let limits = attempt
        .container
        .resources
        .as_ref()
        .and_then(|resources| resources.limits.as_ref());
    let (troubled, trouble) = watch::channel(None);
    let orders = ContainerControl::default();
    let container = Container {
        engine,
        name: name_of(attempt),
        signal: signal
            .filter(|signal| !signal.is_empty())
            .unwrap_or_else(|| ASK_TO_END.to_owned()),
        has_memory_limit: limits.is_some_and(|limits| limits.contains_key("memory")),
        was_killed: AtomicBool::new(false),
        orders: orders.0.subscribe(),
        troubled,
    };
    let log = attempt.log.clone();
    let (wrote, writes) = watch::channel(0);
    let now = clock.now();
    Started {
        id: format!("docker://{}", inspected.id.clone().unwrap_or_default()),
        pid: state
            .pid
            .and_then(|pid| u32::try_from(pid).ok())
            .unwrap_or_default(),
        since: state.started_at.as_deref().and_then(instant).unwrap_or(now),
        writes,
        trouble,
        end: Box::pin(async move { container.end(&log, &wrote, &clock).await }),
        control: Arc::new(orders),
    }
}

/// Orders to a container, which are carried out for as long as its end is waited for.
#[derive(Debug, Default)]
struct ContainerControl(watch::Sender<Order>);

impl Control for ContainerControl {
    fn obey(&self, order: Order) -> BoxFuture<'_, ()> {
        order.give(&self.0);
        Box::pin(std::future::ready(()))
    }
}

/// A container at the engine.
#[derive(Debug)]
struct Container {
    engine: Reached,
    name: String,
    /// What asks it to end.
    signal: String,
    has_memory_limit: bool,
    /// Whether it was us who sent SIGKILL.
    was_killed: AtomicBool,
    orders: watch::Receiver<Order>,
    /// Where it is told that nobody can see it at the moment, and why.
    troubled: watch::Sender<Option<String>>,
}

impl Container {
    /// Follows the container to its end, and its output to the last line, and has it end when that is ordered.
    async fn end(self, log: &Path, wrote: &watch::Sender<u64>, clock: &SharedClock) -> Ended {
        let (over, has_ended) = watch::channel(false);
        let copying = copy::copy(&self.engine.docker, &self.name, log, wrote, has_ended, clock);
        let mut copying = std::pin::pin!(copying);
        let mut is_copied = false;
        let mut ending = std::pin::pin!(self.state_at_end());
        let mut orders = self.orders.clone();
        let mut ordered = std::pin::pin!(order::carry_out(&mut orders, &self));
        let state = loop {
            tokio::select! {
                state = &mut ending => break state,
                () = &mut copying, if !is_copied => is_copied = true,
                never = &mut ordered => match never {},
            }
        };
        over.send_replace(true);
        let mut writes = wrote.subscribe();
        while !is_copied {
            tokio::select! {
                () = &mut copying => is_copied = true,
                written = tokio::time::timeout(LAST_WORDS, writes.changed()) => if written.is_err() {
                    tracing::warn!(container = self.name, "the last lines of a container did not come");
                    break;
                }
            }
        }
        state.map_or_else(
            || {
                Ended::unknown(
                    "the container was removed by somebody else".to_owned(),
                    clock.now(),
                )
            },
            |state| self.ended(&state, clock.now()),
        )
    }

    fn ended(&self, state: &ContainerState, now: Timestamp) -> Ended {
        let code = state
            .exit_code
            .and_then(|code| i32::try_from(code).ok())
            .unwrap_or(KILLED);
        let exit = Exit::of_code(code);
        let told = self
            .engine
            .tells_of_memory
            .then_some(state.oom_killed == Some(true));
        let was_ours = self.was_killed.load(Ordering::Relaxed);
        let out_of_memory = ran_out_of_memory(told, code, self.has_memory_limit, was_ours);
        let at = state.finished_at.as_deref().and_then(instant).unwrap_or(now);
        Ended::of(exit, out_of_memory, at)
    }

    /// Waits for the end. Nothing, when the container is not there any more.
    async fn state_at_end(&self) -> Option<ContainerState> {
        let mut was_waited_for = false;
        loop {
            match inspect(&self.engine.docker, &self.name).await {
                Ok(inspected) => {
                    self.troubled.send_if_modified(|trouble| trouble.take().is_some());
                    let state = inspected.state.unwrap_or_default();
                    if state.running == Some(false) {
                        return Some(state);
                    }
                }
                Err(error) if is_missing(&error) => return None,
                Err(error) => self.tell_trouble(error).await,
            }
            if was_waited_for {
                tokio::time::sleep(ASK_AGAIN).await;
            }
            // Whatever it answers, even that it took too long: the state is what counts.
            let docker = &self.engine.docker;
            let mut wait = std::pin::pin!(docker.wait_container(&self.name, None::<WaitContainerOptions>));
            was_waited_for = true;
            let _answer = wait.next().await;
        }
    }

    /// Says why the end can't be seen, as long as it is the same once.
    async fn tell_trouble(&self, error: ApiError) {
        let error = ContainerError::engine("tell of the container")(error);
        let trouble = ContainerError::Unfollowed {
            source: error.explained(&self.engine).await.into(),
        };
        let trouble = Some(chain(&trouble));
        self.troubled.send_if_modified(|told| {
            let is_new = *told != trouble;
            if is_new {
                told.clone_from(&trouble);
            }
            is_new
        });
    }
}

impl Stoppable for Container {
    async fn say(&self, word: Word) -> bool {
        let signal = match word {
            Word::End => &self.signal,
            Word::Die => {
                self.was_killed.store(true, Ordering::Relaxed);
                "SIGKILL"
            }
        };
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        let said = self.engine.docker.kill_container(&self.name, Some(options)).await;
        // Podman calls it a conflict to say something to a container that has ended.
        said.map_or_else(|error| matches!(status_code(&error), Some(404 | 409)), |()| true)
    }
}

/// Whether it ran out of memory: as the engine tells, else a SIGKILL that nobody here sent, under a memory limit, is taken
/// for the kernel's.
fn ran_out_of_memory(told: Option<bool>, code: i32, has_limit: bool, was_ours: bool) -> bool {
    told.unwrap_or(code == KILLED && has_limit && !was_ours)
}

/// An instant as engines write it; nothing for the zero that stands for none.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let instant: Timestamp = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (instant.timestamp() > 0).then_some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_looked_at_as_it_ends_is_looked_at_again() {
        let asked = std::cell::Cell::new(0);
        let answer = |message: &str| {
            let message = message.to_owned();
            let failed = Err(ApiError::DockerResponseServerError {
                status_code: 500,
                message,
            });
            let is_first = asked.replace(asked.get() + 1) == 0;
            std::future::ready(if is_first { failed } else { Ok(()) })
        };
        let ended = understood(|| answer("read /proc/8525/cgroup: no such process")).await;
        assert_eq!((ended.is_ok(), asked.replace(0)), (true, 2));
        let failed = understood(|| answer("no space left on device")).await;
        assert_eq!((failed.is_ok(), asked.get()), (false, 1));
    }

    #[test]
    fn a_kill_is_the_kernels_only_where_nobody_knows_better() {
        for (told, code, has_limit, was_ours, is_out) in [
            // Somebody's `kill -9`; or ours, before we were started anew.
            (Some(false), KILLED, true, false, false),
            (Some(true), KILLED, true, false, true),
            // A process of it, long before its end.
            (Some(true), 1, true, true, true),
            (None, KILLED, true, false, true),
            (None, KILLED, true, true, false),
            (None, KILLED, false, false, false),
            (None, 1, true, false, false),
        ] {
            let told_so = ran_out_of_memory(told, code, has_limit, was_ours);
            assert_eq!(told_so, is_out, "{told:?} {code} {has_limit} {was_ours}");
        }
    }
}
