//! The dialects that a schedule can be written in.

use std::fmt;
use std::str::FromStr;

use crate::fnv::{fnv1a, fnv1a_on};

/// A cron dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Five fields and macros, exactly as `spec.schedule` takes them.
    #[default]
    Kubernetes,
    /// The same with more: an optional field of seconds in front, `7` and full names, ranges that go round (`FRI-MON`),
    /// `L`, `L-3`, `15W`, `LW`, `FRI#2`, `FRIL`, and `H`, which is spread by the CronJob's name.
    Extended,
    /// Six or seven fields, with seconds and years; Sunday is 1, and `?` leaves a day field open.
    Quartz,
}

impl Dialect {
    /// All of them; the one that most schedules are written in comes first.
    pub const ALL: [Dialect; 3] = [Dialect::Kubernetes, Dialect::Extended, Dialect::Quartz];

    /// Its name in annotations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Kubernetes => "kubernetes",
            Dialect::Extended => "extended",
            Dialect::Quartz => "quartz",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no dialect {0:?}; write `extended`, `quartz` or `kubernetes`")]
pub struct UnknownDialect(pub String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Dialect, UnknownDialect> {
        let found = Dialect::ALL.into_iter().find(|dialect| dialect.name() == text);
        found.ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}

/// What `H` stands for in the schedules of one CronJob: the same value for ever, and another one for another CronJob.
///
/// A value is the FNV-1a hash of namespace, name and field, modulo the values to choose from, so that whoever knows
/// the name can work it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread(u64);

impl Spread {
    /// That of a CronJob.
    pub fn of(namespace: &str, name: &str) -> Spread {
        Spread(fnv1a(namespace.bytes().chain(*b"/").chain(name.bytes())))
    }

    /// A value below `values`, for a field.
    pub(super) fn below(self, values: u32, field: u8) -> u32 {
        // The hash is folded once more: the lowest bits of FNV depend on too little of the text.
        let hash = fnv1a_on(self.0, [field]);
        let mixed = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        u32::try_from(mixed % u64::from(values.max(1))).unwrap_or(0)
    }
}
