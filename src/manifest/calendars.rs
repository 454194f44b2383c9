//! The calendars among some objects, which `punctual.dev/exclude` can name.

use k8s_openapi::api::core::v1::ConfigMap;
use serde::Deserialize as _;

use super::load::Loaded;
use super::lower::key_of;
use crate::cronjob::extension::CALENDAR_LABEL;
use crate::cronjob::{CalendarPlaces, Calendars};

/// Takes a `ConfigMap` in as a calendar. False if it was known and is the same.
pub fn read_calendar(into: &mut Calendars, object: &ConfigMap) -> bool {
    let texts = object.data.iter().flat_map(|data| data.values());
    into.insert(key_of(&object.metadata), texts.map(String::as_str))
}

impl Loaded {
    /// The calendars among what was read; those of the namespace `shared` are for everybody.
    pub fn calendars(&self, shared: &str) -> Calendars {
        let mut calendars = Calendars::new(CalendarPlaces::All, Some(shared.to_owned()));
        for companion in self.companions.iter().filter(|object| object.kind == "ConfigMap") {
            let object = ConfigMap::deserialize(&companion.json);
            if let Some(object) = object.ok().filter(is_calendar) {
                read_calendar(&mut calendars, &object);
            }
        }
        calendars
    }
}

fn is_calendar(object: &ConfigMap) -> bool {
    let labels = object.metadata.labels.as_ref();
    labels
        .and_then(|labels| labels.get(CALENDAR_LABEL))
        .map(String::as_str)
        == Some("true")
}
