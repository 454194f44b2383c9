//! How an attempt has ended whose supervisor is gone: as that has recorded it, or as far as can be told when it was killed.

use std::path::Path;

use super::leftovers;
use super::record::{self, Record, time};
use crate::schedule::Timestamp;
use crate::standalone::runtime::engine::Ended;
use crate::standalone::runtime::process::Exit;

/// The end of an attempt, at the time `now` when it is not known better. Nothing of the attempt runs any more then.
pub(super) async fn of(folder: &Path, now: Timestamp) -> Ended {
    let state = record::read_in_time(folder).await.unwrap_or_default();
    if let Some(ended) = state.records.iter().find_map(|record| recorded(record, now)) {
        return ended;
    }
    let starting = state.records.into_iter().find_map(|record| match record {
        Record::Starting {
            boot,
            supervisor,
            group,
        } => Some((boot, supervisor, group)),
        _ => None,
    });
    if let Some((boot, supervisor, group)) = starting {
        let here = record::boot();
        if !here.is_empty() && boot != here {
            return Ended::unknown("the machine was restarted while the process ran".to_owned(), now);
        }
        // Nobody would learn how it ends, and it must not run beside the attempt that comes next.
        leftovers::kill_session(supervisor);
        group.unwrap_or_default().remove().await;
    }
    let message = "the supervisor of the process was killed, and the process with it";
    Ended::unknown(message.to_owned(), now)
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
