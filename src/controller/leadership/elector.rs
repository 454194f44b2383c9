//! Carries out what a claim says next, and tells the rest of the program who leads.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use crate::clock::SharedClock;
use crate::controller::leadership::claim::{Claim, Record, Step};
use crate::controller::leadership::duration::LeaseDuration;
use crate::controller::leadership::{Leadership, now};
use crate::submit::FIELD_MANAGER;
use crate::telemetry::{Metrics, chain};

/// Where the Lease is, and who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What `holderIdentity` says when this replica holds it: different for every process.
    pub identity: String,
}

/// Holds the Lease, or waits for it.
pub struct Elector {
    leases: Api<Lease>,
    clock: SharedClock,
    metrics: Metrics,
    name: LeaseName,
    claim: Claim,
    /// The Lease as it was last read or written, for the fields that a write has to carry on.
    lease: Lease,
    leads: watch::Sender<Option<Instant>>,
    /// What kept the last step from its end: it is told once, however often it is met again.
    problem: Option<String>,
}

/// What became of a write of the Lease.
enum Written {
    Done,
    /// The Lease changed or appeared meanwhile.
    Outrun,
}

impl Elector {
    /// An elector that has not started yet, and what it will tell. The client should be one that nobody else waits
    /// for: a renewal must not queue up behind Jobs.
    pub fn new(
        client: Client,
        clock: SharedClock,
        metrics: Metrics,
        name: LeaseName,
        lasts: LeaseDuration,
    ) -> (Self, Leadership) {
        let (leads, leadership) = Leadership::elected();
        let elector = Elector {
            leases: Api::namespaced(client, &name.namespace),
            clock,
            metrics,
            claim: Claim::new(name.identity.clone(), lasts),
            name,
            lease: Lease::default(),
            leads,
            problem: None,
        };
        (elector, leadership)
    }

