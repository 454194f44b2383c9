//! `lint-ignore`, which says nothing about when a CronJob runs: it is for `punctual lint`, and known here so that nobody is
//! warned of it.

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
