//! One pod: its containers in their order, its deadline, its status.
//!
//! One task owns a pod. It hears from the node (an order to end), from its containers (what happened to them) and
//! from its deadline, takes all of it into the [`Model`], and tells the status that comes out. That is written beside it:
//! what happens meanwhile is acted on, and written with the next one.
//!
//! | file | one idea |
//! |---|---|
//! | `container` | one container: its attempts, one after the other, and the restarts between them |
//! | `attempts` | what an attempt is given, and what is kept of those before it |
//! | `scheduling` | what a pod waits for before anything of it is started |
//! | `waits` | what a container waits for, and for how long |
//! | `restart`, `status` | pure rules: when to restart, what the status says |
//! | `termination_message` | the message that a container leaves when it ends |
//! | `probes_and_hooks` | what nobody does here beside a container: probes and hooks |
//! | `not_enforced` | what of a pod is not enforced here |
//! | `lives` | the lives of its containers: in which order they begin, and how they are told to end |
//! | `ending` | a pure rule: in which order they end |
//! | `status_writer` | how its status gets into the API |

mod attempts;
pub(super) mod container;
mod ending;
mod lives;
mod not_enforced;
mod probes_and_hooks;
pub(super) mod restart;
mod scheduling;
pub(super) mod status;
mod status_writer;
mod termination_message;
pub(super) mod waits;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use tokio::sync::watch;
use tokio::time::Instant;

use super::engine::Engine;
use super::machine::Machine;
use super::order::{Order, at, changed};
use super::output::{What, origin};
use super::process::fitness::Unfit;
use super::runtimes;
use lives::Lives;
use status::{Model, Record, Verdict};
use status_writer::StatusWriter;

/// How long a pod may take to end when it does not say: Kubernetes' default.
pub(super) const DEFAULT_GRACE_SECONDS: i64 = 30;

/// How long others wait for the first process of a pod at most: it may need what is not there.
const START_AWAITED: Duration = Duration::from_millis(250);

/// What the node asks of a pod. An order never becomes less than it was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Directive {
    /// What its processes are to do.
    pub(super) order: Order,
    /// What its status is to say, when it would not say it by itself.
    pub(super) verdict: Option<Verdict>,
}

/// The task of one pod.
#[derive(Debug)]
pub(super) struct PodTask {
    machine: Arc<Machine>,
    pod: Arc<Pod>,
    model: Model,
    /// The status to write.
    status: watch::Sender<Option<PodStatus>>,
    directive: watch::Receiver<Directive>,
    /// Its `activeDeadlineSeconds`, which may be set or shortened while it runs.
    active_deadline: watch::Receiver<Option<i64>>,
    /// Whether an earlier `punctual` may have started some of it.
    is_resumed: bool,
}

impl PodTask {
    /// A pod that nobody has taken on before, or one that was there when the node started.
    pub(super) fn new(
        machine: Arc<Machine>,
        pod: Arc<Pod>,
        directive: watch::Receiver<Directive>,
        active_deadline: watch::Receiver<Option<i64>>,
        is_resumed: bool,
    ) -> Self {
        let mut model = Model::new(&pod, machine.clock.now());
        if let Some(status) = pod.status.as_ref().filter(|_| is_resumed) {
            model.recall(status);
        }
        Self {
            status: watch::Sender::default(),
            machine,
            pod,
            model,
            directive,
            active_deadline,
            is_resumed,
        }
    }

    /// Runs the pod from its start to its end, and records both.
    pub(super) async fn run(self) {
        let writer = StatusWriter::new(self.machine.clone(), self.pod.clone());
        writer.write_beside(self.status.subscribe(), self.live()).await;
    }

    /// Runs the pod. Whether it has ended: otherwise it stays as it is, for whoever comes after.
    async fn live(mut self) -> bool {
        if !self.is_scheduled().await {
            return false;
        }
        let machine = self.machine.clone();
        let Some(_place) = self.place(&machine).await else {
            return false;
        };
        if !self.was_taken_on() {
            self.model.take_on(machine.clock.now());
        }
        let engine = match self.engine() {
            Ok(engine) => engine,
            Err(unfit) => {
                self.refuse(unfit).await;
                return true;
            }
        };
        self.tell_caveat(&*engine);
        let mut starting = machine.starting(&self.pod).filter(|_| !self.is_resumed);
        let awaited_until = starting.is_some().then(|| Instant::now() + START_AWAITED);
        let mut lives = Lives::new(machine.clone(), engine, self.pod.clone(), self.is_resumed);
        let mut deadline = self.deadline();
        self.obey(&mut lives);
        lives.advance(&mut self.model);
        while lives.go_on(&self.model) {
            if self.is_left(&lives) {
                return false;
            }
            tokio::select! {
                () = lives.take_news(&mut self.model) => {
                    starting = None;
                    lives.advance(&mut self.model);
                }
                () = at(awaited_until), if starting.is_some() => starting = None,
                () = changed(&mut self.directive) => self.obey(&mut lives),
                () = changed(&mut self.active_deadline) => deadline = self.deadline(),
                () = at(deadline) => {
                    deadline = None;
                    let grace = grace(&self.pod);
                    self.stop(&mut lives, Some(deadline_exceeded()), Order::Stop { grace });
                }
            }
            if lives.go_on(&self.model) {
                self.tell_status();
            }
        }
        // It stays pending, and whoever comes after starts it.
        if self.is_of_the_node() && self.model.is_unstarted() {
            return false;
        }
        self.end();
        true
    }

