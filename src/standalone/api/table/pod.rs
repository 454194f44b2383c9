//! The cells of a pod, whose one word of status is made of everything that its containers go through.

use serde_json::{Value, json};

use super::cells::{NONE, elements, text};
use super::human::{human, moment};
use crate::schedule::Timestamp;
use crate::standalone::api::meta;

/// The cells of a pod.
pub(super) fn cells(pod: &Value, name: &Value, age: &Value, now: Timestamp) -> Vec<Value> {
    let summary = Summary::of(pod);
    let restarts = match summary.restarts.last {
        Some(last) if summary.restarts.count > 0 => {
            format!("{} ({} ago)", summary.restarts.count, human(now - last))
        }
        _ => summary.restarts.count.to_string(),
    };
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let or_none = |value: &Value| json!(value.as_str().filter(|text| !text.is_empty()).unwrap_or(NONE));
    vec![
        name.clone(),
        json!(format!("{}/{}", summary.ready, summary.total)),
        json!(summary.reason),
        json!(restarts),
        age.clone(),
        or_none(&status["podIPs"][0]["ip"]),
        or_none(&spec["nodeName"]),
        or_none(&status["nominatedNodeName"]),
        json!(readiness_gates(pod)),
    ]
}

/// What the containers of a pod come to.
struct Summary {
    reason: String,
    ready: usize,
    total: usize,
    restarts: Restarts,
}

/// How often, and when last.
#[derive(Debug, Clone, Copy, Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count += status["restartCount"].as_i64().unwrap_or_default();
        self.last = self
            .last
            .max(moment(&status["lastState"]["terminated"]["finishedAt"]));
    }
}

impl Summary {
    fn of(pod: &Value) -> Self {
        let (spec, status) = (&pod["spec"], &pod["status"]);
        let phase = text(&status["phase"]);
        let mut summary = Self {
            reason: status["reason"].as_str().unwrap_or(phase).to_owned(),
            ready: 0,
            total: elements(&spec["containers"]).count(),
            restarts: Restarts::default(),
        };
        let gated = elements(&status["conditions"])
            .any(|condition| condition["type"] == "PodScheduled" && condition["reason"] == "SchedulingGated");
        if gated {
            "SchedulingGated".clone_into(&mut summary.reason);
        }
        let sidecars = summary.initialize(pod);
        if let Some(sidecars) = sidecars {
            summary.restarts = sidecars;
            summary.run(pod);
        }
        let has_ended = ["Succeeded", "Failed"].contains(&phase);
        if meta::is_deleting(pod) {
            if status["reason"] == "NodeLost" {
                "Unknown".clone_into(&mut summary.reason);
            } else if !has_ended {
                "Terminating".clone_into(&mut summary.reason);
            }
        }
        summary
    }

    /// Looks at the init containers: the restarts of those that go on beside the others, or `None` while the pod is
    /// still being initialized.
    fn initialize(&mut self, pod: &Value) -> Option<Restarts> {
        let (spec, status) = (&pod["spec"], &pod["status"]);
        let is_sidecar = |name: &Value| {
            elements(&spec["initContainers"])
                .any(|container| &container["name"] == name && container["restartPolicy"] == "Always")
        };
        let init_containers = elements(&spec["initContainers"]).count();
        self.total += elements(&spec["initContainers"])
            .filter(|container| container["restartPolicy"] == "Always")
            .count();
        let mut sidecars = Restarts::default();
        let mut initialized = true;
        for (index, container) in elements(&status["initContainerStatuses"]).enumerate() {
            self.restarts.add(container);
            let state = &container["state"];
            if is_sidecar(&container["name"]) {
                sidecars.add(container);
                if state["terminated"]["exitCode"] != 0 && container["started"] == true {
                    self.ready += usize::from(container["ready"] == true);
                    continue;
                }
            }
            if state["terminated"]["exitCode"] == 0 {
                continue;
            }
            let waiting = text(&state["waiting"]["reason"]);
            self.reason = if state["terminated"].is_object() {
                format!("Init:{}", ended(&state["terminated"]))
            } else if !waiting.is_empty() && waiting != "PodInitializing" {
                format!("Init:{waiting}")
            } else {
                format!("Init:{index}/{init_containers}")
            };
            initialized = false;
            break;
        }
        (initialized || is_true(pod, "Initialized")).then_some(sidecars)
    }

    /// Looks at the containers proper. The first one has the last word.
    fn run(&mut self, pod: &Value) {
        let mut runs = false;
        let mut failure = None;
        for container in elements(&pod["status"]["containerStatuses"]).rev() {
            self.restarts.add(container);
            let state = &container["state"];
            let waiting = text(&state["waiting"]["reason"]);
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.reason);
            } else if state["terminated"].is_object() {
                self.reason = ended(&state["terminated"]);
                if state["terminated"]["exitCode"] != 0 {
                    failure = Some(self.reason.clone());
                }
            } else if container["ready"] == true && state["running"].is_object() {
                runs = true;
                self.ready += 1;
            }
        }
        // One that has completed does not hide one that runs, or one that failed.
        if self.reason == "Completed" {
            if runs && is_true(pod, "Ready") {
                "Running".clone_into(&mut self.reason);
            } else if let Some(failure) = failure {
                self.reason = failure;
            } else if runs {
                "NotReady".clone_into(&mut self.reason);
            }
        }
    }
}

/// How a container ended: the reason, else the signal, else the exit code.
fn ended(terminated: &Value) -> String {
    let signal = terminated["signal"].as_i64().unwrap_or_default();
    match (text(&terminated["reason"]), signal) {
        ("", 0) => format!("ExitCode:{}", terminated["exitCode"].as_i64().unwrap_or_default()),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn is_true(pod: &Value, condition: &str) -> bool {
    elements(&pod["status"]["conditions"])
        .any(|known| known["type"] == condition && known["status"] == "True")
}

fn readiness_gates(pod: &Value) -> String {
    let gates: Vec<&str> = elements(&pod["spec"]["readinessGates"])
        .map(|gate| text(&gate["conditionType"]))
        .collect();
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let open = gates.iter().filter(|gate| is_true(pod, gate)).count();
    format!("{open}/{}", gates.len())
}
