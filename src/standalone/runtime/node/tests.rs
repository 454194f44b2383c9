//! The node without a machine under it.

use serde_json::json;

use super::*;
use crate::clock::SystemClock;
use crate::controller::Upcoming;
use crate::standalone::data_dir::DataDir;
use crate::standalone::runtime::output::channel;
use crate::standalone::runtime::tests::deaf_client;

/// A stop between two of the pods that were there before: the second is not taken on, and what runs of it is found by the next
/// one.
#[tokio::test]
async fn pods_that_are_listed_after_a_stop_are_no_orphans() {
    let (output, _outlet) = channel();
    let options = Options::new("here", DataDir::ephemeral().unwrap());
    let data = options.data.clone();
    for uid in ["first", "second", "gone"] {
        std::fs::create_dir_all(data.pod(uid).path()).unwrap();
    }
    let mut node = Node::new(deaf_client(), SystemClock::shared(), output, options);
    let mut listed = HashSet::new();
    let running = |uid: &str| -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": uid, "namespace": "default", "uid": uid},
            "spec": {"nodeName": "here", "containers": [{"name": "main", "image": "x"}]},
            "status": {"phase": "Running"},
        }))
        .unwrap()
    };
    node.hear(Event::Init, &mut listed);
    node.hear(Event::InitApply(running("first")), &mut listed);
    node.turn(Shutdown::Drain);
    node.hear(Event::InitApply(running("second")), &mut listed);
    node.hear(Event::InitDone, &mut listed);
    assert_eq!(node.removals.len(), 1, "that of the one that is gone");
}

/// Whoever stops it may remove the data folder next, and they write there.
#[tokio::test]
async fn supervisors_that_waited_are_gone_when_it_has_stopped() {
    let (output, _outlet) = channel();
    let (tell, upcoming) = watch::channel(None);
    let slow = ["sh", "-c", r#"> "$0/begun"; cat; sleep 0.3; > "$0/late""#];
    let options = Options {
        supervisor: Some(slow.map(Into::into).into()),
        upcoming: Some(upcoming),
        ..Options::new("here", DataDir::ephemeral().unwrap())
    };
    let (data, clock) = (options.data.clone(), SystemClock::shared());
    let node = Node::new(deaf_client(), clock.clone(), output, options);
    let (stop, stopped) = watch::channel(Shutdown::No);
    let running = tokio::spawn(node.run(stopped));
    let at = clock.now();
    tell.send_replace(Some(Upcoming { at, count: 1 }));
    let patience = Duration::from_secs(20);
    let begun = async {
        while !data.ahead().join("begun").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(patience, begun).await.unwrap();
    drop(tell);
    stop.send_replace(Shutdown::Drain);
    tokio::time::timeout(patience, running).await.unwrap().unwrap();
    assert!(data.ahead().join("late").exists());
}
