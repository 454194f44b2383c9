//! Whom a process runs as, and with which privileges: what its `securityContext` asks for.
//!
//! ```text
//!  pod + container + accounts + who we are ──▶ asked (pure) ──▶ credentials ──▶ supervisor ──▶ thread ──▶ process
//! ```
//!
//! | file | one idea |
//! |---|---|
//! | `asked` | from a pod to credentials, or to the reason why they can't be had; pure |
//! | `accounts` | the users and groups that this machine knows |
//! | `caveat` | what of a `securityContext` does not hold, although the process runs; pure |
//!
//! To Linux the credentials of each thread are its own, and a process that it starts has the same. So a supervisor takes
//! them on in a thread that does nothing else, and stays itself what it is: it can still signal what it has started.

mod accounts;
mod asked;
mod caveat;
#[cfg(test)]
mod tests;

use std::io;

use rustix::io::Errno;
use rustix::process::{Gid, Uid, getgid, getgroups, getuid};
use rustix::thread::{
    CapabilitySet, remove_capability_from_bounding_set, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};
use serde::{Deserialize, Serialize};

pub(super) use accounts::{Account, Accounts};
pub(in crate::standalone::runtime) use asked::{
    check, credentials, depends_on_accounts, fs_group, is_forbidden_root,
};
pub(in crate::standalone::runtime) use caveat::{caveat, caveat_of_containers};

/// Who this process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::standalone::runtime) struct Own {
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) groups: Vec<u32>,
}

impl Own {
    pub(super) fn of_this_process() -> Self {
        let groups = getgroups().unwrap_or_default();
        Self {
            user: getuid().as_raw(),
            group: getgid().as_raw(),
            groups: groups.into_iter().map(Gid::as_raw).collect(),
        }
    }

    /// Whether it can start processes as somebody else.
    pub(super) fn is_root(&self) -> bool {
        self.user == 0
    }
}

/// The credentials that a process is given. What is not said stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::standalone::runtime) struct Credentials {
    /// Its user.
    pub(super) user: Option<u32>,
    /// Its group.
    pub(super) group: Option<u32>,
    /// The groups that it is in beside that.
    pub(super) groups: Option<Vec<u32>>,
    /// Whether no program that it starts may have more privileges than it has itself (`allowPrivilegeEscalation: false`).
    pub(super) no_new_privileges: bool,
    /// The capabilities that neither it nor what it starts can have, as the bits of the kernel.
    pub(super) dropped: u64,
}

impl Credentials {
    /// Calls a function, and whatever that starts, with these credentials.
    ///
    /// # Errors
    ///
    /// What the kernel refuses, e.g. a user that this namespace does not have.
    pub(super) fn around<T: Send>(&self, start: impl FnOnce() -> T + Send) -> io::Result<T> {
        if *self == Self::default() {
            return Ok(start());
        }
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, || {
                self.take_on()?;
                Ok(start())
            })?;
            thread
                .join()
                .unwrap_or_else(|_panicked| Err(io::Error::other("the thread that starts it failed")))
        })
    }

    /// Makes them those of this thread, the user last: nobody else may change the others.
    fn take_on(&self) -> io::Result<()> {
        for capability in CapabilitySet::from_bits_retain(self.dropped).iter() {
            match remove_capability_from_bounding_set(capability) {
                // What an older kernel does not know, nobody can have.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(groups) = &self.groups {
            let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
            set_thread_groups(&groups)?;
        }
        if let Some(group) = self.group.map(Gid::from_raw) {
            set_thread_res_gid(group, group, group)?;
        }
        if let Some(user) = self.user.map(Uid::from_raw) {
            set_thread_res_uid(user, user, user)?;
        }
        if self.no_new_privileges {
            set_no_new_privs(true)?;
        }
        Ok(())
    }
}
