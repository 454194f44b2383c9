//! How much is sent to the API server at the same time, what goes first, and that no namespace holds up another.
//!
//! Starts go first: what a decision needs beside its start (the status, the history) waits until no start waits for
//! its answer, so that of a thousand runs that are due at once the last is created as soon as if nothing had to be
//! recorded. It does not wait for ever, or a namespace that always has something to start would leave the others
//! without a record. A look-up waits for neither: a start may depend on it.
//!
//! A request that is answered at once only needs a slot. One that is not (a webhook hangs) gives its slot back after a
//! moment and waits on without one, so that it holds up others of its own namespace at most. And nobody is trusted with
//! many slots before a few were answered, so that where many namespaces hang there is room for the rest.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

/// Starts that are under way at the same time, each on a connection of its own. More would only queue up inside the
/// API server.
const STARTS: usize = 64;

/// How many of one namespace: all but a few of the slots, so that a namespace that is alone is not slowed down and
/// one whose requests hang leaves room for the rest.
const STARTS_OF_A_NAMESPACE: usize = 48;

/// Records that are written at the same time.
const RECORDS: usize = 32;

/// How many of one namespace.
const RECORDS_OF_A_NAMESPACE: usize = 24;

/// Jobs that are deleted at the same time since the history has no room for them. Nothing waits for that.
const PRUNES: usize = 16;

/// How many of one namespace.
const PRUNES_OF_A_NAMESPACE: usize = 12;

/// Looks at Jobs and pods at the same time. After a take-over thousands may be due at once, and each that is under way takes a
/// connection.
pub(super) const LOOKS: usize = 32;

/// How many of one namespace.
const LOOKS_OF_A_NAMESPACE: usize = 24;

/// How many requests of a namespace are under way before any was answered, and again after some hung. Each answer in time makes
/// room for one more: after a few round trips it is as if there were no such limit.
const UNPROVEN: usize = 16;

/// How many starts, and how many of each other kind, may be under way without a slot. Once so many hang, every
/// namespace waits for them: the API server has a trouble that more connections would not cure.
pub(super) const OVERDUE: usize = 192;

/// How long a request may take before its slot goes to others. Most take a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(250);

/// What is not answered within that has hung. Behind a slow webhook each answer takes part of a second, and says all the same that
/// its namespace may be trusted.
const HUNG: Duration = Duration::from_secs(5);

/// How long a record or a deletion waits for starts at most.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The slots of each kind of work. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    starts: Arc<Slots>,
    records: Arc<Slots>,
    prunes: Arc<Slots>,
    looks: Arc<Slots>,
    pending: Arc<Pending>,
}

/// How many starts have their turn and no answer yet. Those that are overdue do not count.
#[derive(Debug, Default)]
struct Pending {
    count: AtomicUsize,
    none: Notify,
}

/// One start, which is pending until this is dropped.
struct Turn<'a>(&'a Pending);

/// The slots of all, and of each namespace.
#[derive(Debug)]
struct Slots {
    all: Semaphore,
    overdue: Semaphore,
    of_a_namespace: usize,
    lanes: Mutex<HashMap<String, Arc<Lane>>>,
}

/// The room that a namespace has.
#[derive(Debug)]
struct Lane {
    room: Semaphore,
    /// How many of its requests may be under way, as it has proven.
    width: AtomicUsize,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Lanes {
            starts: Arc::new(Slots::new(STARTS, STARTS_OF_A_NAMESPACE)),
            records: Arc::new(Slots::new(RECORDS, RECORDS_OF_A_NAMESPACE)),
            prunes: Arc::new(Slots::new(PRUNES, PRUNES_OF_A_NAMESPACE)),
            looks: Arc::new(Slots::new(LOOKS, LOOKS_OF_A_NAMESPACE)),
            pending: Arc::default(),
        }
    }

    /// Starts a run of `namespace` when there is room for it.
    ///
    /// What waits for its turn is small: the work is not begun, and takes no memory, before there is room.
    pub(super) async fn start<F: Future>(&self, namespace: &str, work: impl FnOnce() -> F) -> F::Output {
        let turn = async || Turn::take(&self.pending);
        self.starts.run(namespace, turn, work).await
    }

    /// Does what is left to do about a CronJob of `namespace` when there is room for it, and nothing is to be started or it
    /// has waited for that for long enough.
    pub(super) async fn record<F: Future>(
        &self,
        namespace: &str,
        longest_wait: Duration,
        work: impl FnOnce() -> F,
    ) -> F::Output {
        let at_latest = Instant::now() + longest_wait.min(LONGEST_WAIT);
        let turn = async || self.pending.is_none_or_late(at_latest).await;
        self.records.run(namespace, turn, work).await
    }

    /// Deletes a Job of the history of a CronJob of `namespace` when there is room for it, and nothing is to be started or that
    /// was waited for until `at_latest`.
    pub(super) async fn prune<F: Future>(
        &self,
        namespace: &str,
        at_latest: Instant,
        work: impl FnOnce() -> F,
    ) -> F::Output {
        let turn = async || self.pending.is_none_or_late(at_latest).await;
        self.prunes.run(namespace, turn, work).await
    }

    /// Looks at something of `namespace` when there is room for it.
    pub(super) async fn look<F: Future>(&self, namespace: &str, work: impl FnOnce() -> F) -> F::Output {
        self.looks.run(namespace, async || (), work).await
    }
}

