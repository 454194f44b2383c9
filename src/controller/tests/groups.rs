//! CronJobs that share slots: nobody is forgotten, and few are decided on.

use super::*;

use std::collections::HashMap;

/// Many CronJobs, all due at 10:01 and then not for a day, that share three slots.
struct Crowd {
    state: State,
    version: u64,
    /// What is recorded of each.
    recorded: HashMap<String, Value>,
    /// How many decisions were taken.
    decisions: usize,
}

impl Crowd {
    fn of(number: usize) -> Crowd {
        let mut crowd = Crowd {
            state: empty(),
            version: 1,
            recorded: HashMap::new(),
            decisions: 0,
        };
        crowd.state.cronjob_event(&Scope::CLUSTER, Event::Init);
        for number in 0..number {
            crowd.edit(&name(number), &json!({}));
        }
        crowd.state.cronjob_event(&Scope::CLUSTER, Event::InitDone);
        crowd.state.job_event(&Scope::CLUSTER, Event::InitDone);
        crowd
    }

    fn cronjob(&self, name: &str, annotations: &Value) -> CronJob {
        let mut object = json!({
            "metadata": {
                "name": name, "namespace": "default", "uid": format!("uid of {name}"),
                "resourceVersion": self.version.to_string(), "creationTimestamp": "2026-01-01T10:00:00Z",
                "annotations": { "punctual.dev/group": "g", "punctual.dev/group-slots": "3" },
            },
            "spec": { "schedule": "1 10 * * *", "jobTemplate": {} },
            "status": self.recorded.get(name),
        });
        json_patch::merge(&mut object["metadata"]["annotations"], annotations);
        serde_json::from_value(object).expect("a CronJob")
    }

    /// A CronJob has these annotations beside the group from now on.
    fn edit(&mut self, name: &str, annotations: &Value) {
        self.version += 1;
        let object = self.cronjob(name, annotations);
        self.state.cronjob_event(&Scope::CLUSTER, Event::Apply(object));
    }

    fn delete(&mut self, name: &str) {
        let object = self.cronjob(name, &json!({}));
        self.state.cronjob_event(&Scope::CLUSTER, Event::Delete(object));
    }

    /// Decides, and returns whose starts are under way from now on.
    fn ready(&mut self, second: i64) -> Vec<(String, Start)> {
        let (tasks, _) = self.state.ready(at(second));
        self.decisions += self.state.take_wellbeing().len();
        let starts = tasks.into_iter().filter_map(|task| match task {
            Task::Submit { key, decision, .. } => Some((key.name, decision.start?)),
            _ => None,
        });
        starts.collect()
    }

    /// A start goes through, and both watches show it.
    fn goes_through(&mut self, (name, start): &(String, Start), second: i64) {
        self.version += 1;
        self.recorded.insert(name.clone(), recorded(start));
        let cronjob = self.cronjob(name, &json!({}));
        let job = self.job(name, &start.name, &json!({}));
        let carried = Carried {
            cronjob: Some(cronjob.clone()),
            job: Some(job.clone()),
            ..Carried::default()
        };
        self.ended(name, carried, second);
        self.state.job_event(&Scope::CLUSTER, Event::Apply(job));
        self.state.cronjob_event(&Scope::CLUSTER, Event::Apply(cronjob));
    }

    fn all_go_through(&mut self, starts: &[(String, Start)], second: i64) {
        for start in starts {
            self.goes_through(start, second);
        }
    }

    fn ended(&mut self, name: &str, carried: Carried, second: i64) {
        let done = Done::Submitted {
            uid: format!("uid of {name}"),
            carried: Box::new(carried),
        };
        self.state.ended(&key(name), done, at(second));
    }

    fn job(&self, of: &str, name: &str, status: &Value) -> JobView {
        let mut object = job_object(name, self.version, status);
        object["metadata"]["ownerReferences"][0]["name"] = of.into();
        object["metadata"]["ownerReferences"][0]["uid"] = format!("uid of {of}").into();
        serde_json::from_value(object).expect("a Job")
    }

    /// The run of a CronJob ends.
    fn finish(&mut self, name: &str) {
        self.version += 1;
        let done = json!({
            "succeeded": 1, "completionTime": "2026-01-01T10:02:00Z",
            "conditions": [{ "type": "Complete", "status": "True" }],
        });
        let job = self.job(name, &format!("{name}-29454361"), &done);
        self.state.job_event(&Scope::CLUSTER, Event::Apply(job));
    }
}

fn name(number: usize) -> String {
    format!("m{number:02}")
}

fn key(name: &str) -> Key {
    Key {
        namespace: "default".into(),
        name: name.into(),
    }
}

/// After a restart, and in a namespace that can be listed late, nothing has been decided on before.
#[test]
fn the_first_decisions_of_all_give_the_slots_by_priority() {
    let mut crowd = Crowd::of(10);
    crowd.edit("m07", &json!({ "punctual.dev/priority": "1" }));
    assert_eq!(names_of(&crowd.ready(60)), ["m07", "m00", "m01"]);
}

