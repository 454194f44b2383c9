//! How far a long calculation has come: a line on standard error, where that is a terminal and it takes a while.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use crate::schedule::Timestamp;

/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// The line is drawn anew this often.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// How many characters the bar has.
const WIDTH: usize = 30;

/// In how many steps simulated time passes.
const STEPS: i32 = 500;

/// The moments from one instant to another at which to look how far it has come; the last is the end.
pub(super) fn moments(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    (1..=STEPS).map(move |step| from + (to - from) * step / STEPS)
}

/// A line that shows how far something has come. It is wiped out in the end.
pub(super) struct Progress {
    what: &'static str,
    is_terminal: bool,
    begun: Instant,
    drawn: Option<Instant>,
    done: i32,
}

impl Progress {
    /// Begins; `what` is done, such as `simulating`. It is shown where nobody else writes to the terminal meanwhile.
    pub(super) fn of(what: &'static str, is_alone: bool) -> Progress {
        Progress {
            what,
            is_terminal: is_alone && stderr().is_terminal(),
            begun: Instant::now(),
            drawn: None,
            done: 0,
        }
    }

    /// One of the [`moments`] has come.
    pub(super) fn step(&mut self) {
        self.done += 1;
        let now = Instant::now();
        let is_early = now - self.begun < PATIENCE;
        let is_fresh = self.drawn.is_some_and(|drawn| now - drawn < DRAW_EVERY);
        if !self.is_terminal || is_early || is_fresh {
            return;
        }
        self.drawn = Some(now);
        let _closed = write!(stderr(), "\r{}", line(self.what, self.done));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            // To the first column, and what is right of it wiped out.
            let _closed = write!(stderr(), "\r\x1b[K");
        }
    }
}

fn line(what: &str, done: i32) -> String {
    let share =
        |whole: usize| whole * usize::try_from(done).unwrap_or_default() / STEPS.unsigned_abs() as usize;
    let full = share(WIDTH).min(WIDTH);
    let bar = format!("{}{}", "█".repeat(full), "░".repeat(WIDTH - full));
    format!("{what} {bar} {:3} %", share(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_from_the_left() {
        let lines = [0, STEPS / 3, STEPS].map(|done| line("simulating", done));
        insta::assert_snapshot!(lines.join("\n"), @r"
        simulating ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   0 %
        simulating █████████░░░░░░░░░░░░░░░░░░░░░  33 %
        simulating ██████████████████████████████ 100 %
        ");
    }
}
