//! The slots that CronJobs of a group share, and who of them goes first (`group`, `group-slots`, `priority`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::cronjob::Run;
use crate::cronjob::extension::Membership;
use crate::policy::decide::decide;
use crate::policy::situation::{Decision, Situation};
use crate::policy::{Note, Ruling, WaitReason};
use crate::schedule::Timestamp;

/// The CronJobs that share slots, as they are now. Who is asked for may be one of them, and counts the others.
///
/// It is kept up to date rather than counted for each decision: of a thousand members, each would count a thousand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// By name.
    members: BTreeMap<String, Member>,
    /// How many slots they take together.
    taken: usize,
    /// Who takes any.
    takers: BTreeSet<String>,
    /// How many slots there are to be, as each member says.
    slots: BTreeSet<(usize, String)>,
    /// Who waits, in the order in which they go, and how many slots each takes.
    waiting: BTreeMap<Rank, usize>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// What it says of the group.
    pub membership: Membership,
    /// How many slots it takes: its active runs, and one that is being started.
    pub taken: usize,
    /// The instant for which it waits for a slot.
    pub waits_for: Option<Timestamp>,
}

/// Who goes first: the smallest.
type Rank = (Reverse<i32>, Timestamp, String);

/// The place of a CronJob among those that wait, for whoever has to go through them: the first comes first.
pub fn rank(membership: &Membership, waits_for: Timestamp, name: &str) -> Rank {
    (Reverse(membership.priority), waits_for, name.to_owned())
}

/// How many slots the runs of a CronJob take.
pub fn slots_taken(runs: &[Run]) -> usize {
    runs.iter().filter(|run| run.is_in_the_way()).count()
}

/// What a CronJob would start now, had it a slot.
pub fn wants(situation: Situation<'_>, now: Timestamp) -> Option<Timestamp> {
    decide(situation, now).start.map(|start| start.scheduled)
}

impl Member {
    fn rank(&self) -> Option<Rank> {
        Some(rank(&self.membership, self.waits_for?, &self.name))
    }
}

impl Group {
    /// Takes in how a member is by now; whether anything is new.
    pub fn update(&mut self, member: Member) -> bool {
        if self.members.get(&member.name) == Some(&member) {
            return false;
        }
        self.remove(&member.name);
        self.taken += member.taken;
        if member.taken > 0 {
            self.takers.insert(member.name.clone());
        }
        self.slots.insert((member.membership.slots, member.name.clone()));
        self.waiting
            .extend(member.rank().map(|rank| (rank, member.taken)));
        self.members.insert(member.name.clone(), member);
        true
    }

    /// A member leaves.
    pub fn remove(&mut self, name: &str) {
        let Some(member) = self.members.remove(name) else {
            return;
        };
        self.taken -= member.taken;
        self.takers.remove(name);
        if let Some(rank) = member.rank() {
            self.waiting.remove(&rank);
        }
        self.slots.remove(&(member.membership.slots, member.name));
    }

    /// Whether nobody is left.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Those that wait and may have a slot by now, in the order in which they go. Whether the runs that they have are in
    /// their way is known when they are decided on.
    pub fn next_in_line(&self) -> impl Iterator<Item = &str> {
        let slots = self.slots.first().map_or(0, |(slots, _)| *slots);
        let first = self.waiting.iter().take(slots).enumerate();
        first
            .filter(move |(ahead, (_, own))| self.taken - *own + ahead < slots)
            .map(|(_, ((_, _, name), _))| name.as_str())
    }

    /// Whether the member `name`, with so many runs of its own that stay, has a slot for an instant; if not, why.
    pub(super) fn admit(
        &self,
        name: &str,
        membership: &Membership,
        own: usize,
        instant: Timestamp,
    ) -> Result<(), WaitReason> {
        let slots = self.slots(membership);
        let before = self.waiting.range(..rank(membership, instant, name));
        let ahead = before.filter(|((_, _, other), _)| other != name).count();
        if own + self.taken_by_others(name) + ahead < slots {
            return Ok(());
        }
        Err(WaitReason::Group { slots, ahead })
    }

    /// Whether there is a slot that nobody else waits for, beside so many runs of the member's own.
    pub(super) fn has_room_to_spare(&self, name: &str, membership: &Membership, own: usize) -> bool {
        let others = self.waiting.keys().filter(|(_, _, other)| other != name);
        own + self.taken_by_others(name) + others.count() < self.slots(membership)
    }

    fn taken_by_others(&self, name: &str) -> usize {
        self.taken - self.members.get(name).map_or(0, |member| member.taken)
    }

    /// The smallest number that any member names.
    fn slots(&self, membership: &Membership) -> usize {
        let smallest = self.slots.first().map(|(slots, _)| *slots);
        smallest.into_iter().fold(membership.slots, usize::min)
    }

    /// The names of those who take slots beside a member.
    pub(super) fn takers_beside(&self, name: &str) -> Vec<String> {
        let others = self.takers.iter().filter(|taker| *taker != name);
        others.cloned().collect()
    }

