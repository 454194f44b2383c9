//! What the published definitions do not say: the values that some fields can have, and how new fields are.
//!
//! `values.txt` holds, a field a line, the values that Kubernetes 1.36 accepts where it accepts only some (the types
//! marked `+enum` in its source). `since.txt` holds the first version in which a field works without a feature gate
//! being switched on (the gates' `versioned_feature_list.yaml`); fields that are not there are older than 1.21, the
//! first version with `batch/v1` CronJobs.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// What is known of fields, by the short name of their type and their own.
type Facts<T> = HashMap<&'static str, HashMap<&'static str, T>>;

static VALUES: LazyLock<Facts<Vec<&'static str>>> = LazyLock::new(|| {
    table(include_str!("values.txt"), |words| {
        Some(words.split(' ').collect())
    })
});

static SINCE: LazyLock<Facts<Version>> =
    LazyLock::new(|| table(include_str!("since.txt"), |version| version.parse().ok()));

/// A minor version of Kubernetes, as in `1.29`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 1, so far.
    pub major: u32,
    /// What changes three times a year.
    pub minor: u32,
}

impl Version {
    /// The version whose definitions are known.
    pub const KNOWN: Version = Version { major: 1, minor: 36 };
}

/// Not a version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a version of Kubernetes; write it like 1.29")]
pub struct NotAVersion(String);

/// Takes `1.29`, and what `kubectl version` prints: `v1.29.3`, `v1.29.3-gke.100`, `1.29+`.
impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Version, NotAVersion> {
        let mut numbers = text.trim_start_matches('v').split(['.', '-', '+']);
        let mut number = || numbers.next().and_then(|number| number.parse().ok());
        match (number(), number()) {
            (Some(major), Some(minor)) => Ok(Version { major, minor }),
            _ => Err(NotAVersion(text.to_owned())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The values that a field can have; none where it can have any of its type.
pub(crate) fn values(type_name: &str, field: &str) -> Option<&'static [&'static str]> {
    let values = VALUES.get(type_name)?.get(field)?;
    Some(values.as_slice())
}

/// The first version that has a field; none where every version has it.
pub(crate) fn since(type_name: &str, field: &str) -> Option<Version> {
    SINCE.get(type_name)?.get(field).copied()
}

/// Reads lines of a type, a field and what is to be known of it.
fn table<T>(text: &'static str, fact: impl Fn(&'static str) -> Option<T>) -> Facts<T> {
    let entry = |line: &'static str| {
        let (type_name, rest) = line.split_once(' ')?;
        let (field, words) = rest.split_once(' ')?;
        Some((type_name, field, fact(words)?))
    };
    let mut facts = Facts::new();
    for (type_name, field, fact) in text.lines().filter_map(entry) {
        facts.entry(type_name).or_default().insert(field, fact);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::schema::{Schema, definitions};

    #[test]
    fn the_fields_exist() {
        let lines = include_str!("values.txt").lines().count() + include_str!("since.txt").lines().count();
        let values = VALUES
            .iter()
            .flat_map(|(name, facts)| facts.keys().map(move |field| (name, field)));
        let since = SINCE
            .iter()
            .flat_map(|(name, facts)| facts.keys().map(move |field| (name, field)));
        let fields: Vec<(&&str, &&str)> = values.chain(since).collect();
        assert_eq!(fields.len(), lines, "every line is read, and none twice");
        for (type_name, field) in fields {
            let named = definitions()
                .keys()
                .find(|name| name.rsplit('.').next() == Some(type_name));
            let schema = named.and_then(|name| Schema::named(name));
            let schema = schema.unwrap_or_else(|| panic!("{type_name} is defined"));
            assert!(schema.own_field(field).is_some(), "{type_name} has {field}");
        }
    }

    #[test]
    fn versions_are_read_as_people_and_kubectl_write_them() {
        let version = |text: &str| text.parse::<Version>().map(|version| version.to_string());
        for text in ["1.29", "v1.29", "1.29.3", "v1.29.3-gke.100", "1.29+"] {
            assert_eq!(version(text).as_deref(), Ok("1.29"), "{text}");
        }
        for text in ["", "latest", "1", "v.1"] {
            assert!(version(text).is_err(), "{text}");
        }
        assert!("1.9".parse::<Version>().unwrap() < "1.10".parse::<Version>().unwrap());
    }
}
