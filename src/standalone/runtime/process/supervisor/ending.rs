//! How an attempt has ended whose supervisor is gone: as that has recorded it, or as far as can be told when it was killed.

use std::path::Path;

use super::leftovers::Mark;
use super::record::{self, Record, State, time};
use crate::schedule::Timestamp;
use crate::standalone::runtime::engine::Ended;
use crate::standalone::runtime::process::Exit;

/// The end of an attempt, at the time `now` when it is not known better. Nothing of the attempt runs any more then.
pub(super) async fn of(folder: &Path, now: Timestamp) -> Ended {
    let state = record::read_in_time(folder).await.unwrap_or_default();
    if let Some(ended) = state.records.iter().find_map(|record| recorded(record, now)) {
        return ended;
    }
    let message = match end_rest(folder, &state).await {
        // It is there from before the start until the pod is forgotten.
        _ if state.records.is_empty() => {
            "what was recorded of the process is gone, and with that how it ended: somebody has removed its folder"
        }
        Rest::Restarted => "the machine was restarted while the process ran",
        Rest::Ended => {
            "the supervisor of the process was killed, and the process with all that could be found of it"
        }
        Rest::Elsewhere => ELSEWHERE,
    };
    Ended::unknown(message.to_owned(), now)
}

/// What is said of an attempt that goes on where it was begun.
pub(super) const ELSEWHERE: &str =
    "the process goes on, and is another punctual's: this data folder is a copy of that one's";

/// What has become of what a supervisor may have left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// It ended with the machine.
    Restarted,
    /// Nothing of it runs any more that could be found.
    Ended,
    /// It goes on, and is not ours: the data folder is a copy of one that is in use.
    Elsewhere,
}

/// Ends what is left of an attempt whose supervisor is gone: nobody would learn how it ends, and it must not run beside
/// the attempt that comes next.
pub(super) async fn end_rest(folder: &Path, state: &State) -> Rest {
    if state.is_over() {
        return Rest::Ended;
    }
    let starting = state.records.iter().find_map(|record| match record {
        Record::Starting { boot, session, group } => Some((boot, session, group)),
        _ => None,
    });
    if let Some((boot, session, group)) = starting {
        let here = record::boot();
        if !here.is_empty() && *boot != here {
            return Rest::Restarted;
        }
        let process = state.started().map(|(pid, _since)| pid);
        if !session.end(Mark::of(folder), process).await {
            return Rest::Elsewhere;
        }
        if let Some(group) = group {
            group.remove().await;
        }
    }
    Rest::Ended
}

/// The end that a record tells of.
fn recorded(record: &Record, now: Timestamp) -> Option<Ended> {
    let Record::Ended {
        exit_code,
        signal,
        out_of_memory,
        at,
    } = record
    else {
        return None;
    };
    let exit = Exit {
        code: *exit_code,
        signal: *signal,
    };
    Some(Ended::of(exit, *out_of_memory, time(at).unwrap_or(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_that_somebody_has_removed_is_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let ended = of(&folder.path().join("main.0.attempt"), Timestamp::UNIX_EPOCH).await;
        insta::assert_snapshot!(ended.message.unwrap(), @"what was recorded of the process is gone, and with that how it ended: somebody has removed its folder");
    }
}
