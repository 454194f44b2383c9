//! The engine of processes: each attempt under a supervisor of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Container, Pod};
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::connection::{
    CONNECT_PAUSE, CONNECT_TRIES, Commissioned, SupervisorControl, commissioned, connect, listen,
};
use super::ending::{self, ELSEWHERE, Rest};
use super::record::{self, State};
use super::supervisors::Supervisors;
use crate::clock::SharedClock;
use crate::controller::Upcoming;
use crate::standalone::data_dir::PodDir;
use crate::standalone::runtime::all_containers;
use crate::standalone::runtime::engine::{Attempt, Engine, Found, Setup, Started};
use crate::standalone::runtime::machine::Options;
use crate::standalone::runtime::process::cgroup::{Places, Resource};
use crate::standalone::runtime::process::credentials::{self, Own};
use crate::standalone::runtime::process::fitness::{self, Unfit};
use crate::standalone::runtime::process::root;
use crate::standalone::runtime::start_error::{START_FAILED, StartError};
use crate::standalone::runtime::volumes::VolumeError;
use crate::telemetry::chain;

/// What the id of a container begins with that is a process.
pub(in crate::standalone::runtime) const ID_PREFIX: &str = "process://";

/// Runs attempts as processes.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct ProcessEngine {
    pub(super) options: Options,
    clock: SharedClock,
    /// Where limits hold; looked for when they are first asked for.
    places: OnceLock<Places>,
    supervisors: Supervisors,
    /// Who we are.
    pub(super) own: Own,
}

impl ProcessEngine {
    pub(in crate::standalone::runtime) fn new(options: &Options, clock: SharedClock) -> Self {
        Self {
            options: options.clone(),
            clock,
            places: OnceLock::new(),
            supervisors: Supervisors::new(options.supervisor.clone(), options.data.ahead()),
            own: Own::of_this_process(),
        }
    }

    /// The files of a pod.
    pub(super) fn files(&self, pod: &Pod) -> PodDir {
        self.options
            .data
            .pod(pod.metadata.uid.as_deref().unwrap_or_default())
    }

    /// The folder of an attempt.
    pub(super) fn folder(&self, attempt: &Attempt) -> PathBuf {
        self.files(&attempt.pod)
            .attempt(&attempt.container.name, attempt.number)
    }

    /// Has supervisors wait for what is due next, until nobody tells what that is.
    pub(in crate::standalone::runtime) async fn prepare(&self, upcoming: watch::Receiver<Option<Upcoming>>) {
        self.supervisors.prepare(upcoming, &self.clock).await;
    }

    pub(super) fn places(&self) -> &Places {
        self.places.get_or_init(Places::here)
    }

    /// Gives an attempt to a supervisor and hears what becomes of it, and from whom: from itself while it lives, from
    /// what is recorded when it does not.
    async fn begin(&self, attempt: &Attempt, setup: Setup) -> Result<Commissioned, StartError> {
        let commission = self.commission(attempt, setup).map_err(StartError::unready)?;
        let order = commission.to_line().map_err(StartError::unready)?;
        if let Some(supervisor) = self.supervisors.take_waiting() {
            let begun = commissioned(supervisor, &order, &commission.folder).await;
            // One that was killed while it waited has not even begun, and nobody will.
            if !begun.as_ref().is_ok_and(|begun| begun.state.is_untouched()) {
                return begun.map_err(StartError::unread(record::file(&commission.folder)));
            }
        }
        let supervisor = self.supervisors.start().await.map_err(StartError::unready)?;
        let begun = commissioned(supervisor, &order, &commission.folder).await;
        begun.map_err(StartError::unread(record::file(&commission.folder)))
    }

    /// An attempt that was started, and a connection to its supervisor if that lives.
    pub(super) fn started(
        &self,
        folder: &Path,
        state: &State,
        stream: Option<UnixStream>,
    ) -> Option<Started> {
        let (pid, since) = state.started()?;
        let (wrote, writes) = watch::channel(0);
        let (reader, writer) = stream.map(UnixStream::into_split).unzip();
        // That the end is recorded may have been heard with the start, and is not said twice.
        let reader = reader.filter(|_| !state.is_over());
        let (folder, clock) = (folder.to_owned(), self.clock.clone());
        let end = async move {
            if let Some(mut reader) = reader {
                listen(&mut reader, &wrote).await;
            }
            ending::of(&folder, clock.now()).await
        };
        Some(Started {
            id: format!("{ID_PREFIX}{pid}"),
            pid,
            since,
            writes,
            // Its end is seen for as long as this machine goes on.
            trouble: watch::channel(None).1,
            end: end.boxed(),
            control: Arc::new(SupervisorControl::to(writer)),
        })
    }

