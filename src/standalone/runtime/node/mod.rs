//! The node: watches the pods, gives each a task, and brings all of them to an end.
//!
//! A pod is known by its uid, from the first time it is seen until its object is gone, so a watch that starts over or
//! a late event never starts it twice. Starting a pod is never waited for here: a thousand pods that come at once are
//! a thousand tasks, and the limits in `machine` say how many of them start processes at a time.
//!
//! A stop has an end: pods that are not there then, because a container engine does not answer or the kernel does not
//! let a process go, are left as they are, and whoever comes after finds them.
//!
//! A pod that is deleted gets SIGTERM and its grace period, then SIGKILL, and only then is its object removed, with a
//! grace period of zero: that is how the API server learns that nothing runs any more.
//!
//! | file | one idea |
//! |---|---|
//! | `taken` | a pod that was taken on, through any fault of its task |
//! | `cordon` | whether pods that have not been started wait |
//! | `entry` | a pod that the node knows, and how far its end has come |
//! | `removal` | removes the object of a pod that has ended |
//! | `orphans` | ends what is left of pods that nobody knows any more |
//! | `room` | makes room on a disk that is nearly full |
//! | `registration` | the node as an object |

pub(super) mod cordon;
mod entry;
mod orphans;
pub(super) mod registration;
mod removal;
pub(super) mod room;
mod taken;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_objects};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::machine::{Machine, Options};
use super::order::{Order, at};
use super::output::Output;
use super::pod::grace;
use super::pod::status::Verdict;
use crate::clock::SharedClock;
use crate::manifest::validate::pod::is_gated;
use crate::telemetry::chain;
use entry::{Entry, Uid, uid};
use room::Room;
use taken::Taken;

/// The least time that a process is given to end when its pod's object is taken away from under it.
const LEAST_GRACE: Duration = Duration::from_secs(1);

/// How long after its grace period, and SIGKILL, a pod may take to have ended when the node stops.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// How far a stop has gone. It only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Shutdown {
    /// Go on.
    #[default]
    No,
    /// Start no pods; give those that run SIGTERM and their grace period.
    Drain,
    /// Kill what still runs.
    Kill,
}

/// Runs the pods of one machine as processes.
#[derive(Debug)]
pub struct Node {
    machine: Arc<Machine>,
    pods: HashMap<Uid, Entry>,
    tasks: JoinSet<Uid>,
    removals: JoinSet<()>,
    shutdown: Shutdown,
    /// When a stop does not wait any longer.
    stop_at: Option<Instant>,
    /// Whether the pods that were there before the node are known.
    knows_all: bool,
    room: Room,
}

impl Node {
    /// A node that is not running yet.
    pub fn new(client: Client, clock: SharedClock, output: Output, options: Options) -> Self {
        Self {
            machine: Arc::new(Machine::new(client, clock, output, options)),
            pods: HashMap::new(),
            tasks: JoinSet::new(),
            removals: JoinSet::new(),
            shutdown: Shutdown::No,
            stop_at: None,
            knows_all: false,
            room: Room::default(),
        }
    }

    /// Runs until it is told to stop and everything has stopped; the status of every pod is recorded by then, but for
    /// those that can't be ended.
    ///
    /// Dropping the future instead leaves the processes running, with nobody to record their end.
    pub async fn run(mut self, mut shutdown: watch::Receiver<Shutdown>) {
        let api: Api<Pod> = Api::all(self.machine.client.0.clone());
        let mut events = std::pin::pin!(watch_objects(api, watcher::Config::default()).default_backoff());
        let mut listed = HashSet::new();
        let mut look = interval(room::LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let machine = self.machine.clone();
        // It ends with whoever tells what will be due, who is stopped before the node.
        let ready = tokio::spawn(async move { machine.get_ready().await });
        let machine = self.machine.clone();
        let mut cordon = JoinSet::new();
        cordon.spawn(async move {
            cordon::follow(machine.client.0.clone(), &machine.options.name, &machine.cordon).await;
        });
        self.turn(*shutdown.borrow_and_update());
        while !self.finished() {
            tokio::select! {
                Some(event) = events.next() => match event {
                    Ok(event) => self.hear(event, &mut listed),
                    Err(error) => tracing::warn!(error = chain(&error), "the pods can't be watched at the moment"),
                },
                Some(Ok(uid)) = self.tasks.join_next() => self.ended(&uid),
                Some(_) = self.removals.join_next() => {}
                Ok(()) = shutdown.changed() => self.turn(*shutdown.borrow_and_update()),
                _ = look.tick() => self.make_room(),
                () = at(self.stop_at) => {
                    self.leave();
                    break;
                }
            }
        }
        self.machine.release().await;
        self.machine.settle().await;
        let _nothing_waits = ready.await;
    }

    fn finished(&self) -> bool {
        self.shutdown > Shutdown::No && self.tasks.is_empty() && self.removals.is_empty()
    }

    /// Takes an event of the watch in.
    fn hear(&mut self, event: Event<Pod>, listed: &mut HashSet<Uid>) {
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(pod) => {
                listed.insert(uid(&pod));
                self.seen(pod);
            }
            Event::InitDone => {
                if !std::mem::replace(&mut self.knows_all, true) {
                    // Those that were taken on are not all, where a stop has begun meanwhile.
                    let is_known = |uid: &Uid| listed.contains(uid) || self.pods.contains_key(uid);
                    for orphan in orphans::find(&self.machine.options.data, is_known) {
                        self.removals.spawn(orphans::end(self.machine.clone(), orphan));
                    }
                }
                let vanished: Vec<Uid> = self
                    .pods
                    .keys()
                    .filter(|uid| !listed.contains(*uid))
                    .cloned()
                    .collect();
                for uid in &vanished {
                    self.gone(uid);
                }
            }
            Event::Apply(pod) => self.seen(pod),
            Event::Delete(pod) => self.gone(&uid(&pod)),
        }
    }

