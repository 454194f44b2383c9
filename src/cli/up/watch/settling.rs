//! Which files have changed, and have come to rest since.
//!
//! Files are looked at again and again rather than waited for: the kernel's notices differ from one file system to the
//! next, and are not to be had on some (network shares, folders that containers share), while a look costs one `stat` a
//! file, and misses nothing. A file that was changed is taken when it is the same at two looks in a row, so that nothing is
//! read that is only half written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::manifest::{self, Diagnostic};

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    /// When it was last written or renamed, in seconds and nanoseconds.
    changed: (i64, i64),
}

/// What is to be seen of some paths.
#[derive(Debug, Default)]
pub(in crate::cli::up) struct Look {
    files: BTreeMap<PathBuf, Stamp>,
    /// The paths that can't be looked into, and why: what they stood for is not known to be gone.
    hidden: BTreeMap<PathBuf, Box<Diagnostic>>,
}

/// Looks at the files that some paths stand for.
pub(in crate::cli::up) fn look(paths: &[PathBuf]) -> Look {
    let mut look = Look::default();
    for path in paths {
        match manifest::files(path).and_then(|files| stamps(path, files)) {
            Ok(stamps) => look.files.extend(stamps),
            Err(why) => {
                look.hidden.insert(path.clone(), why);
            }
        }
    }
    look
}

/// The stamps of the files that a path stands for.
fn stamps(path: &Path, files: Vec<PathBuf>) -> Result<Vec<(PathBuf, Stamp)>, Box<Diagnostic>> {
    let mut stamps = Vec::new();
    for file in files {
        match fs::metadata(&file) {
            Ok(metadata) => {
                let stamp = Stamp {
                    inode: metadata.ino(),
                    bytes: metadata.len(),
                    changed: (metadata.ctime(), metadata.ctime_nsec()),
                };
                stamps.push((file, stamp));
            }
            // Removed just now, or a link to nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!("cannot look at the files of {}: {error}", path.display());
                return Err(Box::new(Diagnostic::error("unreadable", message)));
            }
        }
    }
    Ok(stamps)
}

impl Look {
    /// Whether a file may be there and not be seen.
    fn hides(&self, file: &Path) -> bool {
        let mut hidden = self.hidden.keys();
        hidden.any(|path| file == path || file.parent() == Some(path))
    }
}

/// What has changed and come to rest.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Files that were written or have come.
    pub(super) written: Vec<PathBuf>,
    /// Files that are not there any more.
    pub(super) gone: Vec<PathBuf>,
    /// Paths that can't be looked into since a moment ago, and why.
    pub(super) hidden: Vec<(PathBuf, Diagnostic)>,
    /// All that can't be looked into, and files that are not at rest: nobody knows what they hold.
    pub(super) unsure: BTreeSet<PathBuf>,
}

/// What was seen, and what of it was taken.
#[derive(Debug)]
pub(super) struct Settling {
    taken: BTreeMap<PathBuf, Stamp>,
    last: Look,
    /// The paths of which it was told that they can't be looked into.
    told_hidden: BTreeSet<PathBuf>,
}

impl Settling {
    /// The files as they were when everything began.
    pub(super) fn begin(first: Look) -> Self {
        Self {
            taken: first.files.clone(),
            last: first,
            told_hidden: BTreeSet::new(),
        }
    }

