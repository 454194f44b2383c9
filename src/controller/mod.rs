//! Who decides when?
//!
//! The controller watches CronJobs and Jobs, wakes at due instants, takes decisions and has them carried out. What
//! it knows and what it does next is a plain state machine, `state`; [`Controller`] moves it with what the watches,
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
//! | `charge` | which CronJobs it is in charge of, and so what it watches |
//! | `listing` | how far the (re)listing of the watches has come |
//! | `cache` | CronJobs and their Jobs as they are, own writes included before the watch shows them |
//! | `fault` | a rule that breaks down on one CronJob, and the others go on |
//! | `early` | Jobs that a watch shows before their CronJobs (pure) |
//! | `pace` | how herds are released, where there is a limit on the rate of starts (pure) |
//! | `queue` | which CronJobs are due for a decision, and when |
//! | `upcoming` | what will be due next, for whoever can prepare for it |
//! | `state` | what happened in, tasks out (pure) |
//! | `retry` | how long to wait after a failure (pure) |
//! | `report` | what a controller in shadow has to say |
//! | `shadow` | what would have been done differently from what is seen to happen (pure) |
//! | `rival` | whether another controller runs the same CronJobs (pure) |
//! | `streak` | how many runs have failed in a row (pure) |
//! | `leadership` | which of several replicas decides |
//! | `lenient` | objects that can't be read, and do not hide the others |
//! | `watches` | every CronJob and Job, from a list and then as they change |
//! | `unwatched` | what may not be listed or watched, as it is told |
//! | `tasks` | what is being carried out, and what came of it |
//! | `options` | what a controller is made of |
//! | `run` | the watches, the clock and the tasks, around the state |

mod cache;
mod charge;
mod early;
mod fault;
mod leadership;
mod lenient;
mod listing;
mod options;
mod pace;
mod queue;
mod report;
mod retry;
mod rival;
mod run;
mod shadow;
mod state;
mod streak;
mod tasks;
#[cfg(test)]
mod tests;
mod unwatched;
mod upcoming;
mod watches;

pub use charge::{Charge, Scope};
pub use leadership::{Elector, Leadership, LeaseDuration, LeaseName};
pub use options::ControllerOptions;
pub use pace::Pace;
pub use run::Controller;
pub use upcoming::Upcoming;
pub use watches::patiently;
