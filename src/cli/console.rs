//! What commands say, on standard output and standard error, in colour only on a terminal.
//!
//! A command that answers waits for whoever reads its answer. One that runs things does not: from [`begin`] on everything
//! goes by way of printers, and its end waits for them a little.

use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

use crate::telemetry::{Line, Printer};

/// How long the very end of what is said or logged may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The printers of a command that runs things.
struct Console {
    says: Printer,
    logs: Printer,
}

/// Why a part of an answer could not be written.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

static CONSOLE: OnceLock<Console> = OnceLock::new();

/// From now on nothing waits for whoever reads: one of these prints what is said, and the other has the log.
pub(super) fn begin(says: Printer, logs: Printer) {
    // There is one command in a process.
    CONSOLE.get_or_init(|| Console { says, logs });
}

/// Prints lines to standard output. Whoever reads them may stop at any time.
pub(super) fn say(text: &str) {
    match CONSOLE.get() {
        Some(console) => console.says.print(Line::Said(text.to_owned())),
        None => {
            written(writeln!(anstream::stdout(), "{text}"));
        }
    }
}

/// Takes note of whether a part of an answer could be written. Whether there is still somebody to write to.
pub(super) fn written(result: io::Result<()>) -> bool {
    match result {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => false,
        Err(error) => {
            UNWRITTEN.get_or_init(|| error);
            false
        }
    }
}

/// What could not be written, if that was not because nobody reads any more: a file on a disk that is full.
pub(super) fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}

/// Prints lines to standard error.
pub(super) fn complain(text: &str) {
    match CONSOLE.get() {
        Some(console) => console.says.print(Line::Complained(text.to_owned())),
        None => {
            let _closed = writeln!(anstream::stderr(), "{text}");
        }
    }
}

/// The end: what was said and logged is written first, and then the error that it came to.
pub(super) fn end(error: Option<String>) {
    let Some(Console { says, logs }) = CONSOLE.get() else {
        return error.iter().for_each(|error| complain(error));
    };
    logs.finish(LAST_WORDS);
    if let Some(error) = error {
        says.insist(Line::Complained(error));
    }
    says.finish(LAST_WORDS);
}
