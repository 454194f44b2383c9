//! The watches, the clock and the tasks, around the state machine.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use kube::Client;
use kube::runtime::watcher;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::SharedClock;
use crate::controller::charge::{Charge, Scope};
use crate::controller::leadership::Leadership;
use crate::controller::lenient::Strict as _;
use crate::controller::pace::Pace;
use crate::controller::report::Report;
use crate::controller::state::{State, Task};
use crate::controller::upcoming::Upcoming;
use crate::controller::watches::{Watched, watch_all, watch_calendars, why_it_failed};
use crate::cronjob::{JobRef, Key};
use crate::policy::{Note, Pods, SeenSchedule};
use crate::schedule::{TimeZones, Timestamp};
use crate::submit::{Carried, JobView, Submitter, Trouble};
use crate::telemetry::{BEAT_EVERY, Health, Teller, Told};

/// How long what is under way may take when the controller stops. Nothing new is decided meanwhile, by nobody: a standby
/// waits for the lease. Names are the lock, so what is given up is found by whoever is next.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// What a controller is made of.
pub struct ControllerOptions {
    /// The API server.
    pub client: Client,
    /// The time.
    pub clock: SharedClock,
    /// The rules of time zones.
    pub zones: Arc<TimeZones>,
    /// Who is told about decisions.
    pub teller: Teller,
    /// Which CronJobs to run.
    pub charge: Charge,
    /// How long one request of a watch lasts at most, where a connection may die without a word; none for as long as kube
    /// has it.
    pub longest_watch: Option<Duration>,
    /// How fast runs may start; none for as soon as they are due.
    pub pace: Option<Pace>,
    /// Whether to look on only, and say what would have been done differently.
    pub shadow: bool,
    /// Whether to decide, or to stand by.
    pub leadership: Leadership,
    /// Where signs of life are left.
    pub health: Health,
    /// The schedules that were in force before: one that has been edited since is not due in the past (D9).
    pub seen: Vec<(Key, SeenSchedule)>,
    /// Who is told what will be due next, if somebody can prepare for it.
    pub upcoming: Option<watch::Sender<Option<Upcoming>>>,
}

impl ControllerOptions {
    /// A controller that is alone and in charge of everything.
    pub fn new(client: Client, clock: SharedClock, zones: Arc<TimeZones>, teller: Teller) -> Self {
        ControllerOptions {
            client,
            clock,
            zones,
            teller,
            charge: Charge::default(),
            longest_watch: None,
            pace: None,
            shadow: false,
            leadership: Leadership::always(),
            health: Health::default(),
            seen: Vec::new(),
            upcoming: None,
        }
    }
}

/// Runs the CronJobs of an API server.
pub struct Controller {
    options: ControllerOptions,
    submitter: Submitter,
    state: State,
    report: Report,
    leading: bool,
    tasks: JoinSet<Done>,
}

/// A task that has ended.
enum Done {
    Submitted {
        key: Key,
        uid: String,
        carried: Box<Carried>,
    },
    LookedUp {
        key: Key,
        asked: Vec<JobRef>,
        found: Option<Vec<JobView>>,
    },
    LookedAt {
        key: Key,
        pods: Option<Vec<Pods>>,
    },
    /// A fault of ours: what came of it is not known.
    Panicked {
        key: Key,
    },
}

