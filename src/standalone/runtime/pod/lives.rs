//! The lives of a pod's containers: in which order they begin, and how they are told to end.
//!
//! Init containers run one after the other, each until it has succeeded; of a sidecar among them it is enough that it
//! runs. All the others start at once, and when they are done, the sidecars are stopped.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Pod};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

use super::super::engine::Engine;
use super::super::machine::Machine;
use super::super::order::Order;
use super::container::{Life, Past};
use super::grace;
use super::restart::RestartPolicy;
use super::status::{Change, Model, Record};
use super::waits::Waits;

/// How many changes wait while a status is being written; a container waits when there are more.
const NEWS_QUEUE: usize = 16;

/// The containers of one pod, each a task. They end when this is dropped, and what they run goes on.
#[derive(Debug)]
pub(super) struct Lives {
    machine: Arc<Machine>,
    engine: Arc<dyn Engine>,
    pod: Arc<Pod>,
    /// Whether an earlier `punctual` may have started some of it.
    is_resumed: bool,
    news: mpsc::Sender<(usize, Change)>,
    news_in: mpsc::Receiver<(usize, Change)>,
    /// Orders to all containers but the sidecars.
    orders: watch::Sender<Order>,
    /// Orders to the sidecars, which are stopped when the others are done.
    sidecar_orders: watch::Sender<Order>,
    /// Whose turn it is to be made ready in what the containers share.
    turn: Arc<Mutex<()>>,
    /// How many containers have been started; init containers come first.
    started: usize,
    tasks: JoinSet<()>,
}

impl Lives {
    /// None yet.
    pub(super) fn new(
        machine: Arc<Machine>,
        engine: Arc<dyn Engine>,
        pod: Arc<Pod>,
        is_resumed: bool,
    ) -> Self {
        let (news, news_in) = mpsc::channel(NEWS_QUEUE);
        Self {
            machine,
            engine,
            pod,
            is_resumed,
            news,
            news_in,
            orders: watch::Sender::new(Order::Run),
            sidecar_orders: watch::Sender::new(Order::Run),
            turn: Arc::default(),
            started: 0,
            tasks: JoinSet::new(),
        }
    }

    /// Waits until something has happened, and takes in everything that has.
    pub(super) async fn take_news(&mut self, model: &mut Model) {
        let mut news = self.news_in.recv().await;
        while let Some((container, change)) = news {
            model.apply(container, change);
            news = self.news_in.try_recv().ok();
        }
    }

    /// Whether something runs, or is still to be started.
    pub(super) fn go_on(&self, model: &Model) -> bool {
        self.under_way(model).next().is_some() || self.may_start_more(model)
    }

    /// Whether of all that may run nobody can tell whether it does.
    pub(super) fn are_unseen(&self, model: &Model) -> bool {
        self.under_way(model).all(|record| record.unseen)
    }

    fn under_way<'a>(&self, model: &'a Model) -> impl Iterator<Item = &'a Record> {
        let started = model.records().take(self.started);
        started.filter(|record| !record.done)
    }

    fn may_start_more(&self, model: &Model) -> bool {
        let may_run = *self.orders.borrow() == Order::Run || self.is_resumed;
        may_run && self.started < model.records().count() && !model.init_failed()
    }

    /// Starts what may start now, and stops the sidecars when the others are done.
    pub(super) fn advance(&mut self, model: &mut Model) {
        while self.may_start_more(model) && model.is_turn_of(self.started) {
            self.start(self.started, model);
            self.started += 1;
        }
        if model.is_done() && *self.sidecar_orders.borrow() == Order::Run {
            let grace = grace(&self.pod);
            self.sidecar_orders.send_replace(Order::Stop { grace });
        }
    }

    fn start(&mut self, number: usize, model: &mut Model) {
        let Some(spec) = &self.pod.spec else { return };
        let init = spec.init_containers.iter().flatten();
        let Some(container) = init.chain(&spec.containers).nth(number).cloned() else {
            return;
        };
        let Some(record) = model.records().nth(number) else {
            return;
        };
        let is_sidecar = record.sidecar;
        let policy = policy(
            &container,
            spec.restart_policy.as_deref(),
            model.is_init(number),
            is_sidecar,
        );
        let past = if self.is_resumed {
            let Some(past) = record.past(policy) else {
                return model.apply(number, Change::Done);
            };
            past
        } else {
            Past::default()
        };
        let orders = if is_sidecar {
            &self.sidecar_orders
        } else {
            &self.orders
        };
        let life = Life {
            machine: self.machine.clone(),
            engine: self.engine.clone(),
            pod: self.pod.clone(),
            policy,
            container,
            number,
            past,
            orders: orders.subscribe(),
            news: self.news.clone(),
            turn: self.turn.clone(),
            waits: Waits::default(),
        };
        self.tasks.spawn(life.live());
    }

    /// Passes an order on to all of them.
    pub(super) fn order(&self, order: Order) {
        order.give(&self.orders);
        order.give(&self.sidecar_orders);
    }
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
