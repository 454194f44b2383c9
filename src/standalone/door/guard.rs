//! Who is let in.
//!
//! Three questions, in this order. Is the request addressed to this server? A page of a web site whose name was made to
//! point at this machine (DNS rebinding) is told apart by the name that it uses. Does it come from a web page? No page
//! has business here, so there is no CORS either. Does it show the token? Only then does it reach the API.
//!
//! Who is let in also needs a place (see `places`), and is asked to come again where there is none.
//!
//! There are no anonymous requests, not even for `/livez` or `/version`: a stranger learns nothing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, USER_AGENT,
    WWW_AUTHENTICATE,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Host;
use super::places::{Desk, Full, UnderWay};
use super::token::Token;
use crate::standalone::api::error::failure;

/// How long a client may take to send the body of a request. A few megabytes over a slow line take seconds.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What a client is that does not say it, in the word of kube-apiserver (`endpoints/handlers/helpers.go`).
const UNKNOWN_AGENT: &str = "unknown";

/// After how many seconds a client tries again that found no place.
const RETRY_SECONDS: u16 = 1;

/// Browsers say with this where a request comes from, also where they send no `Origin`.
const FETCH_SITE: &str = "sec-fetch-site";

/// Knows who is let in.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    token: Token,
    hosts: Vec<Host>,
}

/// Why a request is turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// It does not say to whom it is addressed, or names somebody else.
    #[error("forbidden: this server is not known as {0:?}")]
    OtherHost(String),
    /// A browser sent it.
    #[error("forbidden: requests from web pages are not served")]
    WebPage,
    /// It shows no token, or a wrong one.
    #[error("Unauthorized")]
    Unauthorized,
    /// It asks to be taken for somebody else's. There is one user here, and nobody else to be.
    #[error(
        "forbidden: this server has one user, who cannot impersonate others; leave `--as` and its like out"
    )]
    Impersonation,
    /// There is no place for one more.
    #[error(
        "too many connections or watches at once; end some of them, or try again in {} s",
        RETRY_SECONDS
    )]
    NoPlace,
}

impl From<Full> for Refusal {
    fn from(_: Full) -> Self {
        Refusal::NoPlace
    }
}

impl Guard {
    /// A guard that lets in who shows this token to one of these hosts.
    pub(super) fn new(token: Token, hosts: Vec<Host>) -> Self {
        Guard { token, hosts }
    }

    /// Lets a request in that may come in and finds a place.
    fn let_in(&self, request: &Request) -> Result<UnderWay, Refusal> {
        self.judge(request.uri(), request.headers())?;
        let desk = request.extensions().get::<Desk>().ok_or(Refusal::NoPlace)?;
        Ok(desk.begin()?)
    }

    /// Whether a request may come in.
    pub(super) fn judge(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        // A client may name the host in the request line as well; then both have to be right.
        if let Some(authority) = uri.authority() {
            self.judge_host(authority.as_str())?;
        }
        let host = only(headers, HOST.as_str()).unwrap_or_default();
        self.judge_host(host)?;
        // Libraries for WebSockets name the server itself, from which no page comes.
        let is_page = headers.contains_key(ORIGIN)
            && only(headers, ORIGIN.as_str()) != Some(&format!("https://{host}"));
        if is_page || headers.contains_key(FETCH_SITE) {
            return Err(Refusal::WebPage);
        }
        let shown = only(headers, AUTHORIZATION.as_str()).and_then(bearer);
        match shown {
            Some(shown) if self.token.is(shown) && impersonates(headers) => Err(Refusal::Impersonation),
            Some(shown) if self.token.is(shown) => Ok(()),
            _ => Err(Refusal::Unauthorized),
        }
    }

