//! Punctual runs Kubernetes CronJobs on time: in a cluster, or on one machine with no cluster at all.
//!
//! ```text
//!  manifest ── lower ──▶ CronJob spec ─┐
//!  observed Jobs ──────▶ [Run] ────────┼─▶ policy::decide(situation, now) ─▶ Decision ─▶ submit ─▶ Jobs, status, events
//!  expression + zone ──▶ Schedule ─────┘         pure, total, explains itself             the only writer
//! ```
//!
//! The parts, in reading order. Each imports only those before it, and a test (`tests/house.rs`) keeps it so.
//!
//! | part | question | what is in it |
//! |---|---|---|
//! | [`fnv`] | which number stands for a text? | the hash that names, offsets and records depend on |
//! | [`schedule`] | when is it due? | the cron grammar and its errors, the search, the rules of time zones |
//! | [`cronjob`] | what was asked? | the specification, runs as policy sees them, the names of runs |
//! | [`policy`] | what to do now? | one pure function from a situation and a time to a decision that explains itself |
//! | [`clock`] | what time is it? | the only place that reads the wall clock |
//! | [`manifest`] | words to types | YAML and JSON with places, validation, diagnostics |
//! | [`lint`] | what is likely not meant? | a rule for each finding, and how it is silenced |
//! | [`crontab`] | where do I come from? | crontabs to manifests, with nothing lost without a word |
//! | [`foresight`] | what will happen? | histories played in advance, by the rules that decide when it is real |
//! | [`telemetry`] | what is told? | logs, metrics, health, lines for people |
//! | [`submit`] | doing it | Jobs from the template, and the requests that carry a decision out |
//! | [`controller`] | who decides when? | watch, wake at due instants, decide, submit |
//! | [`standalone`] | on one machine | an embedded Kubernetes API, the rules of Jobs, processes as pods |
//! | [`cli`] | the commands | one file a command |
//!
//! # Invariants
//!
//! - `schedule`, `cronjob` and `policy` are the core: values in, values out. No I/O, no async, and no clock;
//!   time is an argument.
//! - A run's name is a function of its CronJob and its due instant, so the API server refuses to start it twice.
//! - The controller speaks to a `kube::Client` and to nothing else. On one machine the client is handed the
//!   embedded API's router, in a cluster it talks to kube-apiserver: there is one path.

pub mod cli;
pub mod clock;
pub mod controller;
pub mod cronjob;
pub mod crontab;
pub mod fnv;
pub mod foresight;
pub mod lint;
pub mod manifest;
pub mod policy;
pub mod schedule;
pub mod standalone;
pub mod submit;
pub mod telemetry;
