//! CronJobs that are not run, as they can't be read, or as a fault of ours keeps them from being understood.

use std::sync::Arc;

use crate::controller::state::{News, State};
use crate::cronjob::Key;
use crate::manifest;
use crate::policy::Note;
use crate::telemetry::Wellbeing;

/// Why a CronJob is not run, and what may change that.
#[derive(Debug)]
pub(super) struct NotRun {
    why: News,
    version: Option<String>,
    /// What is to be understood, where it can be read: with another calendar it may be.
    object: Option<Arc<manifest::CronJob>>,
}

impl State {
    /// A CronJob is not run, whatever was known of it. That is told once of each of its versions.
    pub(super) fn do_not_run(
        &mut self,
        why: News,
        version: Option<&String>,
        object: Option<Arc<manifest::CronJob>>,
    ) {
        let key = why.cronjob.clone();
        let before = self.not_run.remove(&key);
        self.forget(&key);
        let is_told = before.is_some_and(|before| before.version.as_ref() == version && before.why == why);
        if !is_told {
            self.noticed.push(why.clone());
        }
        let held = Wellbeing {
            held: true,
            ..Wellbeing::default()
        };
        self.wellbeing.insert(key.clone(), Some(held));
        let version = version.cloned();
        self.not_run.insert(key, NotRun { why, version, object });
    }

    /// A fault of ours keeps a CronJob from being understood.
    pub(super) fn not_understood(&mut self, key: Key, object: Arc<manifest::CronJob>, error: String) {
        let why = News {
            cronjob: key,
            uid: object.metadata.uid.clone().unwrap_or_default(),
            note: Note::NotUnderstood { error },
        };
        let version = object.metadata.resource_version.clone();
        self.do_not_run(why, version.as_ref(), Some(object));
    }

    /// What could not be understood is tried again, with the calendars that there are now.
    pub(super) fn try_to_understand(&mut self) {
        let objects = self.not_run.values().filter_map(|not_run| not_run.object.clone());
        let objects: Vec<_> = objects.collect();
        for object in objects {
            self.saw_cronjob(Arc::unwrap_or_clone(object));
        }
    }
}
