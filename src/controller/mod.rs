//! Who decides when?
//!
//! The controller watches CronJobs and Jobs, wakes at due instants, takes decisions and has them carried out. What
//! it knows and what it does next is a plain state machine, [`State`]; [`Controller`] moves it with what the watches,
//! the clock and the submitter report.
//!
//! ```text
//!  watch CronJobs ─┐                     ┌─▶ submit ──▶ API server
//!  watch Jobs ─────┼─▶ State ─▶ [Task] ──┤
//!  clock ──────────┤     ▲               └─▶ look up ─┐
//!                  │     └──────── what came of it ───┘
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `cache` | CronJobs and their Jobs as they are, own writes included before the watch shows them |
//! | `queue` | which CronJobs are due for a decision, and when |
//! | `state` | what happened in, tasks out (pure) |
//! | `retry` | how long to wait after a failure |
//! | `run` | the watches, the clock and the tasks |

mod cache;
mod queue;
mod retry;
mod run;
mod state;
#[cfg(test)]
mod tests;

pub use run::{Controller, ControllerOptions};
pub use state::{State, Task};
