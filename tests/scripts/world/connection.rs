//! The connection between the controller and the API: where requests fail, answers get lost and controllers die.
//!
//! A [`Wire`] is what all connections of a world share. A [`Connection`] belongs to one controller; when that
//! controller has been killed, no request of it reaches the API any more, and it hears no answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures::FutureExt;
use futures::future::{BoxFuture, pending};
use http::{Request, Response, StatusCode};
use k8s_openapi::api::batch::v1::Job;
use kube::Client;
use punctual::clock::{Clock, ManualClock};
use punctual::cronjob::Key;
use punctual::schedule::Timestamp;
use punctual::submit::SCHEDULED_ANNOTATION;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::{BoxError, Service, ServiceExt};

use super::asked::Asked;
use super::faults::{Faults, response};
use super::objects;
use super::transcript::Transcript;
use super::watches::Watches;
use crate::language::{CutKind, Effect, Extent, Fault, Verb, Watched, print_duration};

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
    /// Until when something may still be held up by what went wrong.
    trouble_until: Mutex<Option<Instant>>,
    /// How many requests there were at this moment.
    at_once: Mutex<(Option<Instant>, u32)>,
}

/// With more requests at one moment than this, a controller goes round in circles: nothing is left for time to pass.
const REQUESTS_AT_ONCE_MAX: u32 = 1_000;

/// How long the controller may need to recover from an error: its longest pause between two attempts, and that of a
/// watch, with what they are spread by.
const RECOVERY: Duration = Duration::from_secs(90);

/// A controller that runs.
struct Life {
    alive: Arc<AtomicBool>,
    running: JoinHandle<()>,
}

