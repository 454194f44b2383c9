//! The output: the commands, and between them what the controller said and asked for, each with its moment.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use punctual::schedule::Timestamp;
use punctual::telemetry::Told;
use tokio::sync::mpsc;

use super::asked::Asked;
use crate::language::{in_full, moment, name};

/// Written by everybody, in the order in which things happen.
pub(super) struct Transcript(Mutex<Pages>);

struct Pages {
    text: String,
    told: mpsc::Receiver<Told>,
    /// What happened at one moment and how often, once the script wants it counted.
    counts: Option<BTreeMap<(Timestamp, String), usize>>,
    /// Whether what happens is left out.
    hushed: bool,
}

impl Transcript {
    pub(super) fn new(told: mpsc::Receiver<Told>) -> Self {
        Transcript(Mutex::new(Pages {
            text: String::new(),
            told,
            counts: None,
            hushed: false,
        }))
    }

    /// Writes a line as it is.
    pub(super) fn line(&self, line: &str) {
        let mut pages = self.pages();
        pages.hear();
        pages.write_counts();
        pages.text.push_str(line);
        pages.text.push('\n');
    }

    /// From now on, what happens at the same moment is counted.
    pub(super) fn summarise(&self) {
        self.pages().counts.get_or_insert_default();
    }

    /// From now on, what happens is left out.
    pub(super) fn hush(&self) {
        self.pages().hushed = true;
    }

    /// Writes down what the controller has said by now.
    pub(super) fn hear(&self) {
        self.pages().hear();
    }

    /// Writes down a request, below what the controller said before it.
    pub(super) fn request(&self, at: Timestamp, asked: &Asked, outcome: &str) {
        let mut pages = self.pages();
        pages.hear();
        pages.add(at, &format!("→ {}: {outcome}", asked.kind()), || {
            format!("→ {asked}: {outcome}")
        });
    }

    /// Everything so far.
    pub(super) fn text(&self) -> String {
        let mut pages = self.pages();
        pages.hear();
        pages.write_counts();
        pages.text.clone()
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn hear(&mut self) {
        while let Ok(told) = self.told.try_recv() {
            let Told {
                at, cronjob, note, ..
            } = told;
            let reason = note.reason();
            self.add(at, reason, || {
                format!("{}: {reason}: {}", name(&cronjob), in_full(&note))
            });
        }
    }

    fn add(&mut self, at: Timestamp, kind: &str, line: impl FnOnce() -> String) {
        match &mut self.counts {
            _ if self.hushed => {}
            Some(counts) => *counts.entry((at, kind.to_owned())).or_default() += 1,
            None => {
                // A `String` takes everything.
                let _ = writeln!(self.text, "{}  {}", moment(at), line());
            }
        }
    }

    fn write_counts(&mut self) {
        for ((at, kind), count) in std::mem::take(self.counts.as_mut().unwrap_or(&mut BTreeMap::new())) {
            let _ = writeln!(self.text, "{}  {count} × {kind}", moment(at));
        }
    }
}