    fn judge_host(&self, named: &str) -> Result<(), Refusal> {
        let host = named.parse::<Authority>().ok().and_then(|authority| {
            // Credentials before an `@` have no business in a request.
            let has_credentials = authority.as_str().contains('@');
            authority.host().parse::<Host>().ok().filter(|_| !has_credentials)
        });
        match host {
            Some(host) if self.hosts.contains(&host) => Ok(()),
            _ => Err(Refusal::OtherHost(named.to_owned())),
        }
    }
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether a request is to be taken for one of somebody else ("User impersonation" of Kubernetes' documentation).
fn impersonates(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| name.as_str().starts_with("impersonate-"))
}

/// The token in `Bearer TOKEN`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Refusal {
    fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Refusal::OtherHost(_) | Refusal::WebPage | Refusal::Impersonation => {
                (StatusCode::FORBIDDEN, "Forbidden")
            }
            Refusal::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Refusal::NoPlace => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (code, reason) = self.code();
        let mut status = failure(code, reason, &self.to_string());
        if self == Refusal::NoPlace {
            status["details"] = json!({ "retryAfterSeconds": RETRY_SECONDS });
        }
        // The connection is closed, so that a stranger does not keep it.
        let headers = [(CONTENT_TYPE, "application/json"), (CONNECTION, "close")];
        let mut response = (code, headers, status.to_string()).into_response();
        let header = match self {
            Refusal::Unauthorized => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Refusal::NoPlace => Some((RETRY_AFTER, HeaderValue::from(RETRY_SECONDS))),
            Refusal::OtherHost(_) | Refusal::WebPage | Refusal::Impersonation => None,
        };
        response.headers_mut().extend(header);
        response
    }
}

/// The API with a guard before it. Bodies have to come in time, and answers without an end, as of watches, end when
/// `stop` becomes true.
pub(super) fn around(api: Router, guard: Guard, stop: watch::Receiver<bool>) -> Router {
    let post = Arc::new((guard, stop));
    api.layer(middleware::from_fn_with_state(post, pass))
}

async fn pass(
    State(post): State<Arc<(Guard, watch::Receiver<bool>)>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (guard, stop) = &*post;
    let under_way = match guard.let_in(&request) {
        Ok(under_way) => under_way,
        Err(refusal) => return refusal.into_response(),
    };
    // Requests of this process don't say what they are; one from outside that doesn't either is none of those.
    let agent = request.headers_mut().entry(USER_AGENT);
    agent.or_insert(HeaderValue::from_static(UNKNOWN_AGENT));
    let mut response = next.run(request.map(in_time)).await;
    // As kube-apiserver says it, so that no proxy keeps a secret.
    let private = HeaderValue::from_static("no-cache, private");
    response.headers_mut().insert(CACHE_CONTROL, private);
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    let stop = stop.clone();
    match as_stream(under_way) {
        Ok(under_way) => response.map(|body| ending_with(body, under_way, stop)),
        Err(refusal) => refusal.into_response(),
    }
}

fn as_stream(mut under_way: UnderWay) -> Result<UnderWay, Refusal> {
    under_way.stream()?;
    Ok(under_way)
}

/// The body of a request, or an error where it is too slow.
fn in_time(body: Body) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let deadline = Instant::now() + BODY_TIME;
    let chunks = stream::unfold(Some(body.into_data_stream()), move |chunks| async move {
        let mut chunks = chunks?;
        match timeout_at(deadline, chunks.next()).await {
            Ok(chunk) => Some((chunk?.map_err(io::Error::other), Some(chunks))),
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
        }
    });
    Body::from_stream(chunks)
}

/// The body of an answer whose length is not known: a stream, which ends when everything does.
fn ending_with(body: Body, under_way: UnderWay, mut stop: watch::Receiver<bool>) -> Body {
    let stopped = async move {
        let _stopped_or_dropped = stop.wait_for(|stop| *stop).await;
    };
    let chunks = body.into_data_stream().take_until(Box::pin(stopped));
    Body::from_stream(chunks.inspect(move |_| {
        let _until_it_ends = &under_way;
    }))
}