impl Controller {
    /// A controller that has not started yet.
    pub fn new(mut options: ControllerOptions) -> Self {
        let seen = std::mem::take(&mut options.seen);
        let ControllerOptions {
            client, clock, zones, ..
        } = &options;
        let submitter = Submitter::new(client.clone(), Arc::clone(clock), Arc::clone(zones));
        let mut state = State::new(Arc::clone(zones), &options.charge);
        state.remember(seen);
        state.keep_pace(options.pace);
        if options.shadow {
            state.look_on();
        }
        Controller {
            options,
            leading: false,
            submitter,
            state,
            report: Report::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Runs until `stop` becomes true or is dropped; then nothing new is decided, and what is under way is finished if it
    /// does not take too long.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut watched = watch_all(
            &self.options.client,
            &self.options.charge,
            self.options.longest_watch,
        );
        let mut watches_calendars = false;
        let mut leadership = self.options.leadership.clone();
        let mut beat = tokio::time::interval(BEAT_EVERY);
        while !*stop.borrow() {
            self.options.health.beat();
            self.follow_leadership().await;
            if !watches_calendars && self.state.wants_calendars() {
                watches_calendars = true;
                watched.extend(watch_calendars(
                    &self.options.client,
                    &self.options.charge,
                    self.options.longest_watch,
                ));
            }
            self.start_ready();
            self.announce();
            let wake = self.state.next_wake();
            let sleep = wake.map(|at| self.options.clock.sleep_until(at));
            tokio::select! {
                // In a fixed order, so that the same history has the same end. Nobody starves: whatever happens,
                // what is due, who leads and whether to stop is looked at in every turn.
                biased;
                Some(done) = self.tasks.join_next() => self.finish(done),
                Some(event) = watched.next() => self.observe(event),
                () = async { if let Some(sleep) = sleep { sleep.await } }, if wake.is_some() => {}
                () = leadership.changed() => {}
                _ = beat.tick() => self.count_overdue(),
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        if timeout(STOP_GRACE, self.finish_all()).await.is_err() {
            tracing::warn!(
                unfinished = self.tasks.len(),
                "stops without the answers of an API server that takes too long; whoever is next finds what was started"
            );
            self.tasks.shutdown().await;
        }
        if self.options.shadow {
            self.report.conclude();
        }
    }

    async fn finish_all(&mut self) {
        while let Some(done) = self.tasks.join_next().await {
            self.options.health.beat();
            self.finish(done);
        }
    }

    /// Takes over or steps down when the leadership has changed. Who steps down gives up what is under way at once.
    async fn follow_leadership(&mut self) {
        let leads = self.options.leadership.is_held();
        if leads == self.leading {
            return;
        }
        self.leading = leads;
        if leads {
            self.state.take_over();
        } else {
            self.tasks.shutdown().await;
            self.state.step_down();
        }
    }

    fn observe(&mut self, watched: Watched) {
        match watched {
            Watched::CronJob(scope, Ok(event)) => match event.strict() {
                Ok(event) => self.state.cronjob_event(&scope, event),
                Err(malformed) => self
                    .state
                    .malformed_cronjob(&malformed.metadata, &malformed.error),
            },
            Watched::Job(scope, Ok(event)) => match event.strict() {
                Ok(event) => self.state.job_event(&scope, event),
                Err(malformed) => {
                    let (name, namespace) = (&malformed.metadata.name, &malformed.metadata.namespace);
                    tracing::warn!(
                        job = name,
                        namespace,
                        error = malformed.error,
                        "a Job can't be read"
                    );
                    self.state
                        .malformed_job(&scope, &malformed.metadata, &malformed.error);
                }
            },
            Watched::Calendar(scope, Ok(event)) => self.state.calendar_event(&scope, event),
            Watched::Calendar(scope, Err(error)) => {
                let error = why_it_failed(&error);
                if self.state.calendars_failed(&scope, error.clone()) {
                    tracing::warn!(
                        error,
                        namespace = scope.0,
                        "calendars can't be watched: CronJobs that name one (punctual.dev/exclude) are held until they \
                         can. It takes list and watch of configmaps, or --calendars says where else they are"
                    );
                }
            }
            // The streams recover by themselves, by listing again after a pause.
            Watched::CronJob(scope, Err(error)) => warn_of_watch("CronJobs", &scope, &error),
            Watched::Job(scope, Err(error)) => warn_of_watch("Jobs", &scope, &error),
        }
        if self.state.is_synced() {
            self.options.health.set_ready();
        }
    }

    /// Takes all decisions that are due, then starts the tasks that carry them out.
    fn start_ready(&mut self) {
        let now = self.options.clock.now();
        if !self.leading {
            self.state.stand_by(now);
            self.options.teller.metrics().set_backlog(0);
            self.options.teller.metrics().set_held_back(0);
            return;
        }
        let (tasks, news) = self.state.ready(now);
        for task in tasks {
            let submitter = self.submitter.clone();
            let key = task.key().clone();
            let work = AssertUnwindSafe(perform(submitter, task)).catch_unwind();
            self.tasks
                .spawn(work.map(|done| done.unwrap_or(Done::Panicked { key })));
        }
        for news in news {
            self.tell(now, news.cronjob, news.uid, news.note);
        }
        let metrics = self.options.teller.metrics();
        for finding in self.state.findings() {
            self.report.add(&finding, metrics);
        }
        metrics.set_backlog(self.state.backlog());
        metrics.set_held_back(self.state.held_back());
        for (cronjob, wellbeing) in self.state.take_wellbeing() {
            metrics.set_wellbeing(&cronjob, wellbeing);
        }
    }

    /// Tells whoever prepares for it what will be due next.
    fn announce(&self) {
        if let Some(told) = &self.options.upcoming {
            let upcoming = self.state.upcoming().filter(|_| self.leading);
            told.send_if_modified(|before| std::mem::replace(before, upcoming) != upcoming);
        }
    }

    fn finish(&mut self, done: Result<Done, tokio::task::JoinError>) {
        let now = self.options.clock.now();
        match done {
            Ok(Done::Submitted {
                key,
                uid,
                mut carried,
            }) => {
                let notes = std::mem::take(&mut carried.notes);
                let untold = carried.trouble.as_ref().filter(|_| notes.is_empty());
                let untold = untold.map(|trouble| trouble.message.clone());
                for note in notes {
                    self.tell(now, key.clone(), uid.clone(), note);
                }
                self.state.carried(&key, &uid, *carried, now);
                if let Some(trouble) = untold {
                    warn_of(&key, self.state.failures(&key), &trouble);
                }
            }
            Ok(Done::LookedUp { key, asked, found }) => self.state.looked_up(&key, &asked, found, now),
            Ok(Done::LookedAt { key, pods }) => self.state.looked_at(&key, pods, now),
            Ok(Done::Panicked { key }) => {
                tracing::error!(cronjob = %key, "a fault of punctual's; it is decided again");
                self.state.gave_up(&key, now);
            }
            Err(error) => tracing::error!(%error, "a task of the controller ended by itself"),
        }
    }

    /// It changes seldom, so it is counted with every sign of life.
    fn count_overdue(&self) {
        let overdue = if self.leading { self.state.overdue() } else { 0 };
        self.options.teller.metrics().set_overdue(overdue);
    }

    fn tell(&self, at: Timestamp, cronjob: Key, uid: String, note: Note) {
        if self.options.shadow {
            // It counts for nothing, and is no event: whoever acts has its own to say.
            let (namespace, name, reason) = (&cronjob.namespace, &cronjob.name, note.reason());
            tracing::debug!(namespace, cronjob = name, reason, "would say: {note}");
            return;
        }
        self.options.teller.tell(&Told {
            at,
            cronjob,
            uid,
            note,
        });
    }
}

fn warn_of_watch(of: &str, scope: &Scope, error: &watcher::Error) {
    let (namespace, error) = (&scope.0, why_it_failed(error));
    tracing::warn!(of, namespace, error, "watch failed");
}

/// Says why a CronJob can't be dealt with, at the fourth attempt, the eighth and so on: what passes by itself is no news.
fn warn_of(cronjob: &Key, failures: u32, trouble: &str) {
    if failures >= 4 && failures.is_power_of_two() {
        tracing::warn!(%cronjob, attempts = failures, trouble, "what was decided can't be carried out; it is tried again");
    }
}

/// Carries a task out. Thousands wait at the same time, so what one of them needs to wait is small, and the rest is in
/// boxes that are made when its turn has come.
async fn perform(submitter: Submitter, task: Task) -> Done {
    match task {
        Task::Submit {
            key,
            object,
            decision,
            overtaken,
        } => {
            let carried = submitter.carry_out(&object, &decision, &overtaken).await;
            if let Some(trouble) = &carried.trouble {
                tracing::debug!(cronjob = %key, trouble = trouble.message, "to be tried again");
            }
            Done::Submitted {
                key,
                uid: object.metadata.uid.clone().unwrap_or_default(),
                carried,
            }
        }
        Task::LookAt { key, jobs } => {
            let pods = Box::pin(submitter.look_at(&key.namespace, &jobs)).await;
            Done::LookedAt {
                pods: found(&key, pods),
                key,
            }
        }
        Task::LookUp { key, jobs } => {
            let jobs_found = Box::pin(submitter.look_up(&key.namespace, &jobs)).await;
            Done::LookedUp {
                found: found(&key, jobs_found),
                key,
                asked: jobs,
            }
        }
    }
}

/// What was looked for, if the API server could be asked.
fn found<T>(key: &Key, answer: Result<T, Trouble>) -> Option<T> {
    let log = |trouble: &Trouble| tracing::warn!(cronjob = %key, trouble = trouble.message, "look-up failed");
    answer.inspect_err(log).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::cronjob::Key;

    /// In bytes: five thousand that wait take a dozen megabytes.
    const SMALL: usize = 2_500;

    #[tokio::test]
    async fn a_task_that_waits_is_small() {
        let nobody = tower::service_fn(|_: http::Request<kube::client::Body>| {
            std::future::pending::<Result<http::Response<kube::client::Body>, tower::BoxError>>()
        });
        let client = Client::new(nobody, "default");
        let submitter = Submitter::new(client, SystemClock::shared(), Arc::new(TimeZones::built_in()));
        let key = Key {
            namespace: "default".into(),
            name: "tick".into(),
        };
        let task = perform(submitter, Task::LookUp { key, jobs: vec![] });
        let size = size_of_val(&task);
        assert!(size < SMALL, "{size} bytes");
    }
}
