//! An API that fails, or does not answer, while a status is written: the end of a process is recorded all the same, and
//! nothing waits for that.

use std::sync::Mutex;

use futures::FutureExt as _;
use tokio::sync::Semaphore;

use super::super::pod::{Directive, PodTask};
use super::*;
use crate::telemetry::written::Written;

/// An API for the status of one pod.
#[derive(Clone)]
struct StatusApi {
    /// With what it answers the next writes, from the last of these on, and then with 200.
    codes: Arc<Mutex<Vec<u16>>>,
    /// How many writes it still answers.
    answers: Arc<Semaphore>,
    /// What was written, in order: the phase, or the code that refused it.
    written: watch::Sender<Vec<String>>,
}

impl StatusApi {
    fn new(codes: Vec<u16>) -> Self {
        Self {
            codes: Arc::new(Mutex::new(codes)),
            answers: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            written: watch::Sender::default(),
        }
    }

    /// One that answers nothing for now.
    fn hanging() -> Self {
        Self {
            answers: Arc::new(Semaphore::new(0)),
            ..Self::new(vec![])
        }
    }

    async fn answer(self, request: http::Request<kube::client::Body>) -> http::Response<kube::client::Body> {
        let is_patch = request.method() == http::Method::PATCH;
        let asked = request.into_body().collect_bytes().await.unwrap_or_default();
        let asked: Value = serde_json::from_slice(&asked).unwrap_or_default();
        let code = self.codes.lock().unwrap().pop_if(|_| is_patch).unwrap_or(200);
        if is_patch {
            let phase = asked["status"]["phase"].as_str().unwrap_or_default();
            let answer = if code == 200 {
                phase.to_owned()
            } else {
                code.to_string()
            };
            self.written.send_modify(|written| written.push(answer));
            self.answers.acquire().await.unwrap().forget();
        }
        let answer = if code == 200 {
            json!({"metadata": {"name": "test-1", "uid": "u-1"}})
        } else {
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code})
        };
        let body = kube::client::Body::from(answer.to_string().into_bytes());
        http::Response::builder().status(code).body(body).unwrap()
    }
}

/// A pod that runs, what it is told, and what is seen of it.
struct Ran {
    directive: watch::Sender<Directive>,
    deadline: watch::Sender<Option<i64>>,
    events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
}

/// Runs a pod with a script against such an API.
fn run(api: &StatusApi, text: &str) -> Ran {
    let api = api.clone();
    let service = move |request| api.clone().answer(request).map(Ok::<_, Infallible>);
    let client = kube::Client::new(tower::service_fn(service), "default");
    let (output, Outlet { events, .. }) = channel();
    let machine = Machine::new(client, SystemClock::shared(), output, options());
    machine.cordon.send_replace(Some(false));
    let directive = watch::Sender::new(Directive::default());
    let deadline = watch::Sender::new(None);
    let task = PodTask::new(
        Arc::new(machine),
        Arc::new(pod_of(&script(text))),
        directive.subscribe(),
        deadline.subscribe(),
        false,
    );
    Ran {
        directive,
        deadline,
        events,
        task: tokio::spawn(task.run()),
    }
}

/// Runs a pod against an API that answers its writes of the status with these codes, and then with 200: what was written.
async fn written(codes: Vec<u16>) -> Vec<String> {
    let api = StatusApi::new(codes);
    let ran = run(&api, "sleep 0.2");
    tokio::time::timeout(PATIENCE, ran.task).await.unwrap().unwrap();
    api.written.borrow().clone()
}

#[tokio::test]
async fn a_pod_is_written_as_running_and_then_as_it_ended() {
    assert_eq!(written(vec![]).await, ["Running", "Succeeded"]);
}

#[tokio::test]
async fn the_end_is_written_until_it_is_taken_and_what_keeps_it_is_told_once() {
    let (log, _logging) = Written::here();
    assert_eq!(
        written(vec![503, 503, 409]).await,
        ["409", "503", "503", "Succeeded"]
    );
    let log = log.text();
    assert_eq!(log.matches("could not be written").count(), 1, "{log}");
}

#[tokio::test]
async fn the_status_of_a_pod_that_is_gone_is_not_written_for_ever() {
    assert_eq!(written(vec![404, 404]).await, ["404", "404"]);
}

/// Whatever ends a pod ends it also while its status is being written, which nobody answers; and then that is told.
#[tokio::test]
async fn an_end_does_not_wait_for_a_status_that_is_being_written() {
    let stop = |ran: &Ran| {
        let grace = PATIENCE;
        ran.directive.send_modify(|now| now.order = Order::Stop { grace });
    };
    let deadline = |ran: &Ran| _ = ran.deadline.send_replace(Some(0));
    let ends: [&dyn Fn(&Ran); 2] = [&stop, &deadline];
    for end in ends {
        let api = StatusApi::hanging();
        let mut ran = run(
            &api,
            "trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done",
        );
        let mut written = api.written.subscribe();
        let is_asked = tokio::time::timeout(PATIENCE, written.wait_for(|written| !written.is_empty()));
        assert!(is_asked.await.is_ok());
        let ended = loop {
            let event = tokio::time::timeout(PATIENCE, ran.events.recv()).await.unwrap();
            match event.unwrap().what {
                What::Line { text, .. } if text == "ready" => end(&ran),
                what @ What::Ended { .. } => break told(&what),
                _ => {}
            }
        };
        assert_eq!(ended, "ended with 3");
        api.answers.add_permits(2);
        tokio::time::timeout(PATIENCE, ran.task).await.unwrap().unwrap();
        assert_eq!(*api.written.borrow(), ["Running", "Failed"]);
    }
}
