//! Where a supervisor works: the folder of its attempt, with the records and the socket in it, and the log beside it.
//!
//! To make files can take a file system longer than all else about a start: ext4 without a journal passes over every file
//! that was removed a moment ago, and histories are tidied all the time. So a supervisor that was started ahead makes its
//! own meanwhile, and only moves them when it hears whose they are.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use tokio::net::UnixListener;

use super::commission::Commission;
use super::connection::{SOCKET, socket_in};
use super::record;
use crate::standalone::data_dir::{DataDirError, create_new_private, create_private, private_file};
use crate::standalone::logs::Writer;

/// What the folder of an attempt and its log are called before it is known whose they are.
const ATTEMPT: &str = "attempt";
const LOG: &str = "log";

/// Where a supervisor works.
pub(super) struct Workplace {
    /// The records of the attempt, which is ours to start.
    pub(super) state: File,
    /// Lets those in who come later.
    pub(super) listener: UnixListener,
    pub(super) log: Writer,
}

impl Workplace {
    /// Makes it where it is to be, or in the place of a supervisor that went before it began; nothing, when somebody else
    /// has the attempt.
    pub(super) fn make(commission: &Commission) -> io::Result<Option<Self>> {
        let folder = &commission.folder;
        create_private(folder).map_err(io::Error::other)?;
        let records = record::file(folder);
        let Some(state) = record::claim(folder).map_err(named("written", &records))? else {
            return Ok(None);
        };
        let listener = listen(folder)?;
        let log = open(&commission.log)?;
        Ok(Some(Self { state, listener, log }))
    }
}

/// A workplace of which it is not known yet for which attempt it is: the folder of a pod with nothing else in it.
pub(super) struct Prepared {
    pod: Own,
    state: File,
    listener: UnixListener,
}

impl Prepared {
    /// Makes one in a folder of its own, below this one.
    pub(super) fn make(below: &Path) -> io::Result<Self> {
        let pod = below.join(std::process::id().to_string());
        create_new_private(&pod).map_err(io::Error::other)?;
        let pod = Own(pod);
        let folder = pod.0.join(ATTEMPT);
        create_new_private(&folder).map_err(io::Error::other)?;
        let state = record::claim(&folder)?.ok_or(io::ErrorKind::AlreadyExists)?;
        private_file()
            .write(true)
            .create_new(true)
            .open(pod.0.join(LOG))?;
        let listener = listen(&folder)?;
        Ok(Self { pod, state, listener })
    }

    /// Moves it to where it is to be. It can't be where somebody has begun, nor on a file system that knows no move but one
    /// that replaces what is there.
    pub(super) fn move_to(self, commission: &Commission) -> io::Result<Workplace> {
        let Self { pod, state, listener } = self;
        let Commission { folder, log, .. } = commission;
        let named = |path: &Path| pod.0.join(path.file_name().unwrap_or_default());
        let (own_folder, own_log) = (named(folder), named(log));
        move_new(&pod.0.join(ATTEMPT), &own_folder)?;
        move_new(&pod.0.join(LOG), &own_log)?;
        let is_whole = folder.parent().is_some_and(|to| move_new(&pod.0, to).is_ok());
        if !is_whole {
            // The pod has volumes, or something of it was started before.
            move_new(&own_folder, folder)?;
            // Where there is a log, it is gone on with.
            let _stays = move_new(&own_log, log);
        }
        let log = open(log)?;
        Ok(Workplace { state, listener, log })
    }
}

/// A folder of a supervisor's own. What is not moved goes with it.
struct Own(PathBuf);

impl Drop for Own {
    fn drop(&mut self) {
        // When it was moved it is no longer there.
        let _moved = std::fs::remove_dir_all(&self.0);
    }
}

/// Moves something to where nothing is.
fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// Listens for those who come later, also where a supervisor did that went before it began.
fn listen(folder: &Path) -> io::Result<UnixListener> {
    let opened = File::open(folder).map_err(named("read", folder))?;
    let socket = socket_in(&opened);
    let listener = match UnixListener::bind(&socket) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            std::fs::remove_file(&socket).and_then(|()| UnixListener::bind(&socket))
        }
        bound => bound,
    };
    listener.map_err(named("made", &folder.join(SOCKET)))
}

fn open(log: &Path) -> io::Result<Writer> {
    Writer::open(log).map_err(named("written", log))
}

/// For `map_err`: names what could not be made or written.
pub(super) fn named(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |source| io::Error::other(DataDirError::io(action, path, source))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::super::connection::connect;
    use super::*;

    /// A data folder, and what is asked for in it.
    struct Data {
        folder: TempDir,
        commission: Commission,
    }

    impl Data {
        /// One in which a workplace is prepared.
        fn prepared() -> (Self, Prepared) {
            let folder = tempfile::tempdir().unwrap();
            let [ahead, pods] = ["ahead", "pods"].map(|name| folder.path().join(name));
            for folder in [&ahead, &pods] {
                create_new_private(folder).unwrap();
            }
            let (attempt, log) = (pods.join("u-1/main.0.attempt"), pods.join("u-1/main.0.log"));
            let commission = Commission::of_nobody(attempt, log);
            (Self { folder, commission }, Prepared::make(&ahead).unwrap())
        }

        /// All files there are.
        fn files(&self) -> Vec<String> {
            let mut files = Vec::new();
            let mut folders = vec![self.folder.path().to_owned()];
            while let Some(folder) = folders.pop() {
                for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                    if path.is_dir() {
                        folders.push(path);
                    } else {
                        let path = path.strip_prefix(self.folder.path()).unwrap();
                        files.push(path.display().to_string());
                    }
                }
            }
            files.sort();
            files
        }
    }

    const MOVED: [&str; 3] = [
        "pods/u-1/main.0.attempt/socket",
        "pods/u-1/main.0.attempt/state",
        "pods/u-1/main.0.log",
    ];

    #[tokio::test]
    async fn what_is_prepared_is_found_where_it_was_moved_to() {
        let (data, prepared) = Data::prepared();
        let moved = prepared.move_to(&data.commission).unwrap();
        assert_eq!(data.files(), MOVED);
        let folder = &data.commission.folder;
        assert!(record::read(folder).unwrap().is_held);
        let (let_in, connected) = tokio::join!(moved.listener.accept(), connect(folder));
        assert!(let_in.is_ok() && connected.is_ok());
    }

    #[tokio::test]
    async fn it_moves_to_a_pod_of_which_there_is_something() {
        let (data, prepared) = Data::prepared();
        let (folder, log) = (&data.commission.folder, &data.commission.log);
        create_private(folder.parent().unwrap()).unwrap();
        fs::write(log, "before\n").unwrap();
        let _moved = prepared.move_to(&data.commission).unwrap();
        assert_eq!(data.files(), MOVED);
        assert_eq!(fs::read_to_string(log).unwrap(), "before\n");
    }

    #[tokio::test]
    async fn an_attempt_that_somebody_has_is_left_to_them() {
        let (data, prepared) = Data::prepared();
        let theirs = Workplace::make(&data.commission).unwrap();
        assert!(theirs.is_some());
        assert!(prepared.move_to(&data.commission).is_err());
        assert_eq!(data.files(), MOVED, "nothing else is left");
        assert!(Workplace::make(&data.commission).unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_not_needed_leaves_nothing() {
        let (data, prepared) = Data::prepared();
        assert_eq!(data.files().len(), 3);
        drop(prepared);
        assert!(data.files().is_empty());
    }
}
