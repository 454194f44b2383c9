//! `group`, `group-slots` and `priority`: CronJobs of a namespace that share slots.
//!
//! No more runs of a group are active at once than it has slots. What is due while all are taken waits: who has the higher
//! priority goes first, then who is due longer. Members that disagree on the slots are told so, and the smallest number
//! counts. `overlap` and `max-active` hold for each member besides.

use super::mistake::{Fault, Meanwhile, Problem};
use super::register::Extension;
use super::word;

/// More slots than this are no limit.
const SLOTS_MAX: usize = 10_000;

/// The lowest and the highest priority, as a number that everybody can read.
const PRIORITY_MAX: i32 = 1_000_000;

/// The membership of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The name of the group, in the namespace of the CronJob.
    pub name: String,
    /// How many of its runs may be active at once.
    pub slots: usize,
    /// Who goes first: the higher.
    pub priority: i32,
}

/// Which group.
pub(super) const GROUP: Extension = Extension {
    name: "punctual.dev/group",
    values: "a name of up to 63 lower-case letters, digits and -",
    default: "none",
    doc: "CronJobs of a namespace with the same group share its slots: no more of their runs are active at once",
    meanwhile: Meanwhile::Held,
    read: |value, _, into| {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if value.is_empty() || value.len() > 63 || !value.chars().all(is_part) {
            let what = "a name of up to 63 lower-case letters, digits and -";
            return Err(Fault::whole(value, Problem::NotA { what: what.into() }).into());
        }
        into.policies.group = Some(Membership {
            name: value.to_owned(),
            slots: 1,
            priority: 0,
        });
        Ok(())
    },
};

/// How many slots it has.
pub(super) const GROUP_SLOTS: Extension = Extension {
    name: "punctual.dev/group-slots",
    values: "a whole number from 1 to 10000",
    default: "1",
    doc: "How many runs of the group may be active at once; of members that disagree, the smallest number counts",
    meanwhile: Meanwhile::Default("1 may be active"),
    read: |value, _, into| {
        let slots = word::count(value, SLOTS_MAX)?;
        membership(into, value)?.slots = slots;
        Ok(())
    },
};

/// Who goes first.
pub(super) const PRIORITY: Extension = Extension {
    name: "punctual.dev/priority",
    values: "a whole number from -1000000 to 1000000",
    default: "0",
    doc: "Of those that wait for a slot of the group, the highest goes first, then the one that is due longest",
    meanwhile: Meanwhile::Default("it has the priority 0"),
    read: |value, _, into| {
        let what = "a whole number from -1000000 to 1000000";
        let number = value
            .parse()
            .ok()
            .filter(|number| (-PRIORITY_MAX..=PRIORITY_MAX).contains(number));
        let priority = number.ok_or_else(|| Fault::whole(value, Problem::NotA { what: what.into() }))?;
        membership(into, value)?.priority = priority;
        Ok(())
    },
};

/// Slots and priorities are those of a group.
fn membership<'a>(into: &'a mut super::Extensions, value: &str) -> Result<&'a mut Membership, Fault> {
    let without_group = || Fault::whole(value, Problem::Needs { other: GROUP.name });
    into.policies.group.as_mut().ok_or_else(without_group)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn a_membership() {
        let policies = read(&[
            ("punctual.dev/group", "reports"),
            ("punctual.dev/group-slots", "2"),
            ("punctual.dev/priority", "-5"),
        ])
        .policies;
        let expected = Membership {
            name: "reports".into(),
            slots: 2,
            priority: -5,
        };
        assert_eq!(policies.group, Some(expected));
    }

    #[test]
    fn mistakes() {
        insta::assert_snapshot!(said(&[("punctual.dev/group", "All Reports")]), @r#"annotation punctual.dev/group is "All Reports"; write a name of up to 63 lower-case letters, digits and -. Until then nothing is started"#);
        insta::assert_snapshot!(said(&[("punctual.dev/group", "a"), ("punctual.dev/priority", "high")]), @r#"annotation punctual.dev/priority is "high"; write a whole number from -1000000 to 1000000. Until then it has the priority 0"#);
        insta::assert_snapshot!(said(&[("punctual.dev/group-slots", "2")]), @"annotation punctual.dev/group-slots: it has no effect without punctual.dev/group; write punctual.dev/group too, or remove it. Until then nothing comes of it");
    }
}
