//! The slots that CronJobs of a group share, and who of them goes first (`group`, `group-slots`, `priority`).

use std::cmp::Reverse;

use crate::cronjob::Run;
use crate::cronjob::extension::Membership;
use crate::policy::decide::decide;
use crate::policy::situation::{Decision, Situation};
use crate::policy::{Note, Ruling, WaitReason};
use crate::schedule::Timestamp;

/// The other members of a CronJob's group, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Each of them.
    pub others: Vec<Member>,
    /// When a slot may come free although nothing is heard of it: it is kept for a run that may have started.
    pub until: Option<Timestamp>,
}

/// Another member of the group.
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
type Rank<'a> = (Reverse<i32>, Timestamp, &'a str);

/// The place of a CronJob among those that wait, for whoever has to go through them: the first comes first.
pub fn rank<'a>(membership: &Membership, waits_for: Timestamp, name: &'a str) -> Rank<'a> {
    (Reverse(membership.priority), waits_for, name)
}

/// How many slots the runs of a CronJob take.
pub fn slots_taken(runs: &[Run]) -> usize {
    runs.iter().filter(|run| run.is_in_the_way()).count()
}

/// What a CronJob would start now, had it a slot.
pub fn wants(situation: Situation<'_>, now: Timestamp) -> Option<Timestamp> {
    decide(situation, now).start.map(|start| start.scheduled)
}

impl Group {
    /// Whether the member `name`, with so many runs of its own that stay, has a slot for an instant; if not, why.
    pub(super) fn admit(
        &self,
        name: &str,
        membership: &Membership,
        own: usize,
        instant: Timestamp,
    ) -> Result<(), WaitReason> {
        let slots = self.slots(membership);
        let mine = rank(membership, instant, name);
        let goes_before = |other: &&Member| {
            other
                .waits_for
                .is_some_and(|at| rank(&other.membership, at, &other.name) < mine)
        };
        let taken: usize = self.others.iter().map(|other| other.taken).sum();
        let ahead = self.others.iter().filter(goes_before).count();
        if own + taken + ahead < slots {
            return Ok(());
        }
        Err(WaitReason::Group { slots, ahead })
    }

    /// Whether there is a slot that nobody else waits for, beside so many runs of a member's own.
    pub(super) fn has_room_to_spare(&self, membership: &Membership, own: usize) -> bool {
        let others = self.others.iter();
        let wanted: usize = others
            .map(|other| other.taken + usize::from(other.waits_for.is_some()))
            .sum();
        own + wanted < self.slots(membership)
    }

    /// The smallest number that any member names.
    fn slots(&self, membership: &Membership) -> usize {
        let others = self.others.iter().map(|other| other.membership.slots);
        others.fold(membership.slots, usize::min)
    }

    /// The names of those who take slots.
    pub(super) fn takers(&self) -> Vec<String> {
        let takers = self.others.iter().filter(|other| other.taken > 0);
        takers.map(|other| other.name.clone()).collect()
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
            let group = Group {
                others: others
                    .split(", ")
                    .filter(|text| !text.is_empty())
                    .map(member)
                    .collect(),
                until: None,
            };
            let asked = member("m:0/2 0 5");
            assert_eq!(
                group.admit("m", &asked.membership, 0, second(5)).is_ok(),
                starts,
                "{others}"
            );
        }
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
