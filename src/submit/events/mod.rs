//! Notes as Kubernetes Events on their CronJob, for `kubectl describe` and `kubectl events`.
//!
//! Events help people; they are no audit. They are written behind a bounded queue, and never delay a Job or a
//! status. What is told again raises the count of its Event instead of making another, and the longer it goes
//! on the less often, so that a CronJob that is stuck for a day costs one Event that was written some fifty times.
//!
//! | file | what it does |
//! |---|---|
//! | `correlate` | which note is written now, and as the how manieth of its kind (pure) |
//! | `object` | the Event (pure) |
//! | `write` | the requests |

mod correlate;
mod object;
mod write;

pub use object::COMPONENT;
pub use write::{EventWriting, write_events};
