//! Jobs as processes, end to end: the embedded API, the Job controller and the node together, on real `/bin/sh`.
//!
//! Each test has a machine of its own, speaks to it by a `kube::Client` as anybody would, and waits for what it wants to
//! see; none depends on how fast anything is.

mod faults;
mod fixtures;
mod logs;
mod machine;
mod owning;
mod patterns;
mod pods;
mod stopping;
mod surviving;
