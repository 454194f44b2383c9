//! One process, from its start to its end.
//!
//! A process gets a process group of its own, in the session of its supervisor, so that a stop reaches what it started.
//! When it has ended, its supervisor ends whatever it left behind, in whichever group or session that is.
//!
//! | file | one idea |
//! |---|---|
//! | `supervisor` | a small process for each attempt, which outlives `punctual`; the engine of processes |
//! | `cgroup` | the limits of a process |
//! | `credentials` | whom a process runs as, and with which privileges |
//! | `base` | the variables that a process has before its own |
//! | `root` | the folder that a process with volumes starts in |
//! | [`open_files`] | how many files may be open |
//! | `fitness` | what a process can't have |
//! | `mount_conflicts` | where two of its containers would have one thing that are to have two |

pub mod open_files;

pub(super) mod base;
pub(super) mod cgroup;
pub(super) mod credentials;
pub(super) mod fitness;
mod mount_conflicts;
pub(super) mod root;
pub(super) mod supervisor;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, wait};
use serde::{Deserialize, Serialize};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::runtime::Handle;
use tokio::signal::unix;
use tokio::sync::watch;

use super::order::{self, Order, Stoppable, Word};
use super::start_error::{self, StartError};
use credentials::Credentials;

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

    /// An end of which only the code is known, as a container engine tells it: it gives signals as shells do.
    pub(super) fn of_code(code: i32) -> Self {
        let signal = code - SIGNALLED;
        Self {
            code,
            signal: (1..=LAST_SIGNAL).contains(&signal).then_some(signal),
        }
    }
}

/// What a shell adds to the number of a signal.
const SIGNALLED: i32 = 128;

/// The last signal that there is (`SIGRTMAX`). A code beyond is the program's own: 255 is what becomes of -1.
const LAST_SIGNAL: i32 = 64;

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        let signal = status.signal();
        let code = status
            .code()
            .or(signal.map(|signal| SIGNALLED + signal))
            .unwrap_or(UNKNOWN_EXIT_CODE);
        Self { code, signal }
    }
}

/// The exit code of a process whose end the kernel did not tell. The kubelet says the same.
pub(super) const UNKNOWN_EXIT_CODE: i32 = 137;

/// A process that runs.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
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
        let mut child = command.spawn()?;
        Ok(Process {
            pid: child.id(),
            stdout: child.stdout.take().map(ChildStdout::from_std).transpose()?,
            stderr: child.stderr.take().map(ChildStderr::from_std).transpose()?,
        })
    }
}

impl Process {
    /// The process id, which is also the id of its process group.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// The reading ends of its two streams; they are given once.
    pub(super) fn streams(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.stdout.take(), self.stderr.take())
    }

    /// Waits for the end, and brings it about when ordered to. Then everything that is left of its group is killed,
    /// as a container's last processes are when its first one ends. `ends` tells, from before the start on, that children
    /// have ended.
    pub(super) async fn end(
        self,
        ends: &mut unix::Signal,
        orders: &mut watch::Receiver<Order>,
    ) -> io::Result<Exit> {
        let group = Group(i32::try_from(self.pid).ok().and_then(Pid::from_raw));
        let exit = tokio::select! {
            exit = end_among_children(group.0, ends) => exit?,
            never = order::carry_out(orders, &group) => match never {},
        };
        group.signal(Signal::KILL);
        Ok(exit)
    }
}

/// Waits for the end of a child, and collects the ends of all others meanwhile: a supervisor inherits whom descendants
/// leave behind, and of those that ended the kernel would keep as many as there may be processes.
async fn end_among_children(pid: Option<Pid>, ends: &mut unix::Signal) -> io::Result<Exit> {
    loop {
        match wait(WaitOptions::NOHANG)? {
            Some((child, status)) if Some(child) == pid => {
                return Ok(ExitStatus::from_raw(status.as_raw()).into());
            }
            Some(_inherited) => {}
            None => {
                ends.recv().await;
            }
        }
    }
}

/// The process group of a process.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // The only error that can come is that nobody is left to hear it, and then all is well.
            let _nobody_left = kill_process_group(group, signal);
        }
    }
}

impl Stoppable for Group {
    async fn say(&self, word: Word) -> bool {
        self.signal(match word {
            Word::End => Signal::TERM,
            Word::Die => Signal::KILL,
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_tells_of_a_signal_where_there_is_one_of_that_number() {
        let signals = [0, 1, 128, 129, 137, 192, 193, 255].map(|code| Exit::of_code(code).signal);
        assert_eq!(
            signals,
            [None, None, None, Some(1), Some(9), Some(64), None, None]
        );
    }
}
