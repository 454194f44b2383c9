//! The names of time zones: which are well formed, and what somebody meant who wrote another.
//!
//! The rules are those of `spec.timeZone` in Kubernetes (`validateTimeZone` in its `pkg/apis/batch/validation`).

use super::zones::SourceError;

/// Kubernetes allows no more characters between two slashes: the limit of the IANA database's own guide to names.
const MAX_PART: usize = 14;

/// Mistypings of more than this many letters are not guessed at.
const MAX_EDITS: usize = 2;

/// Why a name gives no time zone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownZone {
    /// The name is empty.
    #[error("the time zone is empty")]
    Empty,
    /// `Local`, which is another zone on every machine.
    #[error("the time zone `{name}` is another one on every machine")]
    Local {
        /// As it was written.
        name: String,
    },
    /// It is not formed like a name of the IANA database.
    #[error("`{}` cannot be a time zone: {reason}", name.escape_debug())]
    Malformed {
        /// As it was written.
        name: String,
        /// What is wrong.
        reason: &'static str,
        /// A zone that exists and is probably meant.
        suggestion: Option<String>,
    },
    /// No database has it.
    #[error("there is no time zone `{name}` in the time-zone database {version}")]
    Unknown {
        /// As it was written.
        name: String,
        /// The version of the newest database.
        version: String,
        /// A zone that exists and is probably meant.
        suggestion: Option<String>,
    },
    /// A database has it, but its data is broken.
    #[error("the time zone `{name}` cannot be read from the time-zone database ({origin})")]
    Unreadable {
        /// As it was written.
        name: String,
        /// Where the database is.
        origin: String,
        /// What is wrong with it.
        source: SourceError,
    },
}

impl UnknownZone {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            UnknownZone::Empty => {
                Some("leave the time zone out for UTC, or name one, such as `Europe/Rome`".into())
            }
            UnknownZone::Local { .. } => Some("name the zone that is meant, such as `Europe/Rome`".into()),
            UnknownZone::Malformed { suggestion, .. } | UnknownZone::Unknown { suggestion, .. } => {
                let advice = "zones are named as in the IANA database, such as `Europe/Rome` or `UTC`".into();
                Some(
                    suggestion
                        .as_ref()
                        .map_or(advice, |name| format!("write `{name}`")),
                )
            }
            UnknownZone::Unreadable { .. } => Some("reinstall it, or point --tzdata at another".into()),
        }
    }
}

/// Refuses what Kubernetes refuses before it looks a name up. A name that passes has no way out of a folder.
pub(super) fn check(name: &str, names: impl FnOnce() -> Vec<String>) -> Result<(), UnknownZone> {
    if name.is_empty() {
        return Err(UnknownZone::Empty);
    }
    if name.eq_ignore_ascii_case("local") {
        return Err(UnknownZone::Local {
            name: name.to_owned(),
        });
    }
    match name.split('/').find_map(fault_of_part) {
        Some(reason) => {
            let suggestion = suggest(name, &names());
            Err(UnknownZone::Malformed {
                name: name.to_owned(),
                reason,
                suggestion,
            })
        }
        None => Ok(()),
    }
}

/// What is wrong with what stands between two slashes.
fn fault_of_part(part: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    if part.is_empty() {
        Some("something must stand on both sides of a `/`")
    } else if part == "." || part == ".." {
        Some("`.` and `..` are not part of a name")
    } else if part.starts_with('-') {
        Some("no part of a name begins with `-`")
    } else if !part.bytes().all(allowed) {
        Some("names are made of letters, digits and `/`, `_`, `+`, `-`, `.`, with no blanks")
    } else if part.len() > MAX_PART {
        Some("no part of a name is longer than 14 characters")
    } else {
        None
    }
}

/// The zone that is probably meant by a name that does not exist.
pub(super) fn suggest(name: &str, names: &[String]) -> Option<String> {
    let name = name.trim().replace(' ', "_");
    let exists = |wanted: &str| {
        names
            .iter()
            .find(|known| known.eq_ignore_ascii_case(wanted))
            .cloned()
    };
    exists(&name)
        .or_else(|| abbreviation(&name).map(str::to_owned))
        .or_else(|| fixed_offset(&name).and_then(|fixed| exists(&fixed)))
        .or_else(|| place(&name, names))
        .or_else(|| nearest(&name, names))
}

/// The zone whose clock people call by these letters. (`EST`, `CET` and some others are names themselves.)
fn abbreviation(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "PST" | "PDT" | "PT" => "America/Los_Angeles",
        "MDT" | "MT" => "America/Denver",
        "CST" | "CDT" | "CT" => "America/Chicago",
        "EDT" | "ET" => "America/New_York",
        "BST" => "Europe/London",
        "CEST" => "Europe/Berlin",
        "EEST" => "Europe/Helsinki",
        "MSK" => "Europe/Moscow",
        "IST" => "Asia/Kolkata",
        "SGT" => "Asia/Singapore",
        "JST" => "Asia/Tokyo",
        "KST" => "Asia/Seoul",
        "AEST" | "AEDT" => "Australia/Sydney",
        _ => return None,
    })
}

/// `UTC+2`, `GMT-05:00` or `+0200`: the database counts such zones the other way round.
fn fixed_offset(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let offset = upper
        .strip_prefix("UTC")
        .or_else(|| upper.strip_prefix("GMT"))
        .unwrap_or(&upper);
    let reversed = match offset.chars().next()? {
        '+' => '-',
        '-' => '+',
        _ => return None,
    };
    let hours = offset[1..]
        .strip_suffix(":00")
        .or_else(|| offset[1..].strip_suffix("00"))
        .unwrap_or(&offset[1..]);
    let hours: u8 = hours.parse().ok()?;
    Some(if hours == 0 {
        "UTC".into()
    } else {
        format!("Etc/GMT{reversed}{hours}")
    })
}

/// The one zone of that city, such as `Europe/Rome` for `rome`.
fn place(name: &str, names: &[String]) -> Option<String> {
    let city = |known: &&String| {
        known
            .rsplit('/')
            .next()
            .is_some_and(|city| city.eq_ignore_ascii_case(name))
    };
    let mut found = names.iter().filter(city);
    found.next().filter(|_| found.next().is_none()).cloned()
}

/// The name that takes the fewest changed letters.
fn nearest(name: &str, names: &[String]) -> Option<String> {
    let wanted = name.to_ascii_lowercase();
    let distance = |known: &String| super::edits::distance(&wanted, &known.to_ascii_lowercase());
    let (edits, nearest) = names.iter().map(|known| (distance(known), known)).min()?;
    (edits <= MAX_EDITS && wanted.len() > 2 * MAX_EDITS).then(|| nearest.clone())
}
