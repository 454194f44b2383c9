//! Doing it: the requests that carry a decision out.
//!
//! A [`Submitter`] takes a [`Decision`](crate::policy::Decision) as it is: it deletes, creates and records, in an order
//! in which every step may be the last one before a crash. Nothing to choose is left to it.
//!
//! | file | what it does |
//! |---|---|
//! | `job` | builds the Job of a run from the CronJob's template (pure) |
//! | `view` | reads a Job back as a [`Run`](crate::cronjob::Run) (pure) |
//! | `pods` | what keeps the pods of a run from starting (pure) |
//! | `requests` | the single requests, and what their answers mean |
//! | `trouble` | what a failed request means for the next attempt (pure) |
//! | `lanes` | how much is sent at the same time, what goes first, and that no namespace holds up another |
//! | `client` | the client: requests counted, `Retry-After` understood, nothing written by who does not lead |
//! | `events` | what is told, as Kubernetes Events |
//! | `carry_out` | the requests of one decision, in their order |

mod carry_out;
mod client;
mod events;
mod job;
mod lanes;
mod pods;
mod requests;
mod trouble;
mod view;

pub use carry_out::{Carried, Overtaken, Submitter};
pub use client::{Gate, open_gate, watched_client};
pub use events::{COMPONENT, EventWriting, write_events};
pub use job::{
    BACKFILL_LABEL, INSTANTIATE_ANNOTATION, SCHEDULED_ANNOTATION, job_by_hand, job_for, job_to_backfill,
};
pub use requests::{CLI_FIELD_MANAGER, CreateAnswer, FIELD_MANAGER, create_for_person};
pub use trouble::{Retry, Trouble};
pub use view::{JobView, controlling_cronjob};
