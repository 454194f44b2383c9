//! An API that fails: the end of a process is recorded all the same.

use std::sync::Mutex;

use super::super::pod::{Directive, PodTask};
use super::*;

/// Runs a pod against an API that answers its writes of the status with these codes, and then with 200. What was
/// written, in order: the phase, or the code that refused it.
async fn written(codes: Vec<u16>) -> Vec<String> {
    let (codes, written) = (Arc::new(Mutex::new(codes)), Arc::new(Mutex::new(Vec::new())));
    let log = written.clone();
    let api = move |request: http::Request<kube::client::Body>| {
        let (codes, log) = (codes.clone(), log.clone());
        async move {
            let is_patch = request.method() == http::Method::PATCH;
            let asked = request.into_body().collect_bytes().await.unwrap_or_default();
            let asked: Value = serde_json::from_slice(&asked).unwrap_or_default();
            let code = if is_patch {
                codes.lock().unwrap().pop().unwrap_or(200)
            } else {
                200
            };
            let answer = if code == 200 {
                json!({"metadata": {"name": "test-1", "uid": "u-1"}})
            } else {
                json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code})
            };
            if is_patch {
                let phase = asked["status"]["phase"].as_str().unwrap_or_default().to_owned();
                log.lock()
                    .unwrap()
                    .push(if code == 200 { phase } else { code.to_string() });
            }
            let body = kube::client::Body::from(answer.to_string().into_bytes());
            Ok::<_, Infallible>(http::Response::builder().status(code).body(body).unwrap())
        }
    };
    let client = kube::Client::new(tower::service_fn(api), "default");
    let (output, _events) = channel();
    let machine = Machine::new(client, SystemClock::shared(), output, options());
    machine.cordon.send_replace(Some(false));
    let directive = watch::Sender::new(Directive::default());
    let pod = Arc::new(pod_of(&script("sleep 0.2")));
    let deadline = watch::Sender::new(None);
    let task = PodTask::new(
        Arc::new(machine),
        pod,
        directive.subscribe(),
        deadline.subscribe(),
        false,
    );
    tokio::time::timeout(PATIENCE, task.run()).await.unwrap();
    written.lock().unwrap().clone()
}

#[tokio::test]
async fn a_pod_is_written_as_running_and_then_as_it_ended() {
    assert_eq!(written(vec![]).await, ["Running", "Succeeded"]);
}

#[tokio::test]
async fn the_end_is_written_until_it_is_taken() {
    assert_eq!(
        written(vec![503, 500, 409]).await,
        ["409", "500", "503", "Succeeded"]
    );
}

#[tokio::test]
async fn the_status_of_a_pod_that_is_gone_is_not_written_for_ever() {
    assert_eq!(written(vec![404, 404]).await, ["404", "404"]);
}
