//! A log that a test reads.

use std::io;
use std::sync::{Arc, Mutex};

/// What is logged. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(Arc<Mutex<String>>);

impl Written {
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