    /// The files that have changed, come or gone since they were last taken, and are now as they were at the last look;
    /// now they are taken. A file that can't be seen stays as it was.
    pub(super) fn settled(&mut self, mut now: Look) -> Settled {
        let mut settled = Settled::default();
        let known: BTreeSet<&PathBuf> = self.taken.keys().chain(now.files.keys()).collect();
        for path in known {
            let is = now.files.get(path);
            let is_at_rest = is == self.last.files.get(path) && !now.hides(path);
            if !is_at_rest {
                settled.unsure.insert(path.clone());
            } else if is != self.taken.get(path) {
                let list = if is.is_some() {
                    &mut settled.written
                } else {
                    &mut settled.gone
                };
                list.push(path.clone());
            }
        }
        for path in &settled.written {
            self.taken.extend(
                now.files
                    .get_key_value(path)
                    .map(|(path, stamp)| (path.clone(), *stamp)),
            );
        }
        for path in &settled.gone {
            self.taken.remove(path);
        }
        settled.unsure.extend(now.hidden.keys().cloned());
        for (path, why) in &now.hidden {
            let is_news = self.last.hidden.contains_key(path) && !self.told_hidden.contains(path);
            settled
                .hidden
                .extend(is_news.then(|| (path.clone(), (**why).clone())));
        }
        self.told_hidden.retain(|path| now.hidden.contains_key(path));
        self.told_hidden
            .extend(settled.hidden.iter().map(|(path, _)| path.clone()));
        let unseen: Vec<_> = self
            .last
            .files
            .iter()
            .filter(|(path, _)| now.hides(path))
            .map(|(path, stamp)| (path.clone(), *stamp))
            .collect();
        now.files.extend(unseen);
        self.last = now;
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name:version`, and `!path` for one that can't be looked into.
    fn at(text: &str) -> Look {
        let mut look = Look::default();
        for word in text.split_whitespace() {
            if let Some(path) = word.strip_prefix('!') {
                let why = Diagnostic::error("unreadable", "it is not there");
                look.hidden.insert(path.into(), Box::new(why));
                continue;
            }
            let (name, version) = word.split_once(':').unwrap();
            let stamp = Stamp {
                inode: 1,
                bytes: version.parse().unwrap(),
                changed: (0, 0),
            };
            look.files.insert(name.into(), stamp);
        }
        look
    }

    /// `name` of what was written, `-name` of what is gone, `!path` of what can't be looked into.
    fn words(settled: &Settled) -> String {
        let written = settled.written.iter().map(|path| path.display().to_string());
        let gone = settled.gone.iter().map(|path| format!("-{}", path.display()));
        let hidden = settled
            .hidden
            .iter()
            .map(|(path, _)| format!("!{}", path.display()));
        written.chain(gone).chain(hidden).collect::<Vec<_>>().join(" ")
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
            ("c:4 b:2", "c -a"),
            ("", ""),
            ("", "-b -c"),
        ];
        for (step, (now, settled)) in table.into_iter().enumerate() {
            assert_eq!(words(&settling.settled(at(now))), settled, "step {step}: {now}");
        }
    }

    #[test]
    fn what_can_not_be_seen_is_not_gone() {
        let mut settling = Settling::begin(at("d/a:1 d/b:1 c:1"));
        let table = [
            // Not there for a moment.
            ("c:1 !d", ""),
            ("d/a:1 d/b:1 c:1", ""),
            // And for longer; a file is not hidden by the folder beside it.
            ("c:1 !d", ""),
            ("!d", "!d"),
            ("!d", "-c"),
            ("!d", ""),
            // It is there again, as it was but for a file that was removed.
            ("d/a:1", ""),
            ("d/a:1", "-d/b"),
            // Written just before, and half of it taken for what it is.
            ("d/a:2", ""),
            ("!d", ""),
            ("!d", "!d"),
            ("d/a:2", "d/a"),
            // A file that was named itself.
            ("d/a:2 !e", ""),
            ("d/a:2 !e", "!e"),
            ("d/a:2 e:1", ""),
            ("d/a:2 e:1", "e"),
            ("d/a:2 !e", ""),
            ("d/a:2 !e", "!e"),
        ];
        for (step, (now, settled)) in table.into_iter().enumerate() {
            assert_eq!(words(&settling.settled(at(now))), settled, "step {step}: {now}");
        }
    }

    #[test]
    fn what_is_being_written_or_hidden_is_not_known() {
        let mut settling = Settling::begin(at("d/a:1 b:1 c:1"));
        for (now, unsure) in [
            ("d/a:1 b:2 c:1", "b"),
            ("d/a:1 b:3 c:1", "b"),
            ("d/a:1 b:3 c:1", ""),
            ("d/a:1 b:3", "c"),
            ("b:3 !d", "d d/a"),
            ("b:3 !d", "d d/a"),
            ("d/a:1 b:3", ""),
        ] {
            let settled = settling.settled(at(now));
            let paths = settled.unsure.iter().map(|path| path.display().to_string());
            assert_eq!(paths.collect::<Vec<_>>().join(" "), unsure, "{now}");
        }
    }
}
