//! The users and groups that this machine knows, as far as `/etc/passwd` and `/etc/group` tell.

use std::fs;

/// The two files, as they were when they were read.
#[derive(Debug, Clone, Default)]
pub(in crate::standalone::runtime) struct Accounts {
    passwd: String,
    group: String,
}

/// A user that this machine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::standalone::runtime) struct Account<'a> {
    pub(in crate::standalone::runtime) name: &'a str,
    pub(in crate::standalone::runtime) group: u32,
    pub(in crate::standalone::runtime) home: &'a str,
}

impl Accounts {
    /// Without those that can't be read: a machine may have none.
    pub(in crate::standalone::runtime) fn of_this_machine() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self::new(read("/etc/passwd"), read("/etc/group"))
    }

    /// Those of these files.
    pub(super) fn new(passwd: impl Into<String>, group: impl Into<String>) -> Self {
        Self {
            passwd: passwd.into(),
            group: group.into(),
        }
    }

    /// What is known of a user.
    pub(in crate::standalone::runtime) fn user(&self, user: u32) -> Option<Account<'_>> {
        self.passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let id: u32 = fields.nth(1)?.parse().ok()?;
            let group = fields.next()?.parse().ok()?;
            let home = fields.nth(1)?;
            (id == user).then_some(Account { name, group, home })
        })
    }

    /// The groups that a user is a member of.
    pub(super) fn groups(&self, name: &str) -> impl Iterator<Item = u32> {
        self.group.lines().filter_map(move |line| {
            let mut fields = line.split(':');
            let id = fields.nth(2)?.parse().ok()?;
            let mut members = fields.next()?.split(',');
            members.any(|member| member == name).then_some(id)
        })
    }
}