    /// What runs the pod, if it can. What an earlier `punctual` has started goes on, although this one could not start it:
    /// with fewer `--entrypoint`s, or other rights. What is still to be started of it is looked at then.
    fn engine(&self) -> Result<Arc<dyn Engine>, Unfit> {
        let engine = self.machine.engine(&self.pod)?;
        if !self.may_be_begun() {
            engine.check(&self.pod)?;
        }
        Ok(engine)
    }

    /// Whether an earlier `punctual` has taken the pod on: its deadline counts from there.
    fn was_taken_on(&self) -> bool {
        let status = self.pod.status.as_ref();
        status.is_some_and(|status| status.start_time.is_some())
    }

    /// Whether an earlier `punctual` has started something of the pod, even if it was killed before it could record that.
    fn may_be_begun(&self) -> bool {
        let uid = self.pod.metadata.uid.as_deref().unwrap_or_default();
        let has_attempts = || self.machine.options.data.pod(uid).attempts().next().is_some();
        self.is_resumed && (runtimes::is_begun(&self.pod) || has_attempts())
    }

    /// Tells whoever follows the output that the pod, or a container of it, is not started.
    async fn tell_not_started(&self, container: String, reason: &str, message: String) {
        let what = What::NotStarted {
            reason: reason.to_owned(),
            message,
        };
        let origin = Arc::new(origin(&self.pod, container));
        let now = self.machine.clock.now();
        self.machine.output.send(&origin, now, what).await;
    }

    /// Whether a container of the pod runs, as far as is known before anybody has looked.
    fn is_running(&self) -> bool {
        self.model.records().any(Record::running)
    }

    /// Whether it is told to end only because the node stops.
    fn is_of_the_node(&self) -> bool {
        let verdict = &self.directive.borrow().verdict;
        verdict.as_ref().is_some_and(Verdict::is_of_the_node)
    }

    /// Whether the node stops and nobody can tell what runs of the pod. It stays as it is, and whoever comes after looks
    /// again.
    fn is_left(&self, lives: &Lives) -> bool {
        self.is_of_the_node() && lives.are_unseen(&self.model)
    }

    /// Does what the node asks.
    fn obey(&mut self, lives: &mut Lives) {
        let directive = self.directive.borrow_and_update().clone();
        if directive.order != Order::Run {
            self.stop(lives, directive.verdict, directive.order);
        }
    }

    fn stop(&mut self, lives: &mut Lives, verdict: Option<Verdict>, order: Order) {
        if self.model.verdict.is_none() {
            self.model.verdict = verdict;
        }
        lives.order(order, &self.model);
    }

    /// The pod's own deadline, as it is now.
    fn deadline(&mut self) -> Option<Instant> {
        let seconds = (*self.active_deadline.borrow_and_update())?;
        let allowed = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        let active = self.machine.clock.now() - self.model.since();
        Instant::now().checked_add(allowed.saturating_sub(active.to_std().unwrap_or_default()))
    }

    /// Tells, before anything of the pod was started, what of it does not hold here.
    fn tell_caveat(&self, engine: &dyn Engine) {
        if runtimes::is_begun(&self.pod) {
            return;
        }
        let caveats = [engine.caveat_of_pod(&self.pod), not_enforced::caveat(&self.pod)];
        for (reason, message) in caveats.into_iter().flatten() {
            self.machine.warn(&self.pod, "", reason, &message);
        }
    }

    /// The end of a pod that can't run here.
    async fn refuse(&mut self, unfit: Unfit) {
        self.machine
            .warn(&self.pod, &unfit.container, unfit.reason, &unfit.message);
        self.tell_not_started(unfit.container, unfit.reason, unfit.message.clone())
            .await;
        self.model.refuse(Verdict {
            reason: unfit.reason.to_owned(),
            message: unfit.message,
        });
        self.end();
    }

    /// Tells the last status.
    fn end(&mut self) {
        self.model.end();
        self.tell_status();
    }

    /// Tells what is known now.
    fn tell_status(&mut self) {
        let status = self.model.status(self.machine.clock.now());
        self.status.send_replace(Some(status));
    }
}

/// How long a pod's processes may take to end.
pub(super) fn grace(pod: &Pod) -> Duration {
    let spec = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.termination_grace_period_seconds);
    let seconds = pod
        .metadata
        .deletion_grace_period_seconds
        .or(spec)
        .unwrap_or(DEFAULT_GRACE_SECONDS);
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

fn deadline_exceeded() -> Verdict {
    Verdict {
        reason: "DeadlineExceeded".to_owned(),
        message: "Pod was active on the node longer than the specified deadline".to_owned(),
    }
}
