//! One control group, which is one folder, or one for each resource where these are apart (version 1).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The file with the processes of a group.
const PROCESSES: &str = "cgroup.procs";

/// How often, and how long apart, a group is removed whose last processes the kernel has not let go yet.
const REMOVE_TRIES: u32 = 100;
const REMOVE_PAUSE: Duration = Duration::from_millis(20);

/// A control group, by its folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::standalone::runtime) struct Group {
    pub(super) folders: Vec<Folder>,
}

/// A folder of a group, and the one that whoever starts its process comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) home: PathBuf,
}

impl Group {
    /// Starts a process in the group. This process goes there itself and comes back, so that what it starts is there
    /// from its first instruction.
    pub(in crate::standalone::runtime) fn around<T>(&self, start: impl FnOnce() -> T) -> io::Result<T> {
        let entered = self.folders.iter().try_for_each(|folder| enter(&folder.path));
        let started = entered.map(|()| start());
        for folder in &self.folders {
            enter(&folder.home)?;
        }
        started
    }

    /// Whether the kernel has ended a process of the group because it was out of memory.
    pub(in crate::standalone::runtime) fn was_out_of_memory(&self) -> bool {
        let kills = |folder: &Folder| {
            let files = ["memory.events", "memory.oom_control"].map(|name| folder.path.join(name));
            let mut texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
            texts.any(|text| counted(&text, "oom_kill") > 0)
        };
        self.folders.iter().any(kills)
    }

    /// Ends what is in the group, and removes it.
    pub(in crate::standalone::runtime) async fn remove(&self) {
        for Folder { path, .. } in &self.folders {
            for _ in 0..REMOVE_TRIES {
                match fs::remove_dir(path) {
                    Ok(()) => break,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                    Err(_busy) => kill(path),
                }
                tokio::time::sleep(REMOVE_PAUSE).await;
            }
        }
    }
}

/// Moves this process to a group.
pub(super) fn enter(folder: &Path) -> io::Result<()> {
    fs::write(folder.join(PROCESSES), std::process::id().to_string())
}

fn kill(folder: &Path) {
    let members = fs::read_to_string(folder.join(PROCESSES)).unwrap_or_default();
    let pids = members.lines().filter_map(|line| line.parse().ok());
    for pid in pids.filter_map(rustix::process::Pid::from_raw) {
        // It may have ended by itself.
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// The number beside a word in one of the kernel's tables.
fn counted(table: &str, word: &str) -> u64 {
    let mut rows = table.lines().filter_map(|line| line.split_once(' '));
    let row = rows.find(|(name, _)| *name == word);
    row.and_then(|(_, number)| number.trim().parse().ok())
        .unwrap_or_default()
}
