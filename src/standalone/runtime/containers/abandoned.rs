//! Containers of an ephemeral `punctual` that was killed. Nothing is kept that tells of them, so the next `punctual` that
//! reaches their engine removes them.
//!
//! They carry a label that names the process they are bound to, and from where it can be seen: an engine may serve other
//! machines, and processes of this one whose process ids are counted apart.

use std::fs;

use bollard::Docker;

use super::{discard, labelled};
use crate::standalone::runtime::process::supervisor::{Session, boot};

/// The label of a container that is to end with the process that started it.
pub(super) const BOUND_TO: &str = "punctual.dev/bound-to";

/// A process that containers are bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bond {
    /// Where its process id counts: the run of the machine, and the namespace.
    place: String,
    process: Session,
}

impl Bond {
    /// To this process.
    pub(super) fn own() -> Self {
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Self {
            place: format!("{}/{}", boot(), namespace.display()),
            process: Session::own(),
        }
    }

    /// As the label has it.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.place, self.process)
    }

    fn read(label: &str) -> Option<Self> {
        let (place, process) = label.rsplit_once('/')?;
        Some(Self {
            place: place.to_owned(),
            process: process.parse().ok()?,
        })
    }

    /// Whether the process has ended, as far as `seer` can see it.
    fn is_broken(&self, seer: &Self) -> bool {
        self.place == seer.place && !self.process.leads()
    }
}

/// Removes the containers of those who were killed.
pub(super) async fn remove(engine: &Docker) {
    let containers = match labelled(engine, vec![BOUND_TO.to_owned()]).await {
        Ok(containers) => containers,
        Err(error) => {
            return tracing::warn!(%error, "the containers of those who were killed could not be looked for");
        }
    };
    let own = Bond::own();
    for container in containers {
        let label = container.labels.unwrap_or_default().remove(BOUND_TO);
        let bond = label.and_then(|label| Bond::read(&label));
        if bond.is_some_and(|bond| bond.is_broken(&own)) {
            let id = container.id.unwrap_or_default();
            tracing::info!(id, "removes a container of an ephemeral punctual that was killed");
            discard(engine, &id).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Bond {
        /// To a process that had the same process id, and has ended.
        pub(in super::super) fn of_the_one_before(&self) -> Self {
            let label = self.label();
            let (rest, since) = label.rsplit_once('.').unwrap();
            let since: u64 = since.parse().unwrap();
            Self::read(&format!("{rest}.{}", since - 1)).unwrap()
        }
    }

    #[test]
    fn only_who_has_ended_here_has_broken_the_bond() {
        let own = Bond::own();
        assert_eq!(Bond::read(&own.label()), Some(own.clone()));
        let label = own.label();
        let (place, process) = label.rsplit_once('/').unwrap();
        let (pid, since) = process.split_once('.').unwrap();
        let since: u64 = since.parse().unwrap();
        for (label, is_broken) in [
            (label.clone(), false),
            // Its number is another's by now; or nobody's.
            (format!("{place}/{pid}.{}", since + 1), true),
            (format!("{place}/{}.{since}", i32::MAX), true),
            // Before the machine was started anew, on another one, or in a container of its own: it can't be seen.
            (format!("elsewhere{place}/{}.{since}", i32::MAX), false),
            (format!("{place}1/{}.{since}", i32::MAX), false),
        ] {
            assert_eq!(Bond::read(&label).unwrap().is_broken(&own), is_broken, "{label}");
        }
        for label in ["", "punctual", "place/1", "place/a.b"] {
            assert_eq!(Bond::read(label), None, "{label}");
        }
    }
}
