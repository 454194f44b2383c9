//! `lint-ignore` and `applied-from`, which say nothing about when a CronJob runs: they are for `punctual lint` and `punctual
//! up --watch`, and known here so that nobody is warned of them.

use super::mistake::Meanwhile;
use super::register::Extension;

/// What `punctual lint` is not to say of this object.
pub(super) const LINT_IGNORE: Extension = Extension {
    name: "punctual.dev/lint-ignore",
    values: "codes of lint rules, with commas between them: P014, P021",
    default: "none",
    doc: "Rules that `punctual lint` does not apply to this object",
    meanwhile: Meanwhile::Default("nothing is ignored"),
    // Whether there is such a rule, only lint knows.
    read: |_, _, _| Ok(()),
};

/// Holds the file that an object was applied from.
pub const APPLIED_FROM_ANNOTATION: &str = "punctual.dev/applied-from";

/// Where an object comes from that goes when its file has it no more.
pub(super) const APPLIED_FROM: Extension = Extension {
    name: APPLIED_FROM_ANNOTATION,
    values: "written by `punctual up --watch`",
    default: "the object is not deleted when a file is",
    doc: "The file that this object was applied from, with which it goes",
    meanwhile: Meanwhile::Default("it has no effect"),
    read: |_, _, _| Ok(()),
};
