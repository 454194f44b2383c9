//! What will happen?
//!
//! Histories that are played in advance, or only in thought: by the same [`policy`](crate::policy) that decides when it
//! is real, in simulated time, without running anything.
//!
//! | file | what it is for |
//! |---|---|
//! | [`script`] | the language that histories are written in: for the tests of the controller, and for simulations |

pub mod script;
