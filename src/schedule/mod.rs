//! When is it due?

/// A moment in time, to which all wall-clock readings are converted.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
