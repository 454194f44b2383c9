//! What runs a container: the seam between the life of a pod and whatever keeps its attempts going.
//!
//! An attempt is one start of one container of one pod: the first has number 0, each restart one more. An engine
//! starts an attempt once and never again: an attempt outlives the `punctual` that started it, and whoever comes after
//! finds it by its name, running or ended. What an attempt writes goes to a file ([`Attempt::log`]), from which
//! everybody reads who wants to see it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Container, Pod};
use tokio::sync::watch;

use super::order::Order;
use super::process::Exit;
use super::start_error::StartError;
use super::volumes::{Bind, VolumeError};
use crate::schedule::Timestamp;

/// The variable of a process that names the file for what it says of its end.
pub(super) const MESSAGE_VARIABLE: &str = "TERMINATION_MESSAGE_PATH";

/// Starts attempts, and finds those that were started before.
pub(super) trait Engine: std::fmt::Debug + Send + Sync {
    /// What can't be run here, said before anything of the pod starts.
    fn check(&self, pod: &Pod) -> Result<(), super::process::fitness::Unfit>;

    /// What of a container does not hold here, although it runs: a word for programs, and a sentence.
    fn caveat(&self, container: &Container) -> Option<(&'static str, String)>;

    /// What of a pod as a whole does not hold here, in the same way.
    fn caveat_of_pod(&self, pod: &Pod) -> Option<(&'static str, String)>;

    /// Gives a container a file for what it says of its end. A process finds it by a variable: the path that its container
    /// would have, `/dev/termination-log`, is a file of this machine.
    fn give_message_file(&self, _container: &Container, file: &Path, setup: &mut Setup) {
        let variable = setup.variables.entry(MESSAGE_VARIABLE.to_owned());
        variable.or_insert_with(|| file.display().to_string());
    }

    /// Makes what an attempt finds its mounts by, where the engine does not mount them itself.
    fn lay_out(&self, _attempt: &Attempt, _setup: &mut Setup) -> Result<(), VolumeError> {
        Ok(())
    }

    /// Fetches what a container is made of, which may take long and can be given up at any moment.
    fn fetch<'a>(&'a self, _container: &'a Container) -> BoxFuture<'a, Result<(), StartError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Looks for an attempt that may have been started before, perhaps by an earlier `punctual`. An error says why that
    /// can't be told at the moment.
    fn find<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Found, StartError>>;

    /// Starts an attempt that was never started, of what was fetched. When it is `Ok`, it will be found from now on.
    /// After an error that leaves it open ([`StartError::leaves_open`]), it is to be looked for.
    fn start<'a>(&'a self, attempt: &'a Attempt, setup: Setup) -> BoxFuture<'a, Result<Started, StartError>>;

    /// Forgets an attempt that has ended and of which nobody asks any more (but for its files, which go anyway).
    fn discard<'a>(&'a self, _attempt: &'a Attempt) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Forgets a pod that is gone, with everything that is kept of it (other than its folder, which goes anyway).
    fn forget<'a>(&'a self, pod: &'a Pod) -> BoxFuture<'a, ()>;
}

/// One start of one container.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// The pod; its uid is part of the attempt's name.
    pub(super) pod: Arc<Pod>,
    /// The container, as the pod's `spec` has it.
    pub(super) container: Container,
    /// How often the container was started before.
    pub(super) number: u32,
    /// The file for what it writes, one line a line as [`crate::standalone::logs`] has it.
    pub(super) log: PathBuf,
}

/// What a container is given, made out just before its start.
#[derive(Debug, Clone, Default)]
pub(super) struct Setup {
    /// The container's own variables (`env` and `envFrom`), resolved.
    pub(super) variables: BTreeMap<String, String>,
    /// Its mounts.
    pub(super) binds: Vec<Bind>,
    /// Where it starts when it finds its mounts from there.
    pub(super) root: Option<PathBuf>,
}

/// What became of an attempt.
#[derive(Debug)]
pub(super) enum Found {
    /// It was started; it runs, or has ended and its end is kept.
    Started(Started),
    /// It was to be started, and could not be.
    Failed(StartError),
    /// It was started, and how it ended can't be learned any more: why, in words. Nothing of it runs, unless it is
    /// another `punctual`'s.
    Lost(String),
    /// It was never started.
    Never,
}

/// An attempt that was started.
pub(super) struct Started {
    /// As `containerID` in the pod's status: `process://4711`, `podman://0a1b2c…`.
    pub(super) id: String,
    /// The process id on this machine; 0 where it is not known.
    pub(super) pid: u32,
    /// When it was started.
    pub(super) since: Timestamp,
    /// Counts up when something was added to the log.
    pub(super) writes: watch::Receiver<u64>,
    /// What keeps its end from being seen at the moment, in words, while something does.
    pub(super) trouble: watch::Receiver<Option<String>>,
    /// Ends with the attempt, when everything that it wrote is in its log. Dropping it leaves the attempt running.
    pub(super) end: BoxFuture<'static, Ended>,
    /// How it is told to end.
    pub(super) control: Arc<dyn Control>,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started")
            .field("id", &self.id)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// Tells an attempt to end.
pub(super) trait Control: Send + Sync {
    /// Passes an order on, and returns soon: [`Order::Stop`] asks it to end now and kills it when the grace is over,
    /// [`Order::Kill`] kills it. An order to an attempt that has ended is nothing.
    fn obey(&self, order: Order) -> BoxFuture<'_, ()>;
}

/// The kubelet's word for an end that nobody saw.
pub(super) const STATUS_UNKNOWN: &str = "ContainerStatusUnknown";

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// Its exit code and signal.
    pub(super) exit: Exit,
    /// A word for programs: `Completed`, `Error`, `OOMKilled`, `ContainerStatusUnknown`.
    pub(super) reason: &'static str,
    /// More, where there is more to say.
    pub(super) message: Option<String>,
    /// When.
    pub(super) at: Timestamp,
}

impl Ended {
    /// An end that nobody saw, in the kubelet's words.
    pub(super) fn unknown(message: String, at: Timestamp) -> Self {
        Self {
            exit: Exit::UNKNOWN,
            reason: STATUS_UNKNOWN,
            message: Some(message),
            at,
        }
    }

    /// An end that was seen.
    pub(super) fn of(exit: Exit, out_of_memory: bool, at: Timestamp) -> Self {
        let reason = match exit.code {
            _ if out_of_memory => "OOMKilled",
            0 => "Completed",
            _ => "Error",
        };
        Self {
            exit,
            reason,
            message: None,
            at,
        }
    }
}
