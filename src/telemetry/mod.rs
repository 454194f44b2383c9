//! What is told.
//!
//! | file | to whom |
//! |---|---|
//! | `logs` | the log: `tracing`, as text or JSON |
//! | `teller` | every decision with its reason, to the log and to whoever listens |

mod logs;
mod teller;

pub use logs::{LogFormat, start_logs};
pub use teller::{LISTENER_QUEUE, Teller, Told};