    /// Runs until `stop` becomes true or is dropped, and then releases the Lease if it is held.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.step() => {}
            }
        }
        let held = self.claim.held_until().is_some();
        self.tell(None);
        if held {
            self.release().await;
        }
    }

    /// One step of the claim. Cancelling it loses nothing but the step.
    async fn step(&mut self) {
        self.tell(self.claim.held_until());
        let result = match self.claim.next(now()) {
            Step::Look(at) => {
                self.wait_until(at).await;
                self.look().await
            }
            Step::Renew(at) => {
                self.wait_until(at).await;
                self.write().await
            }
            Step::Create | Step::Take => self.write().await,
        };
        let problem = result.err();
        if let Some(problem) = &problem {
            if self.problem.as_ref() != Some(problem) {
                let LeaseName { namespace, name, .. } = &self.name;
                tracing::warn!(
                    namespace,
                    lease = name,
                    problem,
                    "the Lease could not be read or written"
                );
            }
            self.wait_until(now() + self.claim.lasts.retry_after()).await;
        }
        self.problem = problem;
    }

    /// Waits, and stops leading meanwhile if the time for that comes first.
    async fn wait_until(&self, at: Instant) {
        let held_until = self.claim.held_until().filter(|until| *until < at);
        if let Some(until) = held_until {
            sleep_until(until.into()).await;
            self.tell(None);
        }
        sleep_until(at.into()).await;
    }

    fn tell(&self, held_until: Option<Instant>) {
        let held_until = held_until.filter(|until| now() < *until);
        let before = self.leads.send_replace(held_until);
        if before.is_some() != held_until.is_some() {
            let leads = held_until.is_some();
            self.metrics.set_leader(leads);
            let identity = self.name.identity.as_str();
            if leads {
                tracing::info!(identity, "leads");
            } else {
                tracing::info!(identity, "leads no longer");
            }
        }
    }

    async fn look(&mut self) -> Result<(), String> {
        let lease = in_time(self.request_time(), self.leases.get_opt(&self.name.name)).await?;
        let lease = lease.map_err(|error| chain(&error))?;
        self.claim.looked(lease.as_ref().map(record), now());
        self.lease = lease.unwrap_or_default();
        Ok(())
    }

    /// Writes us into the Lease.
    async fn write(&mut self) -> Result<(), String> {
        let sent = now();
        let lease = self.with_us();
        match self.put(&lease).await? {
            Written::Done => self.claim.wrote(record(&self.lease), sent),
            Written::Outrun => self.claim.was_outrun(),
        }
        Ok(())
    }

    /// Gives the Lease up, so that nobody has to wait until it has run out. A renewal whose answer was not waited for may
    /// have changed it meanwhile.
    async fn release(&mut self) {
        let mut outcome = self.give_up().await;
        if matches!(outcome, Ok(Written::Outrun)) {
            outcome = match self.look().await {
                Ok(()) if self.is_ours() => self.give_up().await,
                Ok(()) => return,
                Err(problem) => Err(problem),
            };
        }
        let lease = &self.name.name;
        match outcome {
            Ok(Written::Done) => tracing::info!(lease, "released the Lease"),
            Ok(Written::Outrun) => {
                tracing::warn!(lease, "the Lease could not be released: it keeps changing");
            }
            Err(problem) => tracing::warn!(lease, problem, "the Lease could not be released"),
        }
    }

    async fn give_up(&mut self) -> Result<Written, String> {
        let mut lease = self.lease.clone();
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        spec.renew_time = self.micro_time();
        self.put(&lease).await
    }

    fn is_ours(&self) -> bool {
        record(&self.lease).holder == self.name.identity
    }

    /// Creates the Lease, or replaces the version that was seen.
    async fn put(&mut self, lease: &Lease) -> Result<Written, String> {
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PostParams::default()
        };
        let time = self.request_time();
        let is_new = self.claim.version().is_none();
        let answer = if is_new {
            in_time(time, self.leases.create(&params, lease)).await?
        } else {
            in_time(time, self.leases.replace(&self.name.name, &params, lease)).await?
        };
        match answer {
            Ok(written) => {
                self.lease = written;
                Ok(Written::Done)
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                Ok(Written::Outrun)
            }
            // Somebody deleted it. When it is to be created, it is its namespace that does not exist.
            Err(kube::Error::Api(status)) if status.is_not_found() && !is_new => Ok(Written::Outrun),
            Err(error) => Err(chain(&error)),
        }
    }

    /// The Lease with us as its holder, and everything in it that is not ours as it was.
    fn with_us(&self) -> Lease {
        let now = self.micro_time();
        let before = self.lease.spec.clone().unwrap_or_default();
        let ours = self.is_ours();
        let first = before.holder_identity.is_none();
        let transitions = before.lease_transitions.unwrap_or(0) + i32::from(!ours && !first);
        Lease {
            metadata: ObjectMeta {
                name: Some(self.name.name.clone()),
                namespace: Some(self.name.namespace.clone()),
                ..self.lease.metadata.clone()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.name.identity.clone()),
                lease_duration_seconds: i32::try_from(self.claim.lasts.seconds()).ok(),
                acquire_time: if ours {
                    before.acquire_time.clone()
                } else {
                    now.clone()
                },
                renew_time: now,
                lease_transitions: Some(transitions),
                ..before
            }),
        }
    }

    /// For people who look at the Lease; no replica reads it.
    fn micro_time(&self) -> Option<MicroTime> {
        let micros = self.clock.now().timestamp_micros();
        jiff::Timestamp::from_microsecond(micros).ok().map(MicroTime)
    }

    /// How long a request may take: no longer than we may lead without an answer.
    fn request_time(&self) -> Duration {
        let held = self
            .claim
            .held_until()
            .map(|until| until.saturating_duration_since(now()));
        held.filter(|left| !left.is_zero())
            .unwrap_or(self.claim.lasts.step_down_after())
            .min(self.claim.lasts.request_time())
    }
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.as_ref();
    let holder = spec.and_then(|spec| spec.holder_identity.clone());
    Record {
        holder: holder.unwrap_or_default(),
        lasts: LeaseDuration::said(spec.and_then(|spec| spec.lease_duration_seconds)),
        version: lease.metadata.resource_version.clone().unwrap_or_default(),
    }
}

async fn in_time<T>(limit: Duration, request: impl Future<Output = T>) -> Result<T, String> {
    timeout(limit, request).await.map_err(|_| {
        format!(
            "no answer within {} ms; a longer --lease-duration leaves more time",
            limit.as_millis()
        )
    })
}
