//! What a request of the controller asks for.

use std::fmt;

use axum::body::Body;
use http::{Method, Request};
use punctual::cronjob::Key;
use serde_json::Value;

use crate::language::{Verb, Watched, name};

/// The longest body that is read, which no object of a script comes near.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request that has to do with CronJobs and Jobs.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) verb: Verb,
    /// What is listed or watched, or what the object is.
    pub(super) resource: Watched,
    pub(super) is_watch: bool,
    /// The object; its name is empty for a list.
    pub(super) object: Key,
    /// The object that is to be created.
    pub(super) body: Value,
}

impl Asked {
    /// Reads a request, which is handed back as it was; `None` when it is about something else.
    pub(super) async fn read(request: Request<kube::client::Body>) -> (Option<Asked>, Request<Body>) {
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(Body::new(body), BODY_BYTES_MAX)
            .await
            .unwrap_or_default();
        let asked = classify(
            &parts.method,
            parts.uri.path(),
            parts.uri.query().unwrap_or_default(),
            &bytes,
        );
        (asked, Request::from_parts(parts, Body::from(bytes)))
    }

    /// Whether it changes something, or asks for one object: what an output lists.
    pub(super) fn matters(&self) -> bool {
        self.verb != Verb::List
    }
}

fn classify(method: &Method, path: &str, query: &str, body: &[u8]) -> Option<Asked> {
    let path = path.strip_prefix("/apis/batch/v1/")?;
    let mut parts: Vec<&str> = path.split('/').collect();
    let mut namespace = "";
    if parts.first() == Some(&"namespaces") {
        namespace = parts.get(1)?;
        parts.drain(..2);
    }
    let resource = match *parts.first()? {
        "cronjobs" => Watched::CronJobs,
        "jobs" => Watched::Jobs,
        _ => return None,
    };
    let verb = match (method.as_str(), parts.len()) {
        ("POST", 1) => Verb::Create,
        ("DELETE", 2) => Verb::Delete,
        ("PUT" | "PATCH", 3) => Verb::Status,
        ("GET", 2) => Verb::Read,
        ("GET", 1) => Verb::List,
        _ => return None,
    };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = parts.get(1).copied().or(body["metadata"]["name"].as_str());
    Some(Asked {
        verb,
        resource,
        is_watch: query.contains("watch=true"),
        object: Key {
            namespace: namespace.to_owned(),
            name: named.unwrap_or_default().to_owned(),
        },
        body,
    })
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.resource {
            Watched::CronJobs => "cronjob",
            Watched::Jobs => "job",
        };
        let object = name(&self.object);
        match self.verb {
            Verb::Create => write!(f, "create {what} {object}"),
            Verb::Delete => write!(f, "delete {what} {object}"),
            Verb::Status => write!(f, "write status of {object}"),
            Verb::Read => write!(f, "read {what} {object}"),
            Verb::List => write!(f, "list {what}s"),
        }
    }
}

impl Asked {
    /// The request without its object, to count requests of the same kind.
    pub(super) fn kind(&self) -> String {
        let object = Key {
            namespace: "default".into(),
            name: "…".into(),
        };
        Asked {
            object,
            ..self.clone()
        }
        .to_string()
    }
}
