//! The words of a line, taken one after the other.

use std::str::FromStr;

use crate::cronjob::{Key, Outcome};
use chrono::TimeDelta;

use super::parse_duration;

/// What is left of a line.
pub(super) struct Tokens {
    words: std::vec::IntoIter<String>,
}

impl Tokens {
    /// Splits a line at its spaces. Quotes hold a word together, and `#` outside of them begins a comment.
    pub(super) fn split(line: &str) -> Result<Tokens, String> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                '#' if !quoted => break,
                c if c.is_whitespace() && !quoted => words.extend(word.take()),
                c => word.get_or_insert_default().push(c),
            }
        }
        if quoted {
            return Err("a quotation mark is not closed".into());
        }
        words.extend(word);
        Ok(Tokens {
            words: words.into_iter(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.as_slice().is_empty()
    }

    /// The next word, if there is one.
    pub(super) fn next(&mut self) -> Option<String> {
        self.words.next()
    }

    /// The next word; `what` says what it should be.
    pub(super) fn word(&mut self, what: &str) -> Result<String, String> {
        self.next()
            .ok_or_else(|| format!("expected {what}, found the end of the line"))
    }

    /// Takes the next word if it is `word`.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is = self.words.as_slice().first().is_some_and(|next| next == word);
        if is {
            self.words.next();
        }
        is
    }

    /// The next word must be `word`.
    pub(super) fn expect(&mut self, word: &str) -> Result<(), String> {
        let found = self.word(&format!("`{word}`"))?;
        if found == word {
            Ok(())
        } else {
            Err(format!("expected `{word}`, found `{found}`"))
        }
    }

    /// The next word as something that is written in a way of its own.
    pub(super) fn value<T: FromStr>(&mut self, what: &str) -> Result<T, String> {
        let word = self.word(what)?;
        word.parse().map_err(|_| format!("`{word}` is not {what}"))
    }

    pub(super) fn duration(&mut self) -> Result<TimeDelta, String> {
        let word = self.word("a duration such as `90s`")?;
        parse_duration(&word).ok_or_else(|| {
            format!(
                "`{word}` is not a duration such as `1h30m`, `90s` or `500ms`, of up to ten thousand years"
            )
        })
    }

    /// `name`, or `namespace/name`.
    pub(super) fn key(&mut self, what: &str) -> Result<Key, String> {
        let word = self.word(what)?;
        let (namespace, name) = word.split_once('/').unwrap_or(("default", &word));
        Ok(Key {
            namespace: namespace.into(),
            name: name.into(),
        })
    }

    pub(super) fn outcome(&mut self) -> Result<Outcome, String> {
        match self.word("`succeeded` or `failed`")?.as_str() {
            "succeeded" => Ok(Outcome::Succeeded),
            "failed" => Ok(Outcome::Failed),
            other => Err(format!("expected `succeeded` or `failed`, found `{other}`")),
        }
    }

    /// A number of times: `x3`.
    pub(super) fn times(&mut self) -> Option<u32> {
        let times = self.words.as_slice().first()?.strip_prefix('x')?.parse().ok()?;
        self.words.next();
        Some(times)
    }

    /// Nothing may be left.
    pub(super) fn end(&mut self) -> Result<(), String> {
        match self.next() {
            None => Ok(()),
            Some(word) => Err(format!("`{word}` is one word too many")),
        }
    }
}
