//! How values are written.

use super::mistake::{Fault, Problem};

/// The value of a choice that is written as one of some words.
pub(super) fn one_of<T: Copy>(
    text: &str,
    choices: &'static [&'static str],
    values: &[T],
) -> Result<T, Fault> {
    let found = choices.iter().zip(values).find(|(choice, _)| **choice == text);
    let not_one = || Fault::whole(text, Problem::NotOneOf { choices });
    found.map(|(_, value)| *value).ok_or_else(not_one)
}

/// `"true"` or `"false"`.
pub(super) fn flag(text: &str) -> Result<bool, Fault> {
    one_of(text, &["true", "false"], &[true, false])
}
