//! What to do now?
//!
//! [`decide`] turns a [`Situation`] (a CronJob, the runs observed of it, and what is remembered) and the time into a
//! [`Decision`]: end these, start that, record this, wake me then, and a [`Note`] for every yes and every no. It is
//! synchronous, total and deterministic. Carrying the decision out is left to others, who have nothing to choose;
//! [`settle`] then turns what really happened into the status to record.
//!
//! The rules are those of Kubernetes' CronJob controller (v1.36, `pkg/controller/cronjob`), with the differences
//! D1 to D11 that the README lists. Each is marked `DIFFERENCE` where it is made.
//!
//! | file | rule |
//! |---|---|
//! | `decide` | the steps in their order |
//! | `bookkeeping` | which runs are active, which succeeded, which went missing |
//! | `history` | which finished Jobs are deleted |
//! | `missed` | which instant is due, and which were passed over |
//! | `heal` | what a clock that was wrong left behind |
//! | `group` | the slots that CronJobs share, and who of them goes first |
//! | `pending` | runs none of whose pods can start |
//! | `failures` | failed runs in a row, and the suspension that they lead to |
//! | `edit` | what an edit of the schedule makes of the time before it |
//! | `hindsight` | the same of an edit that was not seen, and of a resume (`on-edit`, `on-resume`) |
//! | `expected` | whether a success is overdue |
//! | `line` | who waits for a start, and who goes first |
//! | `concurrency` | what a due run does beside active ones |
//! | `backfill` | runs for instants of the past that somebody asks for |
//! | `settle` | what is recorded once the decision was carried out |
//! | `note` | the reasons, as data |

mod backfill;
mod bookkeeping;
mod concurrency;
mod decide;
mod edit;
mod expected;
mod failures;
mod group;
mod heal;
mod hindsight;
mod history;
mod line;
mod missed;
mod note;
mod pending;
mod settle;
mod situation;

pub use backfill::{Attempt, Hold, Plan, Reprocess, may_start, member, newest, plan};
pub use bookkeeping::unrecorded;
pub use decide::{decide, decide_in_group};
pub use edit::{Edit, Edited, SeenSchedule, notice_edit};
pub use group::{Group, Member, rank, slots_taken, wants};
pub use heal::{CLOCK_SLACK, healed, is_credible};
pub use line::{MISSED_AFTER, NEXT_AFTER};
pub use missed::{MISSED_COUNT_CAP, TOO_MANY_MISSED};
pub use note::{Note, Ruling, Severity, SkipReason, WaitReason};
pub use pending::{Pods, PodsState};
pub use settle::{DeletionOutcome, DeletionResult, StartResult, settle, settle_deletions, tell_pruned};
pub use situation::{Decision, Deletion, Memory, Pruning, Situation, Start, Unrecorded};
