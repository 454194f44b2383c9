//! The slots that CronJobs of a namespace share (`punctual.dev/group`): who takes them, and who is to be asked next.
//!
//! Each group is counted as its members change, one at a time ([`State::seat`]), whatever it is that has changed: a run, the
//! specification, what was decided, what has failed. Whoever may have a slot by that is asked again, and if it does not take
//! it, that changes it too, and the next in line is asked. So a slot is never forgotten, and nobody is asked in vain.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::controller::fault::soundly;
use crate::controller::queue::DueQueue;
use crate::controller::state::State;
use crate::controller::state::pacing::Fate;
use crate::controller::state::standing::{Standing, unaccounted};
use crate::cronjob::Key;
use crate::cronjob::extension::Membership;
use crate::policy::{Decision, Group, Member, Memory, Note, Situation, rank, slots_taken, wants};
use crate::schedule::Timestamp;

/// After a start that failed, its slot is kept for this long: the Job may be there, with only the answer lost, and until
/// then a watch shows it.
const KEPT_AFTER_FAILURE: TimeDelta = TimeDelta::seconds(10);

/// The slot of a run that is being started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Claim {
    /// There is none.
    #[default]
    None,
    /// The start is under way.
    UnderWay,
    /// The start has failed, as far as is known.
    Until(Timestamp),
}

impl Standing {
    /// A decision was taken, and this becomes of the start that it asks for.
    pub(super) fn claim(&mut self, decision: &Decision, fate: Fate) {
        self.claim = match fate {
            Fate::None | Fate::InTurn(_) => Claim::None,
            Fate::Paused => self.claim,
            Fate::UnderWay => Claim::UnderWay,
        };
        self.waits_for = match fate {
            Fate::InTurn(scheduled) => Some(scheduled),
            _ => decision.notes.iter().find_map(Note::waits_for_group),
        };
    }

    /// Its start has come to an end.
    pub(super) fn settle_claim(&mut self, failed: bool, now: Timestamp) {
        if self.claim == Claim::UnderWay {
            self.claim = if failed {
                Claim::Until(now + KEPT_AFTER_FAILURE)
            } else {
                Claim::None
            };
        }
    }

    fn claims_until(&self) -> Option<Timestamp> {
        match self.claim {
            Claim::None | Claim::UnderWay => None,
            Claim::Until(until) => Some(until),
        }
    }
}

/// The groups of all namespaces.
#[derive(Default)]
pub(super) struct Groups {
    /// By namespace and name.
    by_id: HashMap<(String, String), Group>,
    /// The group that each member is in.
    of: HashMap<Key, (String, String)>,
    /// When slots come free that are kept for starts that failed.
    kept: DueQueue,
}

impl Groups {
    /// The group of a CronJob, itself included.
    pub(super) fn of(&self, key: &Key) -> Option<&Group> {
        self.by_id.get(self.of.get(key)?)
    }

    /// When a slot comes free although nothing happens.
    pub(super) fn next_free(&self) -> Option<Timestamp> {
        self.kept.next()
    }

    /// Takes in how a CronJob is as a member by now, if it is one. Returns those for whom there may be a slot by that.
    fn update(&mut self, key: &Key, member: Option<Member>) -> Vec<Key> {
        let mut next_in_line = Vec::new();
        let mut ask_next = |group: &Group| {
            let names = group.next_in_line().filter(|name| *name != key.name);
            next_in_line.extend(names.map(|name| Key {
                namespace: key.namespace.clone(),
                name: name.to_owned(),
            }));
        };
        let id_of = |member: &Member| (key.namespace.clone(), member.membership.name.clone());
        let id = member.as_ref().map(id_of);
        if self.of.get(key) != id.as_ref()
            && let Some(left) = self.of.remove(key)
            && let Some(group) = self.by_id.get_mut(&left)
        {
            group.remove(&key.name);
            ask_next(group);
            if group.is_empty() {
                self.by_id.remove(&left);
            }
        }
        if let (Some(member), Some(id)) = (member, id) {
            let group = self.by_id.entry(id.clone()).or_default();
            if group.update(member) {
                ask_next(group);
            }
            self.of.insert(key.clone(), id);
        }
        next_in_line
    }
}

