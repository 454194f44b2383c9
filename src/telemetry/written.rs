//! A log that a test reads.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::subscriber::{DefaultGuard, set_default};

/// What is logged. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(Arc<Mutex<String>>);

impl Written {
    /// What this thread logs, for as long as the guard is kept.
    pub(crate) fn here() -> (Self, DefaultGuard) {
        let written = Self::default();
        let writer = written.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone());
        (written, set_default(log.finish()))
    }

    /// All of it, so far.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push_str(str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
