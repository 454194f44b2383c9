//! What this machine is short of for a moment: starting a process failed for it, and will not when there is some again.

use std::error::Error;
use std::fmt;
use std::io;

use rustix::io::Errno;

/// What there is too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortage {
    /// Of descriptors, for one process.
    Files,
    /// Of descriptors, for all together.
    FilesOfAll,
    /// Of processes and threads.
    Processes,
    /// Of memory.
    Memory,
    /// Of room on the disk, for everybody or for this user.
    Disk,
}

impl Shortage {
    /// What an error comes of, or what caused it.
    pub(super) fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        let here = error.downcast_ref::<io::Error>().and_then(Self::told_by);
        here.or_else(|| Self::behind(error.source()?))
    }

    fn told_by(error: &io::Error) -> Option<Self> {
        match Errno::from_io_error(error)? {
            Errno::MFILE => Some(Self::Files),
            Errno::NFILE => Some(Self::FilesOfAll),
            Errno::AGAIN => Some(Self::Processes),
            Errno::NOMEM => Some(Self::Memory),
            Errno::NOSPC | Errno::DQUOT => Some(Self::Disk),
            _ => None,
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "open files (`ulimit -Hn`, or `LimitNOFILE=` of a service, allows more)",
            Self::FilesOfAll => "open files (`sysctl fs.file-max` allows more)",
            Self::Processes => {
                "processes (`ulimit -u`, or `LimitNPROC=` and `TasksMax=` of a service, allow more)"
            }
            Self::Memory => "memory",
            Self::Disk => "room on the disk",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::start_error::StartError;
    use super::*;

    #[test]
    fn what_is_short_is_found_behind_other_errors() {
        let of = |errno: Errno| {
            let source = io::Error::from(errno);
            let program = "sh".to_owned();
            Shortage::behind(&io::Error::other(StartError::Other { program, source }))
        };
        assert_eq!(of(Errno::MFILE), Some(Shortage::Files));
        assert_eq!(of(Errno::NFILE), Some(Shortage::FilesOfAll));
        assert_eq!(of(Errno::AGAIN), Some(Shortage::Processes));
        assert_eq!(of(Errno::NOMEM), Some(Shortage::Memory));
        assert_eq!(of(Errno::NOSPC), Some(Shortage::Disk));
        assert_eq!(of(Errno::DQUOT), Some(Shortage::Disk));
        assert_eq!(of(Errno::NOENT), None);
    }
}
