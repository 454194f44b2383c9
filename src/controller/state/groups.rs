//! The slots that CronJobs of a namespace share (`punctual.dev/group`): who takes them, and who is to be asked next.

use chrono::TimeDelta;

use crate::controller::state::State;
use crate::controller::state::pacing::Fate;
use crate::controller::state::standing::{Standing, unaccounted};
use crate::cronjob::Key;
use crate::cronjob::extension::Membership;
use crate::policy::{Decision, Group, Member, Note, Situation, rank, slots_taken, wants};
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
    /// A decision was taken, and this becomes of the start that it asks for. Whether others of the group may have a slot
    /// by that which they had not before.
    pub(super) fn claim(&mut self, decision: &Decision, fate: Fate) -> bool {
        let before = (self.claim, self.waits_for);
        self.claim = match fate {
            Fate::None | Fate::InTurn(_) => Claim::None,
            Fate::Paused => self.claim,
            Fate::UnderWay => Claim::UnderWay,
        };
        self.waits_for = match fate {
            Fate::InTurn(scheduled) => Some(scheduled),
            _ => decision.notes.iter().find_map(Note::waits_for_group),
        };
        let now = (self.claim, self.waits_for);
        before != now && now == (Claim::None, None)
    }

    /// Its start has come to an end.
    fn settle_claim(&mut self, failed: bool, now: Timestamp) {
        if self.claim == Claim::UnderWay {
            self.claim = if failed {
                Claim::Until(now + KEPT_AFTER_FAILURE)
            } else {
                Claim::None
            };
        }
    }

    fn claims(&self, now: Timestamp) -> bool {
        match self.claim {
            Claim::None => false,
            Claim::UnderWay => true,
            Claim::Until(until) => now < until,
        }
    }
}

impl State {
    /// The group of a CronJob without itself.
    pub(super) fn group_of(&self, key: &Key, now: Timestamp) -> Group {
        let mut group = Group::default();
        let Some(membership) = self.membership(key) else {
            return group;
        };
        for other in self
            .cache
            .members(&key.namespace, &membership.name)
            .filter(|other| *other != key)
        {
            let (Some(membership), standing) = (self.membership(other), self.standing.get(other)) else {
                continue;
            };
            let claims = standing.is_some_and(|standing| standing.claims(now));
            if let Some(Claim::Until(until)) = standing.map(|standing| standing.claim) {
                group.until = group
                    .until
                    .into_iter()
                    .chain([until])
                    .filter(|until| *until > now)
                    .min();
            }
            group.others.push(Member {
                name: other.name.clone(),
                membership: membership.clone(),
                taken: self.active_runs(other) + usize::from(claims),
                waits_for: standing.and_then(|standing| standing.waits_for),
            });
        }
        group
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

    /// A decision was taken. Who waits for a slot that it gives back is asked again.
    pub(super) fn claim(&mut self, key: &Key, decision: &Decision, fate: Fate) {
        let standing = self.standing.get_mut(key);
        if standing.is_some_and(|standing| standing.claim(decision, fate)) {
            self.mark_waiting(key);
        }
    }

    /// What a decision has started, if anything, was started or has failed. Its slot may be free for others by now.
    pub(super) fn settle_claim(&mut self, key: &Key, failed: bool, now: Timestamp) {
        if let Some(standing) = self.standing.get_mut(key) {
            standing.settle_claim(failed, now);
        }
        self.mark_waiting(key);
    }

    /// A slot may have come free: whoever waits for it is asked again.
    pub(super) fn mark_waiting(&mut self, key: &Key) {
        let Some(membership) = self.membership(key) else {
            return;
        };
        let waits = |other: &&Key| {
            self.standing
                .get(other)
                .is_some_and(|standing| standing.waits_for.is_some())
        };
        let waiting = self.cache.members(&key.namespace, &membership.name).filter(waits);
        let waiting: Vec<Key> = waiting.filter(|other| *other != key).cloned().collect();
        for other in waiting {
            self.mark(other);
        }
    }

    /// CronJobs in the order in which they are to be decided on: members of groups by who goes first.
    pub(super) fn in_order(&self, keys: Vec<Key>, now: Timestamp) -> Vec<Key> {
        let (mut members, mut others): (Vec<Key>, Vec<Key>) =
            keys.into_iter().partition(|key| self.membership(key).is_some());
        members.sort_by_cached_key(|key| {
            let membership = self.membership(key)?;
            let (priority, instant, name) = rank(membership, self.wants(key, now)?, &key.name);
            Some((priority, instant, name.to_owned()))
        });
        // Who wants nothing comes first, and frees what it has.
        others.extend(members);
        others
    }

    /// What a CronJob would start now, had it a slot.
    fn wants(&self, key: &Key, now: Timestamp) -> Option<Timestamp> {
        let entry = self.cache.entry(key)?;
        let situation = Situation {
            cronjob: &entry.cronjob,
            runs: &self.cache.runs(&entry.cronjob),
            memory: &self.standing.get(key)?.memory,
        };
        wants(situation, now)
    }
}
