//! One container: its process, and the processes after it while the restart policy asks for them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, ContainerStateTerminated, Pod};
use tokio::sync::{Mutex, mpsc, watch};

use super::probes_and_hooks;
use super::restart::{BackOff, Restarts, left};
use super::status::Change;
use super::termination_message;
use super::waits::Waits;
use crate::schedule::Timestamp;
use crate::standalone::instants::to_time;
use crate::standalone::logs::Reader;
use crate::standalone::runtime::engine::{Attempt, Ended, Engine, Found, STATUS_UNKNOWN, Started};
use crate::standalone::runtime::machine::Machine;
use crate::standalone::runtime::order::{Order, changed};
use crate::standalone::runtime::output::showing::{Log, Sink, unread_for_good};
use crate::standalone::runtime::output::{What, origin};
use crate::standalone::runtime::process::Exit;
use crate::standalone::runtime::start_error::StartError;
use crate::telemetry::chain;

/// A container that is to live.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct Life {
    pub(in crate::standalone::runtime) machine: Arc<Machine>,
    pub(in crate::standalone::runtime) engine: Arc<dyn Engine>,
    pub(in crate::standalone::runtime) pod: Arc<Pod>,
    pub(in crate::standalone::runtime) container: Container,
    /// Its number in its pod, init containers first.
    pub(in crate::standalone::runtime) number: usize,
    pub(in crate::standalone::runtime) restarts: Restarts,
    pub(in crate::standalone::runtime) orders: watch::Receiver<Order>,
    /// Where its changes go.
    pub(in crate::standalone::runtime) news: mpsc::Sender<(usize, Change)>,
    /// What was before.
    pub(in crate::standalone::runtime) past: Past,
    /// Held while what the pod's containers share is made ready for one of them: no two write the same at one time.
    pub(in crate::standalone::runtime) turn: Arc<Mutex<()>>,
    /// What it waits for.
    pub(in crate::standalone::runtime) waits: Waits,
}

/// What is known of a container before its life begins here: nothing, or what an earlier `punctual` has recorded.
#[derive(Debug, Default)]
pub(in crate::standalone::runtime) struct Past {
    /// The number of the next attempt.
    pub(super) attempt: u32,
    /// Whether that attempt may have been started already.
    pub(super) may_exist: bool,
    /// Whether it is recorded that it was.
    pub(super) was_begun: bool,
    /// Whether it was this `punctual` that tried to start it: nobody has told of it yet.
    pub(super) is_untold: bool,
    /// How long the attempt before it ran and when it ended, when the restart is to be put off for that.
    pub(super) pause_after: Option<(Duration, Timestamp)>,
    /// The row of restarts.
    pub(super) back_off: BackOff,
    /// Of which attempt, and those after it, something may be kept.
    pub(super) kept_from: u32,
}

/// An attempt that has ended.
struct Finished {
    /// How long it ran.
    run: Duration,
    /// From when the wait before the next one counts.
    at: Timestamp,
    exit_code: i32,
}

impl Life {
    /// Lives: runs the process, and runs it again as long as its restart policy says and nobody orders an end.
    pub(in crate::standalone::runtime) async fn live(mut self) {
        let sink = self.sink();
        let is_new = !self.past.was_begun && self.past.attempt == 0;
        let caveats = [
            self.engine.caveat(&self.container),
            probes_and_hooks::caveat(&self.container),
        ];
        for (reason, message) in caveats.into_iter().flatten().filter(|_| is_new) {
            self.warn(reason, &message);
        }
        let mut put_off = self.past.pause_after.map(|(run, end)| self.put_off(run, end));
        while self.past.may_exist || self.is_to_run() {
            // What may run already is looked for before anything is waited for.
            let ran = if self.past.may_exist {
                self.take_up(&sink).await
            } else if let Some(delay) = put_off.take() {
                self.put_restart_off(&sink, delay).await;
                None
            } else {
                self.start(&sink).await
            };
            let Some(finished) = ran else { continue };
            if !self.restarts.are_after(finished.exit_code) {
                break;
            }
            self.past.attempt += 1;
            put_off = Some(self.put_off(finished.run, finished.at));
        }
        self.tell(Change::Done).await;
    }

    /// How long the next run is put off from now, after one of this length that ended then.
    fn put_off(&mut self, run: Duration, end: Timestamp) -> Duration {
        let over = (self.machine.clock.now() - end).to_std().unwrap_or_default();
        left(self.past.back_off.next(run), over)
    }

    /// Whether nobody has ordered its end.
    pub(super) fn is_to_run(&self) -> bool {
        *self.orders.borrow() == Order::Run
    }

    /// Takes up the attempt that may have been started already, and follows it to its end. Nothing, when it turns out that
    /// it was not, or while nobody can tell.
    async fn take_up(&mut self, sink: &Sink) -> Option<Finished> {
        let attempt = self.attempt();
        let was_begun = std::mem::take(&mut self.past.was_begun);
        let finished = match self.engine.find(&attempt).await {
            Ok(Found::Started(started)) if self.past.is_untold => self.begin(started, sink, &attempt).await,
            Ok(Found::Started(started)) => {
                let reader = self.reader_of_what_comes(&attempt.log, sink);
                self.follow(started, sink, reader).await
            }
            Ok(Found::Failed(error)) => self.not_started(sink, &error).await,
            Ok(Found::Lost(why)) => self.lose(sink, why).await,
            Ok(Found::Never) if was_begun => {
                self.lose(sink, "nothing is kept of the process".to_owned()).await
            }
            Ok(Found::Never) => {
                self.past.may_exist = false;
                return None;
            }
            Err(error) => {
                self.past.was_begun = was_begun;
                self.look_again(sink, &error).await;
                return None;
            }
        };
        Some(finished)
    }

