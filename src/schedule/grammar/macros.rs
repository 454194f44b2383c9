//! The macros: `@daily` and its like, and `@every` with a duration. Exact in case and blanks, as in robfig/cron v3.

use super::duration;
use super::wrong_macro;
use super::{Fault, Piece};

/// What a macro stands for. `@midnight` and `@annually` are other names.
pub(super) const MACROS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// What stands before the duration.
pub(super) const EVERY: &str = "@every ";

/// What a macro means.
pub(super) enum Macro {
    /// Five fields.
    Fields(&'static str),
    /// `@every`.
    Every { seconds: i64 },
}

/// Parses a macro.
pub(super) fn parse(body: Piece) -> Result<Macro, Fault> {
    if body.text.starts_with(EVERY) {
        let seconds = duration::parse(body.skip(EVERY.len()))?;
        return Ok(Macro::Every { seconds });
    }
    match MACROS.iter().find(|(name, _)| *name == body.text) {
        Some((_, fields)) => Ok(Macro::Fields(fields)),
        None => Err(wrong_macro::unknown_macro(body)),
    }
}
