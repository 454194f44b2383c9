//! The watches, the clock and the tasks, around the state machine.

use std::sync::Arc;
use std::time::Duration;

use kube::Resource as _;
use kube::runtime::watcher::Event;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::controller::charge::Scope;
use crate::controller::lenient::Strict as _;
use crate::controller::options::ControllerOptions;
use crate::controller::report::Report;
use crate::controller::state::{Done, State};
use crate::controller::tasks::{Means, Tasks};
use crate::controller::unwatched::{self, Unwatched};
use crate::controller::watches::{Failed, Watched, Watches, is_refusal, why_it_failed};
use crate::cronjob::Key;
use crate::submit::Submitter;
use crate::telemetry::{BEAT_EVERY, Told};

/// How long what is under way may take when the controller stops. Nothing new is decided meanwhile, by nobody: a standby
/// waits for the lease. Names are the lock, so what is given up is found by whoever is next.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Runs the CronJobs of an API server.
pub struct Controller {
    options: ControllerOptions,
    state: State,
    report: Report,
    leading: bool,
    unwatched: Unwatched,
    tasks: Tasks,
}

impl Controller {
    /// A controller that has not started yet.
    pub fn new(mut options: ControllerOptions) -> Self {
        let seen = std::mem::take(&mut options.seen);
        let ControllerOptions {
            client,
            clock,
            zones,
            teller,
            ..
        } = &options;
        let means = Means {
            submitter: Submitter::new(client.clone(), Arc::clone(clock), Arc::clone(zones)),
            teller: teller.clone(),
            clock: Arc::clone(clock),
        };
        let mut state = State::new(Arc::clone(zones), &options.charge);
        state.remember(seen);
        state.keep_pace(options.pace);
        if options.shadow {
            state.look_on();
        }
        Controller {
            options,
            leading: false,
            unwatched: Unwatched::default(),
            state,
            report: Report::default(),
            tasks: Tasks::new(means),
        }
    }

