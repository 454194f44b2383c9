//! By which name the lines of a process are shown: that of its Job, with its index if it has one. Where a Job has several
//! pods at a time that no index tells apart, it is that of the pod, until the Job ends. That of the container follows where its
//! pod has several.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::up::happening::{Ended, Happening};
use crate::cronjob::Key;
use crate::standalone::runtime::{Origin, What, WorkKind};

/// The Jobs whose processes run, and who speaks for them.
#[derive(Debug, Default)]
pub(super) struct Naming {
    jobs: BTreeMap<Key, Pods>,
}

#[derive(Debug, Default)]
struct Pods {
    /// The containers that run, each after its pod.
    running: BTreeSet<(String, String)>,
    /// Whether there were several pods at a time.
    are_many: bool,
}

impl Naming {
    /// Takes in what happens.
    pub(super) fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::Process(event) => self.hear_process(&event.origin, &event.what),
            Happening::Ended(Ended { work, .. }) if work.kind == WorkKind::Job => {
                self.jobs.remove(&Key {
                    namespace: work.namespace.clone(),
                    name: work.name.clone(),
                });
            }
            Happening::Ended(_) | Happening::Decision(_) | Happening::Followed(_) => {}
        }
    }

    fn hear_process(&mut self, origin: &Origin, what: &What) {
        let Some(job) = job(origin) else { return };
        match what {
            What::Started { .. } => {
                let pods = self.jobs.entry(job).or_default();
                pods.are_many |= pods.running.iter().any(|(pod, _)| *pod != origin.pod);
                pods.running.insert(container_of(origin));
            }
            What::Ended { .. } => {
                if let Some(pods) = self.jobs.get_mut(&job) {
                    pods.running.remove(&container_of(origin));
                }
            }
            What::Line { .. }
            | What::LeftOut { .. }
            | What::Unread { .. }
            | What::NotStarted { .. }
            | What::Unseen { .. }
            | What::RestartsAfter { .. } => {}
        }
    }

    /// The name for what a process writes, and for what becomes of it.
    pub(super) fn of(&self, origin: &Origin) -> String {
        let Origin {
            job: name,
            index,
            pod,
            container,
            is_alone,
            ..
        } = origin;
        let are_many = job(origin)
            .and_then(|job| self.jobs.get(&job))
            .is_some_and(|pods| pods.are_many);
        let mut text = match (name, index) {
            (Some(job), Some(index)) => format!("{job}[{index}]"),
            (Some(job), None) if !are_many => job.clone(),
            _ => pod.clone(),
        };
        if !is_alone && !container.is_empty() {
            text.push(':');
            text.push_str(container);
        }
        text
    }
}

fn job(origin: &Origin) -> Option<Key> {
    Some(Key {
        namespace: origin.namespace.clone(),
        name: origin.job.clone()?,
    })
}

fn container_of(origin: &Origin) -> (String, String) {
    (origin.pod.clone(), origin.container.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::standalone::runtime::Event;

    fn origin(pod: &str, index: Option<&str>) -> Origin {
        Origin {
            namespace: "default".into(),
            job: Some("pool".into()),
            index: index.map(Into::into),
            pod: pod.into(),
            container: "main".into(),
            is_alone: true,
        }
    }

    fn process(origin: Origin, what: What) -> Happening {
        Happening::Process(Event {
            origin: Arc::new(origin),
            at: "2026-11-24T16:00:00Z".parse().unwrap(),
            what,
        })
    }

    const STARTS: What = What::Started { pid: 7 };
    const ENDS: What = What::Ended {
        exit_code: 1,
        signal: None,
        unseen: None,
    };

    #[test]
    fn pods_are_named_where_a_job_has_several_at_a_time() {
        let mut naming = Naming::default();
        let mut after = |pod: &str, what: What| {
            naming.hear(&process(origin(pod, None), what));
            naming.of(&origin(pod, None))
        };
        assert_eq!(after("pool-a", STARTS), "pool");
        assert_eq!(after("pool-a", ENDS), "pool");
        assert_eq!(after("pool-b", STARTS), "pool", "it is tried again");
        assert_eq!(after("pool-c", STARTS), "pool-c");
        assert_eq!(after("pool-b", ENDS), "pool-b");
        assert_eq!(naming.of(&origin("pool-c", Some("2"))), "pool[2]");
    }

    #[test]
    fn a_pod_runs_until_its_last_container_has_ended() {
        let mut naming = Naming::default();
        let of = |container: &str| Origin {
            container: container.into(),
            is_alone: false,
            ..origin("pool-a", None)
        };
        naming.hear(&process(of("main"), STARTS));
        naming.hear(&process(of("helper"), STARTS));
        naming.hear(&process(of("helper"), ENDS));
        let named = ["main", "helper"].map(|container| naming.of(&of(container)));
        assert_eq!(named, ["pool:main", "pool:helper"], "one pod");
        naming.hear(&process(origin("pool-b", None), STARTS));
        assert_eq!(naming.of(&origin("pool-b", None)), "pool-b");
    }
}
