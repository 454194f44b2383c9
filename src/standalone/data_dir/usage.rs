//! What takes the room of a data folder, for the person who has to find some on a full disk.

use std::fmt;
use std::fs::{self, DirEntry};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::DataDir;
use super::pod_dir::is_log;

/// The size of the units in which the system counts the room of a file, in bytes.
const BLOCK_BYTES: u64 = 512;

/// How many bytes of a disk a data folder takes, and for what.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Usage {
    folder: PathBuf,
    /// Logs of pods, which may be deleted.
    logs: u64,
    /// Databases that were put aside because they were damaged.
    put_aside: u64,
    /// Volumes of pods, which go with their pods.
    pods: u64,
    /// What can't be done without.
    needed: u64,
    /// The size of the disk.
    disk: u64,
}

impl DataDir {
    /// What takes the room of this folder. What can't be read is not counted.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage {
            folder: self.path().to_owned(),
            disk: rustix::fs::statvfs(self.path()).map_or(0, |disk| disk.f_blocks * disk.f_frsize),
            ..Usage::default()
        };
        usage.add(self.path(), &self.pods());
        usage
    }
}

impl Usage {
    fn add(&mut self, folder: &Path, pods: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            *self.kind(&entry, pods) += metadata.blocks() * BLOCK_BYTES;
            if metadata.is_dir() {
                self.add(&entry.path(), pods);
            }
        }
    }

    fn kind(&mut self, entry: &DirEntry, pods: &Path) -> &mut u64 {
        let path = entry.path();
        let name = entry.file_name();
        if !path.starts_with(pods) {
            let is_aside = name.to_string_lossy().contains(".damaged-");
            return if is_aside {
                &mut self.put_aside
            } else {
                &mut self.needed
            };
        }
        let is_of_a_pod = path.parent().and_then(Path::parent) == Some(pods);
        if is_of_a_pod && is_log(&path) {
            &mut self.logs
        } else {
            &mut self.pods
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        let all = self.logs + self.put_aside + self.pods + self.needed;
        write!(
            f,
            "The data folder takes {} of the {} of its disk:",
            kib(all),
            kib(self.disk)
        )?;
        for (bytes, what) in [
            (
                self.logs,
                format!("logs of pods, which may be deleted: {folder}/pods/*/*.log*"),
            ),
            (
                self.put_aside,
                format!("databases that were damaged, for you to keep or delete: {folder}/*.damaged-*"),
            ),
            (
                self.pods,
                format!("volumes and records of pods, which go with their pods: {folder}/pods"),
            ),
            (
                self.needed,
                "the objects and the keys, which have to stay".to_owned(),
            ),
        ] {
            if bytes > 0 {
                write!(f, "\n  {} for {what}", kib(bytes))?;
            }
        }
        Ok(())
    }
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn it_says_what_may_go_and_what_may_not() {
        let folder = TempDir::new().unwrap();
        let data = DataDir::open(&folder.path().join("data")).unwrap();
        let pod = data.pod("one");
        fs::create_dir_all(pod.volume("scratch")).unwrap();
        for (path, blocks) in [
            (pod.log("main", 0), 8),
            (pod.volume("scratch").join("main.0.log"), 16),
            (data.database(), 4),
            (data.path().join("punctual.db.damaged-2026-11-24T16-03-44Z"), 32),
        ] {
            fs::write(path, vec![1; blocks * 4096]).unwrap();
        }
        let usage = data.usage();
        assert_eq!((usage.logs, usage.put_aside), (8 * 4096, 32 * 4096));
        assert!(usage.pods >= 16 * 4096 && usage.needed >= 4 * 4096, "{usage:?}");
        let round = Usage {
            folder: "/data".into(),
            pods: 69_632,
            needed: 20_480,
            disk: 5 * 1024 * 1024,
            ..usage
        };
        insta::assert_snapshot!(round);
    }
}
