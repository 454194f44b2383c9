//! What the containers of a pod share, and make ready each for itself; and the places that pods share.

use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::PodStatus;

use super::super::pod::{Directive, PodTask};
use super::*;

/// How long the API takes for a config map: long enough that all containers of a pod would ask at the same time.
const ANSWERS_AFTER: Duration = Duration::from_millis(20);

/// How many containers there are.
const CONTAINERS: usize = 4;

/// An API with one large config map.
#[derive(Debug, Default)]
struct Library {
    /// How many ask for it now, and have at most.
    asking: AtomicUsize,
    asked_at_once: AtomicUsize,
    /// The statuses that were written.
    written: std::sync::Mutex<Vec<PodStatus>>,
}

impl Library {
    fn client(self: &Arc<Self>) -> kube::Client {
        let library = self.clone();
        let api = move |request: http::Request<kube::client::Body>| {
            let library = library.clone();
            async move {
                let answer = if request.uri().path().contains("/configmaps/") {
                    library.lend().await
                } else {
                    library.write(request).await
                };
                let body = kube::client::Body::from(answer.to_string().into_bytes());
                Ok::<_, Infallible>(http::Response::new(body))
            }
        };
        kube::Client::new(tower::service_fn(api), "default")
    }

    /// Runs a pod to its end, and tells its last status.
    async fn run(self: &Arc<Self>, pod: Pod) -> PodStatus {
        Box::pin(self.run_on(options(), pod)).await
    }

    /// The same, on such a node. A pod that has a status was there before it.
    async fn run_on(self: &Arc<Self>, options: Options, pod: Pod) -> PodStatus {
        let (output, _events) = channel();
        let machine = Machine::new(self.client(), SystemClock::shared(), output, options);
        machine.cordon.send_replace(Some(false));
        let directive = watch::Sender::new(Directive::default());
        let deadline = watch::Sender::new(None);
        let is_resumed = pod.status.is_some();
        let task = PodTask::new(
            Arc::new(machine),
            Arc::new(pod),
            directive.subscribe(),
            deadline.subscribe(),
            is_resumed,
        );
        tokio::time::timeout(PATIENCE, task.run()).await.unwrap();
        self.written.lock().unwrap().last().cloned().unwrap_or_default()
    }

    async fn lend(&self) -> Value {
        let asking = self.asking.fetch_add(1, Ordering::SeqCst) + 1;
        self.asked_at_once.fetch_max(asking, Ordering::SeqCst);
        tokio::time::sleep(ANSWERS_AFTER).await;
        self.asking.fetch_sub(1, Ordering::SeqCst);
        json!({"metadata": {"name": "book"}, "data": {"text": "x".repeat(900_000)}})
    }

    async fn write(&self, request: http::Request<kube::client::Body>) -> Value {
        let asked = request.into_body().collect_bytes().await.unwrap_or_default();
        let asked: Value = serde_json::from_slice(&asked).unwrap_or_default();
        if let Ok(status) = serde_json::from_value(asked["status"].clone()) {
            self.written.lock().unwrap().push(status);
        }
        json!({"metadata": {"name": "test-1", "uid": "u-1"}})
    }
}

/// Containers that mount a config map in a volume that they share, and read it.
fn readers() -> Pod {
    let mounts = json!([
        {"name": "data", "mountPath": "data"},
        {"name": "book", "mountPath": "data/book"},
    ]);
    let containers: Vec<Value> = (0..CONTAINERS)
        .map(|number| {
            let mut container = script("test $(wc -c < data/book/text) = 900000");
            container["name"] = format!("reader-{number}").into();
            container["volumeMounts"] = mounts.clone();
            container
        })
        .collect();
    let volumes = json!([{"name": "data", "emptyDir": {}}, {"name": "book", "configMap": {"name": "book"}}]);
    let metadata = json!({"name": "test-1", "namespace": "default", "uid": "u-1"});
    let spec = json!({"containers": containers, "volumes": volumes, "restartPolicy": "Never"});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn containers_are_made_ready_one_after_the_other() {
    let library = Arc::new(Library::default());
    let last = library.run(readers()).await;
    let written = library.written.lock().unwrap();
    let waited = written
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten())
        .filter_map(|container| container.state.as_ref()?.waiting.as_ref()?.message.clone());
    assert_eq!(waited.collect::<Vec<_>>(), [] as [String; 0]);
    assert_eq!(last.phase.as_deref(), Some("Succeeded"), "{last:?}");
    assert_eq!(library.asked_at_once.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_would_be_one_file_for_two_containers_is_not_started() {
    let library = Arc::new(Library::default());
    let reader = |name: &str| {
        let mut container = script(&format!(
            "sleep 0.3; cat data/etc/which; test $(cat data/etc/which) = {name}"
        ));
        container["name"] = name.into();
        container["volumeMounts"] =
            json!([{"name": "data", "mountPath": "data"}, {"name": name, "mountPath": "data/etc"}]);
        container
    };
    let labelled = |name: &str| json!({"name": name, "downwardAPI": {"items": [{"path": "which", "fieldRef": {"fieldPath": format!("metadata.labels['{name}']")}}]}});
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "test-1", "namespace": "default", "uid": "u-1", "labels": {"one": "one", "two": "two"}},
        "spec": {
            "containers": [reader("one"), reader("two")],
            "volumes": [{"name": "data", "emptyDir": {}}, labelled("one"), labelled("two")],
            "restartPolicy": "Never",
        },
    })).unwrap();
    let last = library.run(pod).await;
    insta::assert_snapshot!(last.message.unwrap_or_default(), @r#"container "two" mounts volume "two" at data/etc, where container "one" has volume "one": both lie in volume "data", in which both would find the same; mount it at another path, or run the pod as containers (`--runtime container`, or the annotation `punctual.dev/runtime: container`)"#);
}

/// Lets a pod wait for a place on a node that has none, for longer than it takes until that is told: what was written.
async fn told_without_a_place(pod: Pod) -> Vec<PodStatus> {
    let library = Arc::new(Library::default());
    let full = Options {
        pods_at_once: 0,
        ..options()
    };
    let waits = library.run_on(full, pod);
    assert!(
        Box::pin(tokio::time::timeout(PATIENCE / 4 * 3, waits))
            .await
            .is_err()
    );
    library.written.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_waits_long_for_a_place_says_so() {
    let written = Box::pin(told_without_a_place(pod_of(&script("true")))).await;
    let conditions = written
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let told = conditions.map(|condition| {
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        let (reason, message) = (said(&condition.reason), said(&condition.message));
        format!("{} {} {reason}: {message}", condition.type_, condition.status)
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @"PodScheduled False Unschedulable: 0/1 nodes are available: 1 Too many pods; 0 run here at one time, and this one starts when others have ended");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_has_begun_is_not_called_pending_while_it_waits_for_a_place() {
    let mut pod = pod_of(&script("true"));
    let container = json!({
        "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 1, "containerID": "process://4711",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    });
    let status = json!({"phase": "Running", "containerStatuses": [container]});
    pod.status = Some(serde_json::from_value(status).unwrap());
    assert_eq!(Box::pin(told_without_a_place(pod)).await, []);
}
