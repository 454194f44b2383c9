//! Ending what a container's process leaves behind, as everything in a container ends with its first process.

use std::fmt;
use std::num::ParseIntError;
use std::panic::resume_unwind;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use serde::{Deserialize, Serialize};
use tokio::task::JoinError;
use tokio::time::Instant;

use crate::standalone::data_dir::PodDir;
use crate::standalone::runtime::engine::MESSAGE_VARIABLE;

/// How long a killed process may take to be gone, e.g. while a disk does not answer.
const GONE_AFTER: Duration = Duration::from_secs(5);

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// What the kernel tells of a process: `/proc/<pid>/stat`.
#[derive(Debug, Clone, Copy)]
struct Seen {
    pid: i32,
    parent: i32,
    group: i32,
    session: i32,
    /// Whether it has not ended. The kernel keeps an ended one until its parent has asked for it.
    runs: bool,
    /// When it was started, in the kernel's ticks since the machine was.
    since: u64,
}

/// The session that a supervisor leads, or any other process by which it is known whether that lives. The kernel gives its
/// number to another process when nothing of it runs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::standalone::runtime) struct Session {
    /// The supervisor.
    leader: i32,
    /// When that was started: what tells it from whoever has its number after it.
    since: u64,
}

/// Who of the session with a number is known to be of the one that had it first.
#[derive(Debug, Clone, Copy)]
enum Known {
    All,
    OfGroup(Option<i32>),
    Nobody,
}

impl Session {
    /// That of this process.
    pub(in crate::standalone::runtime) fn own() -> Self {
        let leader = rustix::process::getpid().as_raw_nonzero().get();
        let since = seen(leader).map_or(0, |seen| seen.since);
        Self { leader, since }
    }

    /// Whether its leader has not ended.
    pub(in crate::standalone::runtime) fn leads(self) -> bool {
        seen(self.leader).is_some_and(|seen| seen.runs && seen.since == self.since)
    }

    /// The process id of the supervisor.
    pub(super) fn leader(self) -> i32 {
        self.leader
    }

    /// Kills what is left of it when its supervisor is dead, and what that had started; nothing of the session, where its
    /// number is another's by now. Where nobody has the number, it may have been another's meanwhile: then only those of
    /// the session are known that are in the group that the process led, whose id is `process`. Whether the supervisor was
    /// dead: one that is not belongs to the data folder that ours is a copy of.
    pub(super) async fn end(self, mark: Mark, process: Option<u32>) -> bool {
        let deadline = Instant::now() + GONE_AFTER;
        let process = process.and_then(|pid| i32::try_from(pid).ok());
        let known = loop {
            match seen(self.leader) {
                None => break Known::OfGroup(process),
                Some(leader) if leader.since != self.since => break Known::Nobody,
                Some(leader) if !leader.runs => break Known::All,
                // Its files are closed a moment before it is gone.
                Some(_) if Instant::now() >= deadline => return false,
                Some(_) => tokio::time::sleep(PAUSE).await,
            }
        };
        let is_left = move |seen: &Seen| {
            let is_known = match known {
                Known::All => true,
                Known::OfGroup(process) => Some(seen.group) == process,
                Known::Nobody => false,
            };
            is_known && seen.session == self.leader || mark.is_of(seen)
        };
        // Every process of the machine is looked at, which takes longer than others may wait.
        let killed = tokio::task::spawn_blocking(move || kill_all(is_left)).await;
        if let Some(Ok(panic)) = killed.err().map(JoinError::try_into_panic) {
            resume_unwind(panic);
        }
        true
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.leader, self.since)
    }
}

impl FromStr for Session {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (leader, since) = text.split_once('.').unwrap_or_default();
        Ok(Self {
            leader: leader.parse()?,
            since: since.parse()?,
        })
    }
}

/// A variable that an attempt's processes hand on, and nobody else has: by it those are known that have left the session
/// and come from nobody who lives. It names the file for the attempt's last words, unless the container sets that itself.
#[derive(Debug)]
pub(super) struct Mark(String);

impl Mark {
    /// That of an attempt, by its folder.
    pub(super) fn of(attempt: &Path) -> Self {
        let file = PodDir::message_beside(attempt);
        Self(format!("{MESSAGE_VARIABLE}={}", file.display()))
    }

    /// Whether a process has it.
    fn is_of(&self, seen: &Seen) -> bool {
        let variables = std::fs::read(format!("/proc/{}/environ", seen.pid)).unwrap_or_default();
        let mut variables = variables.split(|byte| *byte == 0);
        variables.any(|variable| variable == self.0.as_bytes())
    }
}

