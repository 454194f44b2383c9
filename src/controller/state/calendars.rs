//! What the watch of calendars reports (`punctual.dev/exclude`).
//!
//! There is no such watch before the first CronJob names a calendar. Until it has listed once, nothing is decided about
//! CronJobs that do; should it fail, those whose calendar is not known are held, with an event that says so.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::watcher::Event;

use crate::controller::cache::NotUnderstood;
use crate::controller::charge::Scope;
use crate::controller::fault::soundly;
use crate::controller::state::State;
use crate::manifest;

impl State {
    /// Whether any CronJob names a calendar.
    pub(in crate::controller) fn wants_calendars(&self) -> bool {
        self.cache.wants_calendars()
    }

    /// A calendar watch reports.
    pub(in crate::controller) fn calendar_event(&mut self, scope: &Scope, event: Event<ConfigMap>) {
        match event {
            Event::Init => {
                let known = self.cache.calendars.keys();
                let known = known
                    .filter(|key| scope.covers(&key.namespace))
                    .cloned()
                    .collect();
                self.calendars_listed.begin(scope, known);
            }
            Event::InitApply(object) => {
                self.calendars_listed
                    .saw(scope, &manifest::key_of(&object.metadata));
                self.read_calendar(&object);
            }
            Event::Apply(object) => {
                self.read_calendar(&object);
                self.follow_calendars();
            }
            Event::Delete(object) => {
                self.cache.calendars.remove(&manifest::key_of(&object.metadata));
                self.follow_calendars();
            }
            Event::InitDone => {
                for key in self.calendars_listed.end(scope) {
                    self.cache.calendars.remove(&key);
                }
                self.cache.calendars.open(scope.0.as_ref());
                self.follow_calendars();
            }
        }
    }

    /// A calendar watch failed, and it is tried again. Whether that is news.
    pub(in crate::controller) fn calendars_failed(&mut self, scope: &Scope, why: String) -> bool {
        self.calendars_listed.end(scope);
        let is_news = self.cache.calendars.close(scope.0.clone(), why);
        if is_news {
            self.follow_calendars();
        }
        is_news
    }

    /// Where that breaks down, whoever names the calendar is held and says so.
    fn read_calendar(&mut self, object: &ConfigMap) {
        let calendars = &mut self.cache.calendars;
        if let Err(error) = soundly(|| manifest::read_calendar(calendars, object)) {
            let why = format!("a fault in punctual: {error}; please report it");
            calendars.spoil(manifest::key_of(&object.metadata), why);
        }
    }

    /// Whoever names a calendar is decided on by what is known of it now.
    fn follow_calendars(&mut self) {
        self.try_to_understand();
        for (key, followed) in self.cache.follow_calendars(&self.zones) {
            match followed {
                Ok(()) => {
                    self.edited.insert(key.clone());
                    self.mark(key);
                }
                Err(NotUnderstood { object, error }) => self.not_understood(key, object, error),
            }
        }
    }
}
