//! Why a process did not start, for the person who wrote the manifest.
//!
//! The kernel answers with one number for many mistakes: "no such file" may be the program, its interpreter or the
//! working folder. So the likely culprits are looked at after a failure, and the first that explains it is named.
//! Exit codes are those of a shell: 127 not found, 126 found and not executable, 128 anything else.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use thiserror::Error;

use super::containers::ContainerError;
use super::engine::STATUS_UNKNOWN;
use super::process::Invocation;
use super::process::fitness::Unfit;
use super::shortage::Shortage;
use crate::standalone::data_dir::{DataDirError, Obstacle};

/// The `reason` of a container whose process did not start, as container engines write it.
pub(super) const START_ERROR: &str = "StartError";

/// The exit code of a process that did not start, for no fault of its program's that a shell has a code for.
pub(super) const START_FAILED: i32 = 128;

/// A start that failed: why, and what to do about it.
#[derive(Debug, Error)]
pub(super) enum StartError {
    #[error("the working folder {path} does not exist; create it, or change `workingDir`", path = .path.display())]
    NoWorkingDir { path: PathBuf },
    #[error("the working folder {path} is not a folder; change `workingDir`", path = .path.display())]
    WorkingDirIsFile { path: PathBuf },
    #[error(
        "the command {program:?} was found in none of the folders of PATH ({path}); install it, or write its full path in `command`"
    )]
    NotInPath { program: String, path: String },
    #[error("the command {path} does not exist; correct `command`", path = .path.display())]
    NoSuchFile { path: PathBuf },
    #[error("the command {path} is a folder; name the program in it in `command`", path = .path.display())]
    IsFolder { path: PathBuf },
    #[error("the command {path} may not be executed; `chmod +x` makes it so", path = .path.display())]
    NotExecutable { path: PathBuf },
    #[error("`command` begins with an empty word; name the program there")]
    NoProgram,
    #[error(
        "{path} is neither a program for this machine nor a script that names its interpreter; begin it with a line such as `#!/bin/sh`, or write `sh` before it in `command`", path = .path.display()
    )]
    NotAProgram { path: PathBuf },
    #[error(
        "the arguments and variables of {program:?} are longer than this machine hands over; put what is long into a file, such as that of a config map"
    )]
    TooLong { program: String },
    #[error("the script {path} asks for an interpreter that does not exist; correct its first line", path = .path.display())]
    NoInterpreter { path: PathBuf },
    #[error("this machine is short of {shortage}; it is tried again")]
    Short { shortage: Shortage },
    #[error("{path} can't be written: {obstacle}; it is tried again", path = .path.display())]
    Unwritable { path: PathBuf, obstacle: Obstacle },
    #[error("this machine could not make ready what the process needs; it is tried again")]
    Unready {
        #[source]
        source: io::Error,
    },
    #[error(
        "its supervisor lives and does not answer, e.g. as it waits for memory or a disk; what it runs is left alone, and it is asked again; {}", remedy(*supervisor, records)
    )]
    Silent {
        /// Its process id, when it has said that.
        supervisor: Option<i32>,
        /// What it holds for as long as it lives.
        records: PathBuf,
    },
    #[error(
        "nobody can tell whether the process runs, as its records in {path} can't be read; they are read again; mend that file, or remove it when nothing of the process is left", path = .path.display()
    )]
    Unread {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Found out by a supervisor.
    #[error("{message}")]
    Told {
        exit_code: i32,
        message: String,
        is_tried_again: bool,
    },
    #[error(
        "the working folder {path} is closed to the user that the process runs as; open it to that user, or set `workingDir`", path = .path.display()
    )]
    WorkingDirClosed { path: PathBuf },
    #[error("the command {path} is closed to the user that the process runs as; open it to that user", path = .path.display())]
    CommandClosed { path: PathBuf },
    #[error("the process can't take on the user, groups and privileges of its `securityContext`")]
    Credentials {
        #[source]
        source: io::Error,
    },
    #[error(
        "container has runAsNonRoot and would run as root (pod: {pod:?}, container: {container}); set `runAsUser`, or run punctual as another user"
    )]
    WouldBeRoot { pod: String, container: String },
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// It was started before, by a `punctual` that could.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("the command {program:?} could not be started")]
    Other {
        program: String,
        #[source]
        source: io::Error,
    },
}

impl StartError {
    /// What goes wrong on the way to a start, which is no fault of the program's.
    pub(super) fn unready(source: io::Error) -> Self {
        if let Some(DataDirError::Io { path, source, .. }) = data_dir_error(&source)
            && let Some(obstacle) = Obstacle::behind(source, path)
        {
            let path = path.clone();
            return Self::Unwritable { path, obstacle };
        }
        match Shortage::behind(&source) {
            Some(shortage) => Self::Short { shortage },
            None => Self::Unready { source },
        }
    }