/// Kills these processes and all that they have started. They are stopped first: who is killed while others go on leaves
/// those without a parent by which they are known.
fn kill_all(is_one: impl Fn(&Seen) -> bool) {
    let mut family = Vec::new();
    loop {
        let all: Vec<Seen> = processes().into_iter().filter(|seen| seen.runs).collect();
        let ones = all.iter().filter(|seen| is_one(seen)).map(|seen| seen.pid);
        let mut more = with_descendants(ones.collect(), &all);
        more.retain(|pid| !family.contains(pid));
        if more.is_empty() {
            break;
        }
        for pid in &more {
            send(*pid, Signal::STOP);
        }
        family.append(&mut more);
    }
    for pid in family {
        send(pid, Signal::KILL);
    }
}

/// These processes, and all that they have started, as far as those in between live.
fn with_descendants(mut family: Vec<i32>, all: &[Seen]) -> Vec<i32> {
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        for seen in all.iter().filter(|seen| seen.parent == parent) {
            if !family.contains(&seen.pid) {
                family.push(seen.pid);
            }
        }
        next += 1;
    }
    family
}

/// Kills all descendants of this process and collects their ends. Its other children must have been waited for.
pub(super) async fn kill_descendants() {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let deadline = Instant::now() + GONE_AFTER;
    while reap() && Instant::now() < deadline {
        let family = with_descendants(vec![own], &processes());
        family.iter().skip(1).for_each(|pid| send(*pid, Signal::KILL));
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

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended by itself.
        let _gone = kill_process(pid, signal);
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
        group: fields.next()?.parse().ok()?,
        session: fields.next()?.parse().ok()?,
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
        session_of("sleep 600 >/dev/null & echo $!; wait", &[])
    }

    /// The leader of a session of its own that runs a script, and the process that this names.
    fn session_of(script: &str, variables: &[(&str, &str)]) -> (Child, i32) {
        let mut leader = Command::new("setsid")
            .args(["sh", "-c", script])
            .envs(variables.iter().copied())
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

    /// A session whose leader was killed, and a process of it that goes on, in the leader's group.
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
        assert!(
            earlier.end(nobodys(), None).await && goes_on(member),
            "it is somebody else's"
        );
        assert!(
            !ours.end(nobodys(), None).await && goes_on(member),
            "its supervisor lives"
        );
        leader.kill().unwrap();
        // Nobody has collected its end yet, so its number is still its own.
        wait_for_the_end(pid);
        assert!(ours.end(nobodys(), None).await);
        wait_for_the_end(member);
        leader.wait().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_session_of_a_daemon_that_had_the_number_meanwhile_is_left_alone() {
        let (session, member) = orphaned();
        let another = member.unsigned_abs();
        for process in [None, Some(another)] {
            assert!(session.end(nobodys(), process).await && goes_on(member));
        }
        assert!(session.end(nobodys(), Some(session.leader.unsigned_abs())).await);
        wait_for_the_end(member);
    }

    /// The mark of an attempt that there is not.
    fn nobodys() -> Mark {
        Mark::of(Path::new("/nowhere/main.0.attempt"))
    }

    /// Kills the leader of a session, and ends what is left of it.
    async fn end_without_leader(leader: &mut Child, mark: Mark, process: Option<u32>) {
        let pid = i32::try_from(leader.id()).unwrap();
        let since = seen(pid).unwrap().since;
        leader.kill().unwrap();
        leader.wait().unwrap();
        assert!(Session { leader: pid, since }.end(mark, process).await);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_left_the_session_is_killed_with_whom_he_comes_from() {
        let script = "sh -c 'setsid sleep 600 >/dev/null & echo $!; wait' & wait";
        let (mut leader, grandchild) = session_of(script, &[]);
        let group = leader.id();
        end_without_leader(&mut leader, nobodys(), Some(group)).await;
        wait_for_the_end(grandchild);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_from_nobody_any_more_is_known_by_his_mark() {
        let folder = tempfile::tempdir().unwrap();
        let attempt = folder.path().join("main.0.attempt");
        let message = folder.path().join("main.0.message").display().to_string();
        let script = "(setsid sleep 600 >/dev/null & echo $!); sleep 600";
        let (mut leader, daemon) = session_of(script, &[(MESSAGE_VARIABLE, &message)]);
        let mark = Mark::of(&attempt);
        end_without_leader(&mut leader, mark, None).await;
        wait_for_the_end(daemon);
    }

    #[test]
    fn a_family_is_found_through_those_who_live() {
        let seen = |pid, parent| Seen {
            pid,
            parent,
            group: pid,
            session: pid,
            runs: true,
            since: 0,
        };
        let all = [
            seen(1, 0),
            seen(5, 4),
            seen(4, 3),
            seen(6, 4),
            seen(7, 1),
            seen(8, 7),
        ];
        assert_eq!(with_descendants(vec![3, 4], &all), [3, 4, 5, 6]);
        assert_eq!(with_descendants(vec![], &all), [0; 0]);
    }
}
