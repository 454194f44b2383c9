//! Which of several replicas decides: the one that holds a `coordination.k8s.io` Lease.
//!
//! The others keep their caches full and take over when the holder releases the Lease or has not renewed it for a
//! while. Nobody compares clocks with anybody: a replica measures, on its own monotonic clock, how long ago it saw the
//! Lease change, and how long ago it sent its own last renewal (as client-go's `leaderelection` does).
//!
//! With the usual duration, three seconds, of which all times are parts:
//!
//! ```text
//!  holder    sends ─────────────── stops writing                     0 s ······· 2.0 s
//!  API server  └─ stores
//!  standby          └─ sees ──────────────────────────── takes           ≥ 0 s ············ ≥ 2.4 s
//! ```
//!
//! The holder counts from before its renewal was stored, a standby from after, so the holder always stops first. If it
//! does not, because its process was frozen, the names of the Jobs are the lock, and a status is only written over the
//! version that was read.
//!
//! | file | what it does |
//! |---|---|
//! | `duration` | how long it lasts, and the times that follow (pure) |
//! | `claim` | who may do what when (pure) |
//! | `elector` | the requests, and telling the rest of the program |

mod claim;
mod duration;
mod elector;

pub use duration::LeaseDuration;
pub use elector::{Elector, LeaseName};

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

/// Whether this replica leads. Clones see the same.
#[derive(Debug, Clone)]
pub struct Leadership {
    /// Until when it leads, unless it renews; none while another does.
    until: watch::Receiver<Option<Instant>>,
    /// Kept where nobody else can lead.
    _always: Option<Arc<watch::Sender<Option<Instant>>>>,
}

/// How long "always" is: longer than any process runs, and within what an `Instant` can hold.
const ALWAYS: std::time::Duration = std::time::Duration::from_hours(100 * 365 * 24);

impl Leadership {
    /// Leads without asking: there are no other replicas.
    pub fn always() -> Self {
        let (sender, until) = watch::channel(Some(Instant::now() + ALWAYS));
        Leadership {
            until,
            _always: Some(Arc::new(sender)),
        }
    }

    fn elected() -> (watch::Sender<Option<Instant>>, Self) {
        let (sender, until) = watch::channel(None);
        (sender, Leadership { until, _always: None })
    }

    /// Whether this replica leads at this moment.
    pub fn is_held(&self) -> bool {
        self.until.borrow().is_some_and(|until| now() < until)
    }

    /// Ends when something about it may have changed.
    pub async fn changed(&mut self) {
        if self.until.changed().await.is_err() {
            // Nobody elects any more; what was said last stays true until it runs out.
            std::future::pending::<()>().await;
        }
    }
}

/// The monotonic clock, which tests move by hand.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