    /// Starts the next attempt, and follows it to its end. Nothing, when what it needs is not there yet, or when it is not
    /// to be started any more.
    async fn start(&mut self, sink: &Sink) -> Option<Finished> {
        if let Err(unfit) = self.engine.check(&self.pod) {
            return Some(self.not_started(sink, &unfit.into()).await);
        }
        if !self.fetch(sink).await {
            return None;
        }
        let attempt = self.attempt();
        let setup = match self.set_up(&attempt).await {
            Ok(setup) => setup,
            Err(error) => {
                self.wait_for(sink, "CreateContainerConfigError", chain(&error))
                    .await;
                return None;
            }
        };
        if !self.forget_earlier().await {
            return None;
        }
        let error = match self.started(sink, &attempt, setup).await? {
            Ok(started) => return Some(self.begin(started, sink, &attempt).await),
            Err(error) => error,
        };
        let Some(reason) = error.waits() else {
            return Some(self.not_started(sink, &error).await);
        };
        self.past.may_exist = error.leaves_open();
        self.past.is_untold = self.past.may_exist;
        self.wait_for(sink, reason, chain(&error)).await;
        None
    }

    async fn not_started(&self, sink: &Sink, error: &StartError) -> Finished {
        let now = self.machine.clock.now();
        let message = chain(error);
        self.warn("Failed", &message);
        let reason = error.reason();
        let what = What::NotStarted {
            reason: reason.to_owned(),
            message: message.clone(),
        };
        sink.tell(now, what);
        let change = ended(error.exit_code(), None, reason, Some(message), (now, now));
        self.tell(change).await;
        Finished {
            run: Duration::ZERO,
            at: now,
            exit_code: error.exit_code(),
        }
    }

    /// Records an attempt of which nothing can be learned any more.
    async fn lose(&self, sink: &Sink, why: String) -> Finished {
        let now = self.machine.clock.now();
        self.end(sink, now, Ended::unknown(why, now)).await
    }

    /// Tells of a start, and follows the process to its end.
    async fn begin(&mut self, started: Started, sink: &Sink, attempt: &Attempt) -> Finished {
        self.past.is_untold = false;
        sink.tell(started.since, What::Started { pid: started.pid });
        let reader = Reader::at_start(&attempt.log);
        let finished = self.follow(started, sink, Some(reader)).await;
        // It has just been seen to end. When its engine says that it did is by another clock, which may be minutes behind.
        Finished {
            at: self.machine.clock.now(),
            ..finished
        }
    }

    /// Follows a process to its end.
    async fn follow(&mut self, started: Started, sink: &Sink, reader: Option<Reader>) -> Finished {
        let Started {
            id,
            since,
            writes,
            mut trouble,
            mut end,
            control,
            ..
        } = started;
        self.tell(Change::Running {
            id: id.clone(),
            since,
        })
        .await;
        let (over, is_over) = watch::channel(false);
        if let Some(reader) = reader {
            sink.follow(Log {
                reader,
                writes,
                is_over,
            });
        }
        let mut orders = self.orders.clone();
        let order = *orders.borrow_and_update();
        if order.is_end() {
            control.obey(order).await;
        }
        let ended = loop {
            tokio::select! {
                ended = &mut end => break ended,
                () = changed(&mut orders) => {
                    let order = *orders.borrow_and_update();
                    if order.is_end() {
                        control.obey(order).await;
                    }
                }
                Ok(()) = trouble.changed() => {
                    let why = trouble.borrow_and_update().clone();
                    self.tell_sight(sink, why, (&id, since)).await;
                }
            }
        };
        // Its supervisor has recorded the end, and goes when nobody listens to it any more: neither keeps others from starting.
        self.machine.options.turns.calm().await;
        over.send_replace(true);
        self.end(sink, since, ended).await
    }

    /// Tells of an end, and records it.
    async fn end(&self, sink: &Sink, since: Timestamp, end: Ended) -> Finished {
        let Exit { code, signal } = end.exit;
        let what = What::Ended {
            exit_code: code,
            signal,
            unseen: end.message.clone().filter(|_| end.reason == STATUS_UNKNOWN),
        };
        sink.tell(end.at, what);
        let message = match end.message {
            None => {
                termination_message::of(
                    &self.pod,
                    &self.container,
                    code,
                    self.message_file(),
                    self.attempt().log,
                )
                .await
            }
            message => message,
        };
        let change = ended(code, signal, end.reason, message, (since, end.at));
        self.tell(change).await;
        Finished {
            run: (end.at - since).to_std().unwrap_or_default(),
            at: end.at,
            exit_code: code,
        }
    }

    pub(super) fn warn(&self, reason: &str, message: &str) {
        self.machine
            .warn(&self.pod, &self.container.name, reason, message);
    }

    pub(super) async fn tell(&self, change: Change) {
        // The pod listens until all its containers are done.
        let _pod_gone = self.news.send((self.number, change)).await;
    }

    fn sink(&self) -> Sink {
        let origin = origin(&self.pod, self.container.name.clone());
        let machine = &self.machine;
        Sink::open(machine.output.clone(), Arc::new(origin), machine.clock.clone())
    }

    /// Reads what is added to a log; what was there has been shown before.
    fn reader_of_what_comes(&self, log: &Path, sink: &Sink) -> Option<Reader> {
        let reader = Reader::at_end(log);
        if let Err(why) = &reader {
            let message = unread_for_good(&sink.origin, why);
            sink.tell(self.machine.clock.now(), What::Unread { message });
        }
        reader.ok()
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
