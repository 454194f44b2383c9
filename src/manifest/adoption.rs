//! Who is in charge of a CronJob, Punctual or the built-in controller: the annotations `punctual.dev/managed` and
//! `punctual.dev/suspend`.
//!
//! Where the built-in controller can't be switched off (EKS, GKE, AKS), a CronJob is handed over one at a time:
//!
//! ```yaml
//! metadata:
//!   annotations:
//!     punctual.dev/managed: "true"     # Punctual runs it
//!     punctual.dev/suspend: "false"    # the real pause, in place of spec.suspend
//! spec:
//!   suspend: true                      # keeps the built-in controller away
//! ```
//!
//! A CronJob that is handed over means the same in a cluster without the built-in controller and on one machine, so
//! that nothing has to be edited on the way. To hand it back, remove the annotations and set `spec.suspend` to false.
//!
//! `lower` asks here whether a CronJob is paused, the controller whether it is in charge; nobody else knows the rule.

use std::fmt;

use super::resource::CronJob;

/// What the names of all our annotations begin with.
pub const ANNOTATION_PREFIX: &str = "punctual.dev/";

/// Hands a CronJob over to Punctual: `"true"`, or absent.
pub const MANAGED_ANNOTATION: &str = "punctual.dev/managed";

/// The pause of a CronJob that is handed over: `"true"` or `"false"`; absent means `"false"`.
pub const SUSPEND_ANNOTATION: &str = "punctual.dev/suspend";

/// Which CronJobs Punctual is in charge of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adoption {
    /// All of them; the built-in controller is switched off.
    #[default]
    All,
    /// Those that are annotated `punctual.dev/managed: "true"`; the built-in controller runs the others.
    OptedIn,
}

/// An annotation whose value is neither `"true"` nor `"false"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationMistake {
    /// The annotation.
    pub annotation: &'static str,
    /// Its value as written.
    pub value: String,
    /// What is done as long as it stays so.
    pub meanwhile: &'static str,
}

impl fmt::Display for AnnotationMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "annotation {} is {:?}; write \"true\" or \"false\", in quotes. Until then {}",
            self.annotation, self.value, self.meanwhile
        )
    }
}

impl Adoption {
    /// Whether Punctual is in charge of a CronJob.
    pub fn is_in_charge_of(self, object: &CronJob) -> bool {
        self == Adoption::All || is_managed(object)
    }

    /// The annotations of a CronJob that say neither yes nor no.
    pub fn mistakes(self, object: &CronJob) -> Vec<AnnotationMistake> {
        let unmanaged = match self {
            Adoption::All => "it is run by its spec alone",
            Adoption::OptedIn => "it is left to the built-in controller",
        };
        let mistake = |annotation, meanwhile| {
            let value = flag(object, annotation).err()?;
            Some(AnnotationMistake {
                annotation,
                value,
                meanwhile,
            })
        };
        let managed = mistake(MANAGED_ANNOTATION, unmanaged);
        let suspend = is_managed(object).then(|| mistake(SUSPEND_ANNOTATION, "it is suspended"));
        managed.into_iter().chain(suspend.flatten()).collect()
    }
}

/// Whether a CronJob is paused: by its spec, or by the annotation if it is handed over.
pub(super) fn suspended(object: &CronJob) -> bool {
    if is_managed(object) {
        // Who writes something here wants a pause more often than not, and a run too many is worse than one too few.
        flag(object, SUSPEND_ANNOTATION)
            .unwrap_or(Some(true))
            .unwrap_or(false)
    } else {
        object.spec.suspend.unwrap_or(false)
    }
}

fn is_managed(object: &CronJob) -> bool {
    flag(object, MANAGED_ANNOTATION) == Ok(Some(true))
}

/// The value of an annotation that says yes or no, or the text that says neither.
fn flag(object: &CronJob, annotation: &str) -> Result<Option<bool>, String> {
    let annotations = object.metadata.annotations.as_ref();
    match annotations
        .and_then(|all| all.get(annotation))
        .map(String::as_str)
    {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row a CronJob: its annotations and `spec.suspend`, and whether it runs, is suspended or is somebody else's.
    #[test]
    fn the_annotations_say_who_is_in_charge_and_whether_it_is_paused() {
        for (managed, pause, in_spec, all, opted_in) in [
            ("-", "-", false, "runs", "not ours"),
            ("-", "-", true, "suspended", "not ours"),
            ("-", "true", false, "runs", "not ours"),
            ("false", "-", false, "runs", "not ours"),
            ("true", "-", true, "runs", "runs"),
            ("true", "-", false, "runs", "runs"),
            ("true", "false", true, "runs", "runs"),
            ("true", "true", true, "suspended", "suspended"),
            ("true", "true", false, "suspended", "suspended"),
            ("true", "yes", false, "suspended", "suspended"),
            ("yes", "false", true, "suspended", "not ours"),
        ] {
            let object = cronjob(managed, pause, in_spec);
            for (adoption, expected) in [(Adoption::All, all), (Adoption::OptedIn, opted_in)] {
                let found = match (adoption.is_in_charge_of(&object), suspended(&object)) {
                    (false, _) => "not ours",
                    (true, true) => "suspended",
                    (true, false) => "runs",
                };
                assert_eq!(
                    found, expected,
                    "{adoption:?}: managed {managed}, suspend {pause}, spec {in_spec}"
                );
            }
        }
    }

    #[test]
    fn a_value_that_is_neither_yes_nor_no_is_a_mistake_that_says_what_happens_meanwhile() {
        let said = |adoption: Adoption, managed, pause| {
            let mistakes = adoption.mistakes(&cronjob(managed, pause, true));
            mistakes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        };
        insta::assert_snapshot!(said(Adoption::OptedIn, "yes", "-"), @r#"annotation punctual.dev/managed is "yes"; write "true" or "false", in quotes. Until then it is left to the built-in controller"#);
        insta::assert_snapshot!(said(Adoption::All, "True", "-"), @r#"annotation punctual.dev/managed is "True"; write "true" or "false", in quotes. Until then it is run by its spec alone"#);
        insta::assert_snapshot!(said(Adoption::OptedIn, "true", "1"), @r#"annotation punctual.dev/suspend is "1"; write "true" or "false", in quotes. Until then it is suspended"#);
        assert_eq!(said(Adoption::OptedIn, "true", "true"), "");
    }

    fn cronjob(managed: &str, pause: &str, suspend: bool) -> CronJob {
        let mut object = CronJob::default();
        object.spec.suspend = Some(suspend);
        let annotations = [(MANAGED_ANNOTATION, managed), (SUSPEND_ANNOTATION, pause)];
        let written = annotations.into_iter().filter(|(_, value)| *value != "-");
        let written = written.map(|(name, value)| (name.to_owned(), value.to_owned()));
        object.metadata.annotations = Some(written.collect());
        object
    }
}
