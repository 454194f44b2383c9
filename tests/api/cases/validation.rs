//! What objects may hold: files of objects that break rules, and what kube-apiserver says of each, word for word.
//!
//! A case is a paragraph: what is changed of an object that is right, a word for the part and its fields, and below it
//! what the server answers, causes in its order. Lines that begin with `then` change the object once it is there, and what
//! is answered to that is below. `UPDATE_VALIDATION=1` with a real server writes the answers anew:
//!
//! ```text
//! UPDATE_VALIDATION=1 KUBEBUILDER_ASSETS=… cargo test --test api cluster::validation
//! ```
//!
//! DIFFERENCE: on an update, and of fields that several rules of it look at, kube-apiserver says some causes twice; here
//! each is said once. What is shown of an object that is wrong as a whole are its fields, where kube-apiserver shows its own types.

use std::fmt::Write as _;
use std::path::PathBuf;

use http::header::WARNING;
use kube::client::Body;
use serde_json::{Map, Value, json};

use crate::cluster::Cluster;

pub(crate) async fn metadata(cluster: Cluster) {
    check(&cluster, "metadata").await;
}

pub(crate) async fn config_maps_and_secrets(cluster: Cluster) {
    check(&cluster, "data").await;
}

pub(crate) async fn small_kinds(cluster: Cluster) {
    check(&cluster, "small").await;
}

pub(crate) async fn jobs(cluster: Cluster) {
    check(&cluster, "jobs").await;
}

pub(crate) async fn statuses_of_jobs(cluster: Cluster) {
    check(&cluster, "statuses").await;
}

pub(crate) async fn changes(cluster: Cluster) {
    check(&cluster, "updates").await;
}

pub(crate) async fn where_pods_are_put(cluster: Cluster) {
    check(&cluster, "scheduling").await;
}

pub(crate) async fn pods(cluster: Cluster) {
    check(&cluster, "pods").await;
}

pub(crate) async fn containers(cluster: Cluster) {
    check(&cluster, "containers").await;
}

pub(crate) async fn what_containers_use(cluster: Cluster) {
    check(&cluster, "resources").await;
}

pub(crate) async fn what_is_likely_not_meant(cluster: Cluster) {
    check(&cluster, "warnings").await;
}

pub(crate) async fn volumes(cluster: Cluster) {
    check(&cluster, "volumes").await;
}

/// What begins a line that says how an object is changed once it is there.
const THEN: &str = "then ";

/// How much of a message is compared: rules with a regular expression in them are long.
const MESSAGE_MAX: usize = 110;

/// The parts of a Job that have a word of their own, the longest first.
const PARTS: [(&str, &str); 3] = [
    ("spec.template.spec.containers[0].", "container."),
    ("spec.template.spec.", "pod."),
    ("spec.jobTemplate.spec.template.spec.", "pod of cronjob."),
];

/// Tries the cases of a file.
async fn check(cluster: &Cluster, file: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/api/cases/validation"]
        .iter()
        .collect();
    let path = path.join(file).with_extension("txt");
    let written = std::fs::read_to_string(&path).expect("the file of the cases");
    let mut found = String::new();
    for paragraph in written.trim_end().split("\n\n") {
        let is_changed = |line: &&str| !line.starts_with("  ");
        let lines: Vec<&str> = paragraph.lines().filter(is_changed).collect();
        writeln!(found, "{}", lines.join("\n")).unwrap();
        let changes: Vec<&str> = lines.into_iter().filter(|line| !line.starts_with('#')).collect();
        if !changes.is_empty() {
            let answer = match changes.last().and_then(|change| change.strip_prefix("status ")) {
                Some(status) => answer_of_status(cluster, &changes, status).await,
                None if changes.iter().any(|change| change.starts_with(THEN)) => {
                    answer_of_update(cluster, &changes).await
                }
                None => answer_of_create(cluster, &object(&changes)).await,
            };
            found.push_str(&answer);
        }
        found.push('\n');
    }
    let found = format!("{}\n", found.trim_end());
    if !cluster.is_embedded() && std::env::var_os("UPDATE_VALIDATION").is_some() {
        std::fs::write(&path, &found).expect("the file is written");
    } else {
        compare(&written, &found);
    }
}

