//! Exit codes, and the errors that lead to them. The README lists the codes; scripts rely on them.

use crate::telemetry::chain;
use std::process::ExitCode;

use tokio::task::JoinError;

use crate::cli::zoneinfo::TzdataError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: all is well.
    Fine,
    /// 1: something failed that is not the caller's mistake.
    Failure,
    /// 2: the command line is wrong.
    Usage,
    /// 3: a manifest or an expression was refused.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
        })
    }
}

/// Why a command stopped before it was done.
#[derive(Debug)]
pub struct Failure {
    /// The exit code it leads to.
    pub exit: Exit,
    /// For the person who has to act on it.
    pub message: String,
}

impl Failure {
    /// Something failed that is not the caller's mistake.
    pub fn new(message: impl Into<String>) -> Self {
        Failure {
            exit: Exit::Failure,
            message: message.into(),
        }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    /// A manifest or an expression was refused.
    pub fn refused(message: impl Into<String>) -> Self {
        Failure {
            exit: Exit::Refused,
            message: message.into(),
        }
    }

    /// `context`, and then what went wrong in the words of each layer.
    pub fn from_error(context: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        Failure::new(format!("{context}: {}", chain(error)))
    }

    /// A part of a service, which runs until it is told to stop, has ended by itself; with its panic, if that was it.
    pub fn died(what: &str, panic: Option<JoinError>) -> Failure {
        let context = format!("{what} ended by itself");
        panic.map_or_else(
            || Failure::new(&context),
            |panic| Failure::from_error(&context, &panic),
        )
    }
}

/// A folder that is no time-zone database was named on the command line.
impl From<TzdataError> for Failure {
    fn from(error: TzdataError) -> Self {
        Failure::usage(chain(&error))
    }
}
