//! An error with its causes, on one line: for the log, for events, for the terminal.

use std::error::Error;

/// The message of an error with those beneath it. What a layer has said of its cause already is not said again: some
/// crates put the cause into the message, others leave it out.
pub fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
    causes
        .map(ToString::to_string)
        .fold(error.to_string(), |text, cause| {
            if text.ends_with(&cause) {
                text
            } else {
                format!("{text}: {cause}")
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Layered {
        #[error("no connection: {0}")]
        Repeats(#[source] Box<Layered>),
        #[error("no handshake")]
        Silent(#[source] Box<Layered>),
        #[error("unknown issuer")]
        Innermost,
    }

    #[test]
    fn each_cause_is_said_once() {
        let error = Layered::Repeats(Box::new(Layered::Silent(Box::new(Layered::Innermost))));
        insta::assert_snapshot!(chain(&error), @"no connection: no handshake: unknown issuer");
    }
}
