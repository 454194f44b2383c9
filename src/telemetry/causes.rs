//! An error with its causes, on one line: for the log, for events, for the terminal.

use std::error::Error;

use kube::core::Status;

/// The message of an error with those beneath it. What a layer has said of its cause already is not said again: some
/// crates put the cause into the message, others leave it out. What an API server answered is said in its own words.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(cause(error), |&error| cause(error));
    causes.map(words).fold(words(error), |text, cause| {
        if text.ends_with(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

/// What a layer says.
fn words(error: &(dyn Error + 'static)) -> String {
    match answer(error) {
        Some(status) if status.message.is_empty() => {
            format!("the API server answered {} without a word", status.code)
        }
        Some(status) => status.message.clone(),
        None => error.to_string(),
    }
}

/// The layer beneath. There is none beneath an answer, whose own texts have every field of it.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    error.source().filter(|_| answer(error).is_none())
}

/// What an API server answered, if that is the error.
fn answer<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Status> {
    match error.downcast_ref()? {
        kube::Error::Api(status) => Some(status),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("pod \"a\" could not be made")]
    struct Refused(#[source] kube::Error);

    #[test]
    fn an_api_server_has_its_own_words() {
        for (status, wanted) in [
            (
                json!({ "code": 422, "message": "a is no name" }),
                "pod \"a\" could not be made: a is no name",
            ),
            (
                json!({ "code": 503 }),
                "pod \"a\" could not be made: the API server answered 503 without a word",
            ),
        ] {
            let status: Status = serde_json::from_value(status).expect("a Status");
            let refused = Refused(kube::Error::Api(Box::new(status)));
            assert_eq!(chain(&refused), wanted);
        }
    }

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
