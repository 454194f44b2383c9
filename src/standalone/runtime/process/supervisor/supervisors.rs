//! Starting supervisors: one when it is needed, and many shortly before.
//!
//! To start this program takes a few milliseconds of a processor, more than all that a supervisor then does, and to make its
//! files may take as long. So when runs are about to be due, as many supervisors are started a moment before, and wait for
//! what they are to do. One that is not needed is let go: its connection is closed, as it is when `punctual` is killed, and
//! then it ends.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::COMMAND;
use crate::clock::SharedClock;
use crate::controller::Upcoming;
use crate::standalone::data_dir::create_private;
use crate::telemetry::chain;

/// This program, even when its file has been replaced meanwhile.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// How many wait at most. Each takes about a megabyte of memory for as long as it waits.
const WAITING_MOST: usize = 64;

/// How long before the instant they are started: on two processors that are busy otherwise, so many take that long.
const AHEAD: TimeDelta = TimeDelta::seconds(1);

/// How long those that were not needed are kept: what is due every second or so need not start them anew.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// How long those that were let go are waited for: a disk that stalls is not waited for.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// The supervisors that wait for a commission, and what starts more of them.
#[derive(Debug)]
pub(super) struct Supervisors {
    /// What becomes a supervisor, and its arguments.
    program: PathBuf,
    arguments: Vec<OsString>,
    /// The folder in which those work that wait.
    ahead: PathBuf,
    /// Our ends of the connections of those that wait.
    waiting: Mutex<Vec<UnixStream>>,
    /// What is in the way of that folder is told once.
    is_told: Once,
}

impl Supervisors {
    /// Supervisors by this command, or else by this program. Those that wait work in the folder `ahead`.
    pub(super) fn new(command: Option<Vec<OsString>>, ahead: PathBuf) -> Self {
        let mut words = command
            .unwrap_or_else(|| vec![OWN_PROGRAM.into(), COMMAND.into()])
            .into_iter();
        Self {
            program: words.next().unwrap_or_default().into(),
            arguments: words.collect(),
            ahead,
            waiting: Mutex::default(),
            is_told: Once::new(),
        }
    }

    /// One that waits already. It may have been killed since.
    pub(super) fn take_waiting(&self) -> Option<UnixStream> {
        self.waiting().pop()
    }

    /// Starts one that is needed now; our end of its standard input.
    pub(super) async fn start(&self) -> io::Result<UnixStream> {
        self.start_with(None).await
    }

    async fn start_with(&self, ahead: Option<&Path>) -> io::Result<UnixStream> {
        let (ours, theirs) = StdStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = std::process::Command::new(&self.program);
        // Nothing here needs code to run between fork and exec, so the kernel need not copy our memory map: a
        // supervisor detaches by itself.
        command
            .args(&self.arguments)
            .args(ahead)
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        std::os::unix::process::CommandExt::arg0(&mut command, "punctual");
        let mut command = tokio::process::Command::from(command);
        let started = tokio::task::spawn_blocking(move || command.spawn());
        let started = started.await.map_err(io::Error::other)?;
        let mut child = started.map_err(|error| named(error, |file| Path::new(file).exists()))?;
        // Its end is learned from its connection and its records; this only lets the kernel forget it.
        tokio::spawn(async move { child.wait().await });
        UnixStream::from_std(ours)
    }