    /// Runs until `stop` becomes true or is dropped; then nothing new is decided, and what is under way is finished if it
    /// does not take too long.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let ControllerOptions {
            client,
            charge,
            longest_watch,
            ..
        } = &self.options;
        let mut watches = Watches::new(client.clone(), charge.clone(), *longest_watch);
        let mut leadership = self.options.leadership.clone();
        let mut beat = tokio::time::interval(BEAT_EVERY);
        while !*stop.borrow() {
            self.options.health.beat();
            self.follow_leadership().await;
            if self.state.wants_calendars() {
                watches.add_calendars();
            }
            self.start_ready();
            self.announce();
            let wake = self.state.next_wake();
            let sleep = wake.map(|at| self.options.clock.sleep_until(at));
            tokio::select! {
                // In a fixed order, so that the same history has the same end. Nobody starves: whatever happens,
                // what is due, who leads and whether to stop is looked at in every turn.
                biased;
                Some((key, done)) = self.tasks.next() => self.finish(&key, done),
                Some(watched) = watches.next() => self.observe(watched),
                () = async { if let Some(sleep) = sleep { sleep.await } }, if wake.is_some() => {}
                () = leadership.changed() => {}
                _ = beat.tick() => {
                    self.unwatched.look(&self.options.health);
                    self.count_overdue();
                }
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        self.state.stop();
        if timeout(STOP_GRACE, self.finish_all()).await.is_err() {
            tracing::warn!(
                unfinished = self.tasks.len(),
                "stops without the answers of an API server that takes too long; whoever is next finds what was started"
            );
            self.tasks.give_up().await;
        }
        if self.options.shadow {
            self.report.conclude();
        }
    }

    async fn finish_all(&mut self) {
        while let Some((key, done)) = self.tasks.next().await {
            self.options.health.beat();
            self.finish(&key, done);
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
            self.tasks.give_up().await;
            self.state.step_down();
        }
    }

    fn observe(&mut self, watched: Watched) {
        match watched {
            // Whether it can be read is no matter any more.
            Watched::CronJob(_, Ok(Event::Delete(gone))) => self.state.cronjob_gone(gone.meta()),
            Watched::CronJob(scope, Ok(event)) => match event.strict() {
                Ok(event) => self.state.cronjob_event(&scope, event),
                Err(malformed) => {
                    self.state
                        .malformed_cronjob(&scope, &malformed.metadata, &malformed.error);
                }
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
            Watched::Calendar(scope, Err(failed)) => {
                let error = why_it_failed(&failed.error);
                if self.state.calendars_failed(&scope, error.clone()) {
                    tracing::warn!(
                        error,
                        namespace = scope.0,
                        "calendars can't be watched: CronJobs that name one (punctual.dev/exclude) are held until they \
                         can. It takes list and watch of configmaps, or --calendars says where else they are"
                    );
                }
            }
            Watched::CronJob(scope, Err(failed)) => self.watch_failed("CronJobs", &scope, &failed),
            Watched::Job(scope, Err(failed)) => self.watch_failed("Jobs", &scope, &failed),
        }
        self.unwatched
            .never_listed(self.state.refused(), &self.options.health);
        if self.state.is_synced() {
            self.options.health.set_ready();
        }
    }

    /// The streams recover by themselves, by listing again after a pause.
    fn watch_failed(&mut self, of: &'static str, scope: &Scope, failed: &Failed) {
        let Failed { error, went_on } = failed;
        let (namespace, why) = (&scope.0, why_it_failed(error));
        if is_refusal(error) && self.state.listing_refused(scope) {
            tracing::warn!(of, namespace, error = why, "{}", unwatched::never_listed(scope));
        } else if is_refusal(error)
            && self.state.has_listed(scope)
            && self.unwatched.lost(of, scope, *went_on, &self.options.health)
        {
            tracing::warn!(
                of,
                namespace,
                error = why,
                "may not be watched any more, so CronJobs in {scope} are run as they were last known, and it is tried again. It \
                 takes list and watch of cronjobs and of jobs there"
            );
        } else {
            tracing::warn!(of, namespace, error = why, "watch failed");
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
            self.tasks.start(task);
        }
        for news in news {
            self.tell(&Told {
                at: now,
                cronjob: news.cronjob,
                uid: news.uid,
                note: news.note,
            });
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

    /// Tells what came of a task, and takes it in.
    fn finish(&mut self, key: &Key, mut done: Done) {
        let now = self.options.clock.now();
        let mut untold = None;
        let as_told = |uid: &str, note| Told {
            at: now,
            cronjob: key.clone(),
            uid: uid.to_owned(),
            note,
        };
        if let Done::Pruned { uid, pruned } = &mut done {
            for note in std::mem::take(&mut pruned.notes) {
                self.tell(&as_told(uid, note));
            }
        }
        if let Done::Submitted { uid, carried } = &mut done {
            let (told, notes) = (
                std::mem::take(&mut carried.told),
                std::mem::take(&mut carried.notes),
            );
            let says_nothing = told.is_empty() && notes.is_empty();
            let trouble = carried.trouble.as_ref().filter(|_| says_nothing);
            untold = trouble.map(|trouble| trouble.message.clone());
            for note in told {
                self.options.teller.record(&as_told(uid, note));
            }
            for note in notes {
                self.tell(&as_told(uid, note));
            }
        }
        self.state.ended(key, done, now);
        if let Some(trouble) = untold {
            warn_of(key, self.state.failures(key), &trouble);
        }
    }

    /// It changes seldom, so it is counted with every sign of life.
    fn count_overdue(&self) {
        let overdue = if self.leading { self.state.overdue() } else { 0 };
        self.options.teller.metrics().set_overdue(overdue);
    }

    fn tell(&self, told: &Told) {
        if self.options.shadow {
            let Told { cronjob, note, .. } = told;
            // It counts for nothing, and is no event: whoever acts has its own to say.
            let (namespace, name, reason) = (&cronjob.namespace, &cronjob.name, note.reason());
            tracing::debug!(namespace, cronjob = name, reason, "would say: {note}");
            return;
        }
        self.options.teller.tell(told);
    }
}

/// Says why a CronJob can't be dealt with, at the fourth attempt, the eighth and so on: what passes by itself is no news.
fn warn_of(cronjob: &Key, failures: u32, trouble: &str) {
    if failures >= 4 && failures.is_power_of_two() {
        tracing::warn!(%cronjob, attempts = failures, trouble, "what was decided can't be carried out; it is tried again");
    }
}
