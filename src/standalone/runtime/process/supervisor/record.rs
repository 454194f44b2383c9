//! What is recorded of an attempt, and how it is read back.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::leftovers::Session;
use crate::schedule::Timestamp;
use crate::standalone::data_dir::private_file;
use crate::standalone::runtime::process::cgroup::Group;
use crate::standalone::runtime::shortage::Shortage;
use crate::standalone::runtime::start_error::StartError;

/// The file's name.
const STATE_FILE: &str = "state";

/// How long to wait before the records are read again, when the machine was short of what that takes.
const READ_RETRY: Duration = Duration::from_millis(100);

/// One thing that has happened. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Record {
    /// The process is about to be started, by this supervisor.
    Starting {
        boot: String,
        session: Session,
        #[serde(default)]
        group: Option<Group>,
    },
    /// It was started.
    Started { pid: u32, at: String },
    /// It could not be started.
    NotStarted {
        exit_code: i32,
        message: String,
        /// Whether it is to be tried again, as if it had not been.
        #[serde(default)]
        is_tried_again: bool,
    },
    /// It ended, and everything that it wrote is in the log.
    Ended {
        exit_code: i32,
        signal: Option<i32>,
        #[serde(default)]
        out_of_memory: bool,
        at: String,
    },
}

/// Everything that is recorded of an attempt.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) records: Vec<Record>,
    /// Whether the supervisor lives.
    pub(super) is_held: bool,
}

impl State {
    /// Whether nobody has begun the attempt.
    pub(super) fn is_untouched(&self) -> bool {
        self.records.is_empty() && !self.is_held
    }

    /// What became of the start.
    pub(super) fn outcome(&self) -> Option<&Record> {
        let mut records = self.records.iter();
        records.find(|record| matches!(record, Record::Started { .. } | Record::NotStarted { .. }))
    }

    /// Whether the end is recorded. Its supervisor has ended what was left then, and says nothing more.
    pub(super) fn is_over(&self) -> bool {
        let mut records = self.records.iter();
        records.any(|record| matches!(record, Record::Ended { .. }))
    }

    /// Whether the start is to be tried again, as if it had not been.
    pub(super) fn is_tried_again(&self) -> bool {
        matches!(
            self.outcome(),
            Some(Record::NotStarted {
                is_tried_again: true,
                ..
            })
        )
    }

    /// Why the process could not be started, if it could not.
    pub(super) fn failure(&self) -> Option<StartError> {
        match self.outcome()? {
            Record::NotStarted {
                exit_code,
                message,
                is_tried_again,
            } => Some(StartError::Told {
                exit_code: *exit_code,
                message: message.clone(),
                is_tried_again: *is_tried_again,
            }),
            _ => None,
        }
    }

    /// The process id of the supervisor, once it has begun.
    pub(super) fn supervisor(&self) -> Option<i32> {
        self.records.iter().find_map(|record| match record {
            Record::Starting { session, .. } => Some(session.leader()),
            _ => None,
        })
    }

    /// The id of the process that was started, and when.
    pub(super) fn started(&self) -> Option<(u32, Timestamp)> {
        match self.outcome()? {
            Record::Started { pid, at } => Some((*pid, time(at)?)),
            _ => None,
        }
    }
}

/// Opens the records of an attempt to write them, if nobody else does and nobody has: otherwise the attempt is not
/// ours to start.
pub(super) fn claim(folder: &Path) -> io::Result<Option<File>> {
    let mut options = private_file();
    let options = options.read(true).append(true).create(true);
    let file = options.open(file(folder))?;
    match file.try_lock() {
        Ok(()) if records(&file)?.is_empty() => {
            // A disk that was full, or a power loss, may have cut the first one off. Not otherwise: what ext4 is told to empty it
            // writes out as soon as anybody closes it, which those who are to start next would wait for.
            if file.metadata()?.len() > 0 {
                file.set_len(0)?;
            }
            Ok(Some(file))
        }
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Adds a record, in one write.
pub(super) fn add(mut file: &File, record: &Record) -> io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    file.write_all(&line).inspect_err(|_why| {
        // Half a line would spoil the next one.
        let _stays = take_back_half(file);
    })
}

/// Takes back what was written of a line that found no room.
fn take_back_half(mut file: &File) -> io::Result<()> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    let whole = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    file.set_len(whole as u64)
}

/// The file with the records of an attempt.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join(STATE_FILE)
}

/// Reads the records of an attempt; none, when there is no such attempt.
pub(super) fn read(folder: &Path) -> io::Result<State> {
    let file = match File::open(file(folder)) {
        Err(error) if is_none(&error) => return Ok(State::default()),
        file => file?,
    };
    // Before the text: a supervisor that ends in between has written all of it.
    let is_held = match file.try_lock_shared() {
        Ok(()) => {
            file.unlock()?;
            false
        }
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    Ok(State {
        records: records(&file)?,
        is_held,
    })
}

/// As [`read`], also if it has to be waited for: an attempt of which nothing is known would be taken for one that never
/// was, or was killed.
pub(super) async fn read_in_time(folder: &Path) -> io::Result<State> {
    loop {
        match read(folder) {
            Err(error) if Shortage::behind(&error).is_some() => tokio::time::sleep(READ_RETRY).await,
            state => return state,
        }
    }
}

fn records(mut file: &File) -> io::Result<Vec<Record>> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    // To say what is wrong with a line takes longer than to read one, and after the last one there is nothing.
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    // The last one may have been cut off, or be anything after a power loss.
    let records = lines.filter_map(|line| serde_json::from_slice(line).ok());
    Ok(records.collect())
}

/// Forgets an attempt that has not been, so that it can be one.
pub(super) fn forget(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if !is_none(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether there is no such attempt. Something else may be in its place: whoever is to make it tells that.
fn is_none(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether an attempt may still run: its supervisor lives, or nobody can tell.
pub(in crate::standalone::runtime) fn runs(attempt: &Path) -> bool {
    read(attempt).map_or(true, |state| state.is_held)
}

/// What tells one run of this machine from the next.
pub(in crate::standalone::runtime) fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// A time as it is recorded.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    Some(chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = claim(folder.path()).unwrap().unwrap();
        let started = Record::Started {
            pid: 1,
            at: "2026-11-27T02:00:00Z".to_owned(),
        };
        add(&state, &started).unwrap();
        state.write_all(b"{\"record\":\"en").unwrap();
        take_back_half(&state).unwrap();
        add(&state, &started).unwrap();
        let read = read(folder.path()).unwrap();
        assert_eq!(read.records, [started.clone(), started]);
    }

    #[test]
    fn an_attempt_whose_first_record_was_cut_off_can_be_begun() {
        let folder = tempfile::tempdir().unwrap();
        let starting = Record::Starting {
            boot: "b".to_owned(),
            session: Session::own(),
            group: None,
        };
        std::fs::write(folder.path().join(STATE_FILE), "{\"record\":\"star").unwrap();
        let state = claim(folder.path()).unwrap().unwrap();
        add(&state, &starting).unwrap();
        drop(state);
        assert_eq!(read(folder.path()).unwrap().records, [starting]);
        assert!(claim(folder.path()).unwrap().is_none(), "it is somebody else's");
    }
}
