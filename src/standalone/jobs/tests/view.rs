//! What the view knows, as events and answers come in in any order.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use serde_json::json;

use super::super::key::JobKey;
use super::super::objects::{revision, uid};
use super::super::past::Past;
use super::super::view::View;
use super::super::wanted::Wanted;

fn job() -> Job {
    serde_json::from_value(json!({"metadata": {"name": "report", "uid": "j", "resourceVersion": "1"}}))
        .unwrap()
}

fn key() -> JobKey {
    JobKey::of(&job())
}

fn pod(uid: &str, name: &str, revision: u64) -> Pod {
    let owner =
        json!({"apiVersion": "batch/v1", "kind": "Job", "name": "report", "uid": "j", "controller": true});
    let metadata = json!({
        "name": name, "uid": uid, "resourceVersion": revision.to_string(), "ownerReferences": [owner],
    });
    serde_json::from_value(json!({"metadata": metadata})).unwrap()
}

/// A view of one Job and these pods.
fn view(pods: &[Pod]) -> View {
    let mut view = View::default();
    view.hear_job(Event::Init);
    view.hear_job(Event::InitApply(job()));
    view.hear_job(Event::InitDone);
    view.hear_pod(Event::Init);
    for pod in pods {
        view.hear_pod(Event::InitApply(pod.clone()));
    }
    view.hear_pod(Event::InitDone);
    view
}

/// A write is answered with a pod, as soon as it is asked for.
fn answer(view: &mut View, pod: Pod) -> Vec<JobKey> {
    let asked = view.asked();
    view.answer_pod(pod, asked)
}

/// The pods of the Job: uid and revision.
fn seen(view: &View) -> String {
    let told = view
        .pods(&key())
        .into_iter()
        .map(|pod| format!("{}@{}", uid(pod), revision(pod)));
    told.collect::<Vec<_>>().join(" ")
}

/// The names that the Job's pods have, or can't have.
fn names(view: &View) -> Vec<String> {
    let of_pods = view.pods(&key()).into_iter().map(ResourceExt::name_any);
    let past = view.past(&key()).into_iter().flat_map(Past::names);
    of_pods.chain(past.map(ToOwned::to_owned)).collect()
}

#[test]
fn an_answer_is_seen_before_the_watch_tells_of_it() {
    let mut view = view(&[]);
    assert_eq!(answer(&mut view, pod("a", "p-1", 5)), [key()]);
    assert_eq!(seen(&view), "a@5");
    view.hear_pod(Event::Apply(pod("a", "p-1", 5)));
    assert_eq!(seen(&view), "a@5");
}

#[test]
fn an_answer_that_the_watch_has_overtaken_changes_nothing() {
    let mut view = view(&[]);
    view.hear_pod(Event::Apply(pod("a", "p-1", 5)));
    view.hear_pod(Event::Delete(pod("a", "p-1", 6)));
    assert!(answer(&mut view, pod("a", "p-1", 5)).is_empty());
    assert_eq!(seen(&view), "");
}

/// The watch was left behind, and a new list was made after the pod had gone.
#[test]
fn an_answer_that_a_list_has_overtaken_changes_nothing() {
    let mut view = view(&[]);
    let asked = view.asked();
    view.hear_pod(Event::Init);
    view.hear_pod(Event::InitDone);
    assert!(view.answer_pod(pod("a", "p-1", 5), asked).is_empty());
    assert_eq!(seen(&view), "");
}

#[test]
fn the_watch_does_not_take_back_what_we_did_since() {
    let mut view = view(&[pod("a", "p-1", 3)]);
    answer(&mut view, pod("a", "p-1", 9));
    view.hear_pod(Event::Apply(pod("a", "p-1", 7)));
    assert_eq!(seen(&view), "a@9");
}

#[test]
fn a_pod_that_is_missing_from_a_new_list_is_gone() {
    let mut view = view(&[pod("a", "p-1", 3), pod("b", "p-2", 4)]);
    view.hear_pod(Event::Init);
    view.hear_pod(Event::InitApply(pod("b", "p-2", 4)));
    assert_eq!(
        seen(&view),
        "a@3 b@4",
        "a list that is not whole says nothing of what is missing"
    );
    view.hear_pod(Event::InitDone);
    assert_eq!(seen(&view), "b@4");
}

#[test]
fn a_pod_of_the_same_name_may_come_before_the_first_is_known_to_be_gone() {
    let mut view = view(&[pod("a", "p-1", 3)]);
    answer(&mut view, pod("b", "p-1", 8));
    view.hear_pod(Event::Delete(pod("a", "p-1", 7)));
    assert_eq!(seen(&view), "b@8");
}

