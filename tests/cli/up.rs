//! `punctual up`, with real processes.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::{command, exit_code, interrupt, punctual, text};

/// A manifest in a folder of its own, which goes with it.
struct Manifest {
    folder: TempDir,
}

impl Manifest {
    fn new(text: &str) -> Manifest {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("cron.yaml"), text).expect("a file");
        Manifest { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("cron.yaml")
    }

    /// What `up -o json --for …` reports, and its exit code.
    fn run_for(&self, duration: &str) -> (Vec<Value>, i32) {
        let path = self.path();
        let output = punctual(&[
            "up",
            path.to_str().expect("UTF-8"),
            "--for",
            duration,
            "-o",
            "json",
            "--ephemeral",
        ]);
        let events = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        (events, exit_code(&output))
    }

    fn start(&self) -> Child {
        command(&["up", "--ephemeral", self.path().to_str().expect("UTF-8")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("punctual can be started")
    }
}

fn cronjob(name: &str, schedule: &str, command: &str) -> String {
    format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, spec: {{schedule: {schedule:?}, \
         jobTemplate: {{spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never, containers: [\
         {{name: main, image: busybox, command: [sh, -c, {command:?}]}}]}}}}}}}}}}}}\n"
    )
}

fn events<'a>(all: &'a [Value], kind: &str) -> Vec<&'a Value> {
    all.iter().filter(|event| event["event"] == kind).collect()
}

fn decisions<'a>(all: &'a [Value], reason: &str) -> Vec<&'a Value> {
    events(all, "decision")
        .into_iter()
        .filter(|event| event["reason"] == reason)
        .collect()
}

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
fn a_container_without_a_command_says_what_to_do() {
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: image-only}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: alpine}]
";
    let (all, code) = Manifest::new(manifest).run_for("2s");
    assert_eq!(code, 0);
    let not_started = events(&all, "notStarted");
    assert_snapshot!(format!(
        "{}: {}",
        not_started[0]["reason"], not_started[0]["message"]
    ));
    assert_eq!(events(&all, "jobFailed").len(), 1);
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

/// What a person sees: times, and the numbers that differ from run to run, are replaced.
#[test]
fn the_text_reads_well_and_has_no_colours_in_a_pipe() {
    // The pause leaves no doubt about what is told first: that it started, or what it wrote.
    let manifest = Manifest::new(&cronjob("hello", "@every 2s", "sleep 0.3; echo hello"));
    let output = punctual(&[
        "up",
        manifest.path().to_str().expect("UTF-8"),
        "--for",
        "3s",
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
        let mut child = manifest.start();
        let mut lines = BufReader::new(child.stdout.take().expect("piped"))
            .lines()
            .map(|line| line.expect("UTF-8"));
        lines
            .by_ref()
            .find(|line| line.contains("| up"))
            .expect("the work begins");
        interrupt(&child);
        let mut rest: Vec<String> = vec![];
        if signals == 2 {
            rest.extend(lines.by_ref().find(|line| line.contains("deaf")));
            interrupt(&child);
        }
        rest.extend(lines);
        assert!(rest.iter().any(|line| line.contains(said)), "{rest:#?}");
        assert!(rest.iter().any(|line| line.contains(came_to)), "{rest:#?}");
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
}

/// A Job of one pod that relies on its image's entrypoint.
const IMAGE_ONLY: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: image-only}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {}}
    spec:
      restartPolicy: Never
      containers: [{name: main, image: 'greeter:7', args: [from, the pod]}]
";

