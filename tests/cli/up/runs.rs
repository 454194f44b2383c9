//! What runs, and what is told of it.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::{Manifest, Up, cronjob, decisions, events, json};
use crate::{exit_code, punctual, text};

/// No instant is missing and none is doubled: the due instants of the started runs follow one another.
#[test]
fn every_instant_runs_once() {
    let manifest = Manifest::new(&cronjob("tick", "@every 1s", "echo tock"));
    let (all, code) = manifest.run_for("6500ms");
    assert_eq!(code, 0);
    let due: Vec<chrono::DateTime<chrono::Utc>> = decisions(&all, "SuccessfulCreate")
        .iter()
        .map(|event| {
            event["scheduled"]
                .as_str()
                .expect("an instant")
                .parse()
                .expect("RFC 3339")
        })
        .collect();
    assert!(due.len() >= 5, "{} runs", due.len());
    assert!(
        due.windows(2)
            .all(|pair| pair[1] - pair[0] == chrono::TimeDelta::seconds(1)),
        "{due:?}"
    );
    let jobs: BTreeSet<_> = events(&all, "output")
        .iter()
        .map(|event| event["job"].to_string())
        .collect();
    assert!(jobs.len() >= 5, "each run is a process of its own: {jobs:?}");
    assert!(
        events(&all, "output")
            .iter()
            .all(|event| event["line"] == "tock" && event["stream"] == "stdout")
    );
    let summary = events(&all, "summary")[0];
    assert_eq!(summary["failed"], 0);
    assert_eq!(summary["started"].as_u64(), Some(due.len() as u64));
}

#[test]
fn forbid_waits_and_says_so() {
    let slow = cronjob("slow", "@every 1s", "sleep 2.5")
        .replace("jobTemplate", "concurrencyPolicy: Forbid, jobTemplate");
    let (all, _) = Manifest::new(&slow).run_for("6s");
    assert!(!decisions(&all, "JobAlreadyActive").is_empty());
    assert!(!decisions(&all, "PassedOver").is_empty());
    let running = events(&all, "processStarted").len();
    assert!(
        (2..=3).contains(&running),
        "{running} runs in six seconds, one after the other"
    );
}

#[test]
fn a_failing_run_says_why_and_the_exit_code_stays_fine() {
    let (all, code) = Manifest::new(&cronjob("fails", "@every 2s", "echo oh >&2; exit 3")).run_for("4s");
    assert_eq!(code, 0);
    assert!(
        events(&all, "processEnded")
            .iter()
            .any(|event| event["exitCode"] == 3)
    );
    let failed = events(&all, "jobFailed");
    assert_eq!(failed[0]["why"], "Job has reached the specified backoff limit");
    assert!(
        events(&all, "output")
            .iter()
            .any(|event| event["stream"] == "stderr" && event["line"] == "oh")
    );
}

#[test]
fn a_job_runs_once_with_its_completions_and_its_environment() {
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: three}
spec:
  completions: 3
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: busybox
          workingDir: /
          command: [sh, -c]
          args: ['echo $(WHO) in $$PWD']
          env: [{name: WHO, value: me}]
";
    let (all, _) = Manifest::new(manifest).run_for("3s");
    let lines: Vec<_> = events(&all, "output")
        .iter()
        .map(|event| event["line"].clone())
        .collect();
    assert_eq!(lines, ["me in /", "me in /", "me in /"]);
    assert_eq!(events(&all, "jobSucceeded").len(), 1);
}

/// What a Job needs may stand in the same file, before it or after it.
#[test]
fn config_maps_and_secrets_are_applied_with_what_needs_them() {
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: told, namespace: shop}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: none
          command: [sh, -c, 'echo $COLOUR $PASSWORD $JOB; cat words/greeting']
          envFrom: [{configMapRef: {name: look}}]
          env:
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: door, key: password}}}
            - {name: JOB, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['job-name']\"}}}
          volumeMounts: [{name: words, mountPath: words}]
      volumes: [{name: words, configMap: {name: look, items: [{key: GREETING, path: greeting}]}}]
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: look, namespace: shop}, data: {COLOUR: blue, GREETING: hello}}
---
{apiVersion: v1, kind: Secret, metadata: {name: door, namespace: shop}, stringData: {password: sesame}}
";
    let (all, code) = Manifest::new(manifest).run_for("3s");
    assert_eq!(code, 0);
    let lines: Vec<_> = events(&all, "output")
        .iter()
        .map(|event| event["line"].clone())
        .collect();
    assert_eq!(lines, ["blue sesame told", "hello"]);
}

