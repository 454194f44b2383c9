//! A script that is played as a simulation: the CronJobs, the clock and the controller do what it says.
//!
//! A simulation has no API server. What a script says of requests, watches and other clients is for the tests of the
//! controller, which play the same scripts against a real one.

mod show;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{Datelike as _, SubsecRound as _, TimeDelta};
use serde_json::Value;

use crate::cronjob::{Key, Origin, Outcome};
use crate::foresight::script::{Apply, Command, JobKind, Line, Script, Which, name};
use crate::foresight::{End, Failing, Happening, Life, Simulation};
use crate::manifest::{self, Diagnostic, Object};
use crate::schedule::{TimeZones, Timestamp};

use show::{cronjob_line, job_lines};

/// What a script shows, line by line.
#[derive(Debug)]
pub enum Shown<'a> {
    /// A comment of the script.
    Comment(&'a str),
    /// A command of the script, before it is done.
    Command(&'a Command),
    /// What a command has to say.
    Reply(String),
    /// What happens.
    Happening(&'a Happening<'a>),
}

/// Whom what a script shows is shown to; whether to go on.
type Show<'a> = &'a mut dyn FnMut(Shown<'_>) -> ControlFlow<()>;

/// Why a script can't be played.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPlayed {
    /// It does not say when it begins.
    #[error("a script begins with `at` and an instant, such as `at 2026-03-08T01:59:00Z`")]
    NoBeginning,
    /// A command is about what a simulation does not have.
    #[error(
        "`{command}` is about how a controller speaks to an API server, which a simulation does not do; leave it out"
    )]
    NeedsServer {
        /// The command as it is written.
        command: String,
    },
    /// A command leads to a time that can't be written.
    #[error("`{command}` leads out of the years 0 to 9999; write a shorter duration")]
    OutOfTime {
        /// The command as it is written.
        command: String,
    },
}