    /// For `map_err`: records that can't be read.
    pub(super) fn unread(path: PathBuf) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let shortage = Shortage::behind(&source).map(|shortage| Self::Short { shortage });
            Self::Unread {
                path,
                source: shortage.map_or(source, io::Error::other),
            }
        }
    }

    /// What goes wrong with the start itself.
    fn other(program: &str, source: io::Error) -> Self {
        match Shortage::behind(&source) {
            Some(shortage) => Self::Short { shortage },
            None => Self::Other {
                program: program.to_owned(),
                source,
            },
        }
    }

    /// Credentials that were not taken on.
    pub(super) fn credentials(source: io::Error) -> Self {
        match Shortage::behind(&source) {
            Some(shortage) => Self::Short { shortage },
            None => Self::Credentials { source },
        }
    }

    /// The exit code that a shell would give.
    pub(super) fn exit_code(&self) -> i32 {
        match self {
            Self::Told { exit_code, .. } => *exit_code,
            Self::NotInPath { .. } | Self::NoSuchFile { .. } | Self::NoInterpreter { .. } => 127,
            Self::IsFolder { .. }
            | Self::NotExecutable { .. }
            | Self::NotAProgram { .. }
            | Self::TooLong { .. }
            | Self::CommandClosed { .. } => 126,
            Self::NoWorkingDir { .. }
            | Self::WorkingDirIsFile { .. }
            | Self::WorkingDirClosed { .. }
            | Self::Credentials { .. }
            | Self::WouldBeRoot { .. }
            | Self::NoProgram
            | Self::Short { .. }
            | Self::Unwritable { .. }
            | Self::Unready { .. }
            | Self::Silent { .. }
            | Self::Unread { .. }
            | Self::Container(_)
            | Self::Unfit(_)
            | Self::Other { .. } => START_FAILED,
        }
    }

    /// A word for programs, where this is the end of a container.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Unfit(unfit) => unfit.reason,
            _ => START_ERROR,
        }
    }

    /// Whether what was to be started may run all the same: then it is to be looked for, and never started beside that.
    pub(super) fn leaves_open(&self) -> bool {
        match self {
            Self::Silent { .. } | Self::Unread { .. } => true,
            Self::Container(error) => error.leaves_open(),
            _ => false,
        }
    }

    /// The kubelet's word for a container that waits for this to change, and is then started after all; nothing, when
    /// this is its end.
    pub(super) fn waits(&self) -> Option<&'static str> {
        match self {
            Self::Container(error) => error.waits(),
            Self::WouldBeRoot { .. } => Some("CreateContainerConfigError"),
            Self::Silent { .. } | Self::Unread { .. } => Some(STATUS_UNKNOWN),
            Self::Short { .. }
            | Self::Unwritable { .. }
            | Self::Unready { .. }
            | Self::Told {
                is_tried_again: true, ..
            } => Some("CreateContainerError"),
            _ => None,
        }
    }
}

fn data_dir_error(error: &io::Error) -> Option<&DataDirError> {
    error.get_ref()?.downcast_ref()
}

/// What to do about a supervisor that does not answer.
fn remedy(supervisor: Option<i32>, records: &Path) -> String {
    match supervisor {
        Some(process) => format!(
            "`kill -CONT {process}` lets it go on if somebody has stopped it, and `kill -9 {process}` gives up what it runs"
        ),
        None => format!(
            "`fuser {}` tells its process id: `kill -CONT` lets it go on if somebody has stopped it, and `kill -9` gives it up",
            records.display()
        ),
    }
}

/// Finds out why a start failed.
pub(super) fn explain(invocation: &Invocation, error: io::Error) -> StartError {
    if let Some(shortage) = Shortage::behind(&error) {
        return StartError::Short { shortage };
    }
    let dir = &invocation.working_dir;
    if is_closed(dir.metadata()) {
        return StartError::WorkingDirClosed { path: dir.clone() };
    }
    if !dir.exists() {
        return StartError::NoWorkingDir { path: dir.clone() };
    }
    if !dir.is_dir() {
        return StartError::WorkingDirIsFile { path: dir.clone() };
    }
    if access(dir, Access::EXEC_OK).is_err() {
        return StartError::WorkingDirClosed { path: dir.clone() };
    }
    if invocation.program.is_empty() {
        return StartError::NoProgram;
    }
    let Some(path) = find(invocation) else {
        return not_found(invocation);
    };
    match error.kind() {
        _ if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => StartError::NotAProgram { path },
        io::ErrorKind::ArgumentListTooLong => StartError::TooLong {
            program: invocation.program.clone(),
        },
        _ if path.is_dir() => StartError::IsFolder { path },
        io::ErrorKind::PermissionDenied => StartError::NotExecutable { path },
        io::ErrorKind::NotFound => StartError::NoInterpreter { path },
        _ => StartError::other(&invocation.program, error),
    }
}

fn not_found(invocation: &Invocation) -> StartError {
    let program = invocation.program.clone();
    if program.contains('/') {
        let path = from(&invocation.working_dir, &program);
        return if is_closed(path.metadata()) {
            StartError::CommandClosed { path }
        } else {
            StartError::NoSuchFile { path }
        };
    }
    let path = invocation.variables.get("PATH").cloned().unwrap_or_default();
    StartError::NotInPath { program, path }
}

/// The file that a program's name stands for.
fn find(invocation: &Invocation) -> Option<PathBuf> {
    let program = &invocation.program;
    if program.contains('/') {
        return Some(from(&invocation.working_dir, program)).filter(|path| path.exists());
    }
    let folders = invocation
        .variables
        .get("PATH")
        .map_or("", String::as_str)
        .split(':');
    folders
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.exists())
}

/// Whether a path leads through a folder that is closed to us.
fn is_closed(seen: io::Result<Metadata>) -> bool {
    seen.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// A path from a folder, without the `.` in it.
fn from(folder: &Path, path: &str) -> PathBuf {
    folder.join(path).components().collect()
}