/// The calendar is among the manifests, and known when it is first said when the CronJob runs.
#[test]
fn what_names_a_calendar_has_a_next_instant() {
    let calendar = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: holidays, labels: { punctual.dev/calendar: \"true\" } }\n\
                    data: { days: \"2000-01-01\" }\n---\n";
    let named = cronjob("yearly", "0 0 1 1 *", "true").replacen(
        "metadata: {",
        "metadata: { annotations: { punctual.dev/exclude: holidays },",
        1,
    );
    let (events, code) = Manifest::new(&format!("{calendar}{named}")).run_for("1s");
    assert_eq!(code, 0, "{events:#?}");
    let next = events.iter().find_map(|event| event["next"].as_str());
    assert!(
        next.is_some_and(|next| next.ends_with("-01-01T00:00:00Z")),
        "{events:#?}"
    );
}

/// What a person sees: times, and the numbers that differ from run to run, are replaced.
#[test]
fn the_text_reads_well_and_has_no_colours_in_a_pipe() {
    // It is due once, however long a busy machine takes to begin. The pause leaves no doubt about what is told first: that
    // it started, or what it wrote.
    let manifest = Manifest::new(&cronjob("hello", "@every 6s", "sleep 0.3; echo hello"));
    let output = punctual(&[
        "up",
        manifest.path().to_str().expect("UTF-8"),
        "--for",
        "8s",
        "--ephemeral",
    ]);
    assert_eq!(exit_code(&output), 0);
    let shown = text(&output.stdout);
    let kubeconfig = shown
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("kubeconfig: "));
    let shown = redact(&shown.replace(kubeconfig.expect("the first line"), "KUBECONFIG"));
    assert!(!shown.contains('\x1b'));
    assert_snapshot!(shown);
    assert_snapshot!(text(&output.stderr));
}

/// Digits become `#`, spans of time `SPAN`, and the spaces that depend on how many there were become one.
fn redact(shown: &str) -> String {
    let mut out = String::new();
    for c in shown.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            ' ' if out.ends_with(' ') => {}
            c => out.push(c),
        }
    }
    for day in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] {
        out = out.replace(&format!("{day} #"), "DAY #");
    }
    for span in ["#.# s", "# ms", "# s"] {
        out = out
            .replace(&format!("{span}\n"), "SPAN\n")
            .replace(&format!("{span} after"), "SPAN after");
    }
    out
}

#[test]
fn the_first_interrupt_lets_running_work_end_and_the_second_kills() {
    for (command, signals, said, came_to) in [
        (
            "trap 'echo cleaned; exit 0' TERM; echo up; while :; do sleep 0.1; done",
            1,
            "cleaned",
            " succeeded, 0 failed, ",
        ),
        (
            "trap 'echo deaf' TERM; echo up; while :; do sleep 0.1; done",
            2,
            "deaf",
            ", 1 stopped before the end",
        ),
    ] {
        // It may be tried again: then it is not over when it is stopped.
        let manifest = cronjob("work", "@every 1s", command).replace("backoffLimit: 0", "backoffLimit: 1");
        let manifest =
            Manifest::new(&manifest.replace("jobTemplate", "concurrencyPolicy: Forbid, jobTemplate"));
        let up = Up::start(&["--ephemeral", manifest.path().to_str().expect("UTF-8")]);
        up.line("the work begins", |line| line.contains("| up"));
        up.interrupt();
        let mut rest: Vec<String> = vec![];
        if signals == 2 {
            rest.push(up.line("the work hears it", |line| line.contains("deaf")));
            up.interrupt();
        }
        rest.extend(up.rest());
        assert!(rest.iter().any(|line| line.contains(said)), "{rest:#?}");
        assert!(rest.iter().any(|line| line.contains(came_to)), "{rest:#?}");
    }
}

/// `@every` counts from when the CronJob was made or last ran, not from the start of `up`.
#[test]
fn an_interval_goes_on_over_a_restart() {
    let manifest = Manifest::new(&cronjob("hourly", "@every 1h", "true"));
    let data = manifest.path().with_file_name("data");
    let next = || {
        let (path, data) = (manifest.path(), data.clone());
        let arguments = [path.to_str(), data.to_str()].map(|path| path.expect("UTF-8"));
        let output = punctual(&[
            "up",
            arguments[0],
            "--data-dir",
            arguments[1],
            "--for",
            "1100ms",
            "-o",
            "json",
        ]);
        let lines: Vec<_> = text(&output.stdout).lines().map(json).collect();
        events(&lines, "loaded")[0]["next"].clone()
    };
    let first = next();
    assert!(first.is_string(), "{first}");
    assert_eq!(next(), first);
}

/// A pod of no Job is told and counted as a Job is; a Job that is suspended does not run, and so is not stopped.
#[test]
fn a_bare_pod_counts_and_a_suspended_job_does_not() {
    let manifest = Manifest::new(
        "\
apiVersion: v1
kind: Pod
metadata: {name: once}
spec:
  restartPolicy: Never
  containers: [{name: main, image: busybox, command: [sh, -c, exit 3]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: later}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox, command: ['true']}]
",
    );
    let up = Up::start(&["--ephemeral", manifest.path().to_str().expect("UTF-8")]);
    let row = up.line("the Job is listed", |line| line.contains("later"));
    assert!(row.contains("suspended"), "{row}");
    up.line("the pod ends", |line| {
        line.contains("once") && line.contains("failed after")
    });
    up.interrupt();
    let summary = up.rest().pop().expect("a summary");
    assert_eq!(summary, "1 started, 0 succeeded, 1 failed, 0 skipped");
}
