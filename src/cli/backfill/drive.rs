//! Starts what may start, and follows it to its end.

use std::time::{Duration, Instant};

use crate::cli::backfill::request::Request;
use crate::cli::backfill::show::{Show, Sum};
use crate::cli::backfill::table::{Row, SoFar, Table, row};
use crate::cli::backfill::world::World;
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupts::Interrupts;
use crate::clock::{Clock, SystemClock};
use crate::cronjob::RunState;
use crate::policy::{Hold, Plan};
use crate::schedule::Timestamp;
use crate::submit::{CreateAnswer, JobView};

/// Time alone changes what may start, so it is asked again this often although nothing happens.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// A Job that the API server refuses is tried again so often, after pauses that double: for a good half minute, in which
/// a busy server has recovered. A quota that is full for longer is for a person to see to.
const ATTEMPTS: u32 = 6;

/// The pause after the first refusal.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How far a run has come.
enum Stage {
    /// Its turn has not come.
    Waits,
    /// The Job of this UID runs.
    Runs { job: String, uid: String },
    /// Nothing more will come of it.
    Over,
}

/// A backfill under way.
pub(super) struct Drive {
    world: World,
    request: Request,
    show: Show,
    runs: Vec<(Timestamp, Stage)>,
    /// What the next run waits for, and since when.
    held: Option<(Hold, Timestamp)>,
    /// How often the API server has refused the next run, and until when it is left alone.
    refused: u32,
    patient_until: Option<Instant>,
    sum: Sum,
    /// How many of the runs that it started before have failed.
    failed_before: usize,
}

/// What came of asking for the next run.
enum Next {
    /// It was dealt with; ask again.
    Done,
    /// Something has to happen first, or time has to pass.
    Wait,
}

impl Drive {
    pub(super) fn new(world: World, request: Request, show: Show, table: Table) -> Drive {
        let failed_before = table.failed();
        let runs = table.rows.into_iter().filter_map(|row| {
            let stage = stage(&row)?;
            Some((row.scheduled, stage))
        });
        Drive {
            world,
            request,
            show,
            runs: runs.collect(),
            held: None,
            refused: 0,
            patient_until: None,
            sum: Sum::default(),
            failed_before,
        }
    }

    /// Goes on until everything has ended, or until it is stopped. A request that is under way is finished before.
    ///
    /// # Errors
    ///
    /// When the CronJob is gone, or the API server keeps refusing a Job.
    pub(super) async fn finish(mut self) -> Result<Exit, Failure> {
        let mut interrupts = Interrupts::catch()?;
        self.world.follow();
        loop {
            self.see_ends();
            let next = match self.first_waiting() {
                Some(_) if self.patient_until.is_some_and(|until| Instant::now() < until) => Next::Wait,
                Some(index) => self.start(index).await?,
                None if self.running() == 0 => return Ok(self.conclude()),
                None => Next::Wait,
            };
            if let Next::Done = next {
                continue;
            }
            tokio::select! {
                changed = self.world.change() => if let Err(error) = changed {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a watch failed, and begins again");
                },
                () = tokio::time::sleep(ASK_EVERY) => {}
                () = interrupts.next() => {
                    self.show.stopped(self.running(), self.waiting());
                    return Ok(Exit::Failure);
                }
            }
        }
    }

    fn first_waiting(&self) -> Option<usize> {
        self.runs
            .iter()
            .position(|(_, stage)| matches!(stage, Stage::Waits))
    }

    fn waiting(&self) -> usize {
        let waiting = self
            .runs
            .iter()
            .filter(|(_, stage)| matches!(stage, Stage::Waits));
        waiting.count()
    }

    fn running(&self) -> usize {
        let running = self
            .runs
            .iter()
            .filter(|(_, stage)| matches!(stage, Stage::Runs { .. }));
        running.count()
    }

    /// Tells of the runs that have ended.
    fn see_ends(&mut self) {
        for (_, stage) in &mut self.runs {
            let Stage::Runs { job, uid } = stage else { continue };
            let state = self.world.job(uid).map(|job| job.run().state);
            match state {
                Some(RunState::Active) => continue,
                Some(RunState::Finished { outcome, .. }) => {
                    self.sum.ended(outcome);
                    self.show.ended(job, outcome);
                }
                None => {
                    self.sum.not_started += 1;
                    self.show.gone(job);
                }
            }
            *stage = Stage::Over;
        }
    }

