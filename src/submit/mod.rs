//! Doing it: the requests that carry a decision out.
//!
//! A [`Submitter`] takes a [`Decision`](crate::policy::Decision) as it is: it creates, records and deletes, in an order
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
//! | `submitter` | who sends |
//! | `carry_out` | the requests of one decision, in their order |
//! | `delete` | Jobs are deleted, one after the other |
//! | `prune` | what the history has no room for goes, beside everything else |
//! | `look` | Jobs and pods are looked at that no watch has shown |

mod carry_out;
mod client;
mod delete;
mod events;
mod job;
mod lanes;
mod look;
mod pods;
mod prune;
mod requests;
mod submitter;
mod trouble;
mod view;

pub use carry_out::Carried;
pub use client::{Gate, open_gate, watched_client};
pub use events::{COMPONENT, EventWriting, write_events};
pub use job::{
    BACKFILL_LABEL, INSTANTIATE_ANNOTATION, SCHEDULED_ANNOTATION, job_by_hand, job_for, job_to_backfill,
};
pub(crate) use pods::has_run;
pub use prune::Pruned;
pub use requests::{CLI_FIELD_MANAGER, CreateAnswer, FIELD_MANAGER, create_for_person};
pub use submitter::{Overtaken, Submitter};
pub use trouble::{Retry, Trouble, is_passing};
pub use view::{JobView, controlling_cronjob};
