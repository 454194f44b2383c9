//! The status that comes of what happens, told as a table of one line a moment.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated};
use serde_json::{Value, json};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_795_444_200 + second, 0).unwrap()
}

fn model(spec: &Value) -> Model {
    let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).unwrap();
    Model::new(&pod, at(0))
}

fn running(second: i64) -> Change {
    Change::Running {
        id: "process://100".to_owned(),
        since: at(second),
    }
}

fn ended(exit_code: i32, second: i64) -> Change {
    let reason = if exit_code == 0 { "Completed" } else { "Error" };
    Change::Ended(Box::new(ContainerStateTerminated {
        exit_code,
        reason: Some(reason.to_owned()),
        finished_at: Some(to_time(at(second))),
        ..ContainerStateTerminated::default()
    }))
}

fn waiting() -> Change {
    Change::Waiting {
        reason: "CrashLoopBackOff",
        message: "back-off 10s".to_owned(),
    }
}

/// The status in a line: phase, then each container with its state, restarts and readiness, then the conditions.
fn told(status: &PodStatus) -> String {
    let containers = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses)
        .flatten();
    let containers: Vec<String> = containers.map(told_container).collect();
    let holds: Vec<&str> = status
        .conditions
        .iter()
        .flatten()
        .filter(|condition| condition.status == "True")
        .map(|condition| condition.type_.as_str())
        .collect();
    let phase = status.phase.as_deref().unwrap_or_default();
    format!("{phase:9} | {} | {}", containers.join(", "), holds.join(" "))
}

fn told_container(status: &ContainerStatus) -> String {
    let state = status.state.as_ref().map(told_state).unwrap_or_default();
    let last = status
        .last_state
        .as_ref()
        .map(|last| format!(" after {}", told_state(last)))
        .unwrap_or_default();
    format!(
        "{}: {state}{last}, restarts {}",
        status.name, status.restart_count
    )
}

fn told_state(state: &ContainerState) -> String {
    if let Some(waiting) = &state.waiting {
        return waiting.reason.clone().unwrap_or_default();
    }
    match &state.terminated {
        Some(ended) => format!(
            "{} {}",
            ended.reason.as_deref().unwrap_or_default(),
            ended.exit_code
        ),
        None => "running".to_owned(),
    }
}

/// Applies changes one after the other and tells the status after each.
fn story(model: &mut Model, changes: Vec<(usize, Change)>) -> String {
    let mut lines = vec![told(&model.status(at(0)))];
    for (second, (container, change)) in (1..).zip(changes) {
        model.apply(container, change);
        lines.push(told(&model.status(at(second))));
    }
    model.end();
    lines.push(told(&model.status(at(60))));
    lines.join("\n")
}

