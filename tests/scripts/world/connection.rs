//! The connection between the controller and the API: where requests fail, answers get lost and controllers die.
//!
//! A [`Wire`] is what all connections of a world share. A [`Connection`] belongs to one controller; when that
//! controller has been killed, no request of it reaches the API any more, and it hears no answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use futures::FutureExt;
use futures::future::{BoxFuture, pending};
use http::{Request, Response, StatusCode};
use kube::Client;
use punctual::clock::{Clock, ManualClock};
use punctual::cronjob::Key;
use punctual::schedule::Timestamp;
use tokio::task::JoinHandle;
use tower::{BoxError, Service, ServiceExt};

use super::asked::Asked;
use super::faults::Faults;
use super::objects;
use super::transcript::Transcript;
use super::watches::Watches;
use crate::language::{Effect, Fault, Verb, Watched, print_duration};

/// What all connections share.
pub(crate) struct Wire {
    clock: ManualClock,
    pub(super) transcript: Transcript,
    pub(super) faults: Faults,
    pub(super) watches: Watches,
    /// The script's client, for what others do meanwhile.
    client: Client,
    pub(super) endings: objects::Endings,
    controller: Mutex<Option<Life>>,
    created: Mutex<Vec<Created>>,
}

/// A controller that runs.
struct Life {
    alive: Arc<AtomicBool>,
    running: JoinHandle<()>,
}

/// A Job that a controller created.
#[derive(Debug, Clone)]
pub(crate) struct Created {
    pub(crate) at: Timestamp,
    pub(crate) job: Key,
    /// The name and the UID of its CronJob.
    pub(crate) cronjob: String,
    pub(crate) cronjob_uid: String,
}

impl Wire {
    pub(super) fn new(clock: ManualClock, transcript: Transcript, client: Client) -> Arc<Wire> {
        Arc::new(Wire {
            clock,
            transcript,
            faults: Faults::default(),
            watches: Watches::default(),
            client,
            endings: objects::Endings::default(),
            controller: Mutex::default(),
            created: Mutex::default(),
        })
    }

    /// Every Job that a controller created, in this order.
    pub(crate) fn created(&self) -> Vec<Created> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a fault waits for its request.
    pub(crate) fn has_faults(&self) -> bool {
        self.faults.is_any_armed()
    }

    /// Whether a controller runs.
    pub(crate) fn has_controller(&self) -> bool {
        self.controller.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn arm(&self, fault: Fault) {
        self.faults.arm(fault);
    }

    /// The controller dies now.
    pub(super) fn kill_controller(&self) {
        let life = self.controller.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(life) = life {
            life.alive.store(false, Ordering::Relaxed);
            life.running.abort();
        }
    }

    /// Whether the controller ended although nobody killed it.
    pub(super) fn controller_has_ended(&self) -> bool {
        let controller = self.controller.lock().unwrap_or_else(PoisonError::into_inner);
        controller.as_ref().is_some_and(|life| life.running.is_finished())
    }

    fn write_down(&self, asked: &Asked, outcome: &str) {
        if asked.matters() || outcome.contains("(fault)") {
            self.transcript.request(self.clock.now(), asked, outcome);
        }
    }

    /// A Job was created: for the log, and so that it ends as the script wants it.
    fn note_created(&self, asked: &Asked) {
        let owner = &asked.body["metadata"]["ownerReferences"][0];
        let text = |field: &str| owner[field].as_str().unwrap_or_default().to_owned();
        let created = Created {
            at: self.clock.now(),
            job: asked.object.clone(),
            cronjob: text("name"),
            cronjob_uid: text("uid"),
        };
        let cronjob = Key {
            namespace: asked.object.namespace.clone(),
            name: created.cronjob.clone(),
        };
        self.endings.schedule(&cronjob, &created.job, &self.client, &self.clock);
        self.created.lock().unwrap_or_else(PoisonError::into_inner).push(created);
    }
}

/// One controller's connection.
#[derive(Clone)]
pub(super) struct Connection {
    router: Router,
    wire: Arc<Wire>,
    alive: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(router: Router, wire: Arc<Wire>) -> Self {
        let alive = Arc::new(AtomicBool::new(true));
        Connection { router, wire, alive }
    }

