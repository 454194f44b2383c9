//! The policy core against Kubernetes' own test tables, and against its invariants.

mod invariants;
mod upstream;
mod world;
