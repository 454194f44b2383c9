//! `lint-ignore` and `runtime`, which say nothing about when a CronJob runs: they are for `punctual lint` and
//! `punctual up`, and known here so that nobody is warned of them.

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;

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

/// How pods run on one machine.
pub(super) const RUNTIME: Extension = Extension {
    name: "punctual.dev/runtime",
    values: "process or container",
    default: "`--runtime` of `punctual up`",
    doc: "How the pods of this CronJob run on one machine, with no cluster",
    meanwhile: Meanwhile::Default("they run as `punctual up --runtime` says"),
    read: |value, _, _| {
        word::one_of(value, &["process", "container"], &[(), ()])?;
        Ok(())
    },
};