    /// From now on, this controller can be killed.
    pub(super) fn belongs_to(&self, running: JoinHandle<()>) {
        let alive = Arc::clone(&self.alive);
        let mut controller = self.wire.controller.lock().unwrap_or_else(PoisonError::into_inner);
        *controller = Some(Life { alive, running });
    }

    /// Goes on only for as long as the controller lives.
    async fn unless_dead(&self) {
        if !self.alive.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }

    async fn die(&self, asked: &Asked, when: &str) {
        self.wire.write_down(asked, &format!("the controller dies {when} (fault)"));
        self.wire.kill_controller();
        pending::<()>().await;
    }

    async fn forward(self, request: Request<kube::client::Body>) -> Result<Response<Body>, BoxError> {
        let (asked, request) = Asked::read(request).await;
        self.unless_dead().await;
        let Some(asked) = asked else {
            return self.pass_on(request).await;
        };
        let effect = self.wire.faults.strike(&asked);
        match &effect {
            Some(Effect::Answer(answer)) => {
                self.wire.write_down(&asked, &format!("{} (fault)", answer.code));
                return Ok(answer.response());
            }
            Some(Effect::CrashBefore) => self.die(&asked, "before it is sent").await,
            Some(Effect::Hang(time)) => {
                let outcome = format!("takes {} (fault)", print_duration(*time));
                self.wire.write_down(&asked, &outcome);
                tokio::time::sleep(time.to_std().unwrap_or_default()).await;
                self.unless_dead().await;
            }
            Some(Effect::EditFirst(cronjob)) => {
                self.wire.write_down(&asked, "another client is quicker (fault)");
                objects::edit(&self.wire.client, cronjob).await;
            }
            Some(Effect::Lose | Effect::CrashAfter | Effect::Slow(_)) | None => {}
        }
        let response = self.pass_on(request).await?;
        if asked.verb == Verb::Create && response.status() == StatusCode::CREATED {
            self.wire.note_created(&asked);
        }
        match effect {
            Some(Effect::Lose) => {
                let outcome = format!("{}, but the answer is lost (fault)", response.status());
                self.wire.write_down(&asked, &outcome);
                return Err("the connection was reset by the peer".into());
            }
            Some(Effect::Slow(time)) => {
                let outcome = format!("{}, but the answer takes {} (fault)", response.status(), print_duration(time));
                self.wire.write_down(&asked, &outcome);
                tokio::time::sleep(time.to_std().unwrap_or_default()).await;
                self.unless_dead().await;
            }
            Some(Effect::CrashAfter) => {
                let when = format!("after {}", response.status());
                self.die(&asked, &when).await;
            }
            _ => self.wire.write_down(&asked, response.status().as_str()),
        }
        Ok(self.disturb(&asked, response).await)
    }

    async fn pass_on(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        self.router.clone().oneshot(request).await.map_err(Into::into)
    }

    /// A list or a watch shows what the script wants it to show.
    async fn disturb(&self, asked: &Asked, response: Response<Body>) -> Response<Body> {
        if asked.verb != Verb::List || response.status() != StatusCode::OK {
            return response;
        }
        let (parts, body) = response.into_parts();
        let body = if asked.is_watch {
            self.wire.watches.stream(asked.resource, body, &self.wire)
        } else if asked.resource == Watched::CronJobs {
            self.wire.watches.list(body).await
        } else {
            body
        };
        Response::from_parts(parts, body)
    }
}

impl Service<Request<kube::client::Body>> for Connection {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        self.clone().forward(request).boxed()
    }
}
