//! A database that was damaged, and what is not to be kept.

use std::os::unix::fs::FileExt as _;

use insta::assert_snapshot;

use crate::machine::{Ended, Place, until};
use crate::restarts::job;

/// What it said, without what differs from time to time.
fn said(ended: &Ended) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in ended.said.split(' ') {
        // Which row holds an object depends on what was written first.
        if words.last().is_some_and(|before| before == "row") {
            words.push("N".into());
            continue;
        }
        let stamp = word.split_once(".damaged-");
        words.push(stamp.map_or(word.to_owned(), |(name, stamp)| {
            let rest = stamp.trim_start_matches(|c: char| c.is_ascii_digit() || c == 'T' || c == 'Z');
            format!("{name}.damaged-WHEN{rest}")
        }));
    }
    words.join(" ")
}

pub(crate) async fn a_damaged_database_is_kept_and_nothing_starts() {
    let place = Place::new();
    place.up().await.interrupt();
    let database = place.data().join("punctual.db");
    let whole = std::fs::read(&database).expect("a database");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&database)
        .expect("a file");
    // All of them: a page may still hold a former version, which nobody reads.
    let namespaces = whole
        .windows(11)
        .enumerate()
        .filter(|(_, window)| window == b"kube-system");
    for (at, _) in namespaces {
        file.write_at(b"cube", at as u64).expect("written");
    }
    let damaged = std::fs::read(&database).expect("a database");

    let refused = place.ended(&["--for", "1s"]);
    assert_eq!(refused.code, Some(1));
    assert_snapshot!(said(&refused));
    let refused = place.ended(&["--for", "1s"]);
    assert_eq!(refused.code, Some(1));
    assert_snapshot!(said(&refused));

    let anew = place.ended(&["--for", "1s", "--start-empty"]);
    assert_eq!(anew.code, Some(0));
    assert_snapshot!(said(&anew));
    let kept = std::fs::read_dir(place.data()).expect("a folder").flatten();
    // Its log is kept as well.
    let mut kept = kept.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.contains(".damaged-") && !name.ends_with("-wal")
    });
    let kept = kept.next().expect("it is kept").path();
    assert!(
        std::fs::read(&kept).expect("a file") == damaged,
        "as it was found"
    );

    // A backup in its place is what goes on.
    std::fs::write(&database, whole).expect("written");
    assert_eq!(place.ended(&["--for", "1s"]).code, Some(0));
    let needless = place.ended(&["--for", "1s", "--start-empty"]);
    assert_eq!(needless.code, Some(0));
    assert_snapshot!(said(&needless));
}

/// Nobody knows it any more, and it would run beside the run that takes its place.
pub(crate) async fn what_runs_of_a_lost_database_is_ended() {
    let place = Place::new();
    let runs = place.path("runs");
    let script = format!(
        "trap 'echo ended >> {0}; exit 0' TERM; echo run >> {0}; while :; do sleep 0.05; done",
        runs.display()
    );
    place.manifest(&job(&script, ""));
    let up = place.up().await;
    place.lines_until("runs", 1).await;
    up.kill();
    for file in ["punctual.db", "punctual.db-wal"] {
        std::fs::remove_file(place.data().join(file)).expect("it is there");
    }
    let refused = place.ended(&["--for", "1s"]);
    assert_eq!(refused.code, Some(1));
    assert_snapshot!(said(&refused));
    assert_eq!(place.lines_until("runs", 1).await, ["run"], "it goes on");
    let up = place.up_with(&["--start-empty"]);
    up.serves().await;
    let lines = place.lines_until("runs", 3).await;
    assert_eq!(
        lines.iter().filter(|line| *line == "ended").count(),
        1,
        "{lines:?}"
    );
    let folders = || {
        std::fs::read_dir(place.data().join("pods"))
            .expect("a folder")
            .count()
    };
    until("its folder is gone", || async { (folders() == 1).then_some(()) }).await;
    up.interrupt();
}

pub(crate) async fn an_ephemeral_one_leaves_nothing() {
    let place = Place::new();
    let temporary = place.path("tmp");
    std::fs::create_dir(&temporary).expect("a folder");
    let mut command = Place::command(&["--ephemeral", "--for", "1s"]);
    let output = command
        .env("TMPDIR", &temporary)
        .env("XDG_STATE_HOME", place.path("state"))
        .output();
    assert_eq!(output.expect("punctual can be started").status.code(), Some(0));
    assert_eq!(std::fs::read_dir(&temporary).expect("a folder").count(), 0);
    assert!(!place.path("state").exists());
}
