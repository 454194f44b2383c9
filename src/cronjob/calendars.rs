//! The calendars that CronJobs can name (`punctual.dev/exclude`).

use std::collections::HashMap;

use crate::cronjob::Key;
use crate::schedule::{CalendarError, Days};

/// Where calendars are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CalendarPlaces {
    /// Nowhere.
    Nowhere,
    /// In the namespace whose calendars are for everybody.
    Shared,
    /// In the CronJob's namespace, then in the one whose calendars are for everybody.
    #[default]
    All,
}

/// Calendars by namespace and name.
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    /// With what is wrong with those that can't be read.
    known: HashMap<Key, Result<Days, String>>,
    places: CalendarPlaces,
    /// Where calendars are for everybody.
    shared: Option<String>,
    /// What can't be looked into, and why: a namespace, or all of them.
    closed: HashMap<Option<String>, String>,
}

impl Calendars {
    /// No calendar yet; those of the namespace `shared` are for everybody.
    pub fn new(places: CalendarPlaces, shared: Option<String>) -> Calendars {
        Calendars {
            places,
            shared,
            ..Calendars::default()
        }
    }

    /// A namespace, or with `None` none of them, can't be looked into. False if that was known.
    pub fn close(&mut self, namespace: Option<String>, why: String) -> bool {
        self.closed.insert(namespace, why).is_none()
    }

    /// It can be looked into again.
    pub fn open(&mut self, namespace: Option<&String>) {
        self.closed.remove(&namespace.cloned());
    }

    /// Takes a calendar in, from the texts that it consists of. False if it was known and is the same.
    pub fn insert<'a>(&mut self, key: Key, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let days: Result<Vec<Days>, CalendarError> = texts.into_iter().map(Days::read).collect();
        let days = days.map(|sets| Days::union(&sets));
        let days = days.map_err(|error| error.to_string());
        self.known.insert(key, days.clone()) != Some(days)
    }

    /// A calendar is there and can't be read, for this reason.
    pub fn spoil(&mut self, key: Key, why: String) {
        self.known.insert(key, Err(why));
    }

    /// Forgets a calendar; true if it was known.
    pub fn remove(&mut self, key: &Key) -> bool {
        self.known.remove(key).is_some()
    }

    /// The keys of all calendars.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.known.keys()
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
        let shared = self.shared.as_deref();
        let near = match self.places {
            CalendarPlaces::Nowhere => [None, None],
            CalendarPlaces::Shared => [shared, None],
            CalendarPlaces::All => [Some(namespace), shared],
        };
        let near = near.into_iter().flatten();
        let found = near.clone().find_map(|namespace| {
            self.known.get(&Key {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            })
        });
        let why = match found {
            Some(Ok(days)) => return Ok(days),
            Some(Err(error)) => format!("can't be read: {error}"),
            None => near
                .map(str::to_owned)
                .find_map(|namespace| self.closed.get(&Some(namespace)))
                .or_else(|| self.closed.get(&None))
                .map_or_else(|| self.not_there(), |why| format!("can't be looked for: {why}")),
        };
        Err((name.to_owned(), why))
    }

    fn not_there(&self) -> String {
        let place = match (self.places, &self.shared) {
            (CalendarPlaces::Nowhere, _) => {
                return "is not looked for: the controller runs with --calendars off".to_owned();
            }
            (CalendarPlaces::Shared, Some(shared)) => {
                format!("the namespace {shared}: only there does this controller look (--calendars shared)")
            }
            (CalendarPlaces::All, Some(shared)) => format!("the same namespace or in {shared}"),
            (_, None) => "the same namespace".to_owned(),
        };
        format!("is not there: it is a ConfigMap with the label punctual.dev/calendar=true, in {place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_is_looked_for_in_the_same_namespace_then_in_the_shared_one() {
        let mut calendars = Calendars::new(CalendarPlaces::All, Some("punctual".into()));
        assert!(calendars.insert(key("punctual", "holidays"), ["2026-12-25"]));
        assert!(calendars.insert(key("shop", "holidays"), ["2026-12-26", "2027-01-01"]));
        assert!(
            !calendars.insert(key("shop", "holidays"), ["2026-12-26", "2027-01-01"]),
            "it is the same"
        );
        assert!(calendars.insert(key("shop", "bad"), ["Christmas"]));
        calendars.spoil(key("shop", "spoilt"), "a fault".into());
        for (namespace, names, day, found) in [
            ("shop", &["holidays"][..], "2026-12-25", Ok(false)),
            ("shop", &["holidays"], "2027-01-01", Ok(true)),
            ("other", &["holidays"], "2026-12-25", Ok(true)),
            ("other", &["holidays", "freeze"], "2026-12-25", Err("freeze")),
            ("shop", &["bad"], "2026-12-25", Err("bad")),
            ("shop", &["spoilt"], "2026-12-25", Err("spoilt")),
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

    #[test]
    fn what_is_not_found_says_where_it_was_looked_for() {
        let (shared, forbidden) = (Some("punctual".to_owned()), "configmaps is forbidden");
        let why = |calendars: &Calendars| {
            let days = calendars.days("shop", &["holidays".to_owned()]);
            days.expect_err("no calendar").1
        };
        let label = "is not there: it is a ConfigMap with the label punctual.dev/calendar=true, in";
        for (places, expected) in [
            (
                CalendarPlaces::All,
                format!("{label} the same namespace or in punctual"),
            ),
            (
                CalendarPlaces::Shared,
                format!(
                    "{label} the namespace punctual: only there does this controller look (--calendars shared)"
                ),
            ),
            (
                CalendarPlaces::Nowhere,
                "is not looked for: the controller runs with --calendars off".to_owned(),
            ),
        ] {
            assert_eq!(why(&Calendars::new(places, shared.clone())), expected);
        }
        for closed in [None, Some("shop".to_owned()), shared.clone()] {
            let mut calendars = Calendars::new(CalendarPlaces::All, shared.clone());
            assert!(calendars.close(closed.clone(), forbidden.to_owned()));
            assert!(
                !calendars.close(closed.clone(), forbidden.to_owned()),
                "it is known"
            );
            assert_eq!(
                why(&calendars),
                format!("can't be looked for: {forbidden}"),
                "{closed:?}"
            );
            calendars.open(closed.as_ref());
            assert!(why(&calendars).starts_with(label), "{closed:?}");
        }
        let mut calendars = Calendars::new(CalendarPlaces::All, shared);
        calendars.close(Some("other".to_owned()), forbidden.to_owned());
        assert!(why(&calendars).starts_with(label), "it would not be in another");
    }

    fn key(namespace: &str, name: &str) -> Key {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}