/// A Job that a controller created.
#[derive(Debug, Clone)]
pub(crate) struct Created {
    /// When it was asked for.
    pub(crate) at: Timestamp,
    /// The instant that it runs for.
    pub(crate) scheduled: Timestamp,
    pub(crate) job: Key,
    /// The UID of its CronJob.
    pub(crate) cronjob_uid: String,
    /// Other Jobs that a controller created for this CronJob and that had not ended.
    pub(crate) beside: Vec<String>,
    /// Whether the controller was up to date when it asked for it.
    pub(crate) was_calm: bool,
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
            trouble_until: Mutex::default(),
            at_once: Mutex::default(),
        })
    }

    /// Every Job that a controller created, in this order.
    pub(crate) fn created(&self) -> Vec<Created> {
        self.created
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether a controller runs that nothing has happened to for so long that it must be up to date.
    pub(crate) fn is_calm(&self) -> bool {
        let until = *self.trouble_until.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = until.is_none_or(|until| until <= Instant::now());
        let runs = self
            .controller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some();
        runs && is_over && !self.faults.is_any_armed() && !self.watches.are_delayed()
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm_down(&self) {
        self.faults.disarm();
        self.delay_watch(Watched::Jobs, Duration::ZERO);
        self.delay_watch(Watched::CronJobs, Duration::ZERO);
    }

    pub(super) fn arm(&self, fault: Fault) {
        if let Extent::For(time) = fault.extent {
            self.trouble(time.to_std().unwrap_or_default() + RECOVERY);
        }
        self.faults.arm(fault);
    }

    pub(super) fn delay_watch(&self, of: Watched, by: Duration) {
        let before = self.watches.delay(of, by);
        self.trouble(before.max(by));
    }

    pub(super) fn cut_watch(&self, of: Watched, how: CutKind) {
        self.trouble(RECOVERY);
        self.watches.cut(of, how);
    }

    /// Something may be held up for so long.
    fn trouble(&self, time: Duration) {
        let mut until = self.trouble_until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(Some(Instant::now() + time));
    }

    /// The fault that meets this request.
    fn strike(&self, asked: &Asked) -> Option<Effect> {
        let effect = self.faults.strike(asked)?;
        match &effect {
            // The next controller starts from what it finds.
            Effect::CrashBefore | Effect::CrashAfter => {}
            Effect::Hang(time) | Effect::Slow(time) => {
                self.trouble(time.to_std().unwrap_or_default() + RECOVERY);
            }
            Effect::Answer(_) | Effect::Lose | Effect::EditFirst(_) => self.trouble(RECOVERY),
        }
        Some(effect)
    }

    /// The controller dies now.
    pub(super) fn kill_controller(&self) {
        let life = self
            .controller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(life) = life {
            life.alive.store(false, Ordering::Relaxed);
            life.running.abort();
        }
    }

    /// Counts a request, and ends a controller that goes round in circles.
    fn count(&self) {
        let mut at_once = self.at_once.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Some(Instant::now());
        *at_once = (now, if at_once.0 == now { at_once.1 + 1 } else { 1 });
        if at_once.1 > REQUESTS_AT_ONCE_MAX {
            self.kill_controller();
        }
    }

    /// Whether the controller was ended because it went round in circles.
    pub(crate) fn went_in_circles(&self) -> bool {
        self.at_once.lock().unwrap_or_else(PoisonError::into_inner).1 > REQUESTS_AT_ONCE_MAX
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
    async fn note_created(&self, asked: &Asked, (at, was_calm): (Timestamp, bool)) {
        let metadata = &asked.body["metadata"];
        let owner = &metadata["ownerReferences"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let cronjob = Key {
            namespace: asked.object.namespace.clone(),
            name: text(&owner["name"]),
        };
        self.endings
            .schedule(&cronjob, &asked.object, &self.client, &self.clock);
        let cronjob_uid = text(&owner["uid"]);
        let ours = |job: &Key| {
            let created = self.created();
            created
                .iter()
                .any(|created| created.job == *job && created.cronjob_uid == cronjob_uid)
        };
        let jobs = objects::all_jobs(&self.client).await;
        let unfinished = jobs.iter().filter(|job| objects::outcome(job).is_none());
        // Somebody else may have made another of a name that was free again.
        let is_run = |job: &&Job| objects::owner(job).as_ref() == Some(&cronjob) && !objects::is_manual(job);
        let beside = unfinished
            .filter(is_run)
            .map(objects::key)
            .filter(|job| *job != asked.object && ours(job));
        let created = Created {
            at,
            scheduled: text(&metadata["annotations"][SCHEDULED_ANNOTATION])
                .parse()
                .unwrap_or_default(),
            job: asked.object.clone(),
            beside: beside.map(|job| job.name).collect(),
            was_calm,
            cronjob_uid,
        };
        self.created
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(created);
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
        let mut controller = self
            .wire
            .controller
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *controller = Some(Life { alive, running });
    }

    /// Goes on only for as long as the controller lives.
    async fn unless_dead(&self) {
        if !self.alive.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }

    async fn die(&self, asked: &Asked, when: &str) {
        self.wire
            .write_down(asked, &format!("the controller dies {when} (fault)"));
        self.wire.kill_controller();
        pending::<()>().await;
    }

    /// The API does what it is asked for. A Job that it was asked to create is created and noted, also when the controller
    /// is killed by another of its requests meanwhile.
    async fn reach(
        &self,
        request: Request<Body>,
        asked: Asked,
        sent: (Timestamp, bool),
    ) -> Result<(Response<Body>, Asked), BoxError> {
        let connection = self.clone();
        if asked.verb != Verb::Create {
            return Ok((connection.pass_on(request).await?, asked));
        }
        let work = async move {
            let response = connection.pass_on(request).await?;
            if response.status() == StatusCode::CREATED {
                connection.wire.note_created(&asked, sent).await;
            }
            Ok((response, asked))
        };
        tokio::spawn(work).await?
    }

    async fn forward(self, request: Request<kube::client::Body>) -> Result<Response<Body>, BoxError> {
        let (asked, request) = Asked::read(request).await;
        self.wire.count();
        self.unless_dead().await;
        let Some(asked) = asked else {
            return self.pass_on(request).await;
        };
        let sent = (self.wire.clock.now(), self.wire.is_calm());
        let effect = self.wire.strike(&asked);
        match &effect {
            Some(Effect::Answer(answer)) => {
                self.wire.write_down(&asked, &format!("{} (fault)", answer.code));
                return Ok(response(*answer));
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
        let (response, asked) = self.reach(request, asked, sent).await?;
        match effect {
            Some(Effect::Lose) => {
                let outcome = format!("{}, but the answer is lost (fault)", response.status());
                self.wire.write_down(&asked, &outcome);
                return Err("the connection was reset by the peer".into());
            }
            Some(Effect::Slow(time)) => {
                let outcome = format!(
                    "{}, but the answer takes {} (fault)",
                    response.status(),
                    print_duration(time)
                );
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
