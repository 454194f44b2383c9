//! The embedded API behind a socket, with a kubeconfig that leads to it.

use std::path::PathBuf;
use std::sync::Arc;

use kube::Client;
use punctual::clock::SystemClock;
use punctual::schedule::TimeZones;
use punctual::standalone::api;
use punctual::standalone::store::MemoryStore;
use serde_json::json;
use tempfile::TempDir;

/// A server that lives as long as the test.
pub(crate) struct Embedded {
    pub(crate) client: Client,
    folder: TempDir,
    _api: api::Api,
}

impl Embedded {
    pub(crate) async fn start() -> Self {
        let zones = Arc::new(TimeZones::built_in());
        let api = api::Api::start(Arc::new(MemoryStore::new()), SystemClock::shared(), zones);
        let api = api.await.expect("the API starts");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = api.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let embedded = Embedded {
            client: api.client(),
            folder: TempDir::new().expect("a folder"),
            _api: api,
        };
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "clusters": [{ "name": "here", "cluster": { "server": format!("http://{address}") } }],
            "users": [{ "name": "me", "user": {} }],
            "contexts": [{ "name": "here", "context": { "cluster": "here", "user": "me" } }],
        });
        std::fs::write(embedded.kubeconfig(), kubeconfig.to_string()).expect("a file");
        embedded
    }

    /// The file that leads to it.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }
}
