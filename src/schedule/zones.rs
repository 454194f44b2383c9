//! Time zones by name, from the newest database at hand.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use super::Zone;
use super::data::BuiltIn;
use super::zone_name::{UnknownZone, check, suggest};

/// Why a source could not read a zone that it has.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// A time-zone database.
pub trait ZoneSource: Send + Sync {
    /// Its version as IANA counts them, such as `2026f`; empty if it is not known.
    fn version(&self) -> &str;

    /// Where it is, for people: `built in`, `/usr/share/zoneinfo`.
    fn origin(&self) -> &str;

    /// The zone of a name, in exactly that spelling; none if the database does not have it. The name is well formed:
    /// [`TimeZones::zone`] has seen to it.
    ///
    /// # Errors
    ///
    /// If the database has the zone but it cannot be read.
    fn zone(&self, name: &str) -> Result<Option<Zone>, SourceError>;

    /// The names of the zones that it has, as far as it can list them.
    fn names(&self) -> Vec<String>;
}

/// The time zones that can be named: one or more databases, of which the newest that has a zone is the one believed.
pub struct TimeZones {
    /// Newest first.
    sources: Vec<Box<dyn ZoneSource>>,
    /// The zones that have been asked for; there are no more than the databases have.
    known: Mutex<HashMap<Box<str>, Arc<Zone>>>,
}

impl TimeZones {
    /// The database that is built in.
    pub fn built_in() -> TimeZones {
        TimeZones {
            sources: vec![Box::new(BuiltIn)],
            known: Mutex::default(),
        }
    }

    /// The same with one more database, which is believed where it is newer; at the same version, it comes first.
    #[must_use]
    pub fn with(mut self, source: Box<dyn ZoneSource>) -> TimeZones {
        let newer = self
            .sources
            .iter()
            .take_while(|other| other.version() > source.version());
        let place = newer.count();
        self.sources.insert(place, source);
        self.known = Mutex::default();
        self
    }

    /// The zone of a name, by the rules of `spec.timeZone` in Kubernetes.
    ///
    /// # Errors
    ///
    /// If the name is no name, if no database has it, or if the newest database that has it cannot be read.
    pub fn zone(&self, name: &str) -> Result<Arc<Zone>, UnknownZone> {
        check(name, || self.names())?;
        if let Some(zone) = self.known().get(name) {
            return Ok(Arc::clone(zone));
        }
        for source in &self.sources {
            let unreadable = |error| UnknownZone::Unreadable {
                name: name.to_owned(),
                origin: source.origin().to_owned(),
                source: error,
            };
            if let Some(zone) = source.zone(name).map_err(unreadable)? {
                let zone = Arc::new(zone);
                self.known().insert(name.into(), Arc::clone(&zone));
                return Ok(zone);
            }
        }
        let suggestion = suggest(name, &self.names());
        Err(UnknownZone::Unknown {
            name: name.to_owned(),
            version: self.version().to_owned(),
            suggestion,
        })
    }

    /// The version of the newest database, such as `2026f`.
    pub fn version(&self) -> &str {
        self.newest().map_or("", ZoneSource::version)
    }

    /// Where the newest database is, for people.
    pub fn origin(&self) -> &str {
        self.newest().map_or("", ZoneSource::origin)
    }

    /// Every name that some database has, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.sources.iter().flat_map(|source| source.names()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn newest(&self) -> Option<&dyn ZoneSource> {
        self.sources.first().map(AsRef::as_ref)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Arc<Zone>>> {
        // The map is whole after every step, so a thread that died with the lock has done no harm.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
