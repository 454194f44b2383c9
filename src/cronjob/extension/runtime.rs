//! `runtime`: what a pod runs as on one machine.
//!
//! ```yaml
//! metadata:
//!   annotations:
//!     punctual.dev/runtime: container   # its images, by Docker or Podman
//!     punctual.dev/runtime: process     # its commands, as processes of this machine
//! ```
//!
//! Unlike the others it stands on the pod, so in a CronJob under `spec.jobTemplate.spec.template.metadata`; Jobs and bare
//! pods may say it as well. Without it a pod runs as what `punctual up --runtime` says. In a cluster it means nothing.

use std::collections::BTreeMap;

use super::mistake::{ExtensionError, Fault, Meanwhile, Problem};
use super::register::Extension;
use super::word;

/// What the containers of a pod become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runtime {
    /// Processes of this machine: of each container its `command`.
    #[default]
    Process,
    /// Containers of Docker or Podman: of each container its image.
    Container,
}

/// On a CronJob it is told that it belongs on the pod.
pub(super) const RUNTIME: Extension = Extension {
    name: "punctual.dev/runtime",
    values: "process or container",
    default: "`--runtime` of `punctual up`",
    doc: "What a pod runs as on one machine, with no cluster; it stands on the pod: `spec.jobTemplate.spec.template.metadata.annotations`",
    meanwhile: Meanwhile::Default("it has no effect"),
    read: |value, _, _| {
        let place = "spec.jobTemplate.spec.template.metadata.annotations";
        Err(Fault::whole(value, Problem::Elsewhere { place }).into())
    },
};

/// On a pod it decides, and nothing is started while it is wrong.
const ON_A_POD: Extension = Extension {
    meanwhile: Meanwhile::Held,
    ..RUNTIME
};

impl Runtime {
    /// The words for them.
    pub const WORDS: [&str; 2] = ["process", "container"];

    /// The runtime of this word.
    pub fn of_word(word: &str) -> Option<Runtime> {
        read(word).ok()
    }

    /// What the annotations of a pod ask for; nothing, when they do not say.
    ///
    /// # Errors
    ///
    /// When they ask for something that there is not.
    pub fn asked(annotations: Option<&BTreeMap<String, String>>) -> Result<Option<Runtime>, ExtensionError> {
        let Some(value) = annotations.and_then(|all| all.get(ON_A_POD.name)) else {
            return Ok(None);
        };
        read(value)
            .map(Some)
            .map_err(|fault| ON_A_POD.mistake(value, fault))
    }
}

fn read(value: &str) -> Result<Runtime, Fault> {
    word::one_of(value, &Runtime::WORDS, &[Runtime::Process, Runtime::Container])
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    fn asked(value: &str) -> Result<Option<Runtime>, ExtensionError> {
        Runtime::asked(Some(&[(RUNTIME.name.to_owned(), value.to_owned())].into()))
    }

    #[test]
    fn a_pod_may_say_what_it_runs_as() {
        assert_eq!(asked("process"), Ok(Some(Runtime::Process)));
        assert_eq!(asked("container"), Ok(Some(Runtime::Container)));
        assert_eq!(Runtime::asked(Some(&BTreeMap::new())), Ok(None));
        assert_eq!(Runtime::asked(None), Ok(None));
        insta::assert_snapshot!(asked("Docker").unwrap_err(), @r#"annotation punctual.dev/runtime is "Docker"; write "process" or "container". Until then nothing is started"#);
    }

    #[test]
    fn on_a_cronjob_it_is_in_the_wrong_place() {
        insta::assert_snapshot!(said(&[("punctual.dev/runtime", "container")]), @"annotation punctual.dev/runtime means nothing here; write it under spec.jobTemplate.spec.template.metadata.annotations. Until then it has no effect");
    }
}