    /// Starts a run, if it may start now. What has happened to its instant meanwhile counts.
    async fn start(&mut self, index: usize) -> Result<Next, Failure> {
        let now = SystemClock.now();
        let scheduled = self.runs[index].0;
        let name = &self.world.cronjob().key.name;
        let attempts = self.world.attempts_of(scheduled);
        let row = row(name, scheduled, &attempts, &self.request);
        let Plan::Start(job) = &row.plan else {
            self.runs[index].1 = stage(&row).unwrap_or(Stage::Over);
            self.show.has_one(scheduled);
            return Ok(Next::Done);
        };
        let asked = self.held.as_ref().map(|(hold, since)| (hold, *since));
        if let Err(hold) = self.world.may_start(self.request.max_active, asked, now) {
            self.hold(hold, now);
            return Ok(Next::Wait);
        }
        self.held = None;
        let Some(answer) = self.world.start(job, scheduled, &self.request).await else {
            let (key, left) = (&self.world.cronjob().key, self.waiting());
            return Err(Failure::new(format!(
                "CronJob {key} is gone; {left} runs were not started"
            )));
        };
        self.take_in(index, job, answer)
    }

    /// Why the next run waits is told once, and not where it waits for those before it.
    fn hold(&mut self, hold: Hold, now: Timestamp) {
        let is_own = |name: &String| {
            let mut stages = self.runs.iter().map(|(_, stage)| stage);
            stages.any(|stage| matches!(stage, Stage::Runs { job, .. } if job == name))
        };
        let goes_without_saying = match &hold {
            Hold::Enough(_) => true,
            Hold::Active(jobs) => jobs.iter().all(is_own),
            Hold::Schedule(_) | Hold::Group => false,
        };
        if self.held.as_ref().is_none_or(|(before, _)| *before != hold) {
            if !goes_without_saying {
                self.show.waits(&hold);
            }
            self.held = Some((hold, now));
        }
    }

    fn take_in(&mut self, index: usize, name: &str, answer: CreateAnswer) -> Result<Next, Failure> {
        let scheduled = self.runs[index].0;
        let is_ours = |job: &JobView| job.backfill() == Some(&self.request.name);
        let stage = match answer {
            // One that exists and is ours was created by a request whose answer was lost.
            CreateAnswer::Existed(job) if !is_ours(&job) => {
                self.show.has_one(scheduled);
                Stage::Over
            }
            CreateAnswer::Created(job) | CreateAnswer::Existed(job) => {
                self.sum.started += 1;
                self.show.started(name, scheduled, self.waiting() - 1);
                runs(&job)
            }
            CreateAnswer::Taken => {
                self.sum.not_started += 1;
                self.show.name_taken(name);
                Stage::Over
            }
            CreateAnswer::Refused(trouble) => {
                self.refused += 1;
                if self.refused >= ATTEMPTS {
                    let left = self.waiting();
                    return Err(Failure::new(format!(
                        "Job {name} was not started: {}\nhelp: {left} runs are left; the same command goes on with them",
                        trouble.message
                    )));
                }
                self.show.refused(name, &trouble.message);
                self.patient_until = Some(Instant::now() + FIRST_PAUSE * 2_u32.pow(self.refused - 1));
                return Ok(Next::Wait);
            }
        };
        self.runs[index].1 = stage;
        (self.refused, self.patient_until) = (0, None);
        Ok(Next::Done)
    }

    fn conclude(&self) -> Exit {
        self.show.sum(&self.sum);
        if self.failed_before + self.sum.failed + self.sum.not_started > 0 {
            Exit::Failure
        } else {
            Exit::Fine
        }
    }
}

/// Where the run of an instant stands; `None` where there is nothing to do about it.
fn stage(row: &Row) -> Option<Stage> {
    match (&row.plan, row.so_far, &row.job) {
        (Plan::Start(_), ..) => Some(Stage::Waits),
        (Plan::Started, SoFar::Active, Some((job, uid))) => Some(Stage::Runs {
            job: job.clone(),
            uid: uid.clone(),
        }),
        _ => None,
    }
}

fn runs(job: &JobView) -> Stage {
    Stage::Runs {
        job: job.name().to_owned(),
        uid: job.uid().to_owned(),
    }
}
