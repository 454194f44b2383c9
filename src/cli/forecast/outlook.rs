//! What is to come: the CronJobs are simulated, and the crowd is counted.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::cli::forecast::gather::Subject;
use crate::cli::page::{grouped, local};
use crate::cli::progress::{Progress, moments};
use crate::cronjob::Key;
use crate::foresight::{Crowd, Happening, Minute, Movable, Relief, Simulation, What, caught_up};
use crate::policy::{Note, Ruling, SkipReason};
use crate::schedule::{Timestamp, Zone};

/// How a minute is shown.
pub(super) const MINUTE: &str = "%a %-d %b %H:%M";

/// So many CronJobs are named together.
pub(super) const NAMED: usize = 3;

/// What is to come.
pub(super) struct Outlook {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// The CronJobs, by their numbers.
    pub(super) members: Vec<Member>,
    pub(super) crowd: Crowd,
    pub(super) relief: Option<Relief>,
    /// What clock changes take away, by their instants.
    lost: BTreeMap<Timestamp, Lost>,
}

/// The runs that one clock change takes away.
#[derive(Default)]
struct Lost {
    runs: u64,
    /// Whose they are, by number.
    who: Vec<usize>,
}

/// A CronJob.
pub(super) struct Member {
    pub(super) key: Key,
    pub(super) schedule: String,
    pub(super) said: String,
    pub(super) run_time: TimeDelta,
    /// Whether it is known how long a run takes.
    pub(super) is_known: bool,
    pub(super) suspended: bool,
}

/// One of the most crowded minutes.
pub(super) struct Crowded {
    pub(super) at: Timestamp,
    pub(super) minute: Minute,
    /// Who starts in it, by number.
    pub(super) who: Vec<usize>,
}

impl Outlook {
    /// Simulates the CronJobs from one instant to another.
    pub(super) fn of(subjects: Vec<Subject>, from: Timestamp, to: Timestamp) -> Outlook {
        let mut simulation = Simulation::starting_at(from);
        for Subject { asked, life, .. } in &subjects {
            simulation.add(caught_up(asked.cronjob.clone(), from), *life);
        }
        let mut crowd = Crowd::new(from, to);
        let mut lost = BTreeMap::new();
        let mut progress = Progress::of("forecasting", true);
        for until in moments(from, to) {
            simulation.pass_until(until, &mut |happening| {
                crowd.see(happening);
                see_what_is_lost(&mut lost, happening);
            });
            progress.step();
        }
        crowd.close();
        let relief = Relief::find(&crowd, &movable(&subjects));
        let members = subjects.into_iter().map(|subject| {
            let (text, said) = (subject.asked.text(), subject.asked.said_with_zone());
            let suspended = subject.asked.is_suspended_until(to);
            Member {
                key: subject.asked.cronjob.key,
                schedule: text,
                said,
                run_time: subject.life.length().unwrap_or_default(),
                is_known: subject.is_known,
                suspended,
            }
        });
        Outlook {
            from,
            to,
            members: members.collect(),
            crowd,
            relief,
            lost,
        }
    }

    /// How many runs start.
    pub(super) fn starts(&self) -> u64 {
        self.crowd
            .minutes()
            .iter()
            .map(|minute| u64::from(minute.starts))
            .sum()
    }

    /// The first of the minutes of which something is greatest; none where nothing happens.
    pub(super) fn peak(&self, of: impl Fn(&Minute) -> u32) -> Option<(Timestamp, u32)> {
        let minutes = self.crowd.minutes();
        let most = minutes.iter().map(&of).max().filter(|most| *most > 0)?;
        let at = minutes.iter().position(|minute| of(minute) == most)?;
        Some((self.crowd.begin_of(at), most))
    }

    /// The minutes in which most starts, the most crowded first; only those in which several start.
    pub(super) fn crowded(&self, top: usize) -> Vec<Crowded> {
        let minutes = self.crowd.minutes();
        let mut order: Vec<usize> = (0..minutes.len())
            .filter(|index| minutes[*index].starts > 1)
            .collect();
        order.sort_by_key(|index| (std::cmp::Reverse(minutes[*index].starts), *index));
        order.truncate(top);
        let crowded = order.into_iter().map(|index| Crowded {
            at: self.crowd.begin_of(index),
            minute: minutes[index],
            who: self
                .crowd
                .who(index)
                .into_iter()
                .map(|(number, _)| number)
                .collect(),
        });
        crowded.collect()
    }

