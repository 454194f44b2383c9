//! What a supervisor is asked to do: the process of a container, as whom and within which limits it runs, and where what
//! becomes of it is kept.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::engine::ProcessEngine;
use super::passage;
use crate::standalone::data_dir::create_private;
use crate::standalone::runtime::engine::{Attempt, Setup};
use crate::standalone::runtime::machine::invocation;
use crate::standalone::runtime::pod::grace;
use crate::standalone::runtime::process::Invocation;
use crate::standalone::runtime::process::base::Base;
use crate::standalone::runtime::process::cgroup::Group;
use crate::standalone::runtime::process::credentials::{self, Accounts};
use crate::standalone::runtime::process::open_files;

/// What a supervisor is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Commission {
    /// The attempt's folder.
    pub(super) folder: PathBuf,
    /// The file for what the process writes.
    pub(super) log: PathBuf,
    /// The process.
    pub(super) invocation: Invocation,
    /// The control group with its limits, if it has one.
    pub(super) group: Option<Group>,
    /// How long it is given to end when somebody stops the supervisor.
    pub(super) grace_seconds: u64,
    /// How many files the process may have open, when that is fewer than we may.
    pub(super) open_files: Option<u64>,
    /// Whether the process is to end with the `punctual` that asked for it: nobody would ever find it.
    pub(super) is_bound: bool,
}

impl Commission {
    /// As a supervisor reads it.
    pub(super) fn to_line(&self) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// Reads one that asks for nothing, as the one that comes will be read. A process that does something for the first time
/// waits for its own program to be brought in.
pub(super) fn rehearse() {
    let read: Result<Commission, _> = serde_json::from_str(&asking_for_nothing("/", "/log").to_string());
    debug_assert!(read.is_ok(), "it is no commission: {read:?}");
}

/// One for an attempt that nobody makes.
fn asking_for_nothing(folder: impl AsRef<Path>, log: impl AsRef<Path>) -> serde_json::Value {
    serde_json::json!({
        "folder": folder.as_ref(), "log": log.as_ref(), "grace_seconds": 0, "open_files": 0, "is_bound": false,
        "invocation": { "program": "a", "arguments": ["b"], "variables": { "C": "d" }, "working_dir": "/" },
    })
}

#[cfg(test)]
impl Commission {
    /// One for an attempt that nobody makes.
    pub(super) fn of_nobody(folder: impl AsRef<Path>, log: impl AsRef<Path>) -> Self {
        serde_json::from_value(asking_for_nothing(folder, log)).unwrap()
    }
}

impl ProcessEngine {
    /// Makes out what is asked for an attempt, with the control group that it takes, and what another user
    /// is to come to.
    pub(super) fn commission(&self, attempt: &Attempt, setup: Setup) -> io::Result<Commission> {
        let folder = self.folder(attempt);
        Ok(Commission {
            log: attempt.log.clone(),
            invocation: self.invocation(attempt, setup)?,
            group: self.group(attempt)?,
            open_files: open_files::before(),
            grace_seconds: grace(&attempt.pod).as_secs(),
            is_bound: self.options.data.is_ephemeral(),
            folder,
        })
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
        self.places().make(uid, *number, container)
    }

    /// The process of a container. With volumes it starts in a folder of its own, where it finds them.
    fn invocation(&self, attempt: &Attempt, setup: Setup) -> io::Result<Invocation> {
        let Attempt { pod, container, .. } = attempt;
        let files = self.files(pod);
        // Most processes are started as nobody else, and these are files to be read.
        let accounts = if credentials::depends_on_accounts(pod, container, &self.own) {
            Accounts::of_this_machine()
        } else {
            Accounts::default()
        };
        let credentials = credentials::credentials(pod, container, &self.own, &accounts);
        if let Some(user) = credentials.user {
            create_private(files.path()).map_err(io::Error::other)?;
            let attempt = (&*container.name, attempt.number);
            passage::open(&self.options.data, &files, attempt, (user, setup.root.is_some()))?;
        }
        let base = &self.options.base;
        let base = Base {
            working_dir: setup.root.unwrap_or_else(|| base.working_dir.clone()),
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
}
