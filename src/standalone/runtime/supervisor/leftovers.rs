//! Ending what a container's process leaves behind, as everything in a container ends with its first process.

use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

/// How long a killed process may take to be gone, e.g. while a disk does not answer.
const GONE_AFTER: Duration = Duration::from_secs(5);

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// What the kernel tells of a process: `/proc/<pid>/stat`.
#[derive(Debug, Clone, Copy)]
struct Seen {
    pid: i32,
    parent: i32,
    session: i32,
}

/// Kills all descendants of this process and collects their ends. Its other children must have been waited for.
pub(super) async fn kill_descendants() {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let deadline = tokio::time::Instant::now() + GONE_AFTER;
    while reap() && tokio::time::Instant::now() < deadline {
        let all = processes();
        let mut family = vec![own];
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            family.extend(
                all.iter()
                    .filter(|seen| seen.parent == parent)
                    .map(|seen| seen.pid),
            );
            next += 1;
        }
        family.iter().skip(1).for_each(|pid| kill(*pid));
        tokio::time::sleep(PAUSE).await;
    }
}

/// Kills what is left of the session of a supervisor that is dead.
pub(super) fn kill_session(supervisor: u32) {
    let Ok(session) = i32::try_from(supervisor) else {
        return;
    };
    // The supervisor's id can't be another process's while its session lives.
    let left = processes().into_iter().filter(|seen| seen.session == session);
    left.filter(|seen| seen.pid != session)
        .for_each(|seen| kill(seen.pid));
}

/// Collects the ends of children. Whether there are children left.
fn reap() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_no_children) => return false,
        }
    }
}

fn kill(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended by itself.
        let _gone = kill_process(pid, Signal::KILL);
    }
}

fn processes() -> Vec<Seen> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name is in parentheses and may hold any character; then state, parent, group, session.
            let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(1);
            let parent = fields.next()?.parse().ok()?;
            let session = fields.nth(1)?.parse().ok()?;
            Some(Seen { pid, parent, session })
        })
        .collect()
}
