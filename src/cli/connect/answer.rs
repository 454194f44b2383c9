//! What is told where an API server gives no answer: which one, what was waited for, and what to look at.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use tower::BoxError;

use super::innermost;
use crate::cli::complain;

/// After how long it is said who is waited for: answers come sooner, and who waits for nothing visible wonders by then.
const SAY_AFTER: Duration = Duration::from_secs(3);

/// For how long a person's request waits for an answer to begin. An API server gives a request up after a minute itself, also
/// one that a webhook holds up.
const ANSWER_WITHIN: Duration = Duration::from_secs(70);

/// No answer.
#[derive(Debug, thiserror::Error)]
#[error("the API server {server} can't be reached: {why}")]
pub(super) struct Unreached {
    server: String,
    /// In the end; the layers above repeat it in words of their own.
    why: String,
}

/// A client whose errors say which server it was that gave no answer.
pub(super) fn telling(client: Client, server: String) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request| {
        let (client, server) = (client.clone(), server.clone());
        async move {
            client
                .send(request)
                .await
                .map_err(|error| unreached(&server, error))
        }
    });
    Client::new(service, namespace)
}

/// The client of a person, who is told when an answer takes its time, and who does not wait for ever.
pub(super) fn impatient(client: Client, server: String) -> Client {
    let namespace = client.default_namespace().to_owned();
    let told = Arc::new(AtomicBool::new(false));
    let service = tower::service_fn(move |request| {
        let (client, server, told) = (client.clone(), server.clone(), Arc::clone(&told));
        async move { send(&client, server, &told, request).await }
    });
    Client::new(service, namespace)
}

async fn send(
    client: &Client,
    server: String,
    told: &AtomicBool,
    request: Request<Body>,
) -> Result<Response<Body>, BoxError> {
    // A log has no answer before there is a line in it.
    if request.uri().path().ends_with("/log") {
        return Ok(client.send(request).await?);
    }
    let mut answer = std::pin::pin!(client.send(request));
    if let Ok(answer) = tokio::time::timeout(SAY_AFTER, answer.as_mut()).await {
        return Ok(answer?);
    }
    if !told.swap(true, Ordering::Relaxed) {
        complain(&format!("waiting for an answer of the API server {server}"));
    }
    let answer = tokio::time::timeout(ANSWER_WITHIN.saturating_sub(SAY_AFTER), answer).await;
    let why = || {
        format!(
            "it took the request, and gave no answer within {} s; see whether it is well: kubectl get --raw /readyz",
            ANSWER_WITHIN.as_secs()
        )
    };
    Ok(answer.map_err(|_| Unreached { server, why: why() })??)
}

/// Whatever else went wrong is told as it is.
fn unreached(server: &str, error: kube::Error) -> BoxError {
    match &error {
        kube::Error::Service(_) | kube::Error::HyperError(_) => Unreached {
            server: server.to_owned(),
            why: with_advice(innermost(&error)),
        }
        .into(),
        _ => error.into(),
    }
}

/// What to do about it, where that is known.
fn with_advice(why: String) -> String {
    let advice = |advice: &str| format!("{why}: {advice}");
    if why == "deadline has elapsed" {
        "no connection came about in time; check its address, and what is on the way: a firewall, a proxy, a VPN".to_owned()
    } else if why.contains("CaUsedAsEndEntity") {
        "invalid peer certificate: CaUsedAsEndEntity: the server shows the certificate of an authority (CA:TRUE) as its own, \
         which is taken of none; give it one that this authority has signed, with basicConstraints CA:FALSE"
            .to_owned()
    } else if ["UnknownIssuer", "BadSignature"]
        .iter()
        .any(|it| why.contains(it))
    {
        // A signature is bad where another authority of the same name has made it, and each `up` has one of this name.
        advice(
            "the certificate authority in the kubeconfig is not the one that signed the server's certificate",
        )
    } else {
        why
    }
}

/// The words for no answer, if that is what went wrong.
pub(super) fn told(error: &kube::Error) -> Option<String> {
    let mut causes = std::iter::successors(error.source(), |&error| error.source());
    causes.find_map(|cause| cause.downcast_ref::<Unreached>().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://cluster.example:6443";

    /// What is said of a request that this answers.
    async fn said<F>(answer: impl Fn() -> F + Send + 'static) -> String
    where
        F: Future<Output = Result<Response<Body>, BoxError>> + Send + 'static,
    {
        let transport = Client::new(tower::service_fn(move |_: Request<Body>| answer()), "default");
        let client = impatient(telling(transport, SERVER.to_owned()), SERVER.to_owned());
        let error = client.apiserver_version().await.expect_err("there is no answer");
        super::super::refused("CronJobs can't be listed", &error).message
    }

    #[tokio::test(start_paused = true)]
    async fn where_no_answer_comes_it_is_told_whose() {
        let broken = |why: &'static str| move || async move { Err(BoxError::from(why)) };
        insta::assert_snapshot!(
            [
                said(std::future::pending).await,
                said(broken("Connection refused (os error 111)")).await,
                said(broken("deadline has elapsed")).await,
                said(broken("invalid peer certificate: UnknownIssuer")).await,
                said(broken("invalid peer certificate: BadSignature")).await,
                said(broken("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))")).await,
                said(|| async {
                    let status = r#"{"status":"Failure","message":"not for you","reason":"Forbidden","code":403}"#;
                    Ok(Response::builder().status(403).body(Body::from(status.as_bytes().to_vec()))?)
                })
                .await,
            ]
            .join("\n"),
            @r"
        CronJobs can't be listed: the API server https://cluster.example:6443 can't be reached: it took the request, and gave no answer within 70 s; see whether it is well: kubectl get --raw /readyz
        CronJobs can't be listed: the API server https://cluster.example:6443 can't be reached: Connection refused (os error 111)
        CronJobs can't be listed: the API server https://cluster.example:6443 can't be reached: no connection came about in time; check its address, and what is on the way: a firewall, a proxy, a VPN
        CronJobs can't be listed: the API server https://cluster.example:6443 can't be reached: invalid peer certificate: UnknownIssuer: the certificate authority in the kubeconfig is not the one that signed the server's certificate
        CronJobs can't be listed: the API server https://cluster.example:6443 can't be reached: invalid peer certificate: BadSignature: the certificate authority in the kubeconfig is not the one that signed the server's certificate
        CronJobs can't be listed: the API server https://cluster.example:6443 can't be reached: invalid peer certificate: CaUsedAsEndEntity: the server shows the certificate of an authority (CA:TRUE) as its own, which is taken of none; give it one that this authority has signed, with basicConstraints CA:FALSE
        CronJobs can't be listed: not for you
        "
        );
    }
}
