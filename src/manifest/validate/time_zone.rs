//! The time zone of a CronJob (rule V4): an explicit name in the time-zone database.

use super::{Findings, Hint};
use crate::manifest::path::FieldPath;
use crate::schedule::{TimeZones, UnknownZone};

/// Checks a time zone that was set or changed.
pub(super) fn check(zone: Option<&str>, path: &FieldPath, zones: &TimeZones, found: &mut Findings) {
    let Some(zone) = zone else { return };
    let Err(unknown) = zones.zone(zone) else { return };
    let rule = match &unknown {
        UnknownZone::Empty => "timeZone must be nil or non-empty string".to_owned(),
        UnknownZone::Local { .. } => {
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones".to_owned()
        }
        _ => format!("unknown time zone {zone}"),
    };
    found.invalid(path, zone, rule).hint(Hint {
        message: unknown.to_string(),
        help: unknown.help(),
        ..Hint::default()
    });
}