impl State {
    /// Takes stock of a CronJob as a member of its group, after anything about it has changed. Whoever may have a slot by
    /// that is asked again, but for those who have one and wait for their turn.
    pub(super) fn seat(&mut self, key: &Key) {
        let member = self.member(key);
        let standing = self.standing.get(key).filter(|_| member.is_some());
        let kept_until = standing.and_then(Standing::claims_until);
        self.groups.kept.set(key, kept_until);
        for other in self.groups.update(key, member) {
            if !self.waits_for_its_turn(&other) {
                self.mark(other);
            }
        }
    }

    /// Lets go of the slots that were kept for starts that failed, where no watch has shown a Job.
    pub(super) fn free_slots(&mut self, now: Timestamp) {
        while let Some(key) = self.groups.kept.pop(now) {
            if let Some(standing) = self.standing.get_mut(&key) {
                standing.claim = Claim::None;
            }
            self.seat(&key);
        }
    }

    /// A CronJob as a member of its group, if it is in one.
    fn member(&self, key: &Key) -> Option<Member> {
        let membership = self.membership(key)?.clone();
        let standing = self.standing.get(key);
        let claims = standing.is_some_and(|standing| standing.claim != Claim::None);
        Some(Member {
            name: key.name.clone(),
            membership,
            taken: self.active_runs(key) + usize::from(claims),
            waits_for: standing.and_then(|standing| standing.waits_for),
        })
    }

    fn membership(&self, key: &Key) -> Option<&Membership> {
        self.cache.entry(key)?.cronjob.spec.policies.group.as_ref()
    }

    /// The runs of a CronJob that take slots: those that are seen, and those that are recorded and not seen yet.
    fn active_runs(&self, key: &Key) -> usize {
        let Some(entry) = self.cache.entry(key) else {
            return 0;
        };
        let runs = self.cache.runs(&entry.cronjob);
        let unseen = unaccounted(&entry.cronjob.status, &runs, self.standing.get(key));
        slots_taken(&runs) + unseen.count()
    }

    /// Whether the groups are as if they were counted anew, and nobody waits for a slot that is free, once everything is
    /// decided. It is looked at where debug assertions are: what is forgotten here comes late, and is not lost.
    pub(super) fn groups_are_in_order(&self, now: Timestamp) -> bool {
        let mut counted = Groups::default();
        for key in self.groups.of.keys() {
            counted.update(key, self.member(key));
        }
        // Runs of its own may be in its way, and so may what it waits for beside a slot.
        let waits_for_a_slot = |key: &Key| {
            let entry = self.cache.entry(key);
            !self.busy.contains_key(key)
                && !self.waits_for_its_turn(key)
                && self.patient_until(key).is_none_or(|until| until <= now)
                && entry.is_some_and(|entry| !entry.names_calendars() || self.calendars_listed.are_complete())
                && self.member(key).is_some_and(|member| member.taken == 0)
        };
        let is_next = |key: &Key| {
            let group = self.groups.of(key);
            group.is_some_and(|group| group.next_in_line().any(|name| *name == key.name))
        };
        let mut members = self.groups.of.keys();
        let is_forgotten = |key: &Key| waits_for_a_slot(key) && is_next(key);
        counted.by_id == self.groups.by_id && counted.of == self.groups.of && !members.any(is_forgotten)
    }

    /// CronJobs in the order in which they are to be decided on: members of groups by who goes first.
    pub(super) fn in_order(&self, keys: Vec<Key>, now: Timestamp) -> Vec<Key> {
        let (mut members, mut others): (Vec<Key>, Vec<Key>) =
            keys.into_iter().partition(|key| self.membership(key).is_some());
        members.sort_by_cached_key(|key| {
            let membership = self.membership(key)?;
            Some(rank(membership, self.wants(key, now)?, &key.name))
        });
        // Who wants nothing comes first, and frees what it has.
        others.extend(members);
        others
    }

    /// What a CronJob would start now, had it a slot.
    fn wants(&self, key: &Key, now: Timestamp) -> Option<Timestamp> {
        let entry = self.cache.entry(key)?;
        let nothing = Memory::default();
        let standing = self.standing.get(key);
        let situation = Situation {
            cronjob: &entry.cronjob,
            runs: &self.cache.runs(&entry.cronjob),
            memory: standing.map_or(&nothing, |standing| &standing.memory),
        };
        // Where that breaks down, so does the decision, which tells it.
        soundly(|| wants(situation, now)).ok()?
    }
}
