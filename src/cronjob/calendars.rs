//! The calendars that CronJobs can name (`punctual.dev/exclude`).

use std::collections::HashMap;

use crate::cronjob::Key;
use crate::schedule::{CalendarError, Days};

/// Calendars by namespace and name.
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    calendars: HashMap<Key, Result<Days, CalendarError>>,
    /// Where calendars are for everybody.
    shared: Option<String>,
}

impl Calendars {
    /// No calendar yet; those of the namespace `shared` are for everybody.
    pub fn new(shared: Option<String>) -> Calendars {
        Calendars {
            calendars: HashMap::new(),
            shared,
        }
    }

    /// Takes a calendar in, from the texts that it consists of. False if it was known and is the same.
    pub fn insert<'a>(&mut self, key: Key, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let days: Result<Vec<Days>, CalendarError> = texts.into_iter().map(Days::read).collect();
        let days = days.map(|sets| Days::union(&sets));
        self.calendars.insert(key, days.clone()) != Some(days)
    }

    /// Forgets a calendar; true if it was known.
    pub fn remove(&mut self, key: &Key) -> bool {
        self.calendars.remove(key).is_some()
    }

    /// The keys of all calendars.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.calendars.keys()
    }

    /// The days of some calendars, as a CronJob of `namespace` names them.
    ///
    /// # Errors
    ///
    /// When one of them can't be had: its name, and why.
    pub fn days(&self, namespace: &str, names: &[String]) -> Result<Days, (String, String)> {
        let sets: Result<Vec<&Days>, _> = names.iter().map(|name| self.find(namespace, name)).collect();
        sets.map(Days::union)
    }

    fn find(&self, namespace: &str, name: &str) -> Result<&Days, (String, String)> {
        let near = [Some(namespace), self.shared.as_deref()].into_iter().flatten();
        let found = near.into_iter().find_map(|namespace| {
            self.calendars.get(&Key {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            })
        });
        let why = match found {
            Some(Ok(days)) => return Ok(days),
            Some(Err(error)) => format!("can't be read: {error}"),
            None => "is not there: it is a ConfigMap with the label punctual.dev/calendar=true, in the same namespace or \
                     the controller's"
                .to_owned(),
        };
        Err((name.to_owned(), why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_is_looked_for_in_the_same_namespace_then_in_the_shared_one() {
        let mut calendars = Calendars::new(Some("punctual".into()));
        assert!(calendars.insert(key("punctual", "holidays"), ["2026-12-25"]));
        assert!(calendars.insert(key("shop", "holidays"), ["2026-12-26", "2027-01-01"]));
        assert!(
            !calendars.insert(key("shop", "holidays"), ["2026-12-26", "2027-01-01"]),
            "it is the same"
        );
        assert!(calendars.insert(key("shop", "bad"), ["Christmas"]));
        for (namespace, names, day, found) in [
            ("shop", &["holidays"][..], "2026-12-25", Ok(false)),
            ("shop", &["holidays"], "2027-01-01", Ok(true)),
            ("other", &["holidays"], "2026-12-25", Ok(true)),
            ("other", &["holidays", "freeze"], "2026-12-25", Err("freeze")),
            ("shop", &["bad"], "2026-12-25", Err("bad")),
        ] {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let days = calendars.days(namespace, &names);
            let day = day.parse().expect("a date");
            let days = days
                .as_ref()
                .map(|days| days.contains(day))
                .map_err(|(name, _)| name.as_str());
            assert_eq!(days, found, "{namespace} {names:?}");
        }
    }

    fn key(namespace: &str, name: &str) -> Key {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}
