//! `state`: what Punctual writes down itself, next to the status (see [`Record`]).

use super::mistake::{Fault, Meanwhile, Problem};
use super::register::Extension;
use crate::cronjob::Record;

/// Holds the record of a CronJob.
pub const STATE_ANNOTATION: &str = "punctual.dev/state";

/// The record.
pub(super) const STATE: Extension = Extension {
    name: STATE_ANNOTATION,
    values: "written by Punctual",
    default: "nothing to remember",
    doc: "What Punctual has to remember of this CronJob beyond its status; nobody else writes it",
    meanwhile: Meanwhile::Default("what it said is forgotten"),
    // It is a part of the status, and read with it.
    read: |value, _, _| match Record::parse(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::whole(value, Problem::Tampered).into()),
    },
};
