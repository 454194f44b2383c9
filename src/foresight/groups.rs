//! The slots that the CronJobs of a simulation share (`punctual.dev/group`), as the controller has them shared.

use crate::cronjob::extension::Membership;
use crate::foresight::Simulation;
use crate::foresight::member::Member;
use crate::policy::{self, Group, Note, Ruling, Situation, WaitReason, decide, rank};
use crate::schedule::Timestamp;

impl Member {
    fn membership(&self) -> Option<&Membership> {
        self.cronjob.spec.policies.group.as_ref()
    }

    /// The instant for which it waits for a slot.
    fn waits_for(&self) -> Option<Timestamp> {
        self.told.iter().find_map(|note| match note {
            Note::Ruled(Ruling::Waiting {
                scheduled,
                why: WaitReason::Group { .. },
                ..
            }) => Some(*scheduled),
            _ => None,
        })
    }

    /// The runs that take slots.
    pub(super) fn active_runs(&self) -> usize {
        self.runs.iter().filter(|run| run.is_in_the_way()).count()
    }

    /// What it would start now, had it a slot.
    fn wants(&self, now: Timestamp) -> Option<Timestamp> {
        let situation = Situation {
            cronjob: &self.cronjob,
            runs: &self.runs,
            memory: &self.memory,
        };
        decide(situation, now).start.map(|start| start.scheduled)
    }
}

impl Simulation {
    /// The other members of a CronJob's group.
    pub(super) fn group_of(&self, number: usize) -> Group {
        let member = |number: usize| {
            let member = &self.members[number];
            Some(policy::Member {
                name: member.cronjob.key.name.clone(),
                membership: member.membership()?.clone(),
                taken: member.active_runs(),
                waits_for: member.waits_for(),
            })
        };
        Group {
            others: self.neighbours(number).into_iter().filter_map(member).collect(),
            until: None,
        }
    }

    /// Those in the same group.
    fn neighbours(&self, number: usize) -> Vec<usize> {
        let own = &self.members[number];
        let Some(group) = own.membership() else {
            return vec![];
        };
        let is_neighbour = |other: &usize| {
            let (key, membership) = (
                &self.members[*other].cronjob.key,
                self.members[*other].membership(),
            );
            *other != number
                && key.namespace == own.cronjob.key.namespace
                && membership.is_some_and(|membership| membership.name == group.name)
        };
        self.numbers.values().copied().filter(is_neighbour).collect()
    }

    /// A slot may have come free: whoever waits for it is asked again.
    pub(super) fn mark_waiting(&mut self, number: usize) {
        let now = self.now();
        for other in self.neighbours(number) {
            if self.members[other].waits_for().is_some() {
                self.wake(other, Some(now));
            }
        }
    }

    /// Whom to decide on next: of a group, at one moment, whoever goes first.
    pub(super) fn next_in_turn(&mut self) -> Option<usize> {
        let (at, first) = *self.wakes.first()?;
        let now = self.now();
        let together = self
            .wakes
            .iter()
            .take_while(|(wake, _)| *wake <= now)
            .map(|(_, number)| *number);
        let neighbours = self.neighbours(first);
        let group = together.filter(|number| *number == first || neighbours.contains(number));
        let in_turn = group.min_by_key(|number| {
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