    /// The first few of some CronJobs, and how many more there are.
    pub(super) fn names(&self, who: &[usize], most: usize) -> String {
        let names = who
            .iter()
            .take(most)
            .map(|number| self.members[*number].key.to_string());
        let names = names.collect::<Vec<String>>().join(", ");
        match who.len().saturating_sub(most) {
            0 => names,
            more => format!("{names} and {} more", grouped(more as u64)),
        }
    }

    /// What has to be known about the figures, a sentence each, with times on the clock of a zone.
    pub(super) fn caveats(&self, zone: &Zone) -> Vec<String> {
        let mut caveats = Vec::new();
        let unknown = self
            .members
            .iter()
            .filter(|member| !member.is_known && !member.suspended)
            .count();
        if unknown > 0 && self.starts() > 0 {
            caveats.push(format!(
                "How many run at once is an estimate: how long a run takes is not known of {unknown} of {} CronJobs, \
                 and 1 minute is assumed (`--run-time NAME=90s` says it)",
                self.members.len()
            ));
        }
        let suspended = self.members.iter().filter(|member| member.suspended).count();
        match suspended {
            0 => {}
            1 => caveats.push("1 CronJob is suspended and starts nothing".into()),
            _ => caveats.push(format!("{suspended} CronJobs are suspended and start nothing")),
        }
        caveats.extend(self.lost.iter().map(|(change, lost)| {
            let (do_not, time) = match lost.runs {
                1 => ("1 run does not".into(), "its time"),
                runs => (format!("{} runs do not", grouped(runs)), "their time"),
            };
            format!(
                "{do_not} start, of {}: on {} the clock is put forward over {time}",
                self.names(&lost.who, NAMED),
                local(*change, zone).format(MINUTE)
            )
        }));
        caveats
    }

    /// What would help against the crowd, a sentence each.
    pub(super) fn advice(&self) -> Vec<String> {
        let Some(relief) = &self.relief else {
            return vec![];
        };
        let (from, to) = &relief.example;
        let quiet: Vec<String> = relief
            .quiet
            .iter()
            .map(|minute| format!(":{minute:02}"))
            .collect();
        let mut advice = vec![
            format!(
                "{} CronJobs could start at a minute of their own: with `H` in place of the minute \
                 (`punctual.dev/schedules: \"{to}\"` for `{from}`), at most {} would start in one minute instead of {}.",
                grouped(relief.spreadable as u64),
                grouped(relief.most_spread.into()),
                grouped(relief.most.into())
            ),
            format!(
                "By hand: the quietest minutes of the hour are {}.",
                quiet.join(", ")
            ),
        ];
        advice.push(
            "Or leave the schedules alone and let each start a little later: `punctual.dev/jitter: 10m`."
                .into(),
        );
        advice
    }
}

/// Takes in what happens.
fn see_what_is_lost(lost: &mut BTreeMap<Timestamp, Lost>, happening: &Happening<'_>) {
    let What::Noted(Note::Ruled(Ruling::Skipped {
        count,
        newest: change,
        why,
    })) = happening.what
    else {
        return;
    };
    if matches!(why, SkipReason::ClockChange { .. }) {
        let lost = lost.entry(*change).or_default();
        lost.runs += count;
        lost.who.push(happening.number);
    }
}

fn movable(subjects: &[Subject]) -> Vec<Movable<'_>> {
    let movable = subjects.iter().enumerate().filter_map(|(number, subject)| {
        let [expression] = subject.asked.expressions.as_slice() else {
            return None;
        };
        Some(Movable {
            number,
            key: &subject.asked.cronjob.key,
            expression,
            schedule: subject.asked.cronjob.spec.schedule.as_ref().ok()?,
        })
    });
    movable.collect()
}
