//! One pod: its containers in their order, its deadline, its status.
//!
//! One task owns a pod. It hears from the node (an order to end), from its containers (what happened to them) and
//! from its deadline, takes all of it into the [`Model`], and writes the status that comes out. What happens while a
//! status is being written is written with the next one.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Pod, PodCondition, PodStatus};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::container::{Life, Past};
use super::cordon;
use super::engine::Engine;
use super::fitness::Unfit;
use super::machine::Machine;
use super::output::{What, origin};
use super::process::{Order, at};
use super::restart::RestartPolicy;
use super::runtimes;
use super::status::{Change, Model, Phase, Verdict};
use crate::standalone::instants::to_time;
use crate::telemetry::chain;

/// How long a pod may take to end when it does not say: Kubernetes' default.
pub(super) const DEFAULT_GRACE_SECONDS: i64 = 30;

/// How long to wait before a status is written again that the API did not take.
const WRITE_RETRY: Duration = Duration::from_secs(1);

/// How many changes wait while a status is being written; a container waits when there are more.
const NEWS_QUEUE: usize = 16;

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
    directive: watch::Receiver<Directive>,
    news_in: mpsc::Receiver<(usize, Change)>,
    news: mpsc::Sender<(usize, Change)>,
    /// Orders to all containers but the sidecars.
    orders: watch::Sender<Order>,
    /// Orders to the sidecars, which are stopped when the others are done.
    sidecar_orders: watch::Sender<Order>,
    /// How many containers have been started; init containers come first.
    started: usize,
    /// They end with this task.
    lives: JoinSet<()>,
    /// The status that was written last.
    written: Option<PodStatus>,
    /// Whether an earlier `punctual` may have started some of it.
    is_resumed: bool,
}

impl PodTask {
    /// A pod that nobody has taken on before, or one that was there when the node started.
    pub(super) fn new(
        machine: Arc<Machine>,
        pod: Arc<Pod>,
        directive: watch::Receiver<Directive>,
        is_resumed: bool,
    ) -> Self {
        let (news, news_in) = mpsc::channel(NEWS_QUEUE);
        let mut model = Model::new(&pod, machine.clock.now());
        if let Some(status) = pod.status.as_ref().filter(|_| is_resumed) {
            model.recall(status);
        }
        Self {
            machine,
            pod,
            model,
            directive,
            news_in,
            news,
            orders: watch::Sender::new(Order::Run),
            sidecar_orders: watch::Sender::new(Order::Run),
            started: 0,
            lives: JoinSet::new(),
            written: None,
            is_resumed,
        }
    }

    /// Runs the pod from its start to its end, and records both.
    pub(super) async fn run(mut self) {
        if !self.is_scheduled().await {
            return;
        }
        let machine = self.machine.clone();
        let place = tokio::select! {
            biased;
            place = machine.places.acquire(), if !self.is_running() => Some(place),
            // What runs already has its place.
            () = std::future::ready(()), if self.is_running() => None,
            // Told to end before it was its turn: it stays as it is, pending.
            () = directed(&mut self.directive), if !self.is_resumed => return,
        };
        if !runtimes::is_begun(&self.pod) {
            self.model.take_on(machine.clock.now());
        }
        let engine = match machine.engine(&self.pod) {
            Ok(engine) => engine,
            Err(unfit) => return self.refuse(unfit).await,
        };
        self.tell_caveat(&*engine);
        let mut deadline = self.deadline();
        let mut write_again = None;
        self.obey();
        self.start_next(&engine);
        while self.alive() {
            if self.is_left() {
                return;
            }
            tokio::select! {
                Some((container, change)) = self.news_in.recv() => self.take(container, change, &engine),
                () = directed(&mut self.directive) => self.obey(),
                () = at(deadline) => {
                    deadline = None;
                    self.stop(Some(deadline_exceeded()), Order::Stop { grace: self.grace() });
                }
                () = at(write_again) => {}
            }
            if self.alive() {
                write_again = (!self.write_once().await).then(|| Instant::now() + WRITE_RETRY);
            }
        }
        drop(place);
        self.finish().await;
    }

    /// Waits for as long as the node is cordoned, unless something of the pod was started before. Whether there is
    /// something left to do then.
    async fn is_scheduled(&mut self) -> bool {
        let machine = self.machine.clone();
        let mut cordon = machine.cordon.subscribe();
        while !runtimes::is_begun(&self.pod) {
            let is_cordoned = *cordon.borrow_and_update();
            match is_cordoned {
                Some(false) => break,
                Some(true) => self.tell_cordon().await,
                None => {}
            }
            tokio::select! {
                Ok(()) = cordon.changed() => {}
                () = directed(&mut self.directive) => {
                    // Where only the node stops, whoever comes after looks again whether anything was started.
                    let verdict = &self.directive.borrow().verdict;
                    return self.is_resumed && !verdict.as_ref().is_some_and(Verdict::is_of_the_node);
                }
            }
        }
        true
    }

