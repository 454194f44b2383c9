//! What will happen?
//!
//! Histories that are played in advance, or only in thought: by the same [`policy`](crate::policy) that decides when it
//! is real, in simulated time, without running anything.
//!
//! | file | what it is for |
//! |---|---|
//! | `simulation` | simulated time: what will happen next, and to whom |
//! | `member` | one CronJob of a simulation: its runs, and what is decided about it |
//! | `life` | how long runs take and how they end, which has to be assumed |
//! | `happening` | what there is to see |
//! | `play/` | a script that is played as a simulation |
//! | [`script`] | the language that histories are written in: for the tests of the controller, and for simulations |

mod happening;
mod life;
mod member;
mod play;
pub mod script;
mod simulation;

pub use happening::{End, Happening, What};
pub use life::{Failing, Life};
pub use play::{NotPlayed, Shown, play};
pub use simulation::Simulation;
