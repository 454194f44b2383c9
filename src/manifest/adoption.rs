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

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::resource::CronJob;
use crate::cronjob::extension::{ExtensionError, Extensions, Meanwhile, is_managed};

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

impl Adoption {
    /// Whether Punctual is in charge of a CronJob with this metadata.
    pub fn is_in_charge_of(self, metadata: &ObjectMeta) -> bool {
        let annotations = metadata.annotations.as_ref();
        let managed = annotations.and_then(|all| all.get(MANAGED_ANNOTATION));
        self == Adoption::All || is_managed(managed.map(String::as_str))
    }

    /// What is wrong with the annotations of a CronJob. Of one that is somebody else's, only whose it is matters.
    pub fn mistakes(self, object: &CronJob) -> Vec<ExtensionError> {
        let (extensions, mut mistakes) = object.extensions();
        let is_ours = self.is_in_charge_of(&object.metadata);
        mistakes.retain(|mistake| match mistake.name.as_str() {
            MANAGED_ANNOTATION => true,
            SUSPEND_ANNOTATION => extensions.managed,
            _ => is_ours,
        });
        let managed = mistakes
            .iter_mut()
            .filter(|mistake| mistake.name == MANAGED_ANNOTATION);
        for mistake in managed.filter(|_| self == Adoption::OptedIn) {
            mistake.meanwhile = Meanwhile::Default("it is left to the built-in controller");
        }
        mistakes
    }
}

/// Whether a CronJob is paused: by its spec, or by the annotation if it is handed over.
pub fn suspended(object: &CronJob, extensions: &Extensions) -> bool {
    if extensions.managed {
        extensions.paused
    } else {
        object.spec.suspend.unwrap_or(false)
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
                let found = match (
                    adoption.is_in_charge_of(&object.metadata),
                    suspended(&object, &object.extensions().0),
                ) {
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
