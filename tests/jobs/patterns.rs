//! Every way to run a Job.

use serde_json::json;

use crate::machine::{Machine, conditions, container_status, holds, phase, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_one_shot_job_completes() {
    let mut machine = Machine::start().await;
    machine.job(&json!({}), "echo hello").await;
    let status = machine.finished().await;
    assert_eq!(
        conditions(&status),
        "SuccessCriteriaMet=True CompletionsReached, Complete=True CompletionsReached"
    );
    assert_eq!(
        (status.succeeded, status.failed, status.active),
        (Some(1), None, None)
    );
    assert!(status.start_time.is_some() && status.completion_time.is_some());
    assert_eq!(machine.lines(1).await, ["hello"]);
    let pods = machine
        .pods_until(|pods| pods.len() == 1 && pods[0].metadata.finalizers.is_none())
        .await;
    assert_eq!(phase(&pods[0]), "Succeeded");
    assert_eq!(machine.told("Completed").await, "Job completed");
    let created = machine.told("SuccessfulCreate").await;
    assert_eq!(
        created,
        format!("Created pod: {}", pods[0].metadata.name.as_deref().unwrap())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_too_often_fails() {
    let machine = Machine::start().await;
    machine.job(&json!({"backoffLimit": 0}), "exit 3").await;
    let status = machine.finished().await;
    assert_eq!(
        conditions(&status),
        "FailureTarget=True BackoffLimitExceeded, Failed=True BackoffLimitExceeded"
    );
    assert_eq!((status.succeeded, status.failed), (None, Some(1)));
    let pods = machine.pods_until(|pods| pods.len() == 1).await;
    let container = container_status(&pods[0]);
    let ended = container.state.unwrap().terminated.unwrap();
    assert_eq!((ended.exit_code, ended.reason.as_deref()), (3, Some("Error")));
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_completions_never_run_more_than_parallelism_at_a_time() {
    let mut machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let script = format!("touch {path}/$HOSTNAME; ls {path} | wc -l; sleep 0.05; rm {path}/$HOSTNAME");
    machine
        .job(&json!({"completions": 7, "parallelism": 3}), &script)
        .await;
    let status = machine.finished().await;
    assert_eq!((status.succeeded, status.failed), (Some(7), None));
    let lines = machine.lines(7).await;
    assert_eq!(lines.len(), 7);
    assert!(
        lines.iter().all(|line| line.trim().parse::<u32>().unwrap() <= 3),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_work_queue_is_done_when_one_succeeded_and_all_have_ended() {
    let mut machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    // Three workers share four pieces of work; each takes what it can get, and ends when nothing is left.
    for piece in 0..4 {
        std::fs::write(folder.path().join(format!("piece-{piece}")), "").unwrap();
    }
    let script = format!(
        "cd {path}; for piece in piece-*; do mv $piece done-$piece 2>/dev/null && echo $piece; done; exit 0"
    );
    machine.job(&json!({"parallelism": 3}), &script).await;
    let status = machine.finished().await;
    assert!(holds(&status, "Complete"), "{}", conditions(&status));
    assert_eq!(
        machine.lines(4).await,
        ["piece-0", "piece-1", "piece-2", "piece-3"]
    );
    assert!(machine.pods_until(|pods| !pods.is_empty()).await.len() <= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indexed_job_tells_each_process_its_index() {
    let mut machine = Machine::start().await;
    let spec = json!({"completions": 4, "parallelism": 2, "completionMode": "Indexed"});
    machine.job(&spec, "echo $JOB_COMPLETION_INDEX $HOSTNAME").await;
    let status = machine.finished().await;
    assert_eq!(
        (status.succeeded, status.completed_indexes.as_deref()),
        (Some(4), Some("0-3"))
    );
    assert_eq!(
        machine.lines(4).await,
        ["0 test-0", "1 test-1", "2 test-2", "3 test-3"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_fails_on_its_own() {
    let machine = Machine::start().await;
    let spec =
        json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 0});
    machine.job(&spec, "test $JOB_COMPLETION_INDEX != 1").await;
    let status = machine.finished().await;
    assert_eq!(
        conditions(&status),
        "FailureTarget=True FailedIndexes, Failed=True FailedIndexes"
    );
    assert_eq!(
        (
            status.completed_indexes.as_deref(),
            status.failed_indexes.as_deref()
        ),
        (Some("0,2"), Some("1"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indexed_job_can_be_made_smaller() {
    let machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let spec = json!({"completions": 4, "parallelism": 4, "completionMode": "Indexed"});
    let script = format!(
        "test $JOB_COMPLETION_INDEX -ge 2 || until [ -e {}/go ]; do sleep 0.02; done",
        folder.path().display()
    );
    machine.job(&spec, &script).await;
    machine.job_until(|status| status.succeeded == Some(2)).await;
    machine
        .patch_job(&json!({"spec": {"completions": 1, "parallelism": 1}}))
        .await;
    let status = machine.job_until(|status| status.active == Some(1)).await;
    assert_eq!((status.succeeded, status.completed_indexes), (None, None));
    std::fs::write(folder.path().join("go"), "").unwrap();
    let status = machine.finished().await;
    assert_eq!(
        (status.succeeded, status.completed_indexes.as_deref()),
        (Some(1), Some("0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_held_tells_what_becomes_of_its_pods() {
    let machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let script = format!("until [ -e {}/go ]; do sleep 0.02; done", folder.path().display());
    machine.job(&json!({"completions": 2}), &script).await;
    machine
        .patch_job(&json!({"metadata": {"finalizers": ["example.com/held"]}}))
        .await;
    machine.job_until(|status| status.ready == Some(1)).await;
    let in_the_background = kube::api::DeleteParams::background();
    machine.jobs().delete("test", &in_the_background).await.unwrap();
    std::fs::write(folder.path().join("go"), "").unwrap();
    machine
        .job_until(|status| status.active.is_none() && status.ready == Some(0))
        .await;
    machine
        .patch_job(&json!({"metadata": {"finalizers": null}}))
        .await;
    until(|| async {
        let job = machine.jobs().get_opt("test").await.unwrap();
        Some(job.map_or(Ok(()), Err))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_policy_ends_the_others() {
    let machine = Machine::start().await;
    let spec = json!({
        "completions": 3, "parallelism": 3, "completionMode": "Indexed",
        "successPolicy": {"rules": [{"succeededIndexes": "0"}]},
    });
    machine
        .job(&spec, "test $JOB_COMPLETION_INDEX = 0 || sleep 60")
        .await;
    let status = machine.finished().await;
    assert_eq!(
        conditions(&status),
        "SuccessCriteriaMet=True SuccessPolicy, Complete=True SuccessPolicy"
    );
    machine.pods_until(|pods| pods.len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_failure_policy_fails_the_job_at_once() {
    let machine = Machine::start().await;
    let rules = json!([{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]);
    machine
        .job(&json!({"podFailurePolicy": {"rules": rules}}), "exit 42")
        .await;
    let status = machine.finished().await;
    assert_eq!(
        conditions(&status),
        "FailureTarget=True PodFailurePolicy, Failed=True PodFailurePolicy"
    );
    let message = status.conditions.unwrap().remove(1).message.unwrap();
    assert!(
        message.ends_with("failed with exit code 42 matching FailJob rule at index 0"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_are_restarted_in_place_until_the_limit() {
    let machine = Machine::start().await;
    let spec = json!({"backoffLimit": 1, "template": {"spec": {"restartPolicy": "OnFailure"}}});
    machine.job(&spec, "exit 1").await;
    let status = machine.finished().await;
    assert_eq!(
        conditions(&status),
        "FailureTarget=True BackoffLimitExceeded, Failed=True BackoffLimitExceeded"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_fails_once_is_restarted_and_succeeds() {
    let machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("flag");
    let spec = json!({"template": {"spec": {"restartPolicy": "OnFailure"}}});
    machine
        .job(
            &spec,
            &format!("test -e {0} || {{ touch {0}; exit 1; }}", flag.display()),
        )
        .await;
    let status = machine.finished().await;
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
    let pods = machine.pods_until(|pods| pods.len() == 1).await;
    let container = container_status(&pods[0]);
    assert_eq!(container.restart_count, 1);
    let last = container.last_state.unwrap().terminated.unwrap();
    assert_eq!(last.exit_code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_ends_a_job() {
    let mut machine = Machine::start().await;
    machine
        .job(
            &json!({"activeDeadlineSeconds": 1}),
            "trap 'echo stopped; exit 1' TERM; while :; do sleep 0.05; done 2>/dev/null",
        )
        .await;
    let status = machine.finished().await;
    assert_eq!(
        conditions(&status),
        "FailureTarget=True DeadlineExceeded, Failed=True DeadlineExceeded"
    );
    assert_eq!(status.failed, Some(1));
    machine.pods_until(<[_]>::is_empty).await;
    assert_eq!(machine.lines(1).await, ["stopped"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn suspending_stops_the_pods_and_resuming_starts_new_ones() {
    let mut machine = Machine::start().await;
    machine
        .job(&json!({"suspend": true}), "echo up; sleep 0.3; echo through")
        .await;
    let status = machine.job_until(|status| holds(status, "Suspended")).await;
    assert_eq!(status.start_time, None);
    machine.patch_job(&json!({"spec": {"suspend": false}})).await;
    assert_eq!(machine.line().await, "up");
    machine.patch_job(&json!({"spec": {"suspend": true}})).await;
    machine.pods_until(<[_]>::is_empty).await;
    let status = machine.job_until(|status| holds(status, "Suspended")).await;
    assert_eq!(
        (status.active, status.failed, status.start_time),
        (None, None, None)
    );
    machine.patch_job(&json!({"spec": {"suspend": false}})).await;
    let status = machine.finished().await;
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_job_is_deleted_when_its_time_is_over() {
    let machine = Machine::start().await;
    machine.job(&json!({"ttlSecondsAfterFinished": 0}), "true").await;
    machine.pods_until(|pods| !pods.is_empty()).await;
    machine.pods_until(<[_]>::is_empty).await;
    assert!(machine.jobs().get_opt("test").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_deleted_is_counted_and_gone() {
    let mut machine = Machine::start().await;
    machine
        .job(&json!({"backoffLimit": 0}), "echo up; sleep 60")
        .await;
    assert_eq!(machine.line().await, "up");
    let pods = machine.pods_until(|pods| pods.len() == 1).await;
    machine
        .delete_pod(pods[0].metadata.name.as_deref().unwrap())
        .await;
    let status = machine.finished().await;
    assert_eq!(status.failed, Some(1));
    machine.pods_until(<[_]>::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_job_ends_its_processes() {
    let mut machine = Machine::start().await;
    machine
        .job(
            &json!({}),
            "trap 'echo stopped; exit 0' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null",
        )
        .await;
    assert_eq!(machine.line().await, "up");
    // A pod of which nobody has told that it was started is not given time to end.
    machine.job_until(|status| status.ready == Some(1)).await;
    machine
        .jobs()
        .delete("test", &kube::api::DeleteParams::background())
        .await
        .unwrap();
    assert_eq!(machine.line().await, "stopped");
    machine.pods_until(<[_]>::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_another_controller_is_left_alone() {
    let machine = Machine::start().await;
    machine
        .job(&json!({"managedBy": "example.com/other"}), "true")
        .await;
    let container = json!({"name": "main", "image": "none", "command": ["true"]});
    let later = json!({
        "metadata": {"name": "later"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    });
    let later = serde_json::from_value(later).unwrap();
    let (jobs, parameters) = (machine.jobs(), kube::api::PostParams::default());
    jobs.create(&parameters, &later).await.unwrap();
    let pods = machine.pods_until(|pods| !pods.is_empty()).await;
    let name = pods[0].metadata.name.as_deref().unwrap();
    assert!(pods.len() == 1 && name.starts_with("later-"), "{name}");
}
