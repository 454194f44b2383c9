//! The lives of a pod's containers: in which order they begin, and how they are told to end.
//!
//! Init containers run one after the other, each until it has succeeded; of a sidecar among them it is enough that it
//! was started, even if it fails later. All the others start at once, and when they are done, the sidecars are stopped.

use std::any::Any;
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::super::all_containers;
use super::super::engine::Engine;
use super::super::machine::Machine;
use super::super::order::{Order, at};
use super::container::{Life, Past};
use super::ending::Ending;
use super::grace;
use super::restart::Restarts;
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
    /// Orders to each container, init containers first.
    orders: Vec<watch::Sender<Order>>,
    ending: Ending,
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
        let containers = pod.spec.iter().flat_map(all_containers);
        let orders = containers.map(|_| watch::Sender::default()).collect();
        Self {
            machine,
            engine,
            pod,
            is_resumed,
            news,
            news_in,
            orders,
            ending: Ending::default(),
            turn: Arc::default(),
            started: 0,
            tasks: JoinSet::new(),
        }
    }

    /// Waits until something has happened, and takes in everything that has; or until no sidecar is to wait for its turn
    /// to end any longer.
    pub(super) async fn take_news(&mut self, model: &mut Model) {
        let is_waiting = self.orders.iter().any(|orders| *orders.borrow() == Order::Last);
        let over_at = self.ending.over_at().filter(|_| is_waiting);
        let mut news = tokio::select! {
            news = self.news_in.recv() => news,
            () = at(over_at) => None,
            // The pod can't go on without that container. Whoever has the pod begins it anew, and says so.
            panic = panic(&mut self.tasks) => resume_unwind(panic),
        };
        while let Some((container, change)) = news {
            model.apply(container, change);
            news = self.news_in.try_recv().ok();
        }
    }

    /// Whether something runs, or is still to be started. What waits for its turn waits for something that is under way.
    pub(super) fn go_on(&self, model: &Model) -> bool {
        self.under_way(model).next().is_some()
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
        let may_run = self.ending.order() == Order::Run || self.is_resumed;
        may_run && self.started < model.records().count() && !model.init_failed()
    }

    /// Starts what may start now, and stops the sidecars when the others are done.
    pub(super) fn advance(&mut self, model: &mut Model) {
        while self.may_start_more(model) && model.is_turn_of(self.started) {
            self.start(self.started, model);
            self.started += 1;
        }
        if model.is_done() && self.ending.order() == Order::Run {
            let grace = grace(&self.pod);
            self.ending.give(Order::Stop { grace }, Instant::now());
        }
        self.tell(model);
    }

    fn start(&mut self, number: usize, model: &mut Model) {
        let Some(spec) = &self.pod.spec else { return };
        let Some(container) = all_containers(spec).nth(number).cloned() else {
            return;
        };
        let Some(record) = model.records().nth(number) else {
            return;
        };
        let Some(orders) = self.orders.get(number) else {
            return;
        };
        let restarts = Restarts::of(&container, spec.restart_policy.as_deref(), model.is_init(number));
        let past = if self.is_resumed {
            let Some(past) = record.past(&restarts) else {
                return model.apply(number, Change::Done);
            };
            past
        } else {
            Past::default()
        };
        let life = Life {
            machine: self.machine.clone(),
            engine: self.engine.clone(),
            pod: self.pod.clone(),
            restarts,
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

    /// Takes an order to the pod in, and passes it on to those whose turn it is.
    pub(super) fn order(&mut self, order: Order, model: &Model) {
        self.ending.give(order, Instant::now());
        self.tell(model);
    }

    /// Tells each container what it is to do now.
    fn tell(&self, model: &Model) {
        let now = Instant::now();
        for (number, (record, orders)) in model.records().zip(&self.orders).enumerate() {
            let order = if record.sidecar {
                self.ending.of_sidecar(self.may_end(number, model), now)
            } else {
                self.ending.order()
            };
            order.give(orders);
        }
    }

    /// Whether nothing runs that a sidecar is there for: the sidecars after it, and the main containers.
    fn may_end(&self, sidecar: usize, model: &Model) -> bool {
        let mut after = model.records().enumerate().skip(sidecar + 1);
        after.all(|(number, record)| {
            let runs = !record.done && (number < self.started || record.running());
            !runs || (model.is_init(number) && !record.sidecar)
        })
    }
}

/// Waits until one of the tasks has panicked. Those that end as they should are passed over.
async fn panic(tasks: &mut JoinSet<()>) -> Box<dyn Any + Send> {
    while let Some(ended) = tasks.join_next().await {
        if let Some(Ok(panic)) = ended.err().map(JoinError::try_into_panic) {
            return panic;
        }
    }
    pending().await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_noticed_also_after_others_have_ended_as_they_should() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        tasks.spawn(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            panic!("out of salt");
        });
        let panic = tokio::time::timeout(Duration::from_secs(2), panic(&mut tasks)).await;
        let panic = panic.expect("it is noticed");
        assert_eq!(panic.downcast_ref(), Some(&"out of salt"));
    }
}
