//! One process, from its start to its end.
//!
//! A process gets a process group of its own, in the session of its supervisor, so that a stop reaches what it started.
//! When it has ended, its supervisor ends whatever it left behind, in whichever group or session that is.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use super::credentials::Credentials;
use super::start_error::{self, StartError};

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Invocation {
    /// The program: a path, or a name that is looked for in the `PATH` of `variables`.
    pub(super) program: String,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// All its variables: it inherits none.
    pub(super) variables: BTreeMap<String, String>,
    /// Where it starts.
    pub(super) working_dir: PathBuf,
    /// Whom it runs as.
    #[serde(default)]
    pub(super) credentials: Credentials,
}

/// What a pod's processes are to do. Each order outweighs those before it, and a stop with less grace one with more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Order {
    /// Go on.
    #[default]
    Run,
    /// End: SIGTERM now, SIGKILL when the grace is over. Nothing starts any more.
    Stop {
        /// How long a process may take to end.
        grace: Duration,
    },
    /// End at once: SIGKILL.
    Kill,
}

impl Order {
    /// Whether this order asks for more than another.
    pub(super) fn outweighs(self, other: Self) -> bool {
        match (self, other) {
            (Self::Run, _) | (_, Self::Kill) => false,
            (Self::Stop { grace }, Self::Stop { grace: other }) => grace < other,
            (Self::Stop { .. } | Self::Kill, Self::Run) | (Self::Kill, Self::Stop { .. }) => true,
        }
    }

    /// Gives this order, unless one was given that asks for no less.
    pub(super) fn give(self, orders: &watch::Sender<Self>) {
        orders.send_if_modified(|given| {
            let more = self.outweighs(*given);
            if more {
                *given = self;
            }
            more
        });
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exit {
    /// Its exit code; 128 + n when signal n killed it, as shells say it.
    pub(super) code: i32,
    /// The signal that killed it.
    pub(super) signal: Option<i32>,
}

impl Exit {
    /// An end that nobody saw.
    pub(super) const UNKNOWN: Self = Self {
        code: UNKNOWN_EXIT_CODE,
        signal: None,
    };
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        let signal = status.signal();
        let code = status
            .code()
            .or(signal.map(|signal| 128 + signal))
            .unwrap_or(UNKNOWN_EXIT_CODE);
        Self { code, signal }
    }
}

/// The exit code of a process whose end the kernel did not tell. The kubelet says the same.
pub(super) const UNKNOWN_EXIT_CODE: i32 = 137;

/// A process that runs.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pid: u32,
}

impl Invocation {
    /// Starts the process.
    pub(super) fn start(&self) -> Result<Process, StartError> {
        let runtime = Handle::current();
        let start = || {
            let _entered = runtime.enter();
            // Looked at by whom the process would be: what is closed to it is the reason.
            self.spawn().map_err(|error| start_error::explain(self, error))
        };
        let started = self.credentials.around(start);
        started.map_err(StartError::credentials)?
    }

    fn spawn(&self) -> io::Result<Process> {
        let by_path = self.in_path().map(|path| self.spawn_as(&path));
        // What the kernel does not take may be a script without a first line that says whose, which a search finds a
        // shell for.
        by_path
            .and_then(Result::ok)
            .map_or_else(|| self.spawn_as(Path::new(&self.program)), Ok)
    }

    /// The file that the program's name stands for. A search in the `PATH` of the new process is made by a copy of this
    /// one, which takes longer than all else about its start.
    fn in_path(&self) -> Option<PathBuf> {
        let is_name = !self.program.contains('/');
        let folders = self.variables.get("PATH").filter(|_| is_name)?.split(':');
        let files = folders.map(|folder| Path::new(folder).join(&self.program));
        let may_run = |file: &PathBuf| file.is_file() && access(file, Access::EXEC_OK).is_ok();
        // From a relative folder on it depends on where the process starts.
        let mut absolute = files.take_while(|file| file.is_absolute());
        absolute.find(may_run)
    }

    fn spawn_as(&self, program: &Path) -> io::Result<Process> {
        let mut command = Command::new(program);
        command
            .arg0(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.variables)
            .current_dir(&self.working_dir)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn()?;
        let pid = child.id().unwrap_or_default();
        Ok(Process { child, pid })
    }
}

impl Process {
    /// The process id, which is also the id of its process group.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// The reading ends of its two streams; they are given once.
    pub(super) fn streams(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for the end, and brings it about when ordered to. Then everything that is left of its group is killed,
    /// as a container's last processes are when its first one ends.
    pub(super) async fn end(mut self, orders: &mut watch::Receiver<Order>) -> io::Result<Exit> {
        let mut kill_at = None;
        self.obey(*orders.borrow_and_update(), &mut kill_at);
        let status = loop {
            tokio::select! {
                status = self.child.wait() => break status?,
                () = changed(orders) => self.obey(*orders.borrow_and_update(), &mut kill_at),
                () = at(kill_at) => self.obey(Order::Kill, &mut kill_at),
            }
        };
        self.signal(Signal::KILL);
        Ok(status.into())
    }

    /// Passes an order on to the process group, and sets when to kill it. It is asked to end once: a second SIGTERM
    /// makes some programs give up on what they are saving.
    fn obey(&self, order: Order, kill_at: &mut Option<Instant>) {
        match order {
            Order::Run => {}
            Order::Stop { grace } => {
                if kill_at.is_none() {
                    self.signal(Signal::TERM);
                }
                let end = Instant::now() + grace;
                *kill_at = Some(kill_at.map_or(end, |earlier| earlier.min(end)));
            }
            Order::Kill => {
                self.signal(Signal::KILL);
                *kill_at = None;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // The only error that can come is that nobody is left to hear it, and then all is well.
            let _nobody_left = kill_process_group(group, signal);
        }
    }
}

/// Waits for a new order. When nobody is left to give one, none comes.
pub(super) async fn changed(orders: &mut watch::Receiver<Order>) {
    if orders.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for a moment; for ever, when there is none.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