    /// Tells that a member names more slots than count.
    pub(super) fn report(&self, decision: &mut Decision, membership: &Membership) {
        let slots = self.slots(membership);
        if slots < membership.slots {
            decision.notes.push(Note::Ruled(Ruling::GroupDisagrees {
                group: membership.name.clone(),
                asked: membership.slots,
                slots,
            }));
        }
    }
}

impl FromIterator<Member> for Group {
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Self {
        let mut group = Group::default();
        for member in members {
            group.update(member);
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row a group: the others as `name:priority/slots taken waits`, and whether the one that is asked for, of priority
    /// 0 with 2 slots and no run of its own, starts what is due at 5.
    #[test]
    fn slots_are_shared_and_the_first_in_rank_goes_first() {
        for (others, starts) in [
            ("", true),
            ("a:0/2 1 -", true),
            ("a:0/2 2 -", false),
            ("a:0/2 1 -, b:0/2 1 -", false),
            ("a:0/1 0 -", true),
            ("a:0/1 1 -", false),
            // Who waits with a better rank has the next slot.
            ("a:0/2 1 -, b:0/2 0 4", false),
            ("a:0/2 1 -, b:0/2 0 6", true),
            ("a:0/2 1 -, b:1/2 0 6", false),
            ("a:0/2 1 -, b:-1/2 0 4", true),
            ("a:0/2 0 -, b:1/2 0 6", true),
            // Of equals, the name decides: `m` is asked for.
            ("a:0/2 1 5", false),
            ("z:0/2 1 5", true),
        ] {
            let group = group(others);
            let asked = member("m:0/2 0 5");
            assert_eq!(
                group.admit("m", &asked.membership, 0, second(5)).is_ok(),
                starts,
                "{others}"
            );
        }
    }

    /// One row a group, and those who are to be asked when a slot has come free.
    #[test]
    fn the_next_in_line_are_as_many_as_there_are_free_slots() {
        for (members, next) in [
            ("", ""),
            ("a:0/2 1 -, b:0/2 0 5", "b"),
            ("a:0/2 2 -, b:0/2 0 5", ""),
            ("a:0/2 0 -, b:0/2 0 7, c:0/2 0 5, d:0/2 0 6", "c d"),
            ("a:0/2 1 -, b:0/2 0 7, c:0/2 0 5, d:0/2 0 6", "c"),
            ("a:0/2 0 -, b:1/2 0 7, c:0/2 0 5, d:0/1 0 6", "b"),
            // More than there are slots, since somebody names fewer.
            ("a:0/9 3 -, b:0/1 0 5", ""),
            // It may be that it replaces its own, which takes the slot.
            ("a:0/2 1 -, b:0/2 1 5, c:0/2 0 4, d:0/2 0 6", ""),
            ("a:0/2 1 -, b:0/2 1 5, c:0/2 0 6", "b"),
        ] {
            let found: Vec<String> = group(members).next_in_line().map(str::to_owned).collect();
            assert_eq!(found.join(" "), next, "{members}");
        }
    }

    /// However a group has come to be as it is, it is as if it had been so from the start.
    #[test]
    fn a_group_that_is_kept_up_to_date_is_as_one_that_is_counted_anew() {
        let mut kept = group("a:0/2 1 5, b:1/3 0 6, c:0/2 2 -");
        for (change, is_news, counted) in [
            ("a:0/2 1 5", false, "a:0/2 1 5, b:1/3 0 6, c:0/2 2 -"),
            ("a:0/1 0 -", true, "a:0/1 0 -, b:1/3 0 6, c:0/2 2 -"),
            ("c:-1/2 1 6", true, "a:0/1 0 -, b:1/3 0 6, c:-1/2 1 6"),
            ("d:0/2 3 1", true, "a:0/1 0 -, b:1/3 0 6, c:-1/2 1 6, d:0/2 3 1"),
        ] {
            assert_eq!(kept.update(member(change)), is_news, "{change}");
            assert_eq!(kept, group(counted), "{change}");
        }
        kept.remove("a");
        assert_eq!(kept, group("b:1/3 0 6, c:-1/2 1 6, d:0/2 3 1"));
        for name in ["b", "c", "d", "d"] {
            kept.remove(name);
        }
        assert_eq!(kept, Group::default());
    }

    fn group(members: &str) -> Group {
        let members = members.split(", ").filter(|text| !text.is_empty());
        members.map(member).collect()
    }

    fn member(text: &str) -> Member {
        let words: Vec<&str> = text.split([' ', ':', '/']).collect();
        Member {
            name: words[0].into(),
            membership: Membership {
                name: "group".into(),
                slots: words[2].parse().expect("slots"),
                priority: words[1].parse().expect("a priority"),
            },
            taken: words[3].parse().expect("a number"),
            waits_for: words[4].parse().ok().map(second),
        }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("an instant")
    }
}
