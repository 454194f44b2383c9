//! What stands in the columns of each resource.

use serde_json::{Value, json};

use super::human::{human, moment, since};
use super::pod;
use crate::schedule::Timestamp;
use crate::standalone::api::meta;
use crate::standalone::api::resource::Resource;

/// What a cell says where there is nothing.
pub(super) const NONE: &str = "<none>";

/// What a cell says where something should be known.
const UNKNOWN: &str = "<unknown>";

/// The cells of an object, one for each column.
pub(super) fn of(resource: &Resource, object: &Value, now: Timestamp) -> Vec<Value> {
    let name = json!(meta::name(object));
    let age = json!(since(&object["metadata"]["creationTimestamp"], now));
    match resource.kind {
        "ConfigMap" => vec![
            name,
            json!(count(&object["data"]) + count(&object["binaryData"])),
            age,
        ],
        "CronJob" => cron_job(object, &name, &age, now),
        "Event" => event(object, &name, now),
        "Job" => job(object, &name, &age, now),
        "Lease" => vec![name, json!(text(&object["spec"]["holderIdentity"])), age],
        "Namespace" => vec![name, json!(text(&object["status"]["phase"])), age],
        "Node" => node(object, &name, &age),
        "Pod" => pod::cells(object, &name, &age, now),
        "Secret" => vec![
            name,
            json!(text(&object["type"])),
            json!(count(&object["data"])),
            age,
        ],
        "Service" => service(object, &name, &age),
        _ => vec![name, age],
    }
}

/// What kubectl may hide a row for: that a pod has ended.
pub(super) fn conditions(resource: &Resource, object: &Value) -> Value {
    let phase = text(&object["status"]["phase"]);
    let message = match (resource.kind, phase) {
        ("Pod", "Succeeded") => "The pod has completed successfully.",
        ("Pod", "Failed") => "The pod failed.",
        _ => return Value::Null,
    };
    json!([{ "type": "Completed", "status": "True", "reason": phase, "message": message }])
}