#[test]
fn a_pod_that_names_a_job_of_another_namespace_is_not_its_own() {
    let mut copy = pod("b", "p-1", 4);
    copy.metadata.namespace = Some("elsewhere".to_owned());
    let elsewhere = JobKey::owner_of(&copy);
    let view = view(&[pod("a", "p-1", 3), copy]);
    assert_eq!(seen(&view), "a@3");
    assert!(view.job(&elsewhere).is_none());
    assert_eq!(view.pods(&elsewhere).len(), 1, "it is known, and let go");
}

#[test]
fn the_name_of_a_pod_that_is_gone_is_not_given_again() {
    let mut view = view(&[pod("a", "p-1", 3)]);
    view.hear_pod(Event::Delete(pod("a", "p-1", 4)));
    assert_eq!(names(&view), ["p-1"]);
    assert_eq!(seen(&view), "", "nothing but the name counts of it");
    view.hear_job(Event::Delete(job()));
    assert!(names(&view).is_empty());
}

#[test]
fn what_ended_is_remembered_when_it_is_gone_and_so_is_what_was_lost() {
    let spec: JobSpec = serde_json::from_value(json!({"template": {}})).unwrap();
    let job = Job {
        spec: Some(spec.clone()),
        ..job()
    };
    let mut failed = pod("a", "p-1", 3);
    failed.status = serde_json::from_value(json!({"phase": "Failed"})).unwrap();
    let mut view = view(&[failed.clone(), pod("b", "p-2", 4), pod("c", "p-3", 5)]);
    view.remember(&job);
    view.hear_pod(Event::Delete(failed));
    view.hear_pod(Event::Delete(pod("b", "p-2", 6)));
    let mut lost = pod("c", "p-3", 7);
    lost.metadata.owner_references = None;
    view.hear_pod(Event::Apply(lost));
    let remembered = |view: &View| {
        let past = view.past(&key());
        past.map_or(0, |past| past.ends(&Wanted::of(&spec), std::iter::empty()).len())
    };
    assert_eq!(remembered(&view), 2, "the second was discarded");
    let mut finished = job;
    finished.metadata.resource_version = Some("8".to_owned());
    finished.status =
        serde_json::from_value(json!({"conditions": [{"type": "Failed", "status": "True"}]})).unwrap();
    view.hear_job(Event::Apply(finished));
    assert_eq!(remembered(&view), 0);
}

#[test]
fn nothing_is_decided_before_both_kinds_are_known() {
    let mut view = View::default();
    view.hear_job(Event::InitDone);
    assert!(!view.is_complete());
    view.hear_pod(Event::InitDone);
    assert!(view.is_complete());
}

#[test]
fn a_name_that_another_has_is_kept_from_the_job() {
    let mut view = view(&[pod("a", "p-1", 3)]);
    view.name_taken(&key(), &pod("x", "p-2", 1));
    assert_eq!(names(&view), ["p-1", "p-2"]);
    assert_eq!(seen(&view), "a@3", "nothing but the name counts of the other");
    view.hear_job(Event::Delete(job()));
    assert_eq!(names(&view), ["p-1"]);
}

#[test]
fn a_job_hears_of_the_pods_that_its_selector_means_and_of_those_it_lost() {
    let mut view = view(&[]);
    let mut job = job();
    job.metadata.resource_version = Some("2".to_owned());
    job.spec =
        serde_json::from_value(json!({"selector": {"matchLabels": {"job": "report"}}, "template": {}}))
            .unwrap();
    view.hear_job(Event::Apply(job));
    let mut free = pod("a", "p-1", 5);
    free.metadata.owner_references = None;
    free.metadata.labels = Some([("job".to_owned(), "report".to_owned())].into());
    assert_eq!(view.hear_pod(Event::Apply(free.clone())), [key(), key().nobody()]);
    assert_eq!(seen(&view), "a@5");
    assert!(view.is_selected(&free));
    assert_eq!(answer(&mut view, pod("a", "p-1", 6)), [key().nobody(), key()]);
    assert_eq!(seen(&view), "a@6");
    free.metadata.resource_version = Some("7".to_owned());
    free.metadata.labels = None;
    assert_eq!(view.hear_pod(Event::Apply(free)), [key(), key().nobody()]);
    assert_eq!(seen(&view), "");
}