/// Plays a script from its first instant to its last, or until `show` breaks it off.
///
/// # Errors
///
/// Before anything is shown, when the script has no beginning, a command that needs an API server, or one that leads to a time
/// that can't be written.
pub fn play(script: &Script, zones: &TimeZones, show: Show<'_>) -> Result<Simulation, NotPlayed> {
    let begin = script.begin().ok_or(NotPlayed::NoBeginning)?;
    let mut clock = Some((begin, TimeDelta::zero()));
    for line in &script.lines {
        let Line::Command(command) = line else { continue };
        if needs_server(command) {
            let command = command.to_string();
            return Err(NotPlayed::NeedsServer { command });
        }
        clock = clock.and_then(|clock| clock_after(command, clock));
        if clock.is_none() {
            let command = command.to_string();
            return Err(NotPlayed::OutOfTime { command });
        }
    }
    let mut stage = Stage {
        zones,
        simulation: Simulation::starting_at(begin),
        objects: BTreeMap::new(),
        lives: BTreeMap::new(),
        created: 0,
    };
    for line in &script.lines {
        let flow = match line {
            Line::Comment(comment) => show(Shown::Comment(comment)),
            Line::Command(command) => stage.perform(command, show),
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(stage.simulation)
}

/// The time that has passed, and how far the wall clock is ahead of it, after a command; `None` where either can't be written.
fn clock_after(command: &Command, (time, ahead): (Timestamp, TimeDelta)) -> Option<(Timestamp, TimeDelta)> {
    let (time, ahead) = match command {
        Command::At(instant) => (time.max(instant.checked_sub_signed(ahead)?), ahead),
        Command::Tick(by) => (time.max(time.checked_add_signed(*by)?), ahead),
        Command::StepClock(by) => (time, ahead.checked_add(by)?),
        _ => (time, ahead),
    };
    let is_written = |at: Timestamp| (0..=9_999).contains(&at.year());
    (is_written(time) && is_written(time.checked_add_signed(ahead)?)).then_some((time, ahead))
}

fn needs_server(command: &Command) -> bool {
    match command {
        Command::Fault(_)
        | Command::DelayWatch { .. }
        | Command::CutWatch { .. }
        | Command::Malform(_)
        | Command::Heal(_)
        | Command::CreateNamespace(_)
        | Command::DeleteNamespace(_)
        | Command::Release(_)
        | Command::Pace(_)
        | Command::WriteEvents
        | Command::ShowEvents => true,
        Command::Apply(apply) => apply.finalizer.is_some(),
        Command::StartJob { kind, .. } => matches!(kind, JobKind::Lookalike | JobKind::Foreign),
        Command::At(_)
        | Command::Tick(_)
        | Command::StepClock(_)
        | Command::Edit(_)
        | Command::DeleteCronJob(_)
        | Command::DeleteJob(_)
        | Command::Finish { .. }
        | Command::AutoFinish { .. }
        | Command::Stop
        | Command::Restart
        | Command::Summarise
        | Command::Hush
        | Command::ShowStatus(_)
        | Command::ShowJobs => false,
    }
}

/// What a Job of this kind is started for.
fn origin(kind: JobKind) -> Origin {
    match kind {
        JobKind::Manual => Origin::Manual,
        JobKind::Backfill => Origin::Backfill,
        JobKind::Stray | JobKind::Lookalike | JobKind::Foreign => Origin::Schedule,
    }
}

/// The life of runs that all end alike.
fn ending(after: TimeDelta, outcome: Outcome) -> Life {
    Life {
        run_time: Some(after),
        failing: match outcome {
            Outcome::Succeeded => Failing::Never,
            Outcome::Failed => Failing::Every(1),
        },
        ..Life::default()
    }
}

/// What a script acts on.
struct Stage<'z> {
    zones: &'z TimeZones,
    simulation: Simulation,
    /// The CronJobs as they were written.
    objects: BTreeMap<Key, Value>,
    /// What `auto-finish` says of the runs of CronJobs, also of those that are not there yet.
    lives: BTreeMap<Key, Life>,
    /// How many CronJobs were created so far.
    created: u64,
}

impl Stage<'_> {
    /// Shows a command, does what it says, and then everything that follows from it at once.
    fn perform(&mut self, command: &Command, show: Show<'_>) -> ControlFlow<()> {
        show(Shown::Command(command))?;
        let until = match command {
            Command::At(instant) => *instant,
            Command::Tick(by) => self.simulation.now() + *by,
            _ => {
                for reply in self.change(command, show) {
                    show(Shown::Reply(reply))?;
                }
                self.simulation.now()
            }
        };
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue()
            && self.simulation.advance(until, &mut |happening| {
                if flow.is_continue() {
                    flow = show(Shown::Happening(happening));
                }
            })
        {}
        flow
    }

    /// Does what a command says; what there is to reply.
    fn change(&mut self, command: &Command, show: Show<'_>) -> Vec<String> {
        let there_is_no = |there: bool, what: &str, key: &Key| {
            (!there)
                .then(|| format!("there is no {what} {}", name(key)))
                .into_iter()
                .collect()
        };
        let simulation = &mut self.simulation;
        match command {
            Command::Apply(apply) => {
                let keys = apply.keys();
                keys.iter().filter_map(|key| self.apply(key, apply)).collect()
            }
            Command::Edit(key) => there_is_no(simulation.cronjob(key).is_some(), "CronJob", key),
            Command::DeleteCronJob(key) => {
                self.objects.remove(key);
                there_is_no(simulation.delete(key), "CronJob", key)
            }
            Command::DeleteJob(job) => {
                there_is_no(simulation.delete_job(&job.namespace, &job.name), "Job", job)
            }
            Command::StartJob { name: job, of, kind } => {
                there_is_no(simulation.start_job(of, &job.name, origin(*kind)), "CronJob", of)
            }
            Command::Finish { which, outcome } => self.finish(which, *outcome, show),
            Command::AutoFinish {
                cronjob,
                after,
                outcome,
            } => {
                let life = ending(*after, *outcome);
                self.lives.insert(cronjob.clone(), life);
                simulation.edit(cronjob, |_, of_it| *of_it = life);
                vec![]
            }
            Command::StepClock(by) => {
                simulation.step_clock(*by);
                vec![]
            }
            Command::Stop => {
                simulation.stop_controller();
                vec![]
            }
            Command::Restart => {
                simulation.restart_controller();
                vec![]
            }
            Command::ShowStatus(key) => match simulation.cronjob(key) {
                Some(cronjob) => vec![cronjob_line(cronjob)],
                None => there_is_no(false, "CronJob", key),
            },
            Command::ShowJobs => job_lines(simulation),
            _ => vec![],
        }
    }

    /// Creates a CronJob, or changes what is named of it.
    fn apply(&mut self, key: &Key, apply: &Apply) -> Option<String> {
        let object = match self.objects.get(key) {
            Some(known) => {
                let mut object = known.clone();
                json_patch::merge(&mut object["spec"], &apply.spec());
                json_patch::merge(&mut object["metadata"]["annotations"], &apply.annotations());
                object
            }
            None => apply.new_cronjob(key),
        };
        let text = object.to_string();
        let loaded = manifest::load_bytes([("apply", text.as_bytes())], self.zones);
        let Some(Object::CronJob(written)) = loaded.objects.into_iter().map(|found| found.object).next()
        else {
            let problems = loaded.diagnostics.into_iter().filter(Diagnostic::is_error);
            let problems: Vec<String> = problems.map(|problem| problem.message).collect();
            return Some(format!("{} is refused: {}", name(key), problems.join("; ")));
        };
        self.objects.insert(key.clone(), object);
        let known = self.simulation.cronjob(key).map(|known| &known.spec);
        let mut cronjob = manifest::lower(&written, self.zones, known);
        if known.is_some() {
            let resumes = apply.extensions.get("suspended") == Some(&None);
            self.simulation.edit(key, |known, _| {
                known.spec = cronjob.spec;
                known.status.record.suspended = known.status.record.suspended.filter(|_| !resumes);
            });
            return None;
        }
        self.created += 1;
        cronjob.uid = format!("{}-{}", key.name, self.created);
        cronjob.created = self.simulation.now().trunc_subsecs(0);
        let life = self.lives.get(key).copied().unwrap_or_default();
        self.simulation.add(cronjob, life);
        None
    }

    /// Ends runs; what there is to reply.
    fn finish(&mut self, which: &Which, outcome: Outcome, show: Show<'_>) -> Vec<String> {
        let unfinished = |of: &Key| self.simulation.unfinished(of);
        let (namespace, jobs) = match which {
            Which::Named(job) => (&job.namespace, vec![job.name.clone()]),
            Which::Oldest(of) => (&of.namespace, unfinished(of).into_iter().take(1).collect()),
            Which::Newest(of) => (&of.namespace, unfinished(of).pop().into_iter().collect()),
            Which::All(of) => (&of.namespace, unfinished(of)),
        };
        if jobs.is_empty() {
            return vec!["there is nothing to finish".into()];
        }
        let mut replies = vec![];
        for job in &jobs {
            let end = End::Finished(outcome);
            // All of them end, also where nobody looks on.
            let mut see = |happening: &Happening<'_>| {
                let _enough = show(Shown::Happening(happening));
            };
            if !self.simulation.finish(namespace, job, end, &mut see) {
                replies.push(format!("there is no unfinished Job {job}"));
            }
        }
        replies
    }
}
