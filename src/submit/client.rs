//! The client that everything is sent through: requests are counted, `Retry-After` is understood, and a replica that
//! does not lead writes nothing.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use kube::Client;
use kube::client::Body;
use kube::core::Status;
use kube::core::response::StatusDetails;

use crate::clock::SharedClock;
use crate::schedule::Timestamp;
use crate::telemetry::{Metrics, RequestLabel};

/// Whether this replica may write at this moment.
pub type Gate = Arc<dyn Fn() -> bool + Send + Sync>;

/// A gate that is always open.
pub fn open_gate() -> Gate {
    Arc::new(|| true)
}

/// Not sent: this replica does not lead any more.
#[derive(Debug, thiserror::Error)]
#[error("not sent, because another replica leads")]
struct NotLeading;

/// `client`, with every request counted in `metrics`, every answer's time compared with `clock`, and every write behind
/// `gate`.
pub fn watched_client(client: &Client, metrics: &Metrics, clock: &SharedClock, gate: Gate) -> Client {
    let (inner, metrics, clock) = (client.clone(), metrics.clone(), Arc::clone(clock));
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, metrics, gate) = (inner.clone(), metrics.clone(), Arc::clone(&gate));
        let clock = Arc::clone(&clock);
        async move {
            if request.method() != Method::GET && !gate() {
                return Err(tower::BoxError::from(NotLeading));
            }
            send(&client, &metrics, &clock, request).await.map_err(Into::into)
        }
    });
    Client::new(service, namespace)
}

async fn send(
    client: &Client,
    metrics: &Metrics,
    clock: &SharedClock,
    request: Request<Body>,
) -> kube::Result<Response<Body>> {
    let asked = Asked::of(&request);
    let sent = Instant::now();
    let answer = client.send(request).await;
    let code = answer.as_ref().map_or(0, |response| response.status().as_u16());
    let label = RequestLabel {
        verb: asked.verb,
        resource: asked.resource,
        code,
    };
    let seconds = (asked.verb != "watch").then(|| sent.elapsed().as_secs_f64());
    metrics.count_request(&label, seconds);
    let skew = answer
        .as_ref()
        .ok()
        .and_then(|response| clock_skew(response.headers(), clock.now()));
    if let Some(seconds) = skew {
        metrics.set_clock_skew(seconds);
    }
    answer.map(understand_retry_after)
}

/// kube-apiserver turns requests away with a header and a word (API priority and fairness), which kube's errors do not
/// carry: it is told as the `Status` that it would have been.
fn understand_retry_after(response: Response<Body>) -> Response<Body> {
    let turned_away = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    let code = response.status();
    let Some(seconds) = retry_after_seconds(response.headers()).filter(|_| turned_away.contains(&code))
    else {
        return response;
    };
    let details = StatusDetails {
        name: String::new(),
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: vec![],
        retry_after_seconds: seconds,
    };
    let message = format!("the API server is busy and asked to be left alone for {seconds} s");
    let status = Status::failure(&message, "TooManyRequests")
        .with_code(code.as_u16())
        .with_details(details);
    // A `Status` of plain strings and numbers can always be written.
    let body = serde_json::to_vec(&status).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, json);
    Response::from_parts(parts, Body::from(body))
}

/// How many seconds `now` is ahead of the time at which the server answered. That is told in whole seconds, so half of
/// one has passed since, as good as can be said.
fn clock_skew(headers: &HeaderMap, now: Timestamp) -> Option<f64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let answered = chrono::DateTime::parse_from_rfc2822(date).ok()?.to_utc();
    Some((now - answered).as_seconds_f64() - 0.5)
}

/// The header as a number of seconds, which is how kube-apiserver writes it.
fn retry_after_seconds(headers: &HeaderMap) -> Option<u32> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().filter(|seconds| *seconds > 0)
}

/// What a request asks for, in the words of the metrics.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    verb: &'static str,
    resource: &'static str,
}

impl Asked {
    fn of(request: &Request<Body>) -> Self {
        Asked::from(request.method(), request.uri().path(), request.uri().query())
    }