impl Pending {
    /// Ends when nothing is pending.
    async fn is_none(&self) {
        loop {
            let mut none = pin!(self.none.notified());
            none.as_mut().enable();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            none.await;
        }
    }

    /// Ends when nothing is pending, or that was waited for for long enough.
    async fn is_none_or_late(&self, at_latest: Instant) {
        let _calm_or_not = timeout_at(at_latest, self.is_none()).await;
    }
}

impl<'a> Turn<'a> {
    fn take(pending: &'a Pending) -> Self {
        pending.count.fetch_add(1, Ordering::SeqCst);
        Turn(pending)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.none.notify_waiters();
        }
    }
}

impl Slots {
    fn new(all: usize, of_a_namespace: usize) -> Self {
        Slots {
            all: Semaphore::new(all),
            overdue: Semaphore::new(OVERDUE),
            of_a_namespace,
            lanes: Mutex::default(),
        }
    }

    /// Does `work` once there is room for it and `turn` has ended; what that returned is dropped when the work has its
    /// answer or is overdue.
    async fn run<T, F: Future>(
        &self,
        namespace: &str,
        turn: impl AsyncFnOnce() -> T,
        work: impl FnOnce() -> F,
    ) -> F::Output {
        let lane = self.lane(namespace);
        // The semaphores are never closed; without a permit the work is done all the same.
        let in_lane = lane.room.acquire().await;
        let slot = self.all.acquire().await;
        let turn = turn().await;
        let begun = Instant::now();
        let mut work = Box::pin(work());
        if let Ok(done) = timeout(PATIENCE, &mut work).await {
            lane.widen(self.of_a_namespace);
            return done;
        }
        drop(turn);
        let _in_lane = in_lane.ok().and_then(|permit| lane.narrow(permit));
        let done = tokio::select! {
            biased;
            done = &mut work => done,
            _overdue = self.overdue.acquire() => {
                drop(slot);
                work.await
            }
        };
        if begun.elapsed() < HUNG {
            lane.widen(self.of_a_namespace);
        }
        done
    }

    fn lane(&self, namespace: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(namespace) {
            return Arc::clone(lane);
        }
        // A namespace for which nothing is under way needs no lane; they are as many as there are busy namespaces.
        lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        let lane = Arc::new(Lane::new(UNPROVEN.min(self.of_a_namespace)));
        lanes.insert(namespace.to_owned(), Arc::clone(&lane));
        lane
    }
}

impl Lane {
    fn new(width: usize) -> Self {
        Lane {
            room: Semaphore::new(width),
            width: AtomicUsize::new(width),
        }
    }

    /// A request was answered in time.
    fn widen(&self, widest: usize) {
        let wider = |width| (width < widest).then_some(width + 1);
        let order = Ordering::Relaxed;
        if self.width.fetch_update(order, order, wider).is_ok() {
            self.room.add_permits(1);
        }
    }

