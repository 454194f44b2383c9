//! Which files have changed, and have come to rest since.
//!
//! Files are looked at again and again rather than waited for: the kernel's notices differ from one file system to the
//! next, and are not to be had on some (network shares, folders that containers share), while a look costs one `stat` a
//! file, and misses nothing. A file that was changed is taken when it is the same at two looks in a row, so that nothing is
//! read that is only half written.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use crate::manifest;

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::up) struct Stamp {
    inode: u64,
    bytes: u64,
    /// When it was last written or renamed, in seconds and nanoseconds.
    changed: (i64, i64),
}

/// Files by their names, as messages name them.
pub(in crate::cli::up) type Look = BTreeMap<String, Stamp>;

/// Looks at the files that some paths stand for.
pub(in crate::cli::up) fn look(paths: &[PathBuf]) -> Look {
    let files = manifest::files(paths).into_iter();
    let stamped = files.filter_map(|file| {
        let metadata = fs::metadata(&file).ok()?;
        let stamp = Stamp {
            inode: metadata.ino(),
            bytes: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        Some((file.display().to_string(), stamp))
    });
    stamped.collect()
}

/// What was seen, and what of it was taken.
#[derive(Debug)]
pub(super) struct Settling {
    taken: Look,
    last: Look,
}

impl Settling {
    /// The files as they were when everything began.
    pub(super) fn begin(taken: Look) -> Self {
        Self {
            last: taken.clone(),
            taken,
        }
    }

    /// The files that have changed, come or gone since they were last taken, and are now as they were at the last look;
    /// now they are taken.
    pub(super) fn settled(&mut self, now: Look) -> Vec<String> {
        let known = self.taken.keys().chain(now.keys());
        let changed = known.filter(|name| {
            let is = now.get(*name);
            is != self.taken.get(*name) && is == self.last.get(*name)
        });
        let mut settled: Vec<String> = changed.cloned().collect();
        settled.sort();
        settled.dedup();
        for name in &settled {
            match now.get(name) {
                Some(stamp) => self.taken.insert(name.clone(), *stamp),
                None => self.taken.remove(name),
            };
        }
        self.last = now;
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name:version …`
    fn at(text: &str) -> Look {
        let files = text.split_whitespace().map(|file| {
            let (name, version) = file.split_once(':').unwrap();
            let stamp = Stamp {
                inode: 1,
                bytes: version.parse().unwrap(),
                changed: (0, 0),
            };
            (name.to_owned(), stamp)
        });
        files.collect()
    }

    #[test]
    fn a_file_is_taken_when_it_has_come_to_rest() {
        let mut settling = Settling::begin(at("a:1 b:1"));
        let table = [
            ("a:1 b:1", ""),
            ("a:2 b:1", ""),
            ("a:2 b:1", "a"),
            ("a:2 b:1", ""),
            // It is written, and written again; another one meanwhile.
            ("a:3 b:2", ""),
            ("a:4 b:2", "b"),
            ("a:4 b:2", "a"),
            // Gone only for a moment, as editors do it.
            ("b:2", ""),
            ("a:4 b:2", ""),
            ("a:4 b:2", ""),
            // Renamed: both at the same time.
            ("c:4 b:2", ""),
            ("c:4 b:2", "a c"),
            ("", ""),
            ("", "b c"),
        ];
        for (step, (now, settled)) in table.into_iter().enumerate() {
            assert_eq!(settling.settled(at(now)).join(" "), settled, "step {step}: {now}");
        }
    }
}
