//! `on-resume` and `on-edit`: whether a resume, or an edit of schedule or zone, may start an instant of before.
//!
//! What is asked for holds across restarts of the controller: that a CronJob was suspended, and which schedule was seen,
//! is written down with the status. Without the annotations it is as always: a resume may, as in Kubernetes, and an edit
//! may not (D9), as far as the controller has seen it.

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;

/// Whether an instant of before may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindsight {
    /// As `missed-runs` has it: the newest, unless that says otherwise.
    Latest,
    /// Nothing up to now is due any more.
    Skip,
}

const CHOICES: &[&str] = &["Latest", "Skip"];
const VALUES: [Hindsight; 2] = [Hindsight::Latest, Hindsight::Skip];

/// After a resume.
pub(super) const ON_RESUME: Extension = Extension {
    name: "punctual.dev/on-resume",
    values: "Latest or Skip",
    default: "Latest",
    doc: "Whether a resume may start what came due during the pause; `missed-runs` says how much of it",
    meanwhile: Meanwhile::Default("the newest run that came due during a pause starts after it"),
    read: |value, _, into| {
        into.policies.on_resume = Some(word::one_of(value, CHOICES, &VALUES)?);
        Ok(())
    },
};

/// After an edit.
pub(super) const ON_EDIT: Extension = Extension {
    name: "punctual.dev/on-edit",
    values: "Skip or Latest",
    default: "Skip",
    doc: "Whether an edit of schedule or time zone may start an instant of before the edit",
    meanwhile: Meanwhile::Default("an edit starts nothing of before"),
    read: |value, _, into| {
        into.policies.on_edit = Some(word::one_of(value, CHOICES, &VALUES)?);
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn words() {
        let policies = read(&[
            ("punctual.dev/on-resume", "Skip"),
            ("punctual.dev/on-edit", "Latest"),
        ])
        .policies;
        assert_eq!(
            (policies.on_resume, policies.on_edit),
            (Some(Hindsight::Skip), Some(Hindsight::Latest))
        );
        insta::assert_snapshot!(said(&[("punctual.dev/on-resume", "skip")]), @r#"annotation punctual.dev/on-resume is "skip"; write "Latest" or "Skip". Until then the newest run that came due during a pause starts after it"#);
        insta::assert_snapshot!(said(&[("punctual.dev/on-edit", "All")]), @r#"annotation punctual.dev/on-edit is "All"; write "Latest" or "Skip". Until then an edit starts nothing of before"#);
    }
}
