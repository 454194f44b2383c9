//! Ending what a container's process leaves behind, as everything in a container ends with its first process.

use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

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
    /// Whether it has not ended. The kernel keeps an ended one until its parent has asked for it.
    runs: bool,
    /// When it was started, in the kernel's ticks since the machine was.
    since: u64,
}

/// The session that a supervisor leads. The kernel gives its number to another process when nothing of it runs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The supervisor.
    leader: i32,
    /// When that was started: what tells it from whoever has its number after it.
    since: u64,
}

impl Session {
    /// That of this process.
    pub(super) fn own() -> Self {
        let leader = rustix::process::getpid().as_raw_nonzero().get();
        let since = seen(leader).map_or(0, |seen| seen.since);
        Self { leader, since }
    }

    /// The process id of the supervisor.
    pub(super) fn leader(self) -> i32 {
        self.leader
    }

    /// Kills what is left of it when its supervisor is dead; nothing, where its number is another's by now. Whether the
    /// supervisor was dead: one that is not belongs to the data folder that ours is a copy of.
    pub(super) async fn end(self) -> bool {
        let deadline = Instant::now() + GONE_AFTER;
        while let Some(leader) = seen(self.leader).filter(|leader| leader.runs) {
            if leader.since != self.since {
                return true;
            }
            // Its files are closed a moment before it is gone.
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if seen(self.leader).is_some_and(|leader| leader.since != self.since) {
            return true;
        }
        let left = processes().into_iter().filter(|seen| seen.session == self.leader);
        left.filter(|seen| seen.pid != self.leader)
            .for_each(|seen| kill(seen.pid));
        true
    }
}

/// Kills all descendants of this process and collects their ends. Its other children must have been waited for.
pub(super) async fn kill_descendants() {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let deadline = Instant::now() + GONE_AFTER;
    while reap() && Instant::now() < deadline {
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
        .filter_map(|entry| seen(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

fn seen(pid: i32) -> Option<Seen> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold any character; then state, parent, group, session, and much else.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    Some(Seen {
        pid,
        runs: !matches!(fields.next()?, "Z" | "X"),
        parent: fields.next()?.parse().ok()?,
        session: fields.nth(1)?.parse().ok()?,
        since: fields.nth(15)?.parse().ok()?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// The leader of a session of its own, and a process of it that outlives it.
    fn session() -> (Child, i32) {
        let mut leader = Command::new("setsid")
            .args(["sh", "-c", "sleep 600 >/dev/null & echo $!; wait"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = leader.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        (leader, line.trim().parse().unwrap())
    }

    fn runs(pid: i32) -> bool {
        seen(pid).is_some_and(|seen| seen.runs)
    }

    /// A session whose leader was killed, and a process of it that goes on.
    pub(in super::super) fn orphaned() -> (Session, i32) {
        let (mut leader, member) = session();
        let pid = i32::try_from(leader.id()).unwrap();
        let since = seen(pid).unwrap().since;
        leader.kill().unwrap();
        leader.wait().unwrap();
        (Session { leader: pid, since }, member)
    }

    pub(in super::super) fn wait_for_the_end(pid: i32) {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while runs(pid) {
            assert!(std::time::Instant::now() < deadline, "{pid} goes on");
            std::thread::sleep(PAUSE);
        }
    }

    /// A signal that was sent is there before this returns, and a killed process runs nothing any more.
    fn goes_on(pid: i32) -> bool {
        std::thread::sleep(Duration::from_millis(50));
        runs(pid)
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_a_session_is_killed_and_not_that_of_whoever_has_its_number_now() {
        let (mut leader, member) = session();
        let pid = i32::try_from(leader.id()).unwrap();
        let since = seen(pid).unwrap().since;
        let ours = Session { leader: pid, since };
        let earlier = Session {
            since: since - 1,
            ..ours
        };
        assert!(earlier.end().await && goes_on(member), "it is somebody else's");
        assert!(!ours.end().await && goes_on(member), "its supervisor lives");
        leader.kill().unwrap();
        // Nobody has collected its end yet, so its number is still its own.
        wait_for_the_end(pid);
        assert!(ours.end().await);
        wait_for_the_end(member);
        leader.wait().unwrap();
    }
}
