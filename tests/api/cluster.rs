//! What a case is given: a client, a namespace of its own, and the few verbs that every case needs.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::{Api, DeleteParams, PostParams};
use kube::core::Status;
use kube::{Client, Resource};
use punctual::clock::SystemClock;
use punctual::schedule::TimeZones;
use punctual::standalone::api;
use punctual::standalone::store::MemoryStore;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::control_plane::{Binaries, ControlPlane, Guarded};

/// How objects are created: for good, and by nobody in particular.
pub(crate) const POST: PostParams = PostParams {
    dry_run: false,
    field_manager: None,
};

/// A server to talk to, and a namespace to talk about.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// The client.
    pub(crate) client: Client,
    /// A namespace that nobody else uses.
    pub(crate) namespace: String,
    /// Keeps the embedded server running.
    embedded: Option<api::Api>,
}

/// The real servers of all cases: a control plane, and the two of Kubernetes' controllers that are a part of what a client
/// may rely on, because they delete what deleting something else means to delete.
static REAL: LazyLock<(ControlPlane, Guarded)> = LazyLock::new(|| {
    let control_plane = ControlPlane::start(&Binaries::find().expect("cases that need them are ignored"));
    let controllers = control_plane.controller_manager("garbage-collector-controller,namespace-controller");
    (control_plane, controllers)
});

impl Cluster {
    /// The embedded API over a new store.
    pub(crate) async fn embedded() -> Self {
        Self::over(MemoryStore::new()).await
    }

    /// The embedded API over a given store.
    pub(crate) async fn over(store: MemoryStore) -> Self {
        let server = api::Api::start(
            Arc::new(store),
            SystemClock::shared(),
            Arc::new(TimeZones::built_in()),
        )
        .await
        .expect("the API starts");
        let client = server.client();
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let namespace = Namespace {
            metadata: kube::core::ObjectMeta {
                generate_name: Some("case-".to_owned()),
                ..Default::default()
            },
            ..Default::default()
        };
        let made = namespaces.create(&POST, &namespace).await.expect("a namespace");
        Self {
            client,
            namespace: made.metadata.name.expect("a name"),
            embedded: Some(server),
        }
    }

    /// Starts the real servers, if they are not there yet. The time of a case does not count what that takes.
    pub(crate) fn await_real() {
        LazyLock::force(&REAL);
    }

    /// A real kube-apiserver, which all cases share.
    pub(crate) async fn real() -> Self {
        let (control_plane, _) = &*REAL;
        Self {
            client: control_plane.client(),
            namespace: control_plane.namespace().await,
            embedded: None,
        }
    }

    /// Whether this is the embedded API, whose words are ours to choose.
    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// The objects of a kind in the case's namespace.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) fn cron_jobs(&self) -> Api<CronJob> {
        self.api()
    }

    pub(crate) fn jobs(&self) -> Api<Job> {
        self.api()
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        self.api()
    }

    pub(crate) fn config_maps(&self) -> Api<ConfigMap> {
        self.api()
    }

    /// Creates an object that is written as JSON, so that it may hold what our types do not know.
    pub(crate) async fn create(&self, object: Value) -> Value {
        self.send("POST", &self.path_of(&object), Some(&object))
            .await
            .expect("the object is created")
    }

    /// The path of the collection that an object belongs to.
    pub(crate) fn path_of(&self, object: &Value) -> String {
        let plural = format!("{}s", object["kind"].as_str().expect("a kind").to_lowercase());
        let version = object["apiVersion"].as_str().expect("an apiVersion");
        let root = if version.contains('/') {
            format!("/apis/{version}")
        } else {
            format!("/api/{version}")
        };
        format!("{root}/namespaces/{}/{plural}", self.namespace)
    }

    /// Sends a request as it is, and gives the answer as it is: for what kube's types would hide.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Status> {
        self.send_as("application/json", method, path, body).await
    }

    /// Sends a request with a body of another media type.
    pub(crate) async fn send_as(
        &self,
        media_type: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Status> {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.request(media_type, method, path, body, None).await
    }

    /// The same with a body that may be anything.
    pub(crate) async fn send_text(
        &self,
        media_type: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Value, Status> {
        self.request(media_type, method, path, body.to_owned(), None)
            .await
    }

    /// The same from another program, which has a name and owns what it writes.
    pub(crate) async fn send_from_outside(
        &self,
        media_type: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Status> {
        self.request(media_type, method, path, body.to_string(), Some("a-program/1"))
            .await
    }

    async fn request(
        &self,
        media_type: &str,
        method: &str,
        path: &str,
        body: String,
        program: Option<&str>,
    ) -> Result<Value, Status> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", media_type);
        if let Some(program) = program {
            request = request.header("user-agent", program);
        }
        let request = request.body(body.into_bytes());
        match self.client.request::<Value>(request.expect("a request")).await {
            Ok(answer) => Ok(answer),
            Err(kube::Error::Api(status)) => Err(*status),
            Err(error) => panic!("the answer is neither an object nor a Status: {error}"),
        }
    }
}

/// Waits until something holds, for at most ten seconds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..2_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}: not within ten seconds");
}

/// Waits until an object is gone.
pub(crate) async fn eventually_gone<K>(api: &Api<K>, name: &str)
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    eventually(&format!("{name} is gone"), || async {
        api.get_opt(name).await.expect("an answer").is_none()
    })
    .await;
}

/// The refusal in an answer.
pub(crate) fn refused<T: std::fmt::Debug>(answer: kube::Result<T>) -> Status {
    match answer {
        Err(kube::Error::Api(status)) => *status,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// A CronJob that is due at midnight.
pub(crate) fn cron_job(name: &str) -> CronJob {
    typed(json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": name, "labels": { "app": "tests" } },
        "spec": { "schedule": "0 0 * * *", "jobTemplate": { "spec": { "template": pod_template() } } },
    }))
}

/// A Job of one pod.
pub(crate) fn job(name: &str) -> Job {
    typed(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name },
        "spec": { "template": pod_template() },
    }))
}

/// A pod that a node runs.
pub(crate) fn pod(name: &str) -> Pod {
    let mut pod = pod_template();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"] = json!({ "name": name });
    typed(pod)
}

/// A config map with one entry.
pub(crate) fn config_map(name: &str) -> ConfigMap {
    typed(
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "key": "value" } }),
    )
}

/// An object that is owned by another.
pub(crate) fn owned_by<K: Resource<DynamicType = ()>>(
    mut object: ConfigMap,
    owner: &K,
    blocks: bool,
) -> ConfigMap {
    let mut reference = owner
        .controller_owner_ref(&())
        .expect("the owner has a name and a uid");
    reference.block_owner_deletion = Some(blocks);
    reference.controller = None;
    object
        .metadata
        .owner_references
        .get_or_insert_default()
        .push(reference);
    object
}

fn pod_template() -> Value {
    json!({
        "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "main", "image": "busybox:1.37", "command": ["true"] }],
        },
    })
}

/// A typed object of JSON.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object of the type")
}

/// Delete options with a policy.
pub(crate) fn delete(policy: kube::api::PropagationPolicy) -> DeleteParams {
    DeleteParams {
        propagation_policy: Some(policy),
        ..DeleteParams::default()
    }
}