#[test]
fn a_command_of_this_machine_stands_for_an_image() {
    let manifest = Manifest::new(IMAGE_ONLY);
    let path = manifest.path();
    let path = path.to_str().expect("UTF-8");
    let entrypoint = "greeter=echo 'hello,  you'";
    let output = punctual(&[
        "up",
        path,
        "--for",
        "2s",
        "-o",
        "json",
        "--ephemeral",
        "--entrypoint",
        entrypoint,
    ]);
    let shown = text(&output.stdout);
    assert!(shown.contains(r#""line":"hello,  you from the pod""#), "{shown}");
    let refused = punctual(&["up", path, "--entrypoint", "greeter"]);
    assert_eq!(exit_code(&refused), 2);
    assert_snapshot!(text(&refused.stderr));
}

#[test]
fn without_a_container_engine_it_says_what_to_do() {
    let manifest = Manifest::new(IMAGE_ONLY);
    let engine = ["--ephemeral", "--container-engine", "/nowhere/engine.sock"];
    let path = manifest.path();
    let mut arguments = vec!["up", path.to_str().expect("UTF-8"), "--runtime", "container"];
    arguments.extend(engine);
    let refused = punctual(&arguments);
    assert_eq!(exit_code(&refused), 1);
    assert_snapshot!(text(&refused.stderr));

    // One pod alone waits, as it does for an image that can't be pulled.
    let annotated = IMAGE_ONLY.replace(
        "annotations: {}",
        "annotations: {punctual.dev/runtime: container}",
    );
    let manifest = Manifest::new(&annotated);
    let path = manifest.path();
    let mut arguments = vec!["up", path.to_str().expect("UTF-8"), "--for", "4s", "-o", "json"];
    arguments.extend(engine);
    let output = punctual(&arguments);
    assert_eq!(exit_code(&output), 0);
    assert!(
        text(&output.stdout).contains(r#""reason":"CreateContainerError""#),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_pod_that_asks_for_an_unknown_runtime_says_so() {
    let annotated = IMAGE_ONLY.replace("annotations: {}", "annotations: {punctual.dev/runtime: docker}");
    let (all, _) = Manifest::new(&annotated).run_for("2s");
    let not_started = events(&all, "notStarted")[0];
    assert_snapshot!(format!("{}: {}", not_started["reason"], not_started["message"]));
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

/// Waits for what `up` tells.
fn wait_for(events: &mut impl Iterator<Item = Value>, kind: &str, name: &str) -> Value {
    let wanted = |event: &Value| event["event"] == kind && (name.is_empty() || event["name"] == name);
    events.find(wanted).expect("it goes on until it is told")
}

/// Files are added, changed, broken, renamed and removed, and the CronJobs follow.
#[test]
fn the_manifests_are_followed() {
    let manifest = Manifest::new(&cronjob("first", "@every 1s", "echo first"));
    let folder = manifest.folder.path();
    let mut child = command(&[
        "up",
        "--watch",
        "--ephemeral",
        "-o",
        "json",
        folder.to_str().expect("UTF-8"),
    ])
    .stdout(Stdio::piped())
    .spawn()
    .expect("punctual can be started");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let mut told = output
        .lines()
        .map_while(Result::ok)
        .map(|line| serde_json::from_str::<Value>(&line).expect("JSON"));
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");

    wait_for(&mut told, "loaded", "first");
    write("more.yaml", &cronjob("second", "@daily", "true"));
    wait_for(&mut told, "applied", "second");
    write("more.yaml", &cronjob("second", "@hourly", "true"));
    assert_eq!(wait_for(&mut told, "applied", "second")["schedule"], "@hourly");

    write("cron.yaml", &cronjob("first", "0 24 * * *", "true"));
    let broken = wait_for(&mut told, "diagnosed", "");
    assert_eq!(broken["refused"], true);
    assert_snapshot!(broken["messages"][0].as_str().expect("a message"));
    // The last good version goes on.
    wait_for(&mut told, "output", "");

    std::fs::rename(folder.join("more.yaml"), folder.join("renamed.yaml")).expect("a file");
    write("third.yaml", &cronjob("third", "@daily", "true"));
    wait_for(&mut told, "applied", "third");
    std::fs::remove_file(folder.join("renamed.yaml")).expect("a file");
    wait_for(&mut told, "pruned", "second");

    write("cron.yaml", &cronjob("other", "@daily", "true"));
    wait_for(&mut told, "applied", "other");
    wait_for(&mut told, "pruned", "first");
    interrupt(&child);
    assert!(
        told.all(|event| event["event"] != "pruned"),
        "nothing else is pruned"
    );
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// What came from a path that is followed goes with its file, also when that vanished while nobody looked; what came from
/// elsewhere stays.
#[test]
fn what_vanished_while_nobody_followed_is_pruned_at_the_next_start() {
    let place = TempDir::new().expect("a folder");
    let folder = place.path().join("cron.d");
    std::fs::create_dir(&folder).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    let other = Manifest::new(&cronjob("other", "@daily", "true"));
    let run = |arguments: &[&str]| {
        let data = place.path().join("data");
        let ordinary = [
            "up",
            "--for",
            "1s",
            "-o",
            "json",
            "--data-dir",
            data.to_str().expect("UTF-8"),
        ];
        let output = punctual(&[&ordinary, arguments].concat());
        assert_eq!(exit_code(&output), 0, "{}", text(&output.stderr));
        let shown = text(&output.stdout);
        let events = shown
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .filter(|event| ["pruned", "kept"].contains(&event["event"].as_str().unwrap_or_default()))
            .map(|event| format!("{} {}", event["event"], event["name"]).replace('"', ""));
        let mut events: Vec<String> = events.collect();
        events.sort();
        events.join(", ")
    };
    let followed = folder.to_str().expect("UTF-8");
    write("a.yaml", &cronjob("first", "@daily", "true"));
    write("b.yaml", &cronjob("second", "@daily", "true"));
    write("c.yaml", &cronjob("moves", "@daily", "true"));
    assert_eq!(run(&[other.path().to_str().expect("UTF-8")]), "");
    assert_eq!(run(&["--watch", followed]), "kept other");
    std::fs::remove_file(folder.join("a.yaml")).expect("a file");
    write("b.yaml", &cronjob("third", "@daily", "true"));
    std::fs::rename(folder.join("c.yaml"), folder.join("d.yaml")).expect("a file");
    assert_eq!(run(&[followed]), "kept first, kept other, kept second");
    let pruned = "kept other, pruned first, pruned second";
    assert_eq!(run(&["--watch", followed]), pruned);
    assert_eq!(run(&["--watch", followed]), "kept other");
    // A folder that holds nothing at all may be a mount that comes later.
    std::fs::remove_file(folder.join("b.yaml")).expect("a file");
    std::fs::remove_file(folder.join("d.yaml")).expect("a file");
    assert_eq!(run(&["--watch", followed]), "kept moves, kept other, kept third");
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

/// A folder may begin empty, and be away for a while: what it held goes on.
#[test]
fn a_folder_that_is_not_there_for_a_while_loses_nothing() {
    let place = TempDir::new().expect("a folder");
    let folder = place.path().join("cron.d");
    std::fs::create_dir(&folder).expect("a folder");
    let mut child = command(&[
        "up",
        "--watch",
        "--ephemeral",
        "-o",
        "json",
        "--for",
        "2m",
        folder.to_str().expect("UTF-8"),
    ])
    .stdout(Stdio::piped())
    .spawn()
    .expect("punctual can be started");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let mut told = output
        .lines()
        .map_while(Result::ok)
        .map(|line| serde_json::from_str::<Value>(&line).expect("JSON"));
    wait_for(&mut told, "serving", "");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");

    write("first.yaml", &cronjob("first", "@every 1s", "echo first"));
    write("second.yaml", &cronjob("second", "@daily", "true"));
    wait_for(&mut told, "applied", "second");
    let away = place.path().join("away");
    std::fs::rename(&folder, &away).expect("it is moved");
    let hidden = wait_for(&mut told, "diagnosed", "");
    let message = hidden["messages"][0].as_str().expect("a message");
    assert_snapshot!(message.replace(folder.to_str().expect("UTF-8"), "cron.d"));
    wait_for(&mut told, "output", "");
    std::fs::remove_file(away.join("second.yaml")).expect("a file");
    std::fs::rename(&away, &folder).expect("it is moved");
    // What is gone for good goes, and nothing else is done.
    let next = told.find(|event| event["event"] == "applied" || event["event"] == "pruned");
    assert_eq!(next.expect("it goes on")["name"], "second");
    interrupt(&child);
    let rest: Vec<Value> = told.collect();
    assert!(
        rest.iter()
            .all(|event| event["event"] != "applied" && event["event"] != "pruned"),
        "{rest:#?}"
    );
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_refused_manifest_starts_nothing() {
    let manifest = Manifest::new(&cronjob("bad", "0 24 * * *", "echo never"));
    let output = punctual(&["up", manifest.path().to_str().expect("UTF-8")]);
    assert_eq!(exit_code(&output), 3);
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("there is no hour 24"));
}

#[test]
fn a_duration_without_a_unit_says_how_to_write_it() {
    let output = punctual(&["up", "cron.yaml", "--for", "30"]);
    assert_eq!(exit_code(&output), 2);
    assert_snapshot!(text(&output.stderr), @r"
    error: invalid value '30' for '--for <DURATION>': not a duration; write it like 30s, 10m or 1h30m

    For more information, try '--help'.
    ");
}

#[test]
fn an_address_that_is_none_says_how_to_write_it() {
    let output = punctual(&["up", "--listen", "localhost"]);
    assert_eq!(exit_code(&output), 2);
    assert_snapshot!(text(&output.stderr));
}

#[test]
fn an_address_that_is_taken_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = punctual(&["up", "--ephemeral", "--for", "1s", "--listen", &address]);
    assert_eq!(exit_code(&output), 1);
    assert_snapshot!(text(&output.stderr).replace(&address, "ADDRESS"));
}

#[test]
fn a_job_that_was_changed_says_what_to_do() {
    let folder = TempDir::new().expect("a folder");
    let run = |command: &str| {
        let manifest = IMAGE_ONLY.replace("args: [from, the pod]", &format!("command: [{command}]"));
        let manifest = Manifest::new(&manifest);
        let data = folder.path().join("data");
        let data = data.to_str().expect("UTF-8");
        punctual(&[
            "up",
            manifest.path().to_str().expect("UTF-8"),
            "--for",
            "1s",
            "--data-dir",
            data,
        ])
    };
    let first = run("'true'");
    assert_eq!(exit_code(&first), 0, "{}", text(&first.stderr));
    let changed = run("'false'");
    assert_eq!(exit_code(&changed), 3);
    assert_snapshot!(text(&changed.stderr));
}
