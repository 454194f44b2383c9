//! Output that nobody reads stops neither `punctual up` nor `punctual controller`; an answer that can't be written is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{command, exit_code, interrupt, text};

/// Long enough that only what hangs takes it.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many runs are waited for: more than start before a pipe and every queue behind it are full.
const RUNS: usize = 5;

/// What writes more than a pipe and every queue behind it hold, and one that runs only when its last run has ended.
fn manifest(ledger: &Path) -> String {
    let ledger = ledger.display();
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: loud}}\nspec: {{template: {{spec: {{restartPolicy: Never, \
         containers: [{{name: main, image: x, command: [sh, -c, seq 1 400000]}}]}}}}}}\n---\n\
         apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: tick}}\nspec: {{schedule: '@every 1s', concurrencyPolicy: \
         Forbid, jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: main, image: x, command: \
         [sh, -c, 'seq 1 3000; echo run >> {ledger}']}}]}}}}}}}}}}\n"
    )
}

#[test]
fn what_nobody_reads_stops_nothing() {
    let mut up = Up::start(|up| up.stdout(Stdio::piped()).stderr(Stdio::null()));
    up.runs_and_stops();
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let mut up = Up::start(|up| {
        up.env("RUST_LOG", "trace")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
    });
    up.runs_and_stops();
}

/// `crontab -l | punctual import crontab - > cron.yaml && crontab -r` on a full disk.
#[test]
fn an_answer_that_could_not_be_written_is_a_failure() {
    let folder = TempDir::new().expect("a folder");
    let crontab = folder.path().join("crontab");
    std::fs::write(&crontab, "30 2 * * * backup\n").expect("a file");
    let crontab = crontab.to_str().expect("UTF-8");
    for arguments in [
        vec!["import", "crontab", crontab],
        vec!["next", "0 2 * * *"],
        vec!["man"],
    ] {
        let full = std::fs::File::create("/dev/full").expect("it is everywhere");
        let output = command(&arguments)
            .stdout(full)
            .output()
            .expect("punctual can be started");
        let said = text(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(
            (exit_code(&output), last),
            (
                1,
                "error: the output could not be written: No space left on device (os error 28)"
            ),
            "{arguments:?}"
        );
    }
}

/// `punctual simulate … | head -3`, over thousands of years.
#[test]
fn a_simulation_ends_when_its_reader_goes() {
    let script = "at 2026-01-01T00:00:00Z\napply tick schedule=\"@every 1s\"\ntick 60000000h\n";
    for (arguments, input) in [
        (vec!["@every 1s", "--to", "9999-12-31T00:00:00Z"], ""),
        (vec!["--script", "-"], script),
    ] {
        let mut simulate = command(&[&["simulate"], &arguments[..]].concat());
        simulate
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = simulate.spawn().expect("punctual can be started");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("it reads");
        drop(stdin);
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let read = stdout.lines().take(3).filter_map(Result::ok).count();
        let status = end(&mut child);
        assert_eq!(read, 3, "{arguments:?}");
        assert!(status.is_some(), "{arguments:?} goes on");
    }
}

/// A `punctual up` under way.
struct Up {
    child: Child,
    ledger: PathBuf,
    _folder: TempDir,
}

impl Up {
    fn start(how: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let folder = TempDir::new().expect("a folder");
        let ledger = folder.path().join("ledger");
        let path = folder.path().join("cron.yaml");
        std::fs::write(&path, manifest(&ledger)).expect("a file");
        let mut up = command(&["up", "--ephemeral", path.to_str().expect("UTF-8")]);
        let child = how(&mut up).spawn().expect("punctual can be started");
        Up {
            child,
            ledger,
            _folder: folder,
        }
    }

    fn runs_and_stops(&mut self) {
        let has_run = wait_for(|| {
            let runs = std::fs::read_to_string(&self.ledger).unwrap_or_default();
            (runs.lines().count() >= RUNS).then_some(())
        });
        interrupt(&self.child);
        let status = end(&mut self.child);
        assert!(has_run.is_some(), "the runs came to a halt");
        assert_eq!(status.expect("a stop ends").code(), Some(0));
    }
}

/// The end of a program, or nothing when it does not come; then it is killed.
pub(crate) fn end(child: &mut Child) -> Option<ExitStatus> {
    let status = wait_for(|| child.try_wait().expect("it can be waited for"));
    if status.is_none() {
        child.kill().expect("it can be killed");
        child.wait().expect("it can be waited for");
    }
    status
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(seen) = look() {
            return Some(seen);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}
