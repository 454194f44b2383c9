//! The secret that clients show.

use std::fmt;
use std::fmt::Write as _;
use std::path::Path;

use subtle::ConstantTimeEq as _;
use tokio_rustls::rustls::crypto::{GetRandomFailed, ring};

use super::DoorError;
use crate::standalone::data_dir::{DataDirError, write_private};

/// How many random bytes a new token is made of: 256 bits, which nobody guesses.
const RANDOM_BYTES: usize = 32;

/// A token that somebody chose has at least so many characters.
const LEAST_CHARACTERS: usize = 20;

/// A secret. It is not shown by `{:?}`.
#[derive(Clone)]
pub(super) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// The token in a file; a new one, which is written there, when there is none.
    pub(super) fn keep(path: &Path) -> Result<Token, DoorError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Token::chosen(text.trim()).ok_or_else(|| DoorError::Token {
                path: path.to_owned(),
                least: LEAST_CHARACTERS,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let token = Token::random().map_err(|GetRandomFailed| {
                    DataDirError::io(
                        "made",
                        path,
                        std::io::Error::other("the system has no random numbers"),
                    )
                })?;
                write_private(path, format!("{}\n", token.0).as_bytes())?;
                Ok(token)
            }
            Err(error) => Err(DataDirError::io("read", path, error).into()),
        }
    }

    fn random() -> Result<Token, GetRandomFailed> {
        let mut bytes = [0; RANDOM_BYTES];
        ring::default_provider().secure_random.fill(&mut bytes)?;
        let mut text = String::with_capacity(2 * RANDOM_BYTES);
        for byte in bytes {
            let _infallible = write!(text, "{byte:02x}");
        }
        Ok(Token(text))
    }

    /// A token that was written by hand, if it can serve as one.
    pub(super) fn chosen(text: &str) -> Option<Token> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (text.len() >= LEAST_CHARACTERS && text.bytes().all(is_plain)).then(|| Token(text.to_owned()))
    }

    /// Whether this is what was shown. It takes the same time wherever the two differ.
    pub(super) fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }

    /// The secret itself, for the kubeconfig.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_weak_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "\n").unwrap();
        let refused = Token::keep(&path).unwrap_err().to_string();
        assert_snapshot!(refused.replace(&folder.path().display().to_string(), "/data"), @"the token in /data/token does not protect anything: it must have at least 20 characters, letters, digits, - and _ only; remove the file, and a new one is made");
    }
}
