//! Where a pod's files are.
//!
//! ```text
//!  pods/<uid>/<container>.<restart>.log         what a container's process wrote
//!  pods/<uid>/<container>.<restart>.attempt/    what its supervisor records
//!  pods/<uid>/<container>.<restart>.message     what it says of its end, where it says something
//!  pods/<uid>/volumes/<name>/                   a volume
//!  pods/<uid>/root/<container>/                 where a process finds the volumes that it mounts
//! ```
//!
//! They are few, and so are the folders: to make one can take a file system longer than all else about a start.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the names of the folders of attempts end with.
const ATTEMPT: &str = "attempt";

/// What the names of the files for last words end with.
const MESSAGE: &str = "message";

/// The folder of one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodDir(PathBuf);

impl PodDir {
    /// The folder of the pod with this uid, below that of all pods.
    pub(super) fn below(pods: &Path, uid: &str) -> PodDir {
        PodDir(pods.join(component(uid)))
    }

    /// The folder itself. Make it with [`create_private`](super::create_private).
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What a container wrote after its `restart`th restart; 0 is the first start.
    pub fn log(&self, container: &str, restart: u32) -> PathBuf {
        self.of_start(container, restart, "log")
    }

    /// What the supervisor of a container records of its `restart`th restart.
    pub fn attempt(&self, container: &str, restart: u32) -> PathBuf {
        self.of_start(container, restart, ATTEMPT)
    }

    /// Where a container says something of its end, after its `restart`th restart (`terminationMessagePath`).
    pub fn message(&self, container: &str, restart: u32) -> PathBuf {
        self.of_start(container, restart, MESSAGE)
    }

    /// The same, by the folder of the attempt.
    pub fn message_beside(attempt: &Path) -> PathBuf {
        attempt.with_extension(MESSAGE)
    }

    /// Removes what is kept of a start: its log, its records, its last words.
    ///
    /// # Errors
    ///
    /// What the disk refuses.
    pub fn forget(&self, container: &str, restart: u32) -> io::Result<()> {
        let log = self.log(container, restart);
        let files = self
            .logs()
            .filter(|file| file.with_extension("") == log || *file == log);
        let gone = files
            .chain([self.message(container, restart)])
            .map(fs::remove_file);
        gone.chain([fs::remove_dir_all(self.attempt(container, restart))])
            .try_for_each(|gone| match gone {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                gone => gone,
            })
    }

    /// The folders of all attempts at all containers.
    pub fn attempts(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let paths = self.entries();
        paths.filter(|path| path.extension().is_some_and(|extension| extension == ATTEMPT))
    }

    /// The files of all logs of all containers, with those that were set aside.
    pub fn logs(&self) -> impl Iterator<Item = PathBuf> + use<> {
        self.entries().filter(|path| is_log(path))
    }

    fn entries(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    }

    fn of_start(&self, container: &str, restart: u32, what: &str) -> PathBuf {
        self.0.join(format!("{}.{restart}.{what}", component(container)))
    }

    /// The folder that a container's process starts in when it has volumes.
    pub fn root(&self, container: &str) -> PathBuf {
        self.0.join("root").join(component(container))
    }

    /// The folder of the volumes.
    pub fn volumes(&self) -> PathBuf {
        self.0.join("volumes")
    }

    /// A volume.
    pub fn volume(&self, name: &str) -> PathBuf {
        self.volumes().join(component(name))
    }
}

/// `….log`, or `….log.3`.
pub(super) fn is_log(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(std::ffi::OsStr::to_str)
        .unwrap_or_default();
    name.rsplit_once(".log").is_some_and(|(_, rest)| {
        let number = rest.strip_prefix('.').map(str::parse::<u64>);
        rest.is_empty() || matches!(number, Some(Ok(_)))
    })
}

/// A name as one component of a path, whatever is in it: the API lets through only names that stay as they are, and a
/// path is not the place to rely on that.
fn component(name: &str) -> String {
    let mut component = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let is_plain =
            byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || (byte == b'.' && at > 0);
        if is_plain {
            component.push(byte.into());
        } else {
            let _infallible = write!(component, "%{byte:02X}");
        }
    }
    if component.is_empty() {
        component.push('%');
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_of_a_pod_stays_below_its_folder() {
        let pod = PodDir::below(Path::new("/data/pods"), "4f1c9a3e-0d5b");
        assert_eq!(pod.path(), Path::new("/data/pods/4f1c9a3e-0d5b"));
        assert_eq!(
            pod.log("main", 2),
            Path::new("/data/pods/4f1c9a3e-0d5b/main.2.log")
        );
        assert_eq!(
            pod.volume("cache.d"),
            Path::new("/data/pods/4f1c9a3e-0d5b/volumes/cache.d")
        );
        for (name, expected) in [
            ("../../etc", "%2E./../etc"),
            ("..", "%2E."),
            ("", "%"),
            ("a/b", "a/b"),
        ] {
            let expected = expected.replace('/', "%2F");
            assert_eq!(pod.volume(name), pod.volumes().join(expected));
        }
    }

    #[test]
    fn only_what_is_of_one_start_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let pod = PodDir::below(folder.path(), "one");
        for restart in [1, 10] {
            fs::create_dir_all(pod.attempt("main", restart)).unwrap();
            fs::write(pod.attempt("main", restart).join("state"), "").unwrap();
            for container in ["main", "main.1.log"] {
                fs::write(pod.log(container, restart), "").unwrap();
            }
            fs::write(format!("{}.7", pod.log("main", restart).display()), "").unwrap();
        }
        fs::write(pod.message("main", 1), "").unwrap();
        pod.forget("main", 1).unwrap();
        pod.forget("main", 1).unwrap();
        let mut left: Vec<_> = pod
            .entries()
            .map(|path| path.strip_prefix(pod.path()).unwrap().to_owned())
            .collect();
        left.sort();
        let expected = [
            "main.1.log.1.log",
            "main.1.log.10.log",
            "main.10.attempt",
            "main.10.log",
            "main.10.log.7",
        ];
        assert_eq!(left, expected.map(PathBuf::from));
    }
}