/// Fails with the paragraphs that differ.
fn compare(written: &str, found: &str) {
    let differing: Vec<String> = written
        .split("\n\n")
        .zip(found.split("\n\n"))
        .filter(|(written, found)| written.trim_end() != found.trim_end())
        .map(|(written, found)| format!("expected:\n{written}\nfound:\n{found}\n"))
        .collect();
    assert!(written.trim_end() == found.trim_end(), "{}", differing.join("\n"));
}

/// The object that the lines of a case describe: `word {fields}`.
fn object(changes: &[&str]) -> Value {
    let first = changes[0].split(' ').next().unwrap_or_default();
    let mut object = base(first);
    change(
        &mut object,
        changes.iter().filter(|change| !change.starts_with(THEN)),
    );
    object
}

/// Changes an object as the lines say.
fn change<'a>(object: &mut Value, changes: impl Iterator<Item = &'a &'a str>) {
    for change in changes {
        let (word, fields) = change.split_once(' ').expect("a word and fields");
        let fields: Map<String, Value> = serde_json::from_str(fields).expect("fields as JSON");
        let part = match word {
            "meta" => "/metadata",
            "before" | "status" => continue,
            "template" => "/spec/template/metadata",
            "pod" => "/spec/template/spec",
            "container" => "/spec/template/spec/containers/0",
            "job" | "cronjob" | "bare" | "lease" => "/spec",
            _ => "",
        };
        let part = object.pointer_mut(part).and_then(Value::as_object_mut);
        let part = part.expect("the part is there");
        for (field, value) in fields {
            match value {
                Value::Null => drop(part.remove(&field)),
                value => drop(part.insert(field, value)),
            }
        }
    }
}

/// An object that is right.
fn base(word: &str) -> Value {
    let pod = json!({ "restartPolicy": "Never", "containers": [{ "name": "main", "image": "x:1" }] });
    let job = json!({ "template": { "metadata": {}, "spec": pod } });
    let (version, kind, fields) = match word {
        "cronjob" => {
            let spec = json!({ "schedule": "5 5 * * *", "jobTemplate": { "spec": job } });
            ("batch/v1", "CronJob", json!({ "spec": spec }))
        }
        "bare" => ("v1", "Pod", json!({ "spec": pod })),
        "configmap" => ("v1", "ConfigMap", json!({})),
        "secret" => ("v1", "Secret", json!({})),
        "namespace" => ("v1", "Namespace", json!({})),
        "serviceaccount" => ("v1", "ServiceAccount", json!({})),
        "event" => ("v1", "Event", json!({ "involvedObject": {} })),
        "newevent" => ("events.k8s.io/v1", "Event", json!({ "regarding": {} })),
        "lease" => ("coordination.k8s.io/v1", "Lease", json!({ "spec": {} })),
        _ => ("batch/v1", "Job", json!({ "spec": job })),
    };
    let mut object = json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "a" } });
    for (field, value) in fields.as_object().expect("fields") {
        object[field] = value.clone();
    }
    object
}

/// What the server answers when the object is created.
async fn answer_of_create(cluster: &Cluster, object: &Value) -> String {
    let path = format!("{}?dryRun=All", cluster.path_of(object));
    answer(cluster, ("POST", "application/json"), &path, &object.to_string()).await
}

/// What the server answers when a Job is given a status.
async fn answer_of_status(cluster: &Cluster, changes: &[&str], status: &str) -> String {
    let (path, _) = created(cluster, changes).await;
    let path = format!("{path}/status?dryRun=All");
    answer(cluster, MERGE, &path, &of_status(status)).await
}