    /// Has them wait for what is due next, until nobody tells what that is. By then they are gone.
    pub(super) async fn prepare(&self, mut upcoming: watch::Receiver<Option<Upcoming>>, clock: &SharedClock) {
        // Those that were killed have left something.
        let _nothing_left = std::fs::remove_dir_all(&self.ahead);
        let mut prepared = None;
        loop {
            let next = *upcoming.borrow_and_update();
            let begin = async {
                match next.filter(|_| prepared != next) {
                    Some(next) => clock.sleep_until(next.at - AHEAD).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = upcoming.changed() => if changed.is_err() { break },
                () = begin => {
                    prepared = next;
                    self.fill(next.map_or(0, |next| next.count)).await;
                }
                () = tokio::time::sleep(KEPT_FOR) => self.let_go().await,
            }
        }
        self.let_go().await;
    }

    /// Lets those go that wait, and waits until they have: one that has only just been started goes on to make its files for a
    /// moment, perhaps in a folder that is being removed.
    async fn let_go(&self) {
        let waiting = std::mem::take(&mut *self.waiting());
        let gone = waiting.into_iter().map(|mut supervisor| async move {
            let _gone = supervisor.shutdown().await;
            let _said_why = tokio::io::copy(&mut supervisor, &mut tokio::io::sink()).await;
        });
        let _hangs = tokio::time::timeout(GONE_WITHIN, join_all(gone)).await;
    }

    /// Starts as many as are missing. Without them runs start later, and that is all.
    async fn fill(&self, count: usize) {
        let ahead = self.room();
        while self.waiting().len() < count.min(WAITING_MOST) {
            match self.start_with(ahead).await {
                Ok(supervisor) => self.waiting().push(supervisor),
                Err(error) => return tracing::debug!(%error, "a supervisor could not be started ahead"),
            }
        }
    }

    /// The folder for those that wait, also where somebody has removed it. What is in its way is told once.
    fn room(&self) -> Option<&Path> {
        let made = create_private(&self.ahead);
        if let Err(error) = &made {
            self.is_told.call_once(|| {
                let error = chain(error);
                tracing::warn!(
                    error,
                    "nothing can be prepared for runs before they are due, so they start a little later"
                );
            });
        }
        made.is_ok().then_some(&self.ahead)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<UnixStream>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error of a start, with the file that this machine does not have; the system does not say which.
fn named(error: io::Error, is_there: impl Fn(&str) -> bool) -> io::Error {
    let mut needed = ["/dev/null", OWN_PROGRAM].into_iter();
    match needed.find(|file| error.kind() == io::ErrorKind::NotFound && !is_there(file)) {
        Some(file) => io::Error::other(format!(
            "there is no {file}; mount /dev and /proc also where punctual runs in a chroot or a container"
        )),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::clock::SystemClock;
    use crate::telemetry::written::Written;

    /// Long enough that only a test that hangs takes it.
    const PATIENCE: Duration = Duration::from_secs(20);

    async fn until(wanted: impl Fn() -> bool) {
        let wait = async {
            while !wanted() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    #[tokio::test]
    async fn as_many_wait_as_will_be_due_until_nobody_tells_what_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let ahead = folder.path().join("ahead");
        let left = ahead.join("7");
        create_private(&left).unwrap();
        // It ends with its input, as a supervisor does.
        let supervisors = Arc::new(Supervisors::new(
            Some(["sh", "-c", "exec cat"].map(OsString::from).into()),
            ahead.clone(),
        ));
        let clock = SystemClock::shared();
        let in_an_hour = clock.now() + TimeDelta::hours(1);
        let (tell, upcoming) = watch::channel(Some(Upcoming {
            at: in_an_hour,
            count: 9,
        }));
        let preparing = tokio::spawn({
            let (supervisors, clock) = (supervisors.clone(), clock.clone());
            async move { supervisors.prepare(upcoming, &clock).await }
        });
        let now = Upcoming {
            at: clock.now(),
            count: 2,
        };
        tell.send_replace(Some(now));
        until(|| supervisors.waiting().len() == 2).await;
        assert!(
            ahead.is_dir() && !left.exists(),
            "what was left by one that was killed"
        );
        let mut one = supervisors.take_waiting().unwrap();
        drop(tell);
        tokio::time::timeout(PATIENCE, preparing).await.unwrap().unwrap();
        assert!(supervisors.take_waiting().is_none());
        tokio::io::AsyncWriteExt::shutdown(&mut one).await.unwrap();
        let read = tokio::time::timeout(PATIENCE, one.read(&mut [0; 8])).await;
        assert_eq!(read.unwrap().unwrap(), 0, "it has ended");
    }

    #[test]
    fn where_they_work_is_made_again_and_what_is_in_its_way_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let ahead = folder.path().join("ahead");
        let supervisors = Supervisors::new(None, ahead.clone());
        for _ in 0..2 {
            assert_eq!(supervisors.room(), Some(ahead.as_path()));
            std::fs::remove_dir(&ahead).unwrap();
        }
        std::fs::write(&ahead, "").unwrap();
        let written = Written::default();
        let writer = written.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(log, || {
            for _ in 0..2 {
                assert_eq!(supervisors.room(), None);
            }
        });
        let text = written
            .text()
            .replace(&folder.path().display().to_string(), "/data");
        insta::assert_snapshot!(text, @r#" WARN punctual::standalone::runtime::process::supervisor::supervisors: nothing can be prepared for runs before they are due, so they start a little later error="/data/ahead is not a folder; move it away, or name another data folder with --data-dir""#);
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let of = |kind: io::ErrorKind, is_there: fn(&str) -> bool| named(kind.into(), is_there).to_string();
        let missing = io::ErrorKind::NotFound;
        let said = [
            of(missing, |_| false),
            of(missing, |file| file != OWN_PROGRAM),
            of(missing, |_| true),
            of(io::ErrorKind::PermissionDenied, |_| false),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        there is no /dev/null; mount /dev and /proc also where punctual runs in a chroot or a container
        there is no /proc/self/exe; mount /dev and /proc also where punctual runs in a chroot or a container
        entity not found
        permission denied
        ");
    }
}
