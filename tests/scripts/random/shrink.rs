//! The shortest history that still breaks an invariant: commands are left out, many at a time and then one by one.

use super::{History, play};

/// Leaves out what does not matter.
pub(super) fn shrink(history: &History) -> History {
    let mut commands = history.commands.clone();
    let mut size = commands.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < commands.len() {
            let end = (at + size).min(commands.len());
            let mut fewer = commands.clone();
            fewer.drain(at..end);
            let candidate = History {
                begin: history.begin,
                commands: fewer,
            };
            if play(&candidate).is_err() {
                commands = candidate.commands;
            } else {
                at = end;
            }
        }
        size /= 2;
    }
    History {
        begin: history.begin,
        commands,
    }
}