    /// A pod as it is now.
    fn seen(&mut self, pod: Pod) {
        if !self.is_ours(&pod) {
            return;
        }
        let uid = uid(&pod);
        let deleted = pod.metadata.deletion_timestamp.is_some();
        let grace = grace(&pod);
        if let Some(entry) = self.pods.get(&uid) {
            entry.update(&pod);
        } else if !self.admit(&uid, pod, deleted) {
            return;
        }
        if deleted {
            self.end_deleted(&uid, grace);
        }
    }

    fn is_ours(&self, pod: &Pod) -> bool {
        let spec = pod.spec.as_ref();
        let node = spec
            .and_then(|spec| spec.node_name.as_deref())
            .unwrap_or_default();
        let may_start = !spec.is_some_and(is_gated);
        node == self.machine.options.name || (node.is_empty() && may_start)
    }

    /// Takes a pod on that was not known. Whether it was: when the node stops, no pod is started any more.
    fn admit(&mut self, uid: &str, pod: Pod, deleted: bool) -> bool {
        let phase = pod
            .status
            .as_ref()
            .and_then(|status| status.phase.clone())
            .unwrap_or_default();
        let is_resumed = !self.knows_all;
        let is_over = matches!(phase.as_str(), "Succeeded" | "Failed");
        let ended = is_over || (deleted && !is_resumed);
        if !ended && self.shutdown > Shutdown::No {
            return false;
        }
        let entry = Entry::new(pod, ended);
        if !ended {
            let taken = Taken {
                machine: self.machine.clone(),
                pod: entry.pod.clone(),
                directive: entry.directive(),
                active_deadline: entry.active_deadline(),
                is_resumed,
            };
            let uid = uid.to_owned();
            self.tasks.spawn(taken.run().map(|()| uid));
        }
        self.pods.insert(uid.to_owned(), entry);
        true
    }

    /// The pod was deleted: its processes end, then its object goes. It may be deleted again, with less grace.
    fn end_deleted(&mut self, uid: &str, grace: Duration) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        let asked_before = std::mem::replace(&mut entry.remove, true);
        if !entry.ended {
            entry.direct(Order::Stop { grace }, None);
        } else if !asked_before {
            self.removals
                .spawn(removal::remove(self.machine.clone(), entry.pod.clone()));
        }
    }

    /// The pod's object is gone.
    fn gone(&mut self, uid: &str) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        if entry.ended {
            self.forget(uid);
            return;
        }
        entry.gone = true;
        let grace = if entry.remove {
            Duration::ZERO
        } else {
            grace(&entry.pod)
        };
        let grace = grace.max(LEAST_GRACE);
        entry.direct(Order::Stop { grace }, None);
    }

    /// Nothing of the pod runs and its object is gone: what is kept of it goes as well.
    fn forget(&mut self, uid: &str) {
        let Some(entry) = self.pods.remove(uid) else {
            return;
        };
        let machine = self.machine.clone();
        let folder = machine.options.data.pod(uid).path().to_owned();
        self.removals.spawn(async move {
            // What can't run here has left nothing.
            if let Ok(engine) = machine.engine(&entry.pod) {
                engine.forget(&entry.pod).await;
            }
            orphans::remove(&folder).await;
        });
    }

    /// Removes logs of pods that have ended when the disk is nearly full.
    fn make_room(&mut self) {
        let mut ended: Vec<&Entry> = self.pods.values().filter(|entry| entry.ended).collect();
        ended.sort_by_key(|entry| &entry.pod.metadata.creation_timestamp);
        let data = &self.machine.options.data;
        let ended = ended.into_iter().map(|entry| data.pod(&uid(&entry.pod)));
        if let Some(removal) = self.room.look(data, ended) {
            self.removals.spawn(removal);
        }
    }

    /// A pod's task ended.
    fn ended(&mut self, uid: &str) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        entry.ended = true;
        if entry.gone {
            self.forget(uid);
        } else if entry.remove {
            self.removals
                .spawn(removal::remove(self.machine.clone(), entry.pod.clone()));
        }
    }

    /// Turns to stopping, or to killing.
    fn turn(&mut self, shutdown: Shutdown) {
        self.shutdown = self.shutdown.max(shutdown);
        if self.shutdown == Shutdown::No {
            return;
        }
        let mut longest = Duration::ZERO;
        for entry in self.pods.values().filter(|entry| !entry.ended) {
            let grace = grace(&entry.pod);
            let order = if self.shutdown == Shutdown::Drain {
                longest = longest.max(grace);
                Order::Stop { grace }
            } else {
                Order::Kill
            };
            entry.direct(order, Some(Verdict::node_stopped()));
        }
        self.stop_at = Instant::now().checked_add(longest.saturating_add(LAST_WAIT));
    }

    /// Leaves the pods that could not be ended.
    fn leave(&self) {
        for entry in self.pods.values().filter(|entry| !entry.ended) {
            let pod = entry.pod.metadata.name.as_deref().unwrap_or_default();
            tracing::error!(
                pod,
                "a pod could not be ended, and what runs of it goes on; the next start looks for it"
            );
        }
    }
}
