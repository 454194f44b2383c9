//! What all pods of a node share: its clock, its client, its limits.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, ObjectReference, Pod};
use kube::{Api, Client, Resource};
use tokio::sync::{Semaphore, watch};

use super::containers::Containers;
use super::engine::{Engine, Setup};
use super::node::cordon::Cordon;
use super::output::Output;
use super::process::Invocation;
use super::process::base::Base;
use super::process::credentials::{self, Credentials};
use super::process::fitness::Unfit;
use super::process::supervisor::ProcessEngine;
use super::runtimes::Runtimes;
use super::variables::environment::{self, EnvironmentError};
use super::variables::expansion::expand;
use super::variables::sources::{Capacity, References, Sources, fetch};
use super::volumes::{self, Bind, VolumeError};
use crate::clock::SharedClock;
use crate::controller::Upcoming;
use crate::cronjob::extension::Runtime;
use crate::standalone::data_dir::DataDir;
use crate::standalone::recorder::Recorder;
use crate::standalone::turns::{Start, Turns};

/// How many processes are being started at one time, and how many containers. More would take the processors from each
/// other, and only make the first of them later; a few that hang on a slow disk still leave room for the others.
pub(super) const STARTS_AT_ONCE: usize = 8;

/// How many pods have processes at one time; more wait in `Pending`. A process costs three open files, and a service
/// is commonly given 1,024.
pub const PODS_AT_ONCE: usize = 250;

/// The kernel's limit for a host's name, which Kubernetes cuts names to as well.
const HOSTNAME_MAX: usize = 63;

/// How a node is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node's name. Pods that name another node are left alone.
    pub name: String,
    /// Where processes start from.
    pub base: Base,
    /// How many pods have processes at one time.
    pub pods_at_once: usize,
    /// Where the files of pods are.
    pub data: DataDir,
    /// The command that becomes a supervisor: this program, unless it is one that can't.
    pub supervisor: Option<Vec<OsString>>,
    /// What pods run as.
    pub runtimes: Runtimes,
    /// Tells what will be due next, so that it can be prepared for.
    pub upcoming: Option<watch::Receiver<Option<Upcoming>>>,
    /// Who goes next, of those who start processes and of those who write.
    pub turns: Turns,
}

impl Options {
    /// A node of this name with the environment of this process.
    pub fn new(name: impl Into<String>, data: DataDir) -> Self {
        Self {
            name: name.into(),
            base: Base::of_this_process(),
            pods_at_once: PODS_AT_ONCE,
            data,
            supervisor: None,
            runtimes: Runtimes::default(),
            upcoming: None,
            turns: Turns::default(),
        }
    }
}

/// What the tasks of all pods are given.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) client: ClientOf,
    pub(super) clock: SharedClock,
    pub(super) output: Output,
    recorder: Recorder,
    pub(super) options: Options,
    capacity: Capacity,
    processes: Arc<ProcessEngine>,
    containers: Arc<Containers>,
    /// Whether pods that have not been started wait.
    pub(super) cordon: Cordon,
    /// A place for each process that is being started, and for each container: an engine that hangs holds up no process.
    process_starts: Semaphore,
    container_starts: Semaphore,
    /// A place for each pod with processes.
    pub(super) places: Semaphore,
}

/// A client that can be part of something printable.
#[derive(Clone)]
pub(super) struct ClientOf(pub(super) Client);

impl std::fmt::Debug for ClientOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// Why a container's process could not be made out.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    /// Its variables can't be told.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// Its volumes can't be had.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// The API did not answer.
    #[error("the config maps and secrets of container {container:?} could not be read")]
    Api {
        container: String,
        #[source]
        source: kube::Error,
    },
}

impl Machine {
    pub(super) fn new(client: Client, clock: SharedClock, output: Output, options: Options) -> Self {
        let processes = ProcessEngine::new(&options, clock.clone());
        let containers = Containers::new(
            options.runtimes.container_engine.as_deref(),
            clock.clone(),
            &options.data,
        );
        Self {
            processes: Arc::new(processes),
            containers: Arc::new(containers),
            recorder: Recorder::start(client.clone(), clock.clone(), "kubelet"),
            client: ClientOf(client),
            clock,
            output,
            cordon: Cordon::new(None),
            process_starts: Semaphore::new(STARTS_AT_ONCE),
            container_starts: Semaphore::new(STARTS_AT_ONCE),
            places: Semaphore::new(options.pods_at_once),
            capacity: Capacity::of_this_machine(),
            options,
        }
    }

    /// Warns of what happened to a container (or, without a name, to a pod), where `kubectl describe` shows it.
    pub(super) fn warn(&self, pod: &Pod, container: &str, reason: &str, message: &str) {
        let field = format!("spec.containers{{{container}}}");
        let object = ObjectReference {
            field_path: Some(field).filter(|_| !container.is_empty()),
            ..pod.object_ref(&())
        };
        self.recorder.tell(object, true, reason, message);
    }

    /// Waits until what was warned of is written, but not for long.
    pub(super) async fn settle(&self) {
        self.recorder.settle().await;
    }

    /// The pods of a namespace.
    pub(super) fn pods(&self, pod: &Pod) -> Api<Pod> {
        Api::namespaced(
            self.client.0.clone(),
            pod.metadata.namespace.as_deref().unwrap_or("default"),
        )
    }

    /// What runs a pod, if it can run it.
    pub(super) fn engine(&self, pod: &Pod) -> Result<Arc<dyn Engine>, Unfit> {
        Ok(match self.options.runtimes.of(pod)? {
            Runtime::Process => self.processes.clone(),
            Runtime::Container => self.containers.clone(),
        })
    }

