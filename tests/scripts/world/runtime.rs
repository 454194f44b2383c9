//! Simulated time, exact to the last task.
//!
//! Two properties of tokio's single-threaded runtime are all that is needed. When time is paused, it moves by itself
//! to the next timer, but only once no task is left to run. And just before that the runtime calls a hook,
//! `on_thread_park`: the moment at which there is nothing left to do. [`Idle::settle`] waits for that call. It does not
//! sleep, it does not poll, and no time passes.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures::task::AtomicWaker;

/// A runtime on which time is simulated.
pub(crate) struct Runtime {
    runtime: tokio::runtime::Runtime,
    idle: Idle,
}

/// Knows when there is nothing left to do.
#[derive(Clone, Default)]
pub(crate) struct Idle(Arc<Signal>);

#[derive(Default)]
struct Signal {
    reached: AtomicBool,
    waiting: AtomicWaker,
}

impl Runtime {
    pub(crate) fn new() -> Self {
        // The pauses of kube's watches are spread at random; here they come out the same every time.
        fastrand::seed(1);
        let idle = Idle::default();
        let signal = idle.0.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .on_thread_park(move || {
                signal.reached.store(true, Ordering::Relaxed);
                signal.waiting.wake();
            })
            .build()
            .expect("a runtime on this thread");
        Runtime { runtime, idle }
    }

    /// Runs what `story` makes.
    pub(crate) fn run<F: Future>(&self, story: impl FnOnce(Idle) -> F) -> F::Output {
        self.runtime.block_on(story(self.idle.clone()))
    }
}

impl Idle {
    /// Waits until no task has anything left to do at this moment.
    pub(crate) async fn settle(&self) {
        self.0.reached.store(false, Ordering::Relaxed);
        poll_fn(|context| {
            self.0.waiting.register(context.waker());
            if self.0.reached.load(Ordering::Relaxed) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