/// Each run that ends lets the next in line start, and hardly anybody else is asked, however many wait.
#[test]
fn a_slot_that_comes_free_is_offered_to_the_next_in_line_only() {
    let mut crowd = Crowd::of(100);
    let starts = crowd.ready(60);
    assert_eq!(names_of(&starts), ["m00", "m01", "m02"]);
    assert_eq!(crowd.decisions, 100);
    crowd.all_go_through(&starts, 60);
    assert_eq!(names_of(&crowd.ready(61)), [""; 0]);
    crowd.decisions = 0;
    for turn in 0..20 {
        crowd.finish(&name(turn));
        let starts = crowd.ready(62);
        assert_eq!(names_of(&starts), [name(turn + 3)]);
        crowd.goes_through(&starts[0], 62);
        assert_eq!(names_of(&crowd.ready(62)), [""; 0]);
    }
    // Who has ended, who starts, and once more who has started.
    assert_eq!(crowd.decisions, 20 * 3);
}

/// One row a change while `m00` to `m02` have the slots and `m03` is next in line: what happens, and who starts by that.
#[test]
fn whatever_frees_a_slot_or_changes_the_order_somebody_is_asked() {
    type Change = fn(&mut Crowd);
    let changes: [(&str, Change, &[&str]); 10] = [
        ("nothing", |_| {}, &[]),
        ("a run ends", |crowd| crowd.finish("m01"), &["m03"]),
        (
            "two runs end",
            |crowd| {
                crowd.finish("m00");
                crowd.finish("m02");
            },
            &["m03", "m04"],
        ),
        (
            "a CronJob that has a slot is deleted",
            |crowd| crowd.delete("m00"),
            &["m03"],
        ),
        (
            "it leaves the group",
            |crowd| crowd.edit("m00", &json!({ "punctual.dev/group": "other" })),
            &["m03"],
        ),
        (
            "somebody names fewer slots, and one run ends",
            |crowd| {
                crowd.edit("m09", &json!({ "punctual.dev/group-slots": "2" }));
                crowd.finish("m00");
            },
            &[],
        ),
        (
            "who named the fewest is deleted",
            |crowd| {
                crowd.edit("m09", &json!({ "punctual.dev/group-slots": "1" }));
                crowd.finish("m00");
                crowd.finish("m01");
                assert_eq!(names_of(&crowd.ready(62)), [""; 0]);
                crowd.delete("m09");
            },
            &["m03", "m04"],
        ),
        (
            "who is next steps back, and a run ends",
            |crowd| {
                crowd.edit("m03", &json!({ "punctual.dev/priority": "-1" }));
                crowd.finish("m00");
            },
            &["m04"],
        ),
        (
            "the run of who is next is skipped, and a run ends",
            |crowd| {
                crowd.edit("m03", &json!({ "punctual.dev/skip": "2026-01-01T10:01:00Z" }));
                crowd.finish("m00");
            },
            &["m04"],
        ),
        (
            "who is next is deleted, and a run ends",
            |crowd| {
                crowd.finish("m00");
                crowd.delete("m03");
            },
            &["m04"],
        ),
    ];
    for (what, change, expected) in changes {
        let mut crowd = Crowd::of(10);
        let starts = crowd.ready(60);
        crowd.all_go_through(&starts, 60);
        crowd.ready(61);
        change(&mut crowd);
        assert_eq!(names_of(&crowd.ready(62)), expected, "{what}");
    }
}

/// The Job may be there, with only the answer lost.
#[test]
fn the_slot_of_a_start_that_failed_goes_to_the_next_when_no_watch_has_shown_its_job() {
    let mut crowd = Crowd::of(10);
    let starts = crowd.ready(60);
    crowd.all_go_through(&starts[1..], 60);
    let carried = Carried {
        trouble: Some(Trouble {
            message: "busy".into(),
            retry: Retry::After(std::time::Duration::from_secs(30)),
        }),
        ..Carried::default()
    };
    crowd.ended("m00", carried, 60);
    assert_eq!(names_of(&crowd.ready(69)), [""; 0]);
    assert_eq!(crowd.state.next_wake(), Some(at(70)));
    assert_eq!(names_of(&crowd.ready(70)), ["m03"]);
}

#[test]
fn who_takes_over_gives_the_slots_in_the_same_order() {
    let mut crowd = Crowd::of(10);
    let starts = crowd.ready(60);
    crowd.all_go_through(&starts, 60);
    crowd.ready(61);
    crowd.finish("m00");
    crowd.state.step_down();
    crowd.state.stand_by(at(62));
    crowd.state.take_over();
    assert_eq!(names_of(&crowd.ready(63)), ["m03"]);
    crowd.finish("m01");
    assert_eq!(names_of(&crowd.ready(64)), ["m04"]);
}

fn names_of(starts: &[(String, Start)]) -> Vec<&str> {
    starts.iter().map(|(name, _)| name.as_str()).collect()
}
