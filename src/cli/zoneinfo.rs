//! STUB
use crate::schedule::TimeZones;
use std::path::Path;
pub(super) fn load(_: Option<&Path>) -> Result<TimeZones, std::io::Error> {
    Ok(TimeZones::built_in())
}
