//! The engine of processes: each attempt under a supervisor of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Container, Pod};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, watch};

use super::record::{self, Record, State};
use super::run::SOCKET;
use super::supervisors::Supervisors;
use super::{Commission, leftovers, passage};
use crate::clock::SharedClock;
use crate::controller::Upcoming;
use crate::schedule::Timestamp;
use crate::standalone::data_dir::{PodDir, create_private};
use crate::standalone::runtime::base::Base;
use crate::standalone::runtime::cgroup::{Group, Places, Resource};
use crate::standalone::runtime::credentials::{self, Accounts, Own};
use crate::standalone::runtime::engine::{Attempt, Control, Ended, Engine, Found, Setup, Started};
use crate::standalone::runtime::fitness::{self, Unfit};
use crate::standalone::runtime::machine::{Options, invocation};
use crate::standalone::runtime::open_files;
use crate::standalone::runtime::pod::grace;
use crate::standalone::runtime::process::{Exit, Invocation, Order};
use crate::standalone::runtime::root;
use crate::standalone::runtime::shortage::Shortage;
use crate::standalone::runtime::start_error::StartError;

/// What the id of a container begins with that is a process.
pub(in crate::standalone::runtime) const ID_PREFIX: &str = "process://";

/// How often, and how long apart, a supervisor is looked for that lives and does not answer yet.
const CONNECT_TRIES: u32 = 50;
const CONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Runs attempts as processes.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct ProcessEngine {
    options: Options,
    clock: SharedClock,
    /// Where limits hold; looked for when they are first asked for.
    places: OnceLock<Places>,
    supervisors: Supervisors,
    /// Who we are.
    own: Own,
}

impl ProcessEngine {
    pub(in crate::standalone::runtime) fn new(options: &Options, clock: SharedClock) -> Self {
        Self {
            options: options.clone(),
            clock,
            places: OnceLock::new(),
            supervisors: Supervisors::new(options.supervisor.clone()),
            own: Own::of_this_process(),
        }
    }

    fn files(&self, pod: &Pod) -> PodDir {
        self.options
            .data
            .pod(pod.metadata.uid.as_deref().unwrap_or_default())
    }

    fn folder(&self, attempt: &Attempt) -> PathBuf {
        self.files(&attempt.pod)
            .attempt(&attempt.container.name, attempt.number)
    }

    /// Has supervisors wait for what is due next, until nobody tells what that is.
    pub(in crate::standalone::runtime) async fn prepare(&self, upcoming: watch::Receiver<Option<Upcoming>>) {
        self.supervisors.prepare(upcoming, &self.clock).await;
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(Places::here)
    }

    /// Makes the control group of an attempt, if its container has limits that hold here.
    fn group(
        &self,
        Attempt {
            pod,
            container,
            number,
            ..
        }: &Attempt,
    ) -> io::Result<Option<Group>> {
        let limits = container
            .resources
            .as_ref()
            .and_then(|resources| resources.limits.as_ref());
        if limits.is_none() {
            return Ok(None);
        }
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        self.places()
            .make(&format!("{uid}-{}-{number}", container.name), container)
    }

    /// The process of a container. With volumes it starts in a folder of its own, where it finds them.
    fn invocation(&self, attempt: &Attempt, setup: Setup) -> io::Result<Invocation> {
        let Attempt { pod, container, .. } = attempt;
        let files = self.files(pod);
        let root = root::make(&files.root(&container.name), &setup.binds)?;
        // Most processes are started as nobody else, and these are files to be read.
        let accounts = if credentials::depends_on_accounts(pod, container, &self.own) {
            Accounts::of_this_machine()
        } else {
            Accounts::default()
        };
        let credentials = credentials::credentials(pod, container, &self.own, &accounts);
        if let Some(user) = credentials.user {
            let attempt = (&*container.name, attempt.number);
            passage::open(&self.options.data, &files, attempt, (user, root.is_some()))?;
        }
        let base = &self.options.base;
        let base = Base {
            working_dir: root.unwrap_or_else(|| base.working_dir.clone()),
            variables: match credentials.user {
                Some(user) => base.of_user(accounts.user(user)),
                None => base.variables.clone(),
            },
        };
        let command = self.options.runtimes.entrypoints.command(container);
        let command = command.unwrap_or_default();
        Ok(Invocation {
            credentials,
            ..invocation(pod, container, command, setup.variables, &base)
        })
    }

