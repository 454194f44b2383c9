//! The log: `tracing` on standard error, as text or JSON. What is logged can be changed while the program runs, and whoever
//! logs never waits for whoever reads.

use std::fmt;
use std::io;
use std::sync::Arc;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt as format, reload};

use crate::telemetry::printer::{Line, Printer};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// What is logged, and the way to change it. Clones change the same log.
#[derive(Clone)]
pub struct LogLevel(Arc<reload::Handle<EnvFilter, Registry>>);

/// Why what is logged was not changed.
#[derive(Debug, thiserror::Error)]
pub enum LogLevelError {
    /// The text is no filter.
    #[error(
        "{text:?} is no log level; write error, warn, info, debug or trace, or a filter like punctual=debug,kube=info"
    )]
    NotAFilter {
        /// The text.
        text: String,
    },
    /// This log is not the one of the process.
    #[error("logging was started elsewhere and can't be changed here")]
    NotOurs {
        /// Why.
        source: reload::Error,
    },
}

impl LogLevel {
    /// Logs what `filter` says from now on: a level for Punctual itself, or a filter as `RUST_LOG` takes it.
    ///
    /// # Errors
    ///
    /// When the text is no filter; then nothing changes.
    pub fn set(&self, filter: &str) -> Result<(), LogLevelError> {
        let filter = parse(filter)?;
        self.0
            .reload(filter)
            .map_err(|source| LogLevelError::NotOurs { source })
    }

    /// The filter in force, as text.
    pub fn get(&self) -> String {
        self.0
            .with_current(ToString::to_string)
            .unwrap_or_else(|_| "off".into())
    }
}

impl fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogLevel").field(&self.get()).finish()
    }
}

/// The filter that a level alone stands for. It is about Punctual: its HTTP client would drown everything else, and says
/// with every request that fails that it did, where we say once what failed and why.
pub fn of_punctual(level: &str) -> String {
    format!("warn,kube_runtime=error,kube_client::client::builder=off,punctual={level}")
}

fn parse(text: &str) -> Result<EnvFilter, LogLevelError> {
    let text = text.trim();
    // A word alone is a level: `EnvFilter` would take any other for the name of a crate, and log all of it.
    let is_level = |part: &str| part == "off" || part.parse::<tracing::Level>().is_ok();
    let well_formed = text.split(',').all(|part| is_level(part) || part.contains('='));
    let filter = match (is_level(text), well_formed) {
        (true, _) => of_punctual(text).parse().ok(),
        (false, true) => text.parse().ok(),
        (false, false) => None,
    };
    filter.ok_or_else(|| LogLevelError::NotAFilter {
        text: text.to_owned(),
    })
}

/// A line of the log, which is written at one time.
struct LogLine(Printer);

impl io::Write for LogLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.print(Line::Complained(text.trim_end().to_owned()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts logging to standard error. `RUST_LOG` decides what is logged, `default` where it is not set.
///
/// What is returned with the log's level has the lines that are not written yet, when the process is about to end.
///
/// Only the first call in a process has an effect.
pub fn start_logs(format: LogFormat, default: &str) -> (LogLevel, Printer) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let (filter, handle) = reload::Layer::new(filter);
    let printer = Printer::start(|_, lines| log_left_out(lines));
    let printing = printer.clone();
    // The printer takes the colours out where they don't belong.
    let lines = format::layer()
        .with_writer(move || LogLine(printing.clone()))
        .with_ansi(true);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    if tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .is_err()
    {
        tracing::debug!("logging was started before");
    }
    (LogLevel(Arc::new(handle)), printer)
}

/// Says in the log that it is not whole.
fn log_left_out(lines: u64) {
    tracing::error!(
        lines,
        "lines of the log were left out, as nobody read them in time"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::written::Written;

    #[test]
    fn a_log_that_is_not_whole_says_so() {
        let written = Written::default();
        let writer = written.clone();
        let lines = format::layer()
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone());
        let log = tracing_subscriber::registry()
            .with(parse("error").unwrap())
            .with(lines);
        tracing::subscriber::with_default(log, || log_left_out(1_234));
        insta::assert_snapshot!(written.text(), @"ERROR punctual::telemetry::logs: lines of the log were left out, as nobody read them in time lines=1234");
    }

    #[test]
    fn a_level_or_a_filter_is_taken_and_anything_else_is_refused() {
        for (text, taken) in [
            ("debug", true),
            ("INFO\n", true),
            ("off", true),
            ("punctual=debug,kube=info", true),
            ("punctual::controller=trace", true),
            ("verbose", false),
            ("", false),
            ("punctual=loud", false),
        ] {
            assert_eq!(parse(text).is_ok(), taken, "{text:?}");
        }
        let refused = parse("verbose").expect_err("no level").to_string();
        insta::assert_snapshot!(refused, @r#""verbose" is no log level; write error, warn, info, debug or trace, or a filter like punctual=debug,kube=info"#);
    }
}
