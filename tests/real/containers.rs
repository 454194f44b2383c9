//! `punctual up --runtime container`, with a real Podman.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::podman::{IMAGE, Podman};
use crate::up::Up;

/// One Job a row: its name, and its pod.
const JOBS: [(&str, &str); 7] = [
    (
        "of-the-image",
        "{restartPolicy: Never, containers: [{name: main, image: IMAGE, args: [from, $(WHO)], env: [{name: WHO, value: pod}]}]}",
    ),
    (
        "shared-folder",
        "{restartPolicy: Never, \
          initContainers: [{name: first, image: IMAGE, command: [sh, -c, echo written > /work/file], volumeMounts: [{name: work, mountPath: /work}]}], \
          containers: [{name: main, image: IMAGE, command: [cat, /in/file], volumeMounts: [{name: work, mountPath: /in}]}], \
          volumes: [{name: work, emptyDir: {}}]}",
    ),
    (
        "told-about-itself",
        "{restartPolicy: Never, containers: [{name: main, image: IMAGE, command: [cat, /me/name], volumeMounts: [{name: me, mountPath: /me}]}], \
          volumes: [{name: me, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: \"metadata.labels['job-name']\"}}]}}]}",
    ),
    (
        "out-of-memory",
        "{restartPolicy: Never, containers: [{name: main, image: IMAGE, command: [sh, -c, \"x=$(cat /dev/zero | tr '\\\\0' a)\"], \
          resources: {limits: {memory: 16Mi}}}]}",
    ),
    (
        "restarted",
        "{restartPolicy: OnFailure, containers: [{name: main, image: IMAGE, \
          command: [sh, -c, 'if test -e /work/been; then echo again; else touch /work/been; exit 3; fi'], \
          volumeMounts: [{name: work, mountPath: /work}]}], volumes: [{name: work, emptyDir: {}}]}",
    ),
    (
        "never-pulled",
        "{restartPolicy: Never, activeDeadlineSeconds: 10, \
          containers: [{name: main, image: localhost/absent:1, imagePullPolicy: Never}]}",
    ),
    (
        "on-this-machine",
        "{restartPolicy: Never, containers: [{name: main, image: IMAGE, command: [sh, -c, 'test -d /usr && echo a process']}]}",
    ),
];

fn manifests() -> String {
    let job = |(name, pod): &(&str, &str)| {
        let runtime = if *name == "on-this-machine" {
            "process"
        } else {
            "container"
        };
        let retries = if *name == "restarted" { 3 } else { 0 };
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}}}, spec: {{backoffLimit: {retries}, template: {{\
             metadata: {{annotations: {{punctual.dev/runtime: {runtime}}}}}, spec: {pod}}}}}}}\n"
        )
    };
    let jobs: Vec<String> = JOBS.iter().map(job).collect();
    jobs.join("---\n").replace("IMAGE", IMAGE)
}

/// What is told of a Job, a line an event.
fn story(events: &[Value], job: &str) -> String {
    let of_job = events.iter().filter(|event| event["job"] == job);
    let told = of_job.filter_map(|event| {
        Some(match event["event"].as_str()? {
            "output" => format!("  {}", event["line"].as_str()?),
            "processEnded" => format!("{} ended with {}", event["container"], event["exitCode"]),
            "notStarted" => format!("{}: {}", event["reason"], event["message"]),
            "jobSucceeded" => "succeeded".to_owned(),
            "jobFailed" => format!("failed: {}", event["why"]),
            _ => return None,
        })
    });
    format!("== {job}\n{}\n", told.collect::<Vec<_>>().join("\n"))
}

/// What is written of a container in a Job's pod reaches it, and what it does reaches the Job.
pub(crate) async fn pods_run_as_containers() {
    let podman = Podman::start().await;
    let up = Up::start(
        &manifests(),
        &["--runtime", "container", "--container-engine", &podman.socket()],
    );
    let events = tokio::task::block_in_place(|| up.until_ended(JOBS.len()));
    let stories: Vec<String> = JOBS.iter().map(|(job, _)| story(&events, job)).collect();
    insta::assert_snapshot!(stories.join("\n"));
    assert!(podman.count() > 0);
}

/// A container whose pod went with the database goes as well.
pub(crate) async fn of_pods_that_nobody_knows_are_removed() {
    let podman = Podman::start().await;
    let more = ["--runtime", "container", "--container-engine", &podman.socket()];
    let sleeping = format!(
        "{{apiVersion: batch/v1, kind: Job, metadata: {{name: sleeping}}, spec: {{template: {{spec: {{\
         restartPolicy: Never, containers: [{{name: main, image: '{IMAGE}', command: [sleep, '600']}}]}}}}}}}}"
    );
    let nothing = "{apiVersion: v1, kind: ConfigMap, metadata: {name: nothing}}";
    tokio::task::block_in_place(|| {
        let up = Up::start(&sleeping, &more);
        up.until("processStarted");
        let folder = up.kill();
        assert_eq!(podman.count(), 1);
        for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().contains(".db") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        let _up = Up::start_in(folder, nothing, &[&more[..], &["--start-empty"]].concat());
        let begun = Instant::now();
        while podman.count() > 0 {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "the container is still there"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    });
}

/// They go at its end; or, where it was killed outright, when the next one uses their engine.
pub(crate) async fn of_an_ephemeral_up_go_with_it() {
    let podman = Podman::start().await;
    let more = ["--runtime", "container", "--container-engine", &podman.socket()];
    let job = |name: &str, seconds: u32| {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}}}, spec: {{template: {{spec: {{restartPolicy: Never, \
             containers: [{{name: main, image: '{IMAGE}', command: [sleep, '{seconds}']}}]}}}}}}}}"
        )
    };
    tokio::task::block_in_place(|| {
        let up = Up::ephemeral(&job("sleeping", 600), &more);
        up.until("processStarted");
        up.kill();
        assert_eq!(podman.count(), 1);
        let up = Up::ephemeral(&job("quick", 0), &more);
        up.until_ended(1);
        let begun = Instant::now();
        while podman.count() > 1 {
            assert!(begun.elapsed() < Duration::from_mins(1), "they are still there");
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(up);
        assert_eq!(podman.count(), 0);
    });
}

/// What runs goes on while its engine is gone, which is told, and its end is seen when the engine is back.
pub(crate) async fn go_on_while_their_engine_is_gone() {
    let mut podman = Podman::start().await;
    let more = ["--runtime", "container", "--container-engine", &podman.socket()];
    let waiting = format!(
        "{{apiVersion: batch/v1, kind: Job, metadata: {{name: waiting}}, spec: {{template: {{spec: {{restartPolicy: Never, \
         volumes: [{{name: here, hostPath: {{path: FOLDER}}}}], containers: [{{name: main, image: '{IMAGE}', \
         volumeMounts: [{{name: here, mountPath: /here}}], \
         command: [sh, -c, 'echo up; until test -e /here/over; do sleep 0.1; done']}}]}}}}}}}}"
    );
    let folder = tempfile::tempdir().unwrap();
    let manifest = waiting.replace("FOLDER", folder.path().to_str().unwrap());
    let up = tokio::task::block_in_place(|| {
        let up = Up::start(&manifest, &more);
        up.until("output");
        podman.halt();
        let unseen = up.until("unseen");
        let message = unseen["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("no container engine answers (unix://"),
            "{message}"
        );
        up
    });
    std::fs::write(folder.path().join("over"), "").unwrap();
    podman.resume().await;
    tokio::task::block_in_place(|| up.until("jobSucceeded"));
}
