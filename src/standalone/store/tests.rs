//! The contract, run by the store in memory, and what only that one promises.

use serde_json::json;

use super::contract::contract_of;
use super::{Key, MemoryStore, Revision, Scope, Store, StoreError, WATCH_WINDOW_BYTES, WATCH_WINDOW_EVENTS};

contract_of!(MemoryStore::with_window, WATCH_WINDOW_EVENTS);

#[tokio::test]
async fn huge_objects_leave_the_window_sooner() {
    let store = MemoryStore::new();
    let large = "x".repeat(WATCH_WINDOW_BYTES / 4);
    for name in ["a", "b", "c", "d"] {
        store
            .create(&Key::new("things", "", name), json!({ "large": large }))
            .await
            .unwrap();
    }
    let watch = store.watch(&Scope::all("things"), Revision(1)).await;
    assert!(matches!(watch.err(), Some(StoreError::Expired { .. })));
    let mut watch = store.watch(&Scope::all("things"), Revision(2)).await.unwrap();
    assert_eq!(watch.poll().await.unwrap().events.len(), 3);
}