    /// A request was not, so far: its room is gone, unless it is of the last.
    fn narrow<'a>(&self, permit: SemaphorePermit<'a>) -> Option<SemaphorePermit<'a>> {
        let narrower = |width| (width > UNPROVEN).then_some(width - 1);
        let order = Ordering::Relaxed;
        if self.width.fetch_update(order, order, narrower).is_err() {
            return Some(permit);
        }
        permit.forget();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    use tokio::task::JoinSet;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn a_namespace_whose_requests_hang_holds_up_nobody_else() {
        let lanes = Lanes::new();
        for namespace in ["hangs", "hangs too", "and this one"] {
            hang(&lanes, namespace);
        }
        sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        for _ in 0..1_000 {
            lanes.start("well", || async {}).await;
            lanes.record("well", LONGEST_WAIT, || async {}).await;
        }
        assert!(start.elapsed() < 4 * PATIENCE, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn one_namespace_that_hangs_costs_the_starts_of_others_no_time_at_all() {
        let lanes = Lanes::new();
        hang(&lanes, "hangs");
        sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        lanes.start("well", || async {}).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    /// A webhook that many namespaces have hangs until it is given up.
    #[tokio::test(start_paused = true)]
    async fn a_dozen_namespaces_whose_requests_hang_hold_up_nobody_else() {
        let lanes = Lanes::new();
        for namespace in 0..12 {
            for _ in 0..100 {
                let lanes = lanes.clone();
                tokio::spawn(async move {
                    let namespace = format!("hangs {namespace}");
                    lanes.start(&namespace, || sleep(Duration::from_secs(35))).await;
                });
            }
        }
        sleep(Duration::from_millis(1)).await;
        for _ in 0..1_000 {
            let start = Instant::now();
            lanes.start("well", || sleep(Duration::from_millis(100))).await;
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_costs_the_room_that_answers_have_made() {
        let lanes = Lanes::new();
        for _ in 0..100 {
            lanes.start("well", || async {}).await;
        }
        let lane = lanes.starts.lane("well");
        assert_eq!(lane.room.available_permits(), STARTS_OF_A_NAMESPACE);
        hang(&lanes, "well");
        sleep(Duration::from_secs(1)).await;
        assert_eq!(lane.width.load(Ordering::Relaxed), UNPROVEN);
    }

    /// Each create of a namespace passes a policy webhook that takes its time.
    #[tokio::test(start_paused = true)]
    async fn a_namespace_whose_requests_are_slow_has_as_much_room_as_one_whose_requests_are_not() {
        let lanes = Lanes::new();
        let slow = Duration::from_millis(300);
        assert!(PATIENCE < slow);
        let start = Instant::now();
        let mut starts = JoinSet::new();
        for _ in 0..1_000 {
            let lanes = lanes.clone();
            starts.spawn(async move { lanes.start("slow", || sleep(slow)).await });
        }
        starts.join_all().await;
        // As many at a time as may be, but for the first.
        assert!(start.elapsed() < 25 * slow, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_is_bounded_however_many_namespaces_hang() {
        let lanes = Lanes::new();
        let under_way = Arc::new(AtomicUsize::new(0));
        for namespace in 0..100 {
            for _ in 0..100 {
                let (lanes, under_way) = (lanes.clone(), Arc::clone(&under_way));
                tokio::spawn(async move {
                    let hangs = || async move {
                        under_way.fetch_add(1, Ordering::Relaxed);
                        pending::<()>().await;
                    };
                    lanes.start(&namespace.to_string(), hangs).await;
                });
            }
        }
        sleep(Duration::from_mins(1)).await;
        assert_eq!(under_way.load(Ordering::Relaxed), STARTS + OVERDUE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_waits_until_nothing_is_to_be_started() {
        let lanes = Lanes::new();
        let started = Arc::new(AtomicUsize::new(0));
        for _ in 0..1_000 {
            let (lanes, started) = (lanes.clone(), Arc::clone(&started));
            tokio::spawn(async move {
                lanes.start("busy", || sleep(Duration::from_millis(20))).await;
                started.fetch_add(1, Ordering::Relaxed);
            });
        }
        sleep(Duration::from_millis(1)).await;
        let before = lanes
            .record("busy", LONGEST_WAIT, || async { started.load(Ordering::Relaxed) })
            .await;
        assert!(before > 1_000 - STARTS_OF_A_NAMESPACE, "{before}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_does_not_wait_for_ever() {
        let lanes = Lanes::new();
        for _ in 0..STARTS {
            let lanes = lanes.clone();
            tokio::spawn(async move {
                loop {
                    lanes.start("busy", || sleep(PATIENCE / 2)).await;
                }
            });
        }
        sleep(Duration::from_millis(1)).await;
        for longest in [Duration::from_secs(2), LONGEST_WAIT] {
            let start = Instant::now();
            lanes.record("well", longest, || async {}).await;
            assert!(start.elapsed() <= longest, "{:?}", start.elapsed());
        }
    }

    #[tokio::test]
    async fn lanes_are_forgotten_when_nothing_is_under_way() {
        let lanes = Lanes::new();
        for namespace in 0..100 {
            lanes.start(&namespace.to_string(), || async {}).await;
        }
        assert_eq!(lanes.starts.lanes.lock().expect("no panic").len(), 1);
    }

    /// A thousand requests of a namespace that are never answered.
    fn hang(lanes: &Lanes, namespace: &'static str) {
        for _ in 0..1_000 {
            let lanes = lanes.clone();
            tokio::spawn(async move { lanes.start(namespace, pending::<()>).await });
        }
    }
}