/// What the server answers when an object is changed by the lines that begin with `then`.
async fn answer_of_update(cluster: &Cluster, changes: &[&str]) -> String {
    let (path, mut object) = created(cluster, changes).await;
    let then: Vec<&str> = changes
        .iter()
        .filter_map(|change| change.strip_prefix(THEN))
        .collect();
    change(&mut object, then.iter());
    let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
    let path = format!("{path}?dryRun=All");
    let answer = answer(cluster, ("PUT", "application/json"), &path, &object.to_string()).await;
    answer.replace(&name, "NAME")
}

/// An object that is there, with the status that `before` says, and its path.
async fn created(cluster: &Cluster, changes: &[&str]) -> (String, Value) {
    let mut object = object(changes);
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    metadata.remove("name");
    metadata.insert("generateName".to_owned(), "a-".into());
    let created = cluster.create(object).await;
    let name = created["metadata"]["name"].as_str().expect("a name");
    let path = format!("{}/{name}", cluster.path_of(&created));
    if let Some(before) = changes.iter().find_map(|change| change.strip_prefix("before ")) {
        let set = answer(cluster, MERGE, &format!("{path}/status"), &of_status(before)).await;
        assert_eq!(set.trim(), "accepted", "{before}");
    }
    let created = cluster.send("GET", &path, None).await.expect("the object");
    (path, created)
}

/// How an object is patched.
const MERGE: (&str, &str) = ("PATCH", "application/merge-patch+json");

fn of_status(status: &str) -> String {
    format!("{{\"status\": {status}}}")
}

/// What the server answers, as lines.
async fn answer(cluster: &Cluster, (method, media_type): (&str, &str), path: &str, body: &str) -> String {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", media_type)
        // Programs that say nothing of themselves are this one's own.
        .header("user-agent", "tests")
        .body(Body::from(
            body.replace("NAMESPACE", &cluster.namespace).into_bytes(),
        ));
    let answer = cluster
        .client
        .send(request.expect("a request"))
        .await
        .expect("an answer");
    let (head, body) = answer.into_parts();
    let body = body.collect_bytes().await.expect("a body");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let mut lines = match (head.status.as_u16(), body["details"]["causes"].as_array()) {
        (200..300, _) => vec!["accepted".to_owned()],
        (422, Some(causes)) => causes.iter().map(cause).collect(),
        (code, _) => vec![format!("{code} {}", body["reason"].as_str().unwrap_or_default())],
    };
    let warnings = head
        .headers
        .get_all(WARNING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    lines.extend(warnings.map(|text| format!("warned: {}", text.trim_start_matches("299 - "))));
    let mut said: Vec<String> = Vec::new();
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    for line in lines {
        let line = PARTS
            .iter()
            .fold(line, |line, (path, word)| line.replace(path, word));
        let line = line.replace(&cluster.namespace, "NAMESPACE");
        let words = line.split('\'').map(|word| if is_id(word) { "ID" } else { word });
        let line = words.collect::<Vec<_>>().join("'");
        if !said.contains(&line) {
            said.push(line);
        }
    }
    // kube-apiserver goes through the entries of a map in any order.
    for run in said.chunk_by_mut(|one, next| map(one) == map(next)) {
        run.sort();
    }
    format!("  {}\n", said.join("\n  "))
}

/// The field that a line is about, without what stands in it.
fn map(line: &str) -> &str {
    line.split(['[', ':']).next().unwrap_or_default()
}

fn cause(cause: &Value) -> String {
    let text = |field: &str| cause[field].as_str().unwrap_or_default();
    let mut message = text("message").to_owned();
    // Objects are shown as their types are called, which is a matter of the server's language.
    for (open, close) in [("Invalid value: {", "}: "), ("Invalid value: [{", "}]: ")] {
        if let Some((_, rule)) = message
            .strip_prefix(open)
            .and_then(|rest| rest.rsplit_once(close))
        {
            message = format!("{open}…{close}{rule}");
        }
    }
    if let Some((cut, _)) = message.char_indices().nth(MESSAGE_MAX) {
        message.truncate(cut);
        message.push('…');
    }
    let reason = text("reason").replace("FieldValue", "");
    format!("{}: {reason}: {message}", text("field"))
}
