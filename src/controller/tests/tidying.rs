//! The history is tidied up, and nothing waits for that.

use super::*;
use crate::submit::{Overtaken, Pruned};

/// What a round of deletions consists of.
struct Round {
    jobs: Vec<String>,
    overtaken: Overtaken,
}

impl World {
    /// A world in which runs of 9:51 and so on have succeeded, so many that the history has no room for the first two.
    fn with_history() -> World {
        let mut world = World::new();
        for number in 0..5 {
            world.ended_run(number);
        }
        world
    }

    /// A run of before has succeeded.
    fn ended_run(&mut self, number: i64) {
        let status = json!({
            "startTime": format!("2026-01-01T09:5{number}:00Z"),
            "conditions": [{ "type": "Complete", "status": "True" }],
        });
        let ended = job_with(&format!("old-{number}"), 1, &status);
        self.state.job_event(&Scope::CLUSTER, Event::Apply(ended));
    }

    /// The rounds that begin at the given second, and whatever else is to be done.
    fn rounds(&mut self, second: i64) -> (Vec<Round>, Vec<Task>) {
        let (mut rounds, mut others) = (vec![], vec![]);
        for task in self.state.ready(at(second)).0 {
            match task {
                Task::Prune {
                    pruning, overtaken, ..
                } => rounds.push(Round {
                    jobs: pruning.jobs.into_iter().map(|job| job.name).collect(),
                    overtaken,
                }),
                other => others.push(other),
            }
        }
        (rounds, others)
    }

    /// The only round that begins at the given second, beside which there is nothing to do.
    fn round(&mut self, second: i64) -> Round {
        let (mut rounds, others) = self.rounds(second);
        assert!(rounds.len() == 1 && others.is_empty(), "{} rounds", rounds.len());
        rounds.remove(0)
    }

    /// Nothing begins at the given second.
    fn rests(&mut self, second: i64) {
        let (rounds, others) = self.rounds(second);
        assert!(rounds.is_empty() && others.is_empty(), "at {second}: {others:?}");
    }

    fn round_ended(&mut self, deleted: &[&str], trouble: Option<Trouble>, second: i64) {
        let pruned = Pruned {
            deleted: deleted.iter().map(|name| format!("uid of {name}")).collect(),
            trouble,
            ..Pruned::default()
        };
        let (uid, pruned) = ("tick-uid".into(), Box::new(pruned));
        self.ended(Done::Pruned { uid, pruned }, second);
    }
}

#[test]
fn what_is_due_starts_while_deletions_are_under_way_and_no_job_is_deleted_twice() {
    let mut world = World::with_history();
    assert_eq!(world.round(1).jobs, ["old-0", "old-1"]);
    world.rests(2);
    world.start_goes_through(60);
    world.rests(61);
    // One more is to go: that has to wait for its turn.
    world.ended_run(5);
    world.rests(62);
    world.round_ended(&["old-0", "old-1"], None, 90);
    assert_eq!(world.round(90).jobs, ["old-2"]);
    world.round_ended(&["old-2"], None, 91);
    world.rests(91);
}

#[test]
fn what_can_not_be_deleted_is_tried_again_after_a_pause_and_puts_off_nothing_else() {
    let mut world = World::with_history();
    let mut rounds = 0;
    for second in 1..110 {
        let (begun, others) = world.rounds(second);
        for _ in begun {
            rounds += 1;
            world.round_ended(&[], Some(Trouble::passing("not now")), second);
        }
        for task in others {
            let Task::Submit { decision, .. } = task else {
                panic!("nothing is looked up")
            };
            let start = decision.start.expect("nothing else is to do");
            assert_eq!(start.scheduled, at(second), "on time");
            world.version += 1;
            world.answered(&start, second);
        }
    }
    // Pauses grow from a tenth of a second to half a minute.
    assert!((8..14).contains(&rounds), "{rounds}");
}

/// Until it is recorded how a run ended, its Job is all that knows.
#[test]
fn nothing_is_deleted_before_it_is_recorded_how_it_ended() {
    for recorded in [false, true] {
        let mut world = World::with_history();
        world.version += 1;
        // The success of a run is not recorded yet.
        let status = json!({ "completionTime": "2026-01-01T10:00:00Z", "conditions": [{ "type": "Complete", "status": "True" }] });
        let ended = job_with("old-9", 1, &status);
        world.state.job_event(&Scope::CLUSTER, Event::Apply(ended));
        let (rounds, others) = world.rounds(1);
        assert!(rounds.is_empty() && others.len() == 1, "{others:?}");
        let trouble = (!recorded).then(|| Trouble::passing("not now"));
        let cronjob =
            recorded.then(|| world.cronjob(&json!({ "lastSuccessfulTime": "2026-01-01T10:00:00Z" })));
        world.carried(
            Carried {
                cronjob,
                recorded,
                trouble,
                ..Carried::default()
            },
            1,
        );
        let (rounds, _) = world.rounds(1);
        assert_eq!(rounds.len(), usize::from(recorded), "recorded: {recorded}");
    }
}

/// Its owner may have made room for more while a start was under way.
#[test]
fn what_an_edit_has_made_room_for_meanwhile_is_not_deleted() {
    let mut world = World::with_history();
    world.version += 1;
    let status = json!({ "completionTime": "2026-01-01T10:00:00Z", "conditions": [{ "type": "Complete", "status": "True" }] });
    let ended = job_with("old-9", 1, &status);
    world.state.job_event(&Scope::CLUSTER, Event::Apply(ended));
    let (_, others) = world.rounds(1);
    assert_eq!(others.len(), 1, "its success is to be recorded");
    world.version += 1;
    let mut edited = world.cronjob(&json!({ "lastSuccessfulTime": "2026-01-01T10:00:00Z" }));
    edited.spec.successful_jobs_history_limit = Some(10);
    world.state.cronjob_event(&Scope::CLUSTER, Event::Apply(edited));
    world.carried(
        Carried {
            recorded: true,
            ..Carried::default()
        },
        1,
    );
    world.rests(1);
}

/// Its owner may have made room for more, or somebody else leads and deletes them.
#[test]
fn a_round_ends_with_what_it_was_decided_on_and_who_leads_next_begins_anew() {
    let mut world = World::with_history();
    let round = world.round(1);
    world.version += 1;
    world.watch_cronjob(&json!({}));
    assert!(round.overtaken.is_set());
    let mut world = World::with_history();
    world.round(1);
    world.state.step_down();
    world.state.stand_by(at(2));
    world.state.take_over();
    assert_eq!(world.round(3).jobs, ["old-0", "old-1"]);
}

/// Its owner may have put right what kept Jobs from being deleted.
#[test]
fn an_edit_has_deletions_tried_again_at_once() {
    let mut world = World::with_history();
    world.round(1);
    let trouble = Trouble {
        message: "busy".into(),
        retry: Retry::After(std::time::Duration::from_secs(50)),
    };
    world.round_ended(&[], Some(trouble), 1);
    world.rests(2);
    world.version += 1;
    let mut edited = world.cronjob(&json!({}));
    edited.metadata.generation = Some(2);
    world.state.cronjob_event(&Scope::CLUSTER, Event::Apply(edited));
    assert_eq!(world.round(3).jobs, ["old-0", "old-1"]);
}

/// A round may take ten seconds, and who leads next waits for it.
#[test]
fn a_round_ends_with_the_request_that_is_under_way_when_the_controller_stops() {
    let mut world = World::with_history();
    let round = world.round(1);
    world.state.stop();
    assert!(round.overtaken.is_set());
}
