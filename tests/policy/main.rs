//! The policy core against Kubernetes' own test tables, and against its invariants.

mod backfill;
mod edges;
mod invariants;
mod jitter;
mod pending;
mod reference;
mod upstream;
mod world;
