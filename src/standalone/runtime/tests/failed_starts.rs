//! What goes wrong on the way to a start: no fault of the program's, so the container waits and nothing counts as failed.

use super::*;
use crate::standalone::data_dir::create_private;

/// What a container waits for first.
async fn waits_for(options: Options) -> String {
    let data = options.data.path().display().to_string();
    let mut lived = live_on(&script("echo started"), "Never", options);
    let (_, change) = tokio::time::timeout(PATIENCE, lived.news.recv())
        .await
        .unwrap()
        .unwrap();
    lived.orders.send_replace(Order::Kill);
    tokio::time::timeout(PATIENCE, lived.task).await.unwrap().unwrap();
    match change {
        Change::Waiting { reason, message } => format!("{reason}: {}", message.replace(&data, "/data")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_supervisor_that_ends_before_it_begins_is_waited_for() {
    let options = Options {
        supervisor: Some(vec!["true".into()]),
        ..options()
    };
    insta::assert_snapshot!(waits_for(options).await, @"CreateContainerError: this machine could not make ready what the process needs; it is tried again: its supervisor ended before it began, e.g. killed for want of memory");
}

#[tokio::test]
async fn a_supervisor_that_cannot_begin_says_why() {
    let options = options();
    create_private(&options.data.pod("u-1").log("main", 0)).unwrap();
    insta::assert_snapshot!(waits_for(options).await, @"CreateContainerError: this machine could not make ready what the process needs; it is tried again: /data/pods/u-1/main.0.log could not be written: Is a directory (os error 21)");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_waited_for() {
    let options = options();
    let pod = options.data.pod("u-1");
    create_private(pod.path()).unwrap();
    std::fs::write(pod.attempt("main", 0), "in the way").unwrap();
    insta::assert_snapshot!(waits_for(options).await, @"CreateContainerError: this machine could not make ready what the process needs; it is tried again: /data/pods/u-1/main.0.attempt is not a folder; move it away, or name another data folder with --data-dir");
}
