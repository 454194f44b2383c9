//! Kubernetes' own cases for the CronJob controller (v1.36, `cronjob_controllerv2_test.go` and `utils_test.go`),
//! each marked `same` or with the number of the difference that the README lists.
//!
//! One thing differs throughout and is not marked in each row: Kubernetes wakes 100 ms after an instant, Punctual
//! at it (D8).
//!
//! | file | what is decided |
//! |---|---|
//! | `sync` | what starts, what is ended for it, and what is recorded |
//! | `instants` | which instant is started, and when the next one is |
//! | `edits` | what an edit of the schedule starts |

mod edits;
mod instants;
mod sync;

/// Every hour, as those cases write it.
const H: &str = "0 * * * ?";
