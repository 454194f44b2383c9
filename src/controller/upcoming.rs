//! What will be due next, for whoever can prepare for it.

use crate::schedule::Timestamp;

/// More than so many at one instant are not counted: nobody prepares for more.
pub(super) const COUNTED_MOST: usize = 256;

/// The next instant at which CronJobs wake, most of them because they are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upcoming {
    /// When.
    pub at: Timestamp,
    /// How many.
    pub count: usize,
}
