//! The state machine, moved by hand.
//!
//! | file | what is tried |
//! |---|---|
//! | `waking` | when a decision is taken, and by whom |
//! | `races` | our own writes, their answers and the watch arrive in any order |
//! | `failures` | what is tried again, and when |
//! | `news` | what is told, and what is not told again |
//! | `groups` | CronJobs share slots, and are asked in turn |
//! | `shadow` | looking on while somebody else acts |
//! | `tidying` | what the history has no room for goes, and nothing waits for that |

mod failures;
mod groups;
mod news;
mod races;
mod shadow;
mod tidying;
mod waking;

use std::sync::Arc;

use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::charge::{Charge, Scope};
use super::state::{Done, State, Task};
use crate::clock::SystemClock;
use crate::cronjob::{JobRef, Key};
use crate::manifest::{self, CronJob};
use crate::policy::{Note, Start, decide_in_group};
use crate::schedule::{TimeZones, Timestamp};
use crate::submit::{Carried, JobView, Retry, Submitter, Trouble};

/// One CronJob, `default/tick`, due at every full minute.
struct World {
    state: State,
    version: u64,
}

impl World {
    /// A world in which both watches have listed everything: the CronJob, created at 10:00:00, and no Jobs.
    fn new() -> World {
        let mut world = World {
            state: empty(),
            version: 1,
        };
        world.state.cronjob_event(&Scope::CLUSTER, Event::Init);
        world.watch_cronjob(&json!({}));
        world.state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
        world.state.job_event(&Scope::CLUSTER, Event::InitDone);
        world
    }

    fn cronjob(&self, status: &Value) -> CronJob {
        let object = json!({
            "metadata": {
                "name": "tick", "namespace": "default", "uid": "tick-uid",
                "resourceVersion": self.version.to_string(), "creationTimestamp": "2026-01-01T10:00:00Z",
            },
            "spec": { "schedule": "* * * * *", "jobTemplate": {} },
            "status": status,
        });
        serde_json::from_str(&object.to_string()).expect("a CronJob")
    }

    fn watch_cronjob(&mut self, status: &Value) {
        let object = self.cronjob(status);
        self.state.cronjob_event(&Scope::CLUSTER, Event::Apply(object));
    }

    /// Decides at the given second after 10:00, and returns the only task, if there is one.
    fn ready(&mut self, second: i64) -> Option<Task> {
        let (mut tasks, _) = self.state.ready(at(second));
        assert!(tasks.len() < 2, "one CronJob, one task");
        tasks.pop()
    }

    /// The start that is decided at the given second.
    fn start(&mut self, second: i64) -> Start {
        let Some(Task::Submit { decision, .. }) = self.ready(second) else {
            panic!("no start")
        };
        decision.start.expect("a start")
    }

    /// The start that is decided at the given second goes through.
    fn start_goes_through(&mut self, second: i64) {
        let start = self.start(second);
        self.version += 1;
        self.answered(&start, second);
    }

    /// It is heard that a start went through, and is recorded in the version of the CronJob that is the newest.
    fn answered(&mut self, start: &Start, second: i64) {
        let carried = Carried {
            cronjob: Some(self.cronjob(&recorded(start))),
            job: Some(job(&start.name)),
            recorded: true,
            ..Carried::default()
        };
        self.carried(carried, second);
    }

    /// What came of a decision.
    fn carried(&mut self, carried: Carried, second: i64) {
        let (uid, carried) = ("tick-uid".to_owned(), Box::new(carried));
        self.ended(Done::Submitted { uid, carried }, second);
    }

    /// The task that was under way has ended.
    fn ended(&mut self, done: Done, second: i64) {
        let key = Key {
            namespace: "default".into(),
            name: "tick".into(),
        };
        self.state.ended(&key, done, at(second));
    }
}

/// The status of the CronJob in which a start is recorded.
fn recorded(start: &Start) -> Value {
    json!({
        "active": [{ "name": start.name, "uid": format!("uid of {}", start.name) }],
        "lastScheduleTime": start.scheduled.to_rfc3339(),
    })
}

/// A state that knows nothing.
fn empty() -> State {
    State::new(Arc::new(TimeZones::built_in()), &Charge::default())
}

fn job_created_by(manager: &str, name: &str) -> JobView {
    let mut object = job_object(name, 1, &json!({}));
    object["metadata"]["managedFields"] = json!([{ "manager": manager, "time": "2026-01-01T10:00:00Z" }]);
    serde_json::from_value(object).expect("a Job")
}

fn job(name: &str) -> JobView {
    job_with(name, 1, &json!({}))
}

fn job_with(name: &str, version: u64, status: &Value) -> JobView {
    serde_json::from_value(job_object(name, version, status)).expect("a Job")
}

fn job_object(name: &str, version: u64, status: &Value) -> Value {
    json!({
        "status": status,
        "metadata": {
            "name": name, "namespace": "default", "uid": format!("uid of {name}"),
            "resourceVersion": version.to_string(),
            "ownerReferences": [
                { "apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": "tick-uid", "controller": true },
            ],
        },
    })
}

fn names(jobs: &[JobRef]) -> Vec<&str> {
    jobs.iter().map(|job| job.name.as_str()).collect()
}

fn at(second: i64) -> Timestamp {
    let ten: Timestamp = "2026-01-01T10:00:00Z".parse().expect("an instant");
    ten + chrono::TimeDelta::seconds(second)
}
