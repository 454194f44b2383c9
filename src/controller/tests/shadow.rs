//! Looking on while somebody else acts.

use super::*;
use crate::controller::shadow::Verdict;

/// The other controller starts two runs, each two seconds late, and skips the third.
#[test]
fn nothing_is_carried_out_and_the_difference_is_told() {
    let mut world = World::new();
    world.state.look_on();
    let mut found = vec![];
    for second in 1..600 {
        for minute in [1, 2].into_iter().filter(|minute| second == minute * 60 + 2) {
            let name = format!("tick-{}", 29_454_360 + minute);
            world.state.job_event(&Scope::CLUSTER, Event::Apply(job(&name)));
            world.version += 1;
            world.watch_cronjob(&json!({
                "active": [{ "name": name, "uid": format!("uid of {name}") }],
                "lastScheduleTime": at(minute * 60).to_rfc3339(),
            }));
        }
        if second == 185 {
            let mut suspended = world.cronjob(&json!({ "lastScheduleTime": at(120).to_rfc3339() }));
            suspended.spec.suspend = Some(true);
            world
                .state
                .cronjob_event(&Scope::CLUSTER, Event::Apply(suspended));
        }
        assert!(world.ready(second).is_none(), "nothing is carried out");
        found.extend(world.state.findings());
    }
    let later_by = chrono::TimeDelta::seconds(2);
    let found: Vec<_> = found
        .iter()
        .map(|finding| (finding.scheduled, finding.verdict))
        .collect();
    assert_eq!(
        found,
        [
            (at(60), Verdict::Started { later_by }),
            (at(120), Verdict::Started { later_by }),
            (at(180), Verdict::NeverStarted),
        ]
    );
}

/// What another controller does is no sign of a rival, and Jobs of people are nobody's runs.
#[test]
fn the_other_controller_is_expected_and_people_are_left_alone() {
    let mut world = World::new();
    world.state.look_on();
    world.ready(1);
    let by_hand = json!({ "cronjob.kubernetes.io/instantiate": "manual" });
    let mut object = job_object("tick-by-hand", 1, &json!({}));
    object["metadata"]["annotations"] = by_hand;
    let by_hand: JobView = serde_json::from_value(object).expect("a Job");
    world.state.job_event(&Scope::CLUSTER, Event::Apply(by_hand));
    let theirs = job_created_by("kube-controller-manager", "tick-29454361");
    world.state.job_event(&Scope::CLUSTER, Event::Apply(theirs));
    let (_, news) = world.state.ready(at(30));
    let reasons: Vec<_> = news.iter().map(|news| news.note.reason()).collect();
    assert!(!reasons.contains(&"OtherController"), "{reasons:?}");
    world.ready(59);
    let verdicts: Vec<_> = world
        .state
        .findings()
        .iter()
        .map(|finding| finding.verdict)
        .collect();
    assert_eq!(
        verdicts,
        [Verdict::NotOurs],
        "started half a minute before its time"
    );
}
