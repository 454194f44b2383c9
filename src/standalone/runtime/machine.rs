//! What all pods of a node share: its clock, its client, its limits.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Container, ObjectReference, Pod, Secret};
use kube::{Api, Client, Resource};
use tokio::sync::Semaphore;

use super::base::Base;
use super::engine::{Engine, Setup};
use super::environment::{self, EnvironmentError};
use super::expansion::expand;
use super::output::Output;
use super::process::Invocation;
use super::sources::{Capacity, Kind, Sources};
use super::supervisor::client::ProcessEngine;
use crate::clock::SharedClock;
use crate::standalone::data_dir::DataDir;
use crate::standalone::recorder::Recorder;

/// How many processes are being started at one time. The kernel copies this process's memory map for each start, one
/// after the other, so more at once would only make each of them later; a few that hang on a slow disk still leave
/// room for the others.
pub(super) const STARTS_AT_ONCE: usize = 8;

/// How many pods have processes at one time; more wait in `Pending`. A process costs three open files, and a service
/// is commonly given 1,024.
pub const PODS_AT_ONCE: usize = 250;

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
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) client: ClientOf,
    pub(super) clock: SharedClock,
    pub(super) output: Output,
    recorder: Recorder,
    pub(super) options: Options,
    capacity: Capacity,
    pub(super) engine: Arc<dyn Engine>,
    /// A place for each process that is being started.
    pub(super) starts: Semaphore,
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
        let engine = ProcessEngine::new(
            options.data.clone(),
            options.base.clone(),
            clock.clone(),
            options.supervisor.clone(),
        );
        Self {
            engine: Arc::new(engine),
            recorder: Recorder::start(client.clone(), clock.clone(), "kubelet"),
            client: ClientOf(client),
            clock,
            output,
            starts: Semaphore::new(STARTS_AT_ONCE),
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

    /// The pods of a namespace.
    pub(super) fn pods(&self, pod: &Pod) -> Api<Pod> {
        Api::namespaced(
            self.client.0.clone(),
            pod.metadata.namespace.as_deref().unwrap_or("default"),
        )
    }

    /// Makes out what a container is given.
    pub(super) async fn prepare(&self, pod: &Pod, container: &Container) -> Result<Setup, PrepareError> {
        let sources = self.fetch(pod, container).await?;
        let variables = environment::resolve(pod, container, &sources)?;
        Ok(Setup {
            variables,
            ..Setup::default()
        })
    }

    async fn fetch(&self, pod: &Pod, container: &Container) -> Result<Sources, PrepareError> {
        let mut sources = Sources::on(self.capacity);
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let failed = |source| PrepareError::Api {
            container: container.name.clone(),
            source,
        };
        for (kind, name) in environment::references(container) {
            match kind {
                Kind::ConfigMap => {
                    let api: Api<ConfigMap> = Api::namespaced(self.client.0.clone(), namespace);
                    if let Some(object) = api.get_opt(&name).await.map_err(failed)? {
                        sources.add_config_map(&name, object);
                    }
                }
                Kind::Secret => {
                    let api: Api<Secret> = Api::namespaced(self.client.0.clone(), namespace);
                    if let Some(object) = api.get_opt(&name).await.map_err(failed)? {
                        sources.add_secret(&name, object);
                    }
                }
            }
        }
        Ok(sources)
    }
}

/// Puts a container's process together. The container's variables lie over the base; `$(NAME)` in the command knows
/// the container's own only, as in a container, where nobody knows what the image brings.
pub(super) fn invocation(
    pod: &Pod,
    container: &Container,
    variables: BTreeMap<String, String>,
    base: &Base,
) -> Invocation {
    let expanded = |text: &String| expand(text, |name| variables.get(name).map(String::as_str));
    let mut words = container
        .command
        .iter()
        .chain(&container.args)
        .flatten()
        .map(expanded);
    let program = words.next().unwrap_or_default();
    let arguments = words.collect();
    let mut all = base.variables.clone();
    all.insert("HOSTNAME".to_owned(), hostname(pod));
    all.extend(variables);
    let working_dir = base
        .working_dir
        .join(container.working_dir.as_deref().unwrap_or_default());
    Invocation {
        program,
        arguments,
        variables: all,
        working_dir,
    }
}

/// What a container would see as its host's name.
fn hostname(pod: &Pod) -> String {
    let named = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.hostname.clone())
        .filter(|name| !name.is_empty());
    named.or_else(|| pod.metadata.name.clone()).unwrap_or_default()
}
