//! The slots that the CronJobs of a simulation share (`punctual.dev/group`), as the controller has them shared.

use std::collections::{BTreeMap, BTreeSet};

use crate::cronjob::CronJob;
use crate::cronjob::extension::Membership;
use crate::foresight::Simulation;
use crate::foresight::member::Member;
use crate::policy::{self, Group, Note, Situation, rank, slots_taken, wants};
use crate::schedule::Timestamp;

/// Who is in which group, by numbers: a group is one of a namespace.
#[derive(Default)]
pub(super) struct Groups(BTreeMap<(String, String), BTreeSet<usize>>);

impl Groups {
    /// A CronJob enters the group that it names, if it names one.
    pub(super) fn enter(&mut self, number: usize, cronjob: &CronJob) {
        if let Some(group) = group(cronjob) {
            self.0.entry(group).or_default().insert(number);
        }
    }

    /// It leaves it.
    pub(super) fn leave(&mut self, number: usize, cronjob: &CronJob) {
        if let Some(members) = group(cronjob).and_then(|group| self.0.get_mut(&group)) {
            members.remove(&number);
        }
    }

    /// Everybody in the group that a CronJob names.
    fn of(&self, cronjob: &CronJob) -> Option<&BTreeSet<usize>> {
        self.0.get(&group(cronjob)?)
    }
}

fn group(cronjob: &CronJob) -> Option<(String, String)> {
    let membership = cronjob.spec.policies.group.as_ref()?;
    Some((cronjob.key.namespace.clone(), membership.name.clone()))
}

impl Member {
    fn membership(&self) -> Option<&Membership> {
        self.cronjob.spec.policies.group.as_ref()
    }

    /// The instant for which it waits for a slot.
    pub(super) fn waits_for(&self) -> Option<Timestamp> {
        self.told.iter().find_map(Note::waits_for_group)
    }

    /// How many slots its runs take.
    pub(super) fn taken(&self) -> usize {
        slots_taken(&self.runs)
    }

    /// What it would start now, had it a slot.
    fn wants(&self, now: Timestamp) -> Option<Timestamp> {
        let situation = Situation {
            cronjob: &self.cronjob,
            runs: &self.runs,
            memory: &self.memory,
        };
        wants(situation, now)
    }
}

impl Simulation {
    /// The other members of a CronJob's group, if it is of any interest: it would start a run.
    pub(super) fn group_of(&self, number: usize) -> Group {
        let asks =
            self.members[number].membership().is_some() && self.members[number].wants(self.now()).is_some();
        let member = |number: usize| {
            let member = &self.members[number];
            Some(policy::Member {
                name: member.cronjob.key.name.clone(),
                membership: member.membership()?.clone(),
                taken: member.taken(),
                waits_for: member.waits_for(),
            })
        };
        let others = self.neighbours(number).filter(|_| asks);
        others.filter_map(member).collect()
    }

    /// The others in the same group.
    fn neighbours(&self, number: usize) -> impl Iterator<Item = usize> {
        let group = self.groups.of(&self.members[number].cronjob);
        let members = group.into_iter().flatten().copied();
        members.filter(move |other| *other != number)
    }

    /// A slot may have come free: of those that wait for it, whoever goes first is asked again. If that one starts, the
    /// next is asked; if not, nobody behind it can.
    pub(super) fn mark_waiting(&mut self, number: usize) {
        let waiting = self.neighbours(number).filter_map(|other| {
            let member = &self.members[other];
            let rank = rank(
                member.membership()?,
                member.waits_for()?,
                &member.cronjob.key.name,
            );
            Some((rank, other))
        });
        if let Some((_, first)) = waiting.min() {
            let now = self.now();
            self.wake(first, Some(now));
        }
    }

    /// Whom to decide on next: of a group, at one moment, whoever goes first.
    pub(super) fn next_in_turn(&mut self) -> Option<usize> {
        let (at, first) = *self.wakes.first()?;
        let now = self.now();
        let wakes_now = |other: &usize| self.members[*other].wake.is_some_and(|wake| wake <= now);
        let mut together = self.neighbours(first).filter(wakes_now).peekable();
        let is_alone = together.peek().is_none();
        let in_turn = together
            .chain([first])
            .filter(|_| !is_alone)
            .min_by_key(|number| {
                let member = &self.members[*number];
                Some(rank(
                    member.membership()?,
                    member.wants(now)?,
                    &member.cronjob.key.name,
                ))
            });
        let next = in_turn.unwrap_or(first);
        let wake = self.members[next].wake.unwrap_or(at);
        self.wakes.remove(&(wake, next));
        Some(next)
    }
}