    /// Says why the pod is not started yet.
    async fn tell_cordon(&self) {
        let machine = &self.machine;
        let now = machine.clock.now();
        let message = cordon::message(&machine.options.name);
        machine.warn(&self.pod, "", cordon::EVENT, &message);
        let condition = PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "False".to_owned(),
            reason: Some(cordon::CONDITION.to_owned()),
            message: Some(message.clone()),
            last_transition_time: Some(to_time(now)),
            ..PodCondition::default()
        };
        let status = PodStatus {
            phase: Some(Phase::Pending.as_str().to_owned()),
            conditions: Some(vec![condition]),
            ..PodStatus::default()
        };
        self.write(&status).await;
        let what = What::NotStarted {
            reason: cordon::CONDITION.to_owned(),
            message,
        };
        let origin = Arc::new(origin(&self.pod, String::new()));
        machine.output.send(&origin, now, what).await;
    }

    /// Whether a container of the pod runs, as far as is known before anybody has looked.
    fn is_running(&self) -> bool {
        let mut records = self.model.init.iter().chain(&self.model.main);
        records.any(super::status::Record::running)
    }

    /// Whether something runs, or is still to be started.
    fn alive(&self) -> bool {
        let records = self.model.init.iter().chain(&self.model.main);
        records.take(self.started).any(|record| !record.done) || self.may_start_more()
    }

    /// Whether the node stops and nobody can tell what runs of the pod. It stays as it is, and whoever comes after looks
    /// again.
    fn is_left(&self) -> bool {
        let verdict = &self.directive.borrow().verdict;
        let records = self.model.init.iter().chain(&self.model.main);
        let mut alive = records.take(self.started).filter(|record| !record.done);
        verdict.as_ref().is_some_and(Verdict::is_of_the_node) && alive.all(|record| record.unseen)
    }

    fn may_start_more(&self) -> bool {
        let all = self.model.init.len() + self.model.main.len();
        let may_run = *self.orders.borrow() == Order::Run || self.is_resumed;
        self.started < all && may_run && !self.model.init_failed()
    }

    /// Takes in what happened, and everything else that has happened meanwhile.
    fn take(&mut self, container: usize, change: Change, engine: &Arc<dyn Engine>) {
        self.model.apply(container, change);
        while let Ok((container, change)) = self.news_in.try_recv() {
            self.model.apply(container, change);
        }
        self.start_next(engine);
        let over = self.model.main.iter().all(|record| record.done) || self.model.init_failed();
        if over && *self.sidecar_orders.borrow() == Order::Run {
            self.sidecar_orders
                .send_replace(Order::Stop { grace: self.grace() });
        }
    }

    /// Starts what may start now: init containers one after the other, then all the others at once.
    fn start_next(&mut self, engine: &Arc<dyn Engine>) {
        while self.may_start_more() {
            let before = self.model.init.iter().take(self.started);
            let ready = before.clone().all(|record| {
                if record.sidecar {
                    record.running()
                } else {
                    record.succeeded()
                }
            });
            if !ready {
                return;
            }
            self.start(self.started, engine);
            self.started += 1;
        }
    }

    fn start(&mut self, number: usize, engine: &Arc<dyn Engine>) {
        let Some(spec) = &self.pod.spec else { return };
        let init = spec.init_containers.iter().flatten();
        let Some(container) = init.chain(&spec.containers).nth(number).cloned() else {
            return;
        };
        let is_init = number < self.model.init.len();
        let sidecar = is_init && self.model.init[number].sidecar;
        let policy = policy(&container, spec.restart_policy.as_deref(), is_init, sidecar);
        let past = if self.is_resumed {
            let mut records = self.model.init.iter().chain(&self.model.main);
            let Some(past) = records.nth(number).and_then(|record| record.past(policy)) else {
                self.model.apply(number, Change::Done);
                return;
            };
            past
        } else {
            Past::default()
        };
        let orders = if sidecar {
            &self.sidecar_orders
        } else {
            &self.orders
        };
        let life = Life {
            machine: self.machine.clone(),
            engine: engine.clone(),
            pod: self.pod.clone(),
            policy,
            container,
            number,
            past,
            orders: orders.subscribe(),
            news: self.news.clone(),
            missing: None,
        };
        self.lives.spawn(life.live());
    }

    /// Does what the node asks.
    fn obey(&mut self) {
        let directive = self.directive.borrow_and_update().clone();
        if directive.order != Order::Run {
            self.stop(directive.verdict, directive.order);
        }
    }

    fn stop(&mut self, verdict: Option<Verdict>, order: Order) {
        if self.model.verdict.is_none() {
            self.model.verdict = verdict;
        }
        for orders in [&self.orders, &self.sidecar_orders] {
            orders.send_if_modified(|now| {
                let more = order.outweighs(*now);
                if more {
                    *now = order;
                }
                more
            });
        }
    }

    /// The pod's own deadline.
    fn deadline(&self) -> Option<Instant> {
        let seconds = self.pod.spec.as_ref()?.active_deadline_seconds?;
        let allowed = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        let active = self.machine.clock.now() - self.model.since();
        Instant::now().checked_add(allowed.saturating_sub(active.to_std().unwrap_or_default()))
    }

    fn grace(&self) -> Duration {
        grace(&self.pod)
    }

    /// Tells, before anything of the pod was started, what of it does not hold here.
    fn tell_caveat(&self, engine: &dyn Engine) {
        if let Some((reason, message)) = engine.caveat_of_pod(&self.pod)
            && !runtimes::is_begun(&self.pod)
        {
            self.machine.warn(&self.pod, "", reason, &message);
        }
    }

    /// The end of a pod that can't run here.
    async fn refuse(mut self, unfit: Unfit) {
        self.machine
            .warn(&self.pod, &unfit.container, unfit.reason, &unfit.message);
        let origin = Arc::new(origin(&self.pod, unfit.container));
        let what = What::NotStarted {
            reason: unfit.reason.to_owned(),
            message: unfit.message.clone(),
        };
        self.machine
            .output
            .send(&origin, self.machine.clock.now(), what)
            .await;
        self.model.refuse(Verdict {
            reason: unfit.reason.to_owned(),
            message: unfit.message,
        });
        self.finish().await;
    }

    /// Writes the last status, until it is written.
    async fn finish(mut self) {
        self.model.end();
        while !self.write_once().await {
            tokio::time::sleep(WRITE_RETRY).await;
        }
    }

    /// Writes the status. Whether that is done with: a pod that is gone needs none.
    async fn write_once(&mut self) -> bool {
        let status = self.model.status(self.machine.clock.now());
        if self.written.as_ref() == Some(&status) {
            return true;
        }
        let is_done = self.write(&status).await;
        self.written = Some(status).filter(|_| is_done);
        is_done
    }

    /// Writes this status. Whether that is done with.
    async fn write(&self, status: &PodStatus) -> bool {
        // The uid guards against another pod of the same name. Conditions of others stay: that somebody evicts it.
        let mut patch = json!({"metadata": {"uid": self.pod.metadata.uid}, "status": status});
        // Of ours nothing stays: what gave a reason before has none now.
        for condition in patch["status"]["conditions"].as_array_mut().into_iter().flatten() {
            for field in ["reason", "message"] {
                let value = condition[field].take();
                condition[field] = value;
            }
        }
        let name = self.pod.metadata.name.as_deref().unwrap_or_default();
        match self
            .machine
            .pods(&self.pod)
            .patch_status(name, &PatchParams::default(), &Patch::Strategic(patch))
            .await
        {
            Ok(_) => true,
            Err(kube::Error::Api(status)) if status.code == 404 => true,
            Err(kube::Error::Api(status)) if status.code == 409 => self.is_gone().await,
            Err(error) => {
                tracing::warn!(
                    pod = name,
                    error = chain(&error),
                    "the status of a pod could not be written"
                );
                false
            }
        }
    }

    /// Whether the name is another pod's by now. A conflict may also be a race with another writer.
    async fn is_gone(&self) -> bool {
        let name = self.pod.metadata.name.as_deref().unwrap_or_default();
        let there = self.machine.pods(&self.pod).get_opt(name).await;
        there.is_ok_and(|there| there.is_none_or(|there| there.metadata.uid != self.pod.metadata.uid))
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

/// An init container is run until it succeeds, unless nothing is ever restarted; a sidecar is kept running.
fn policy(container: &Container, of_pod: Option<&str>, init: bool, sidecar: bool) -> RestartPolicy {
    let of_pod = RestartPolicy::read(of_pod);
    match (init, container.restart_policy.as_deref()) {
        _ if sidecar => RestartPolicy::Always,
        (_, Some(own)) => RestartPolicy::read(Some(own)),
        (true, None) if of_pod == RestartPolicy::Always => RestartPolicy::OnFailure,
        _ => of_pod,
    }
}

fn deadline_exceeded() -> Verdict {
    Verdict {
        reason: "DeadlineExceeded".to_owned(),
        message: "Pod was active on the node longer than the specified deadline".to_owned(),
    }
}

/// Waits for a new directive. When the node is gone, none comes.
async fn directed(directive: &mut watch::Receiver<Directive>) {
    if directive.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