    /// Gives an attempt to a supervisor and hears what becomes of it, and from whom: from itself while it lives, from
    /// what is recorded when it does not.
    async fn begin(&self, attempt: &Attempt, setup: Setup) -> io::Result<(Option<UnixStream>, State)> {
        let folder = self.folder(attempt);
        create_private(&folder).map_err(io::Error::other)?;
        let commission = Commission {
            log: attempt.log.clone(),
            invocation: self.invocation(attempt, setup)?,
            group: self.group(attempt)?,
            open_files: open_files::before(),
            grace_seconds: grace(&attempt.pod).as_secs(),
            is_bound: self.options.data.is_ephemeral(),
            folder,
        };
        let mut order = serde_json::to_vec(&commission)?;
        order.push(b'\n');
        if let Some(supervisor) = self.supervisors.take_waiting() {
            let begun = commissioned(supervisor, &order, &commission.folder).await;
            // One that was killed while it waited has not even begun, and nobody will.
            if !begun.as_ref().is_ok_and(|(_, state)| state.is_untouched()) {
                return begun;
            }
        }
        let supervisor = self.supervisors.start().await?;
        commissioned(supervisor, &order, &commission.folder).await
    }

    /// An attempt that was started, and a connection to its supervisor if that lives.
    fn started(&self, folder: &Path, state: &State, stream: Option<UnixStream>) -> Option<Started> {
        let (pid, since) = state.started()?;
        let (wrote, writes) = watch::channel(0);
        let (reader, writer) = stream.map(UnixStream::into_split).unzip();
        let (folder, clock) = (folder.to_owned(), self.clock.clone());
        let end = async move {
            if let Some(reader) = reader {
                listen(reader, wrote).await;
            }
            end(&folder, clock.now()).await
        };
        Some(Started {
            id: format!("{ID_PREFIX}{pid}"),
            pid,
            since,
            writes,
            end: end.boxed(),
            control: Arc::new(Connection(Mutex::new(writer))),
        })
    }

