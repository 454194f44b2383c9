//! The node without a machine under it.

use serde_json::json;

use super::*;
use crate::clock::SystemClock;
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