/// A text; empty when it is not there.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The elements of a list; none when it is not there.
pub(super) fn elements(value: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn count(value: &Value) -> usize {
    value.as_object().map_or(0, serde_json::Map::len)
}

/// A text, or what stands for it where it is empty.
fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

fn cron_job(object: &Value, name: &Value, age: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let suspend = match spec["suspend"].as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = moment(&status["lastScheduleTime"]).map_or_else(|| NONE.to_owned(), |then| human(now - then));
    let template = &spec["jobTemplate"]["spec"];
    let mut cells = vec![
        name.clone(),
        json!(text(&spec["schedule"])),
        json!(spec["timeZone"].as_str().unwrap_or(NONE)),
        json!(suspend),
        json!(elements(&status["active"]).count()),
        json!(last),
        age.clone(),
    ];
    cells.extend(containers(&template["template"]));
    cells.push(json!(described(&template["selector"])));
    cells
}

fn job(object: &Value, name: &Value, age: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let succeeded = status["succeeded"].as_i64().unwrap_or_default();
    let completions = match (spec["completions"].as_i64(), spec["parallelism"].as_i64()) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, Some(workers)) if workers > 1 => format!("{succeeded}/1 of {workers}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let end = moment(&status["completionTime"]).unwrap_or(now);
    let duration = moment(&status["startTime"]).map_or_else(String::new, |start| human(end - start));
    let mut cells = vec![
        name.clone(),
        json!(job_status(object)),
        json!(completions),
        json!(duration),
        age.clone(),
    ];
    cells.extend(containers(&spec["template"]));
    cells.push(json!(described(&spec["selector"])));
    cells
}

/// A label selector as it is typed.
fn described(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let mut rules: Vec<(&str, String)> = labels
        .map(|(label, value)| (label.as_str(), format!("{label}={}", text(value))))
        .collect();
    for rule in elements(&selector["matchExpressions"]) {
        let key = text(&rule["key"]);
        let values: Vec<&str> = elements(&rule["values"]).map(text).collect();
        let values = values.join(",");
        let rule = match text(&rule["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        rules.push((key, rule));
    }
    rules.sort();
    let rules: Vec<String> = rules.into_iter().map(|(_, rule)| rule).collect();
    or(&rules.join(","), NONE).to_owned()
}

/// A Job's state in a word, the most final first.
fn job_status(job: &Value) -> &'static str {
    let has = |kind: &str| {
        elements(&job["status"]["conditions"])
            .any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    match () {
        () if has("Complete") => "Complete",
        () if has("Failed") => "Failed",
        () if meta::is_deleting(job) => "Terminating",
        () if has("Suspended") => "Suspended",
        () if has("FailureTarget") => "FailureTarget",
        () if has("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

/// The names and the images of a template's containers.
fn containers(template: &Value) -> [Value; 2] {
    ["name", "image"].map(|field| {
        let listed: Vec<&str> = elements(&template["spec"]["containers"])
            .map(|container| text(&container[field]))
            .collect();
        json!(listed.join(","))
    })
}

fn event(object: &Value, name: &Value, now: Timestamp) -> Vec<Value> {
    // The other form of events has the same under other names.
    let either = |core: &str, events: &str| {
        let value = &object[core];
        if value.is_null() {
            object[events].clone()
        } else {
            value.clone()
        }
    };
    let seen = |value: &Value| moment(value).map(|then| human(now - then));
    let first = seen(&either("firstTimestamp", "deprecatedFirstTimestamp"))
        .or_else(|| seen(&object["eventTime"]))
        .unwrap_or_else(|| UNKNOWN.to_owned());
    let series = &object["series"];
    let last = if series.is_object() {
        since(&series["lastObservedTime"], now)
    } else {
        seen(&either("lastTimestamp", "deprecatedLastTimestamp")).unwrap_or_else(|| first.clone())
    };
    let counted = if series.is_object() {
        series["count"].as_i64()
    } else {
        either("count", "deprecatedCount").as_i64()
    };
    let about = either("involvedObject", "regarding");
    let source = either("source", "deprecatedSource");
    let component = or(text(&source["component"]), text(&object["reportingComponent"]));
    let component = or(component, text(&object["reportingController"]));
    let host = or(text(&source["host"]), text(&object["reportingInstance"]));
    let source = if host.is_empty() {
        component.to_owned()
    } else {
        format!("{component}, {host}")
    };
    let kind = text(&about["kind"]).to_lowercase();
    let target = match text(&about["name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let message = either("message", "note");
    vec![
        json!(last),
        json!(text(&object["type"])),
        json!(text(&object["reason"])),
        json!(target),
        json!(text(&about["fieldPath"])),
        json!(source),
        json!(text(&message).trim()),
        json!(first),
        json!(counted.filter(|count| *count != 0).unwrap_or(1)),
        name.clone(),
    ]
}

/// The one service there is has a cluster IP and nothing in front of it.
fn service(object: &Value, name: &Value, age: &Value) -> Vec<Value> {
    let spec = &object["spec"];
    let port = |port: &Value| format!("{}/{}", port["port"], text(&port["protocol"]));
    let ports: Vec<String> = elements(&spec["ports"]).map(port).collect();
    vec![
        name.clone(),
        json!(text(&spec["type"])),
        json!(or(text(&spec["clusterIP"]), NONE)),
        json!(NONE),
        json!(or(&ports.join(","), NONE)),
        age.clone(),
        json!(NONE),
    ]
}

fn node(object: &Value, name: &Value, age: &Value) -> Vec<Value> {
    let (status, info) = (&object["status"], &object["status"]["nodeInfo"]);
    let ready = elements(&status["conditions"]).find(|condition| condition["type"] == "Ready");
    let mut states = vec![match ready.map(|condition| text(&condition["status"])) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }];
    if object["spec"]["unschedulable"] == true {
        states.push("SchedulingDisabled");
    }
    let address = |kind: &str| {
        let mut addresses = elements(&status["addresses"]);
        let found = addresses.find(|address| address["type"] == kind);
        json!(found.map_or(NONE, |address| text(&address["address"])))
    };
    let kernel = or(text(&info["kernelVersion"]), UNKNOWN);
    let kernel = match text(&info["architecture"]) {
        "" => kernel.to_owned(),
        architecture => format!("{kernel} ({architecture})"),
    };
    vec![
        name.clone(),
        json!(states.join(",")),
        json!(or(&roles(object), NONE)),
        age.clone(),
        json!(text(&info["kubeletVersion"])),
        address("InternalIP"),
        address("ExternalIP"),
        json!(or(text(&info["osImage"]), UNKNOWN)),
        json!(kernel),
        json!(or(text(&info["containerRuntimeVersion"]), UNKNOWN)),
    ]
}

/// The roles that a node's labels give it.
fn roles(node: &Value) -> String {
    let labels = node["metadata"]["labels"].as_object();
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(label, value)| match label.as_str() {
            "kubernetes.io/role" => value.as_str(),
            label => label.strip_prefix("node-role.kubernetes.io/"),
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles.join(",")
}
