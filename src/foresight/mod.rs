//! What will happen?
//!
//! Histories that are played in advance, or only in thought: by the same [`policy`](crate::policy) that decides when it
//! is real, in simulated time, without running anything.
//!
//! | file | what it is for |
//! |---|---|
//! | `simulation` | simulated time: what will happen next, and to whom |
//! | `member` | one CronJob of a simulation: its runs, and what is decided about it |
//! | `beginning` | how a CronJob enters a simulation: everything before it is done |
//! | `groups` | the slots that CronJobs share |
//! | `life` | how long runs take and how they end, which has to be assumed |
//! | `happening` | what there is to see |
//! | `timeline`, `tally` | the same as entries of a timeline, and what it comes to |
//! | `crowd`, `relief` | how many start and run in each minute, and what to do about crowded ones |
//! | `play/` | a script that is played as a simulation |
//! | [`script`] | the language that histories are written in: for the tests of the controller, and for simulations |

mod beginning;
mod crowd;
mod groups;
mod happening;
mod life;
mod member;
mod play;
mod relief;
pub mod script;
mod simulation;
mod tally;
mod timeline;

pub use beginning::caught_up;
pub use crowd::{Crowd, Even, MINUTES_MAX, Minute, Starts};
pub use happening::{End, Happening, What};
pub use life::{Failing, Life};
pub use play::{NotPlayed, Shown, play};
pub use relief::{Movable, Relief};
pub use simulation::Simulation;
pub use tally::Tally;
pub use timeline::{Entry, Kind};
