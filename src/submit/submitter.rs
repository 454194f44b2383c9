//! Who sends: everything that is written, and what is looked up for it, goes through a [`Submitter`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kube::Client;

use crate::clock::SharedClock;
use crate::schedule::TimeZones;
use crate::submit::lanes::Lanes;

/// Carries decisions out through a `kube::Client`. It is the only writer.
#[derive(Clone)]
pub struct Submitter {
    pub(super) client: Client,
    pub(super) clock: SharedClock,
    pub(super) zones: Arc<TimeZones>,
    pub(super) lanes: Lanes,
}

impl Submitter {
    /// A submitter that speaks to `client` and renders instants in the zones of `zones`.
    pub fn new(client: Client, clock: SharedClock, zones: Arc<TimeZones>) -> Self {
        Submitter {
            client,
            clock,
            zones,
            lanes: Lanes::new(),
        }
    }
}

/// Whether a decision has been overtaken: what it was made on has changed since. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Overtaken(Arc<AtomicBool>);

impl Overtaken {
    /// From now on it is.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