    /// Looks for an attempt by its records. One whose supervisor lives is never lost, however long that is silent: it
    /// may wait for memory or a disk, and what it runs must not get company.
    async fn look(&self, attempt: &Attempt) -> Result<Found, StartError> {
        let folder = self.folder(attempt);
        let mut supervisor = None;
        for _ in 0..CONNECT_TRIES {
            let state = record::read(&folder).map_err(StartError::unread(record::file(&folder)))?;
            if state.is_untouched() {
                return Ok(Found::Never);
            }
            if !state.is_held {
                return self.outlived(&folder, &state).await;
            }
            if state.started().is_some()
                && let Ok(stream) = connect(&folder).await
                && let Some(started) = self.started(&folder, &state, Some(stream))
            {
                return Ok(Found::Started(started));
            }
            supervisor = state.supervisor();
            tokio::time::sleep(CONNECT_PAUSE).await;
        }
        Err(StartError::Silent {
            supervisor,
            records: record::file(&folder),
        })
    }

    /// What has become of an attempt whose supervisor is gone.
    async fn outlived(&self, folder: &Path, state: &State) -> Result<Found, StartError> {
        if state.is_tried_again() {
            record::forget(folder).map_err(StartError::unready)?;
            return Ok(Found::Never);
        }
        if let Some(error) = state.failure() {
            return Ok(Found::Failed(error));
        }
        if let Some(started) = self.started(folder, state, None) {
            return Ok(Found::Started(started));
        }
        // It may have got as far as to start it.
        let why = match ending::end_rest(folder, state).await {
            Rest::Elsewhere => ELSEWHERE,
            Rest::Ended | Rest::Restarted => "the process was being started when its supervisor was lost",
        };
        Ok(Found::Lost(why.to_owned()))
    }
}

impl Engine for ProcessEngine {
    fn check(&self, pod: &Pod) -> Result<(), Unfit> {
        fitness::check(pod, &self.options.runtimes.entrypoints, &self.own)
    }

    fn caveat(&self, container: &Container) -> Option<(&'static str, String)> {
        let is_limited = |name: &str| {
            let mut known = Resource::ALL.into_iter();
            known.any(|resource| resource.name() == name && self.places().limit(resource))
        };
        fitness::caveat(container, is_limited)
    }

    fn caveat_of_pod(&self, pod: &Pod) -> Option<(&'static str, String)> {
        credentials::caveat(pod, &self.own)
    }

    fn lay_out(&self, attempt: &Attempt, setup: &mut Setup) -> Result<(), VolumeError> {
        let container = &attempt.container.name;
        setup.root =
            root::make(&self.files(&attempt.pod).root(container), &setup.binds).map_err(|source| {
                VolumeError::Layout {
                    container: container.clone(),
                    source,
                }
            })?;
        Ok(())
    }

    fn find<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Found, StartError>> {
        self.look(attempt).boxed()
    }

    fn start<'a>(&'a self, attempt: &'a Attempt, setup: Setup) -> BoxFuture<'a, Result<Started, StartError>> {
        async move {
            if credentials::is_forbidden_root(&attempt.pod, &attempt.container, &self.own) {
                return Err(would_be_root(attempt));
            }
            let Commissioned {
                supervisor,
                state,
                why_not,
            } = self.begin(attempt, setup).await?;
            if state.is_tried_again() {
                record::forget(&self.folder(attempt)).map_err(StartError::unready)?;
            }
            if let Some(error) = state.failure() {
                return Err(error);
            }
            if supervisor.is_some()
                && let Some(started) = self.started(&self.folder(attempt), &state, supervisor)
            {
                return Ok(started);
            }
            // It has ended already; or another one, of a `punctual` that was killed just now, was there first.
            match self.look(attempt).await? {
                Found::Started(started) => Ok(started),
                Found::Failed(error) => Err(error),
                Found::Lost(message) => Err(StartError::Told {
                    exit_code: START_FAILED,
                    message,
                    is_tried_again: false,
                }),
                Found::Never => {
                    record::forget(&self.folder(attempt)).map_err(StartError::unready)?;
                    Err(not_begun(why_not))
                }
            }
        }
        .boxed()
    }

    /// Everything else is in the pod's folder.
    fn forget<'a>(&'a self, pod: &'a Pod) -> BoxFuture<'a, ()> {
        if has_limits(pod) {
            self.places()
                .tidy(pod.metadata.uid.as_deref().unwrap_or_default());
        }
        async {}.boxed()
    }
}

/// Why a supervisor ended before it began, in its words if it had time for any.
fn not_begun(why: Option<String>) -> StartError {
    let guess = "its supervisor ended before it began, e.g. killed for want of memory";
    let message = why.unwrap_or_else(|| chain(&StartError::unready(io::Error::other(guess))));
    StartError::Told {
        exit_code: START_FAILED,
        message,
        is_tried_again: true,
    }
}

/// Whether something of a pod is limited, perhaps not here.
fn has_limits(pod: &Pod) -> bool {
    pod.spec.iter().flat_map(all_containers).any(|container| {
        let resources = container.resources.as_ref();
        resources.is_some_and(|resources| resources.limits.is_some())
    })
}

/// In the kubelet's words, which name a pod with its namespace and uid.
fn would_be_root(Attempt { pod, container, .. }: &Attempt) -> StartError {
    let metadata = &pod.metadata;
    let [name, namespace, uid] =
        [&metadata.name, &metadata.namespace, &metadata.uid].map(|word| word.as_deref().unwrap_or_default());
    StartError::WouldBeRoot {
        pod: format!("{name}_{namespace}({uid})"),
        container: container.name.clone(),
    }
}
