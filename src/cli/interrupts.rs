//! Ctrl-C, SIGTERM and the end of the terminal, which mean the same: the first asks to stop, the second insists.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::exit::Failure;

/// In which Linux tells what a process ignores.
const OWN_STATUS: &str = "/proc/self/status";

/// The signals, caught from now on.
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Interrupts {
    /// Catches them.
    ///
    /// # Errors
    ///
    /// When the system does not let them be caught.
    pub(super) fn catch() -> Result<Self, Failure> {
        let catch =
            |kind| signal(kind).map_err(|error| Failure::from_error("signals can't be caught", &error));
        // With `nohup` the end of the terminal is not to be noticed. Where that can't be told, it is left as it is.
        let status = std::fs::read_to_string(OWN_STATUS).unwrap_or_default();
        let hangup = heeds_hangup(&status).then(|| catch(SignalKind::hangup()));
        Ok(Interrupts {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            hangup: hangup.transpose()?,
        })
    }

    /// Ends when one arrives.
    pub(super) async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether a process with this status is known not to ignore SIGHUP, which is the first of the signals.
fn heeds_hangup(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_terminal_is_heeded_unless_it_is_to_be_ignored() {
        assert!(heeds_hangup("Name:\tpunctual\nSigIgn:\t0000000000001000\n"));
        assert!(!heeds_hangup("SigIgn:\t0000000000001001\n"), "nohup");
        assert!(!heeds_hangup(""), "it can't be told");
    }
}