    async fn look(&self, attempt: &Attempt) -> io::Result<Found> {
        let folder = self.folder(attempt);
        let mut tries = 0;
        loop {
            let state = record::read(&folder)?;
            if state.is_untouched() {
                return Ok(Found::Never);
            }
            if !state.is_held
                && matches!(
                    state.outcome(),
                    Some(Record::NotStarted {
                        shortage: Some(_),
                        ..
                    })
                )
            {
                record::forget(&folder)?;
                return Ok(Found::Never);
            }
            if !state.is_held {
                let found = self.started(&folder, &state, None);
                let lost =
                    || Found::Lost("the process was being started when its supervisor was lost".to_owned());
                return Ok(found.map_or_else(lost, Found::Started));
            }
            if state.started().is_some()
                && let Ok(stream) = connect(&folder).await
                && let Some(started) = self.started(&folder, &state, Some(stream))
            {
                return Ok(Found::Started(started));
            }
            tries += 1;
            if tries == CONNECT_TRIES {
                return Ok(Found::Lost(
                    "the supervisor of the process does not answer".to_owned(),
                ));
            }
            tokio::time::sleep(CONNECT_PAUSE).await;
        }
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

    fn find<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Found, StartError>> {
        async move {
            let error = match self.look(attempt).await {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            match Shortage::behind(&error) {
                Some(shortage) => Err(StartError::Short { shortage }),
                None => Ok(Found::Lost(format!(
                    "the records of the process can't be read: {error}"
                ))),
            }
        }
        .boxed()
    }

    fn start<'a>(&'a self, attempt: &'a Attempt, setup: Setup) -> BoxFuture<'a, Result<Started, StartError>> {
        async move {
            let program = attempt.container.command.iter().flatten().next().cloned();
            let failed = |source| StartError::other(program.as_deref().unwrap_or_default(), source);
            if credentials::is_forbidden_root(&attempt.pod, &attempt.container, &self.own) {
                return Err(would_be_root(attempt));
            }
            let (stream, state) = self.begin(attempt, setup).await.map_err(failed)?;
            if let Some(Record::NotStarted {
                exit_code,
                message,
                shortage,
            }) = state.outcome()
            {
                if let Some(shortage) = *shortage {
                    record::forget(&self.folder(attempt)).map_err(failed)?;
                    return Err(StartError::Short { shortage });
                }
                return Err(StartError::Told {
                    exit_code: *exit_code,
                    message: message.clone(),
                });
            }
            if stream.is_some()
                && let Some(started) = self.started(&self.folder(attempt), &state, stream)
            {
                return Ok(started);
            }
            // It has ended already; or another one, of a `punctual` that was killed just now, was there first.
            match self.look(attempt).await.map_err(failed)? {
                Found::Started(started) => Ok(started),
                Found::Lost(_) | Found::Never => Err(failed(io::Error::other(
                    "its supervisor ended at once; is the disk full, or the data folder not writable?",
                ))),
            }
        }
        .boxed()
    }

    /// Everything is in the pod's folder.
    fn forget<'a>(&'a self, _pod: &'a Pod) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
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

/// Tells a supervisor what it is to do, and waits until it has started that or is gone.
async fn commissioned(
    mut supervisor: UnixStream,
    order: &[u8],
    folder: &Path,
) -> io::Result<(Option<UnixStream>, State)> {
    // When it is gone, so it is with the next read.
    let _gone = supervisor.write_all(order).await;
    loop {
        let read = supervisor.read(&mut [0; 64]).await.unwrap_or(0);
        let state = record::read(folder)?;
        if read == 0 {
            return Ok((None, state));
        }
        if state.outcome().is_some() {
            return Ok((Some(supervisor), state));
        }
    }
}

impl State {
    /// Whether nobody has begun the attempt.
    fn is_untouched(&self) -> bool {
        self.records.is_empty() && !self.is_held
    }

    /// What became of the start.
    fn outcome(&self) -> Option<&Record> {
        let mut records = self.records.iter();
        records.find(|record| matches!(record, Record::Started { .. } | Record::NotStarted { .. }))
    }

    fn started(&self) -> Option<(u32, Timestamp)> {
        match self.outcome()? {
            Record::Started { pid, at } => Some((*pid, time(at)?)),
            _ => None,
        }
    }
}

/// Listens to a supervisor until it is gone.
async fn listen(mut reader: OwnedReadHalf, wrote: watch::Sender<u64>) {
    while reader.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {
        wrote.send_modify(|count| *count += 1);
    }
}

/// Ends whatever attempt at a pod still runs, and returns when nothing does.
pub(in crate::standalone::runtime) async fn end_attempts(pod: &PodDir, grace: Duration) {
    for folder in pod.attempts() {
        // One that lives and does not answer has not begun yet, and ends without its folder.
        let Ok(stream) = connect(&folder).await else {
            continue;
        };
        let (reader, writer) = stream.into_split();
        let control = Connection(Mutex::new(Some(writer)));
        control.obey(Order::Stop { grace }).await;
        listen(reader, watch::Sender::new(0)).await;
    }
}

/// How an attempt ended whose supervisor is gone.
async fn end(folder: &Path, now: Timestamp) -> Ended {
    let state = loop {
        match record::read(folder) {
            // What is recorded is there all the same: it would be taken for a process that nobody knows.
            Err(error) if Shortage::behind(&error).is_some() => tokio::time::sleep(CONNECT_PAUSE).await,
            state => break state.unwrap_or_default(),
        }
    };
    let mut killed = None;
    let mut rebooted = false;
    for recorded in &state.records {
        match recorded {
            Record::Ended {
                exit_code,
                signal,
                out_of_memory,
                at,
            } => {
                let exit = Exit {
                    code: *exit_code,
                    signal: *signal,
                };
                return Ended::of(exit, *out_of_memory, time(at).unwrap_or(now));
            }
            Record::Starting {
                boot,
                supervisor,
                group,
            } => {
                let here = record::boot();
                rebooted = !here.is_empty() && *boot != here;
                killed = Some((*supervisor, group.clone()));
            }
            Record::Started { .. } | Record::NotStarted { .. } => {}
        }
    }
    if rebooted {
        return Ended::unknown("the machine was restarted while the process ran".to_owned(), now);
    }
    // Nobody would learn how it ends, and it must not run beside the attempt that comes next.
    if let Some((supervisor, group)) = killed {
        leftovers::kill_session(supervisor);
        group.unwrap_or_default().remove().await;
    }
    let message = "the supervisor of the process was killed, and the process with it";
    Ended::unknown(message.to_owned(), now)
}

/// Connects to a supervisor. The path of a socket is limited to 107 bytes, so the folder is named by a descriptor.
async fn connect(folder: &Path) -> io::Result<UnixStream> {
    use std::os::fd::AsRawFd as _;
    let folder = std::fs::File::open(folder)?;
    let path = format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd());
    UnixStream::connect(path).await
}

fn time(text: &str) -> Option<Timestamp> {
    Some(chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

/// Orders to a supervisor; nothing, when it is gone.
struct Connection(Mutex<Option<OwnedWriteHalf>>);

impl Control for Connection {
    fn obey(&self, order: Order) -> BoxFuture<'_, ()> {
        async move {
            let Ok(mut order) = serde_json::to_vec(&order) else {
                return;
            };
            order.push(b'\n');
            if let Some(writer) = &mut *self.0.lock().await {
                // When it is gone, so is the process.
                let _gone = writer.write_all(&order).await;
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_supervisor_that_was_killed_while_it_waited_has_begun_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let (supervisor, state) = commissioned(ours, b"{}\n", folder.path()).await.unwrap();
        assert!(supervisor.is_none() && state.is_untouched());
    }
}