    /// `/apis/batch/v1/namespaces/a/jobs/b/status?…`: after the group's version, and the namespace if there is one,
    /// come the resource, the name and the subresource.
    fn from(method: &Method, path: &str, query: Option<&str>) -> Self {
        let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let root = if segments.first() == Some(&"api") { 2 } else { 3 };
        segments.drain(..root.min(segments.len()));
        if segments.len() > 2 && segments[0] == "namespaces" {
            segments.drain(..2);
        }
        let named = segments.len() > 1;
        let resource = match (segments.first().copied(), segments.get(2).copied()) {
            (Some("cronjobs"), Some("status")) => "cronjobs/status",
            (Some("cronjobs"), None) => "cronjobs",
            (Some("jobs"), None) => "jobs",
            (Some("events"), None) => "events",
            (Some("leases"), None) => "leases",
            _ => "other",
        };
        let watch = query.is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
        let verb = match method.as_str() {
            "GET" if watch => "watch",
            "GET" if named => "get",
            "GET" => "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => "delete",
            _ => "other",
        };
        Asked { verb, resource }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use kube::Api;
    use kube::api::DeleteParams;

    use crate::clock::SystemClock;
    use crate::submit::{JobView, Retry, Trouble};

    #[test]
    fn the_servers_clock_is_told_by_its_answers() {
        let now = "2026-11-23T12:00:07Z".parse().expect("an instant");
        let skew = |date: &'static str| {
            clock_skew(
                &[(header::DATE, HeaderValue::from_static(date))]
                    .into_iter()
                    .collect(),
                now,
            )
        };
        assert_eq!(skew("Mon, 23 Nov 2026 12:00:00 GMT"), Some(6.5));
        assert_eq!(skew("Mon, 23 Nov 2026 12:00:17 GMT"), Some(-10.5));
        assert_eq!(skew("noon"), None);
        assert_eq!(clock_skew(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_request_is_counted_by_its_verb_and_resource() {
        for (method, path, verb, resource) in [
            ("GET", "/apis/batch/v1/cronjobs?limit=500", "list", "cronjobs"),
            (
                "GET",
                "/apis/batch/v1/jobs?watch=true&resourceVersion=1",
                "watch",
                "jobs",
            ),
            ("GET", "/apis/batch/v1/namespaces/a/jobs/b", "get", "jobs"),
            (
                "POST",
                "/apis/batch/v1/namespaces/a/jobs?fieldManager=x",
                "create",
                "jobs",
            ),
            ("DELETE", "/apis/batch/v1/namespaces/a/jobs/b", "delete", "jobs"),
            (
                "PATCH",
                "/apis/batch/v1/namespaces/a/cronjobs/b/status",
                "patch",
                "cronjobs/status",
            ),
            (
                "PUT",
                "/apis/coordination.k8s.io/v1/namespaces/a/leases/b",
                "update",
                "leases",
            ),
            ("POST", "/api/v1/namespaces/a/events", "create", "events"),
            ("GET", "/api/v1/namespaces/a", "get", "other"),
            ("GET", "/version", "list", "other"),
        ] {
            let method = method.parse().expect("a method");
            let (path, query) = path
                .split_once('?')
                .map_or((path, None), |(path, query)| (path, Some(query)));
            assert_eq!(
                Asked::from(&method, path, query),
                Asked { verb, resource },
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_asks_for_patience_is_understood() {
        let busy = tower::service_fn(|_: Request<Body>| async {
            let answer = Response::builder().status(429).header("Retry-After", "7");
            Ok::<_, Infallible>(
                answer
                    .body(Body::from(b"Too many requests".to_vec()))
                    .expect("a response"),
            )
        });
        let metrics = Metrics::default();
        let client = watched_client(
            &Client::new(busy, "default"),
            &metrics,
            &SystemClock::shared(),
            open_gate(),
        );
        let error = Api::<JobView>::default_namespaced(client)
            .get("a")
            .await
            .expect_err("turned away");
        let trouble = Trouble::from(&error);
        assert_eq!(trouble.retry, Retry::After(std::time::Duration::from_secs(7)));
        insta::assert_snapshot!(trouble.message, @"the API server is busy and asked to be left alone for 7 s");
    }

    #[tokio::test]
    async fn a_replica_that_does_not_lead_reads_but_does_not_write() {
        let empty = tower::service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(Response::new(Body::from(
                br#"{"metadata":{"name":"a"}}"#.to_vec(),
            )))
        });
        let client = watched_client(
            &Client::new(empty, "default"),
            &Metrics::default(),
            &SystemClock::shared(),
            Arc::new(|| false),
        );
        let jobs: Api<JobView> = Api::default_namespaced(client);
        assert!(jobs.get("a").await.is_ok());
        let refused = jobs
            .delete("a", &DeleteParams::default())
            .await
            .map(drop)
            .expect_err("refused");
        let message = Trouble::from(&refused).message;
        assert!(
            message.ends_with("not sent, because another replica leads"),
            "{message}"
        );
    }
}