#[test]
fn one_container_that_succeeds() {
    let mut model = model(&json!({"containers": [{"name": "main"}]}));
    insta::assert_snapshot!(story(&mut model, vec![(0, running(1)), (0, ended(0, 2)), (0, Change::Done)]), @r"
    Pending   | main: ContainerCreating, restarts 0 | PodScheduled Initialized
    Running   | main: running, restarts 0 | PodScheduled Initialized ContainersReady Ready
    Running   | main: Completed 0, restarts 0 | PodScheduled Initialized
    Running   | main: Completed 0, restarts 0 | PodScheduled Initialized
    Succeeded | main: Completed 0, restarts 0 | PodScheduled Initialized
    ");
}

#[test]
fn a_pod_has_the_address_of_its_node_from_the_start() {
    let mut model = model(&json!({"containers": [{"name": "main"}]}));
    let told = serde_json::to_value(model.status(at(0))).unwrap();
    assert_eq!(
        (&told["podIP"], &told["hostIP"]),
        (&json!(ADDRESS), &json!(ADDRESS))
    );
    let all = json!([{ "ip": ADDRESS }]);
    assert_eq!((&told["podIPs"], &told["hostIPs"]), (&all, &all));
}

#[test]
fn a_pod_that_cannot_run_here_says_why_in_the_place_of_its_containers() {
    let mut model = model(&json!({"containers": [{"name": "main"}]}));
    model.refuse(Verdict {
        reason: "CommandRequired".to_owned(),
        message: "write `command:`".to_owned(),
    });
    model.end();
    let status = model.status(at(1));
    assert_eq!(status.container_statuses, None);
    insta::assert_snapshot!(
        format!("{} {}: {}", status.phase.unwrap(), status.reason.unwrap(), status.message.unwrap()),
        @"Failed CommandRequired: write `command:`"
    );
}

#[test]
fn a_container_that_is_restarted() {
    let mut model = model(&json!({"containers": [{"name": "main"}]}));
    let changes = vec![
        (0, running(1)),
        (0, ended(1, 2)),
        (0, running(3)),
        (0, ended(2, 4)),
        (0, waiting()),
        (0, running(20)),
        (0, ended(0, 21)),
    ];
    insta::assert_snapshot!(story(&mut model, changes), @r"
    Pending   | main: ContainerCreating, restarts 0 | PodScheduled Initialized
    Running   | main: running, restarts 0 | PodScheduled Initialized ContainersReady Ready
    Running   | main: Error 1, restarts 0 | PodScheduled Initialized
    Running   | main: running after Error 1, restarts 1 | PodScheduled Initialized ContainersReady Ready
    Running   | main: Error 2 after Error 1, restarts 1 | PodScheduled Initialized
    Running   | main: CrashLoopBackOff after Error 2, restarts 1 | PodScheduled Initialized
    Running   | main: running after Error 2, restarts 2 | PodScheduled Initialized ContainersReady Ready
    Running   | main: Completed 0 after Error 2, restarts 2 | PodScheduled Initialized
    Succeeded | main: Completed 0 after Error 2, restarts 2 | PodScheduled Initialized
    ");
}

#[test]
fn a_process_that_never_starts_counts_its_restarts() {
    let mut model = model(&json!({"containers": [{"name": "main"}]}));
    insta::assert_snapshot!(story(&mut model, vec![(0, ended(127, 1)), (0, ended(127, 2))]), @r"
    Pending   | main: ContainerCreating, restarts 0 | PodScheduled Initialized
    Running   | main: Error 127, restarts 0 | PodScheduled Initialized
    Running   | main: Error 127 after Error 127, restarts 1 | PodScheduled Initialized
    Failed    | main: Error 127 after Error 127, restarts 1 | PodScheduled Initialized
    ");
}

#[test]
fn init_containers_come_first() {
    let mut model = model(&json!({"initContainers": [{"name": "init"}], "containers": [{"name": "main"}]}));
    let changes = vec![
        (0, running(1)),
        (0, ended(0, 2)),
        (1, running(3)),
        (1, ended(4, 4)),
    ];
    insta::assert_snapshot!(story(&mut model, changes), @r"
    Pending   | init: PodInitializing, restarts 0, main: PodInitializing, restarts 0 | PodScheduled
    Pending   | init: running, restarts 0, main: PodInitializing, restarts 0 | PodScheduled
    Pending   | init: Completed 0, restarts 0, main: PodInitializing, restarts 0 | PodScheduled Initialized
    Running   | init: Completed 0, restarts 0, main: running, restarts 0 | PodScheduled Initialized ContainersReady Ready
    Running   | init: Completed 0, restarts 0, main: Error 4, restarts 0 | PodScheduled Initialized
    Failed    | init: Completed 0, restarts 0, main: Error 4, restarts 0 | PodScheduled Initialized
    ");
}

#[test]
fn an_init_container_that_fails_for_good_fails_the_pod() {
    let mut model = model(&json!({"initContainers": [{"name": "init"}], "containers": [{"name": "main"}]}));
    insta::assert_snapshot!(story(&mut model, vec![(0, ended(1, 1)), (0, Change::Done)]), @r"
    Pending   | init: PodInitializing, restarts 0, main: PodInitializing, restarts 0 | PodScheduled
    Pending   | init: Error 1, restarts 0, main: PodInitializing, restarts 0 | PodScheduled
    Pending   | init: Error 1, restarts 0, main: PodInitializing, restarts 0 | PodScheduled
    Failed    | init: Error 1, restarts 0, main: PodInitializing, restarts 0 | PodScheduled
    ");
    assert!(model.init_failed());
}

#[test]
fn a_verdict_fails_the_pod_whatever_its_processes_say() {
    let mut model = model(&json!({"containers": [{"name": "main"}]}));
    model.apply(0, running(1));
    model.apply(0, ended(0, 2));
    let reason = "DeadlineExceeded".to_owned();
    model.verdict = Some(Verdict {
        reason,
        message: "too long".to_owned(),
    });
    assert_eq!(model.status(at(2)).reason, None, "it has not ended yet");
    model.end();
    let status = model.status(at(3));
    assert_eq!(status.phase.as_deref(), Some("Failed"));
    assert_eq!(status.reason.as_deref(), Some("DeadlineExceeded"));
}

#[test]
fn a_stop_of_the_node_fails_the_pod_unless_it_ends_well_in_its_grace() {
    for (code, phase, reason) in [(0, "Succeeded", None), (143, "Failed", Some("Terminated"))] {
        let mut model = model(&json!({"containers": [{"name": "main"}]}));
        model.apply(0, running(1));
        model.verdict = Some(Verdict::node_stopped());
        assert_eq!(model.status(at(2)).reason, None, "it has not ended yet");
        model.apply(0, ended(code, 3));
        model.end();
        let status = model.status(at(3));
        assert_eq!(
            (status.phase.as_deref(), status.reason.as_deref()),
            (Some(phase), reason)
        );
        let disrupted = status.conditions.iter().flatten();
        let disrupted = disrupted.filter(|condition| condition.type_ == "DisruptionTarget");
        assert_eq!(disrupted.count(), usize::from(code != 0));
    }
}

#[test]
fn nothing_waits_in_a_pod_that_has_ended_but_what_never_had_its_turn() {
    let one = json!({"containers": [{"name": "main"}]});
    let behind =
        json!({"initContainers": [{"name": "first"}, {"name": "second"}], "containers": [{"name": "main"}]});
    let after = |spec: &Value, changes: Vec<(usize, Change)>| {
        let mut model = model(spec);
        for (container, change) in changes {
            model.apply(container, change);
        }
        model.end();
        told(&model.status(at(9)))
    };
    let ends = [
        after(&one, vec![(0, waiting())]),
        after(&one, vec![(0, running(1)), (0, ended(1, 2)), (0, waiting())]),
        after(&behind, vec![(0, running(1)), (0, ended(1, 2)), (0, waiting())]),
        after(
            &behind,
            vec![
                (0, running(1)),
                (0, ended(0, 2)),
                (1, running(3)),
                (1, ended(0, 4)),
                (2, waiting()),
            ],
        ),
    ];
    insta::assert_snapshot!(ends.join("\n"), @r"
    Failed    | main: ContainerStatusUnknown 137, restarts 0 | PodScheduled Initialized
    Failed    | main: ContainerStatusUnknown 137 after Error 1, restarts 0 | PodScheduled Initialized
    Failed    | first: ContainerStatusUnknown 137 after Error 1, restarts 0, second: PodInitializing, restarts 0, main: PodInitializing, restarts 0 | PodScheduled
    Failed    | first: Completed 0, restarts 0, second: Completed 0, restarts 0, main: ContainerStatusUnknown 137, restarts 0 | PodScheduled Initialized
    ");
    let mut model = model(&one);
    model.apply(0, waiting());
    model.end();
    let status = model.status(at(9)).container_statuses.unwrap().remove(0);
    let message = status.state.unwrap().terminated.unwrap().message.unwrap();
    insta::assert_snapshot!(message, @"The container waited when the pod was terminated (CrashLoopBackOff: back-off 10s)");
}

#[test]
fn a_condition_keeps_the_time_of_its_last_change() {
    let mut model = model(&json!({"containers": [{"name": "main"}]}));
    model.status(at(0));
    model.apply(0, running(5));
    model.status(at(5));
    let status = model.status(at(9));
    let since = |name: &str| {
        let mut conditions = status.conditions.iter().flatten();
        let condition = conditions.find(|condition| condition.type_ == name).unwrap();
        condition.last_transition_time.clone().unwrap().0.as_second() - at(0).timestamp()
    };
    assert_eq!((since("PodScheduled"), since("Ready")), (0, 5));
}

#[test]
fn a_sidecar_that_fails_after_its_start_holds_nobody_up() {
    let spec = json!({
        "initContainers": [{"name": "side", "restartPolicy": "Always"}, {"name": "init"}],
        "containers": [{"name": "main"}],
    });
    let turns = |model: &Model| [1, 2].map(|container| model.is_turn_of(container));
    let mut side = model(&spec);
    side.apply(0, ended(127, 1));
    assert_eq!(turns(&side), [false, false], "no process of it was started");
    side.apply(0, running(2));
    side.apply(0, ended(1, 3));
    side.apply(0, waiting());
    assert_eq!(turns(&side), [true, false]);
    side.apply(1, running(4));
    side.apply(1, ended(0, 5));
    assert_eq!(turns(&side), [true, true]);
    // Twice it could not even be started again: who comes later was, and is to be followed.
    side.apply(2, running(6));
    side.apply(0, ended(127, 7));
    side.apply(0, ended(127, 8));
    assert_eq!(turns(&side), [true, true]);
    assert_eq!(side.phase(), Phase::Running);
}