    /// Prepares for what is due next, for as long as somebody tells what that is.
    pub(super) async fn get_ready(&self) {
        if let Some(upcoming) = &self.options.upcoming {
            self.processes.prepare(upcoming.clone()).await;
        }
    }

    /// Has others wait while the first process of a pod is started. A container may take minutes to start, and is not waited
    /// for.
    pub(super) fn starting(&self, pod: &Pod) -> Option<Start> {
        self.is_process(pod).then(|| self.options.turns.start())
    }

    /// The places of what is being started beside a pod's containers.
    pub(super) fn starts(&self, pod: &Pod) -> &Semaphore {
        if self.is_process(pod) {
            &self.process_starts
        } else {
            &self.container_starts
        }
    }

    pub(super) fn is_process(&self, pod: &Pod) -> bool {
        matches!(self.options.runtimes.of(pod), Ok(Runtime::Process))
    }

    /// Removes the containers of a pod of which nothing is known but its uid.
    pub(super) async fn forget_containers(&self, uid: &str) {
        let mut pod = Pod::default();
        pod.metadata.uid = Some(uid.to_owned());
        self.containers.forget(&pod).await;
    }

    /// Removes what is not to outlive this process.
    pub(super) async fn release(&self) {
        self.containers.release().await;
    }

    /// Makes out what a container is given.
    pub(super) async fn prepare(
        self: &Arc<Self>,
        pod: &Arc<Pod>,
        container: &Container,
    ) -> Result<Setup, PrepareError> {
        let mut references = environment::references(container);
        let has_mounts = container
            .volume_mounts
            .as_ref()
            .is_some_and(|mounts| !mounts.is_empty());
        if has_mounts {
            references.extend(volumes::references(pod));
        }
        let sources = self.fetch(pod, container, references).await?;
        let variables = environment::resolve(pod, container, &sources)?;
        let binds = if has_mounts {
            let (machine, pod, given) = (self.clone(), pod.clone(), variables.clone());
            let mount = move |container: &_| machine.mount(&pod, container, &sources, &given);
            volumes::beside(container, mount).await?
        } else {
            Vec::new()
        };
        Ok(Setup {
            variables,
            binds,
            root: None,
        })
    }

    /// Makes the pod's volumes, those that are not there yet, and tells where the container sees them.
    fn mount(
        &self,
        pod: &Pod,
        container: &Container,
        sources: &Sources,
        variables: &BTreeMap<String, String>,
    ) -> Result<Vec<Bind>, VolumeError> {
        let dir = self
            .options
            .data
            .pod(pod.metadata.uid.as_deref().unwrap_or_default());
        let contents = volumes::contents(pod, sources)?;
        volumes::store(&contents, &dir, credentials::fs_group(pod))?;
        let binds = volumes::binds(container, &contents, &dir, variables)?;
        for bind in &binds {
            volumes::settle(bind, &container.name)?;
        }
        Ok(binds)
    }

    async fn fetch(
        &self,
        pod: &Pod,
        container: &Container,
        references: References,
    ) -> Result<Sources, PrepareError> {
        let mut sources = Sources::on(self.capacity);
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let failed = |source| PrepareError::Api {
            container: container.name.clone(),
            source,
        };
        fetch(&self.client.0, namespace, references, &mut sources)
            .await
            .map_err(failed)?;
        Ok(sources)
    }
}

/// Puts a container's process together. The container's variables lie over the base; `$(NAME)` in the command knows
/// the container's own only, as in a container, where nobody knows what the image brings.
pub(super) fn invocation(
    pod: &Pod,
    container: &Container,
    command: &[String],
    variables: BTreeMap<String, String>,
    base: &Base,
) -> Invocation {
    let expanded = |text: &String| expand(text, |name| variables.get(name).map(String::as_str));
    let mut words = command
        .iter()
        .chain(container.args.iter().flatten())
        .map(expanded);
    let program = words.next().unwrap_or_default();
    let arguments = words.collect();
    let mut all = base.variables.clone();
    all.insert("HOSTNAME".to_owned(), hostname(pod).unwrap_or_default());
    all.extend(variables);
    let working_dir = base
        .working_dir
        .join(container.working_dir.as_deref().unwrap_or_default());
    Invocation {
        program,
        arguments,
        variables: all,
        working_dir,
        credentials: Credentials::default(),
    }
}

/// What a container sees as its host's name.
pub(super) fn hostname(pod: &Pod) -> Option<String> {
    let named = pod.spec.as_ref().and_then(|spec| spec.hostname.clone());
    let name = named
        .filter(|name| !name.is_empty())
        .or_else(|| pod.metadata.name.clone())?;
    let cut: String = name.chars().take(HOSTNAME_MAX).collect();
    Some(cut.trim_end_matches(['-', '.']).to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_has_a_host_name_that_a_kernel_takes() {
        let of = |metadata, spec| {
            let pod = json!({ "metadata": metadata, "spec": spec });
            hostname(&serde_json::from_value(pod).expect("a pod"))
        };
        let long = format!("{}-{}", "a".repeat(HOSTNAME_MAX - 1), "b".repeat(9));
        for (metadata, spec, expected) in [
            (json!({}), json!({ "containers": [] }), None),
            (
                json!({ "name": "tick-1" }),
                json!({ "containers": [], "hostname": "" }),
                Some("tick-1"),
            ),
            (
                json!({ "name": "tick-1" }),
                json!({ "containers": [], "hostname": "db" }),
                Some("db"),
            ),
            (
                json!({ "name": long }),
                json!({ "containers": [] }),
                Some(&long[..HOSTNAME_MAX - 1]),
            ),
        ] {
            assert_eq!(of(metadata, spec).as_deref(), expected);
        }
    }
}
