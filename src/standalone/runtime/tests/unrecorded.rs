//! A start that can't be recorded: nobody would find what runs, so nothing does.

use std::time::Instant;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::*;

/// How long a file may be for such a supervisor, in bytes: the first of its records fits, and the second does not.
const ROOM: u64 = 150;

/// SIGXFSZ: something was written that is longer.
const TOO_LONG: SignalKind = SignalKind::from_raw(25);

#[test]
#[ignore = "not a test: what the other test starts as a supervisor"]
fn supervise_with_little_room() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // When somebody heeds it, it does not end the process.
    let _heeded = runtime.block_on(async { signal(TOO_LONG) }).unwrap();
    let room = Rlimit {
        current: Some(ROOM),
        maximum: Some(ROOM),
    };
    setrlimit(Resource::Fsize, room).unwrap();
    crate::standalone::runtime::process::supervisor::supervise(None);
    std::process::exit(0);
}

/// The processes of a session.
fn members(session: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let is_member = |stat: &String| {
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().nth(3) == Some(session)
    };
    stats.filter(is_member).collect()
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_run_on() {
    let options = options_with("unrecorded::supervise_with_little_room");
    let data = options.data.clone();
    let lived = live_on(&script("sleep 600"), "Never", options);
    let changes = lived.changes().await;
    let [Change::Ended(ended), Change::Done] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(
        ended.message.as_deref(),
        Some("the process was being started when its supervisor was lost")
    );
    let state = data.pod("u-1").attempt("main", 0).join("state");
    let state = std::fs::read_to_string(state).unwrap();
    let starting: Value = serde_json::from_str(state.lines().next().unwrap()).unwrap();
    let session = starting["session"]["leader"].to_string();
    let begun = Instant::now();
    while let [_, ..] = &members(&session)[..] {
        assert!(begun.elapsed() < PATIENCE, "{:?}", members(&session));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
