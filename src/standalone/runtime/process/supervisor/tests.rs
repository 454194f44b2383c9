//! What is found of an attempt, by what its supervisor has recorded and whether that lives.

use std::fs::File;

use serde_json::json;

use super::leftovers::Session;
use super::record::{self, Record};
use super::*;
use crate::clock::SystemClock;
use crate::standalone::data_dir::{DataDir, create_private};
use crate::standalone::runtime::engine::{Attempt, Engine as _, Found, Started};
use crate::standalone::runtime::machine::Options;

/// An attempt, and the records of it that a supervisor holds.
struct Supervised {
    engine: ProcessEngine,
    attempt: Attempt,
    state: Option<File>,
}

impl Supervised {
    fn new() -> Self {
        let data = DataDir::ephemeral().unwrap();
        let pod =
            json!({"metadata": {"name": "test-1", "uid": "u-1"}, "spec": {"containers": [{"name": "main"}]}});
        let pod: k8s_openapi::api::core::v1::Pod = serde_json::from_value(pod).unwrap();
        let folder = data.pod("u-1").attempt("main", 0);
        create_private(&folder).unwrap();
        let attempt = Attempt {
            container: pod.spec.as_ref().unwrap().containers[0].clone(),
            pod: pod.into(),
            number: 0,
            log: data.pod("u-1").log("main", 0),
        };
        Self {
            engine: ProcessEngine::new(&Options::new("here", data), SystemClock::shared()),
            state: record::claim(&folder).unwrap(),
            attempt,
        }
    }

    /// The supervisor is gone. A process that another test starts at this moment may still have its file.
    fn ends(&mut self) {
        self.state.take().unwrap().unlock().unwrap();
    }

    fn records(&self, record: &Record) {
        record::add(self.state.as_ref().unwrap(), record).unwrap();
    }

    /// What is found, in words.
    async fn found(&self) -> String {
        match self.engine.find(&self.attempt).await {
            Ok(Found::Started(started)) => format!("started: {}", started.end.await.reason),
            Ok(Found::Failed(error)) => format!("failed: {error}, {}", error.exit_code()),
            Ok(Found::Lost(why)) => format!("lost: {why}"),
            Ok(Found::Never) => "never".to_owned(),
            Err(error) => {
                let data = self.engine.options.data.path().display().to_string();
                format!("unseen: {error}").replace(&data, "DATA")
            }
        }
    }
}

fn starting() -> Record {
    Record::Starting {
        boot: record::boot(),
        // Nobody leads it.
        session: serde_json::from_value::<Session>(json!({"leader": i32::MAX, "since": 0})).unwrap(),
        group: None,
    }
}

#[tokio::test(start_paused = true)]
async fn who_lives_is_never_lost_however_long_it_is_silent() {
    let mut supervised = Supervised::new();
    let mut told = vec![supervised.found().await];
    supervised.records(&starting());
    told.push(supervised.found().await);
    supervised.records(&Record::Started {
        pid: 4711,
        at: "2026-11-27T02:00:00Z".to_owned(),
    });
    told.push(supervised.found().await);
    supervised.ends();
    told.push(supervised.found().await);
    insta::assert_snapshot!(told.join("\n"), @r"
    unseen: its supervisor lives and does not answer, e.g. as it waits for memory or a disk; what it runs is left alone, and it is asked again; `fuser DATA/pods/u-1/main.0.attempt/state` tells its process id: `kill -CONT` lets it go on if somebody has stopped it, and `kill -9` gives it up
    unseen: its supervisor lives and does not answer, e.g. as it waits for memory or a disk; what it runs is left alone, and it is asked again; `kill -CONT 2147483647` lets it go on if somebody has stopped it, and `kill -9 2147483647` gives up what it runs
    unseen: its supervisor lives and does not answer, e.g. as it waits for memory or a disk; what it runs is left alone, and it is asked again; `kill -CONT 2147483647` lets it go on if somebody has stopped it, and `kill -9 2147483647` gives up what it runs
    started: ContainerStatusUnknown
    ");
}

/// A supervisor that waits to be let go says of an end once, and whoever hears of a start may have read that as well.
#[tokio::test(start_paused = true)]
async fn an_end_that_was_heard_with_the_start_is_not_waited_for() {
    let supervised = Supervised::new();
    supervised.records(&starting());
    supervised.records(&Record::Started {
        pid: 4711,
        at: "2026-11-27T02:00:00Z".to_owned(),
    });
    supervised.records(&Record::Ended {
        exit_code: 3,
        signal: None,
        out_of_memory: false,
        at: "2026-11-27T02:00:01Z".to_owned(),
    });
    let folder = supervised.engine.folder(&supervised.attempt);
    let (ours, mut theirs) = tokio::net::UnixStream::pair().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut theirs, &[connection::NEWS, connection::END])
        .await
        .unwrap();
    let begun = connection::commissioned(ours, b"{}\n", &folder).await.unwrap();
    let started = supervised.engine.started(&folder, &begun.state, begun.supervisor);
    let Started { end, control, .. } = started.unwrap();
    let second = std::time::Duration::from_secs(1);
    let heard = tokio::time::timeout(second, end);
    assert_eq!(heard.await.unwrap().exit.code, 3);
    // It goes when nobody waits for its processor any more, which is for whoever has asked to say.
    let mut commission = [0; 8];
    let read = tokio::io::AsyncReadExt::read(&mut theirs, &mut commission);
    assert_eq!(read.await.unwrap(), b"{}\n".len());
    let mut let_go = Box::pin(tokio::io::AsyncReadExt::read(&mut theirs, &mut commission));
    assert!(tokio::time::timeout(second, &mut let_go).await.is_err());
    drop(control);
    assert_eq!(let_go.await.unwrap(), 0);
}

#[tokio::test]
async fn a_start_that_failed_is_found_as_what_it_was() {
    let mut supervised = Supervised::new();
    supervised.records(&starting());
    supervised.records(&Record::NotStarted {
        exit_code: 127,
        message: "no such command".to_owned(),
        is_tried_again: false,
    });
    supervised.ends();
    insta::assert_snapshot!(supervised.found().await, @"failed: no such command, 127");
}

#[tokio::test]
async fn what_was_garbled_by_a_power_loss_does_not_hide_the_rest() {
    let mut supervised = Supervised::new();
    supervised.records(&starting());
    let state = supervised.state.as_mut().unwrap();
    std::io::Write::write_all(state, b"{\"record\": \"\xff\xfe").unwrap();
    supervised.ends();
    insta::assert_snapshot!(supervised.found().await, @"lost: the process was being started when its supervisor was lost");
}

#[tokio::test]
async fn records_that_cannot_be_read_are_named_with_what_to_do() {
    let supervised = Supervised::new();
    let file = record::file(&supervised.engine.folder(&supervised.attempt));
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    insta::assert_snapshot!(supervised.found().await, @"unseen: nobody can tell whether the process runs, as its records in DATA/pods/u-1/main.0.attempt/state can't be read; they are read again; mend that file, or remove it when nothing of the process is left");
}
