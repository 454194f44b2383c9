//! `managed` and `suspend`: a CronJob that is handed over to Punctual beside the built-in controller.
//!
//! The rule of who is in charge, and the whole of a hand-over, are in `manifest::Adoption`.

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;

/// Hands a CronJob over.
pub(super) const MANAGED: Extension = Extension {
    name: "punctual.dev/managed",
    values: "\"true\" or \"false\"",
    default: "\"false\"",
    doc: "Hands the CronJob over to a controller with `--adopt opted-in`; `spec.suspend: true` keeps the built-in one away",
    meanwhile: Meanwhile::Default("it is run by its spec alone"),
    read: |value, _, into| {
        into.managed = word::flag(value)?;
        Ok(())
    },
};

/// The pause of a CronJob that is handed over.
pub(super) const SUSPEND: Extension = Extension {
    name: "punctual.dev/suspend",
    values: "\"true\" or \"false\"",
    default: "\"false\"",
    doc: "The pause of a CronJob that is handed over, in place of `spec.suspend`",
    meanwhile: Meanwhile::Default("it is suspended"),
    read: |value, _, into| {
        // Who writes something here wants a pause more often than not, and a run too many is worse than one too few.
        into.paused = true;
        into.paused = word::flag(value)?;
        Ok(())
    },
};

/// Whether a value of `managed` hands a CronJob over.
pub fn is_managed(value: Option<&str>) -> bool {
    value == Some("true")
}
