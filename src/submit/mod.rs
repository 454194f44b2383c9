//! Doing it.
//!
//! A [`Submitter`] carries a [`Decision`](crate::policy::Decision) out: it deletes, creates and records, in an order
//! in which every step may be the last one before a crash. Nothing to choose is left to it.
//!
//! | file | what it does |
//! |---|---|
//! | `job` | builds the Job of a run from the CronJob's template (pure) |
//! | `view` | reads a Job back as a [`Run`](crate::cronjob::Run) (pure) |
//! | `requests` | the single requests, and what their answers mean |
//! | `carry_out` | the requests of one decision, in their order |

mod carry_out;
mod job;
mod requests;
mod view;

pub use carry_out::{Carried, Submitter};
pub use job::{INSTANTIATE_ANNOTATION, SCHEDULED_ANNOTATION, job_for};
pub use view::JobView;
