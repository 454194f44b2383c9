//! Processes that end with us, however we end: by returning, by a panic, or killed.
//!
//! Each has a guard, a shell that waits for the end of its standard input. We hold the other end of that pipe, and the
//! kernel closes it when we are gone; then the guard kills its process and removes what it was told to.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use tokio::sync::watch;

/// `$1` is the folder to remove at the end, if any; the rest is the process. What the guard says is the id of the
/// process, and when that has ended its exit code.
const GUARD: &str = r#"
trap '' PIPE
folder=$1
shift
exec 3<&0
"$@" >&2 3<&- &
process=$!
echo "$process"
{ read -r _ <&3; kill -KILL "$process"; } 2>/dev/null &
watcher=$!
wait "$process"
code=$?
kill "$watcher" 2>/dev/null
echo "$code"
read -r _ <&3
[ -z "$folder" ] || rm -rf -- "$folder"
"#;

/// A process with its guard. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Guarded {
    guard: Child,
    pid: u32,
    ended: watch::Receiver<Option<i32>>,
    log: PathBuf,
}

impl Guarded {
    /// Starts `command`, with its output in the file `log`. `folder` is removed when both it and we have ended.
    pub(crate) fn spawn(command: &Command, log: &Path, folder: Option<&Path>) -> Self {
        let output = File::options().create(true).append(true).open(log);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", GUARD, "guard"])
            .arg(folder.unwrap_or(Path::new("")))
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(output.expect("a log"))
            // A Ctrl-C on the terminal is for us; the guard follows.
            .process_group(0);
        let mut guard = shell.spawn().expect("a shell");
        let mut said = BufReader::new(guard.stdout.take().expect("a pipe")).lines();
        let pid = number(&mut said).expect("the guard says whom it guards");
        let (tell, ended) = watch::channel(None);
        std::thread::spawn(move || tell.send_replace(number(&mut said)));
        Guarded {
            guard,
            pid: pid.unsigned_abs(),
            ended,
            log: log.to_owned(),
        }
    }

    /// The id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal, by its name: `TERM`, `KILL`, `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args(["-s", name, &self.pid.to_string()])
            .status();
        assert!(
            kill.expect("kill can be run").success(),
            "nobody is there to be signalled"
        );
    }

    /// Its exit code, 128 and more for a signal, once it has ended.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    pub(crate) async fn exit_code(&self, limit: Duration) -> i32 {
        let mut ended = self.ended.clone();
        let ended = tokio::time::timeout(limit, ended.wait_for(Option::is_some)).await;
        match ended {
            Ok(Ok(code)) => code.unwrap_or_default(),
            _ => panic!("it still runs after {limit:?}:\n{}", self.log()),
        }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Whoever is dropped while something else goes wrong must not make it worse.
        let _status = self.guard.wait();
    }
}

fn number(said: &mut Lines<BufReader<ChildStdout>>) -> Option<i32> {
    said.next()?.ok()?.trim().parse().ok()
}
