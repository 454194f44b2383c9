//! The manifests are followed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use insta::assert_snapshot;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json as object;
use tempfile::TempDir;

use super::{Manifest, Up, cronjob, json};
use crate::{exit_code, punctual, text};

/// A folder of manifests, which goes with it.
struct Folder {
    place: TempDir,
}

impl Folder {
    fn new() -> Folder {
        let place = TempDir::new().expect("a folder");
        fs::create_dir(place.path().join("cron.d")).expect("a folder");
        Folder { place }
    }

    fn path(&self) -> PathBuf {
        self.place.path().join("cron.d")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("a file");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path().join(from), self.path().join(to)).expect("a file");
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).expect("a file");
    }
}

/// Files are added, changed, broken, renamed and removed, and the CronJobs follow.
#[test]
fn the_manifests_are_followed() {
    let folder = Folder::new();
    folder.write("cron.yaml", &cronjob("first", "@every 1s", "echo first"));
    let up = Up::follow(&folder.path());

    up.event("loaded", "first");
    folder.write("more.yaml", &cronjob("second", "@daily", "true"));
    up.event("applied", "second");
    folder.write("more.yaml", &cronjob("second", "@hourly", "true"));
    assert_eq!(up.event("applied", "second")["schedule"], "@hourly");

    folder.write("cron.yaml", &cronjob("first", "0 24 * * *", "true"));
    let broken = up.event("diagnosed", "");
    assert_eq!(broken["refused"], true);
    assert_snapshot!(broken["messages"][0].as_str().expect("a message"));
    // The last good version goes on.
    up.event("output", "");

    folder.rename("more.yaml", "renamed.yaml");
    folder.write("third.yaml", &cronjob("third", "@daily", "true"));
    up.event("applied", "third");
    folder.remove("renamed.yaml");
    up.event("pruned", "second");

    folder.write("cron.yaml", &cronjob("other", "@daily", "true"));
    up.event("applied", "other");
    up.event("pruned", "first");
    up.interrupt();
    let rest = up.rest();
    assert!(
        rest.iter().all(|line| json(line)["event"] != "pruned"),
        "nothing else is pruned: {rest:#?}"
    );
}

/// Editors, `kubectl cp` and mounts of config maps each put a new text in the place of the old one in their own way.
#[test]
fn however_a_file_is_saved_it_is_changed_and_not_gone() {
    let folder = Folder::new();
    let text = |minute: u32| cronjob("job", &format!("{minute} 0 * * *"), "true");
    // As the kubelet mounts a config map: a link to a file in a folder that a link leads to.
    let version = |number: u32| {
        let name = format!("..version-{number}");
        fs::create_dir(folder.path().join(&name)).expect("a folder");
        folder.write(&format!("{name}/cron.yaml"), &text(number));
        symlink(&name, folder.path().join("..new")).expect("a link");
        folder.rename("..new", "..data");
    };
    version(0);
    symlink("..data/cron.yaml", folder.path().join("cron.yaml")).expect("a link");
    let up = Up::follow(&folder.path());
    up.event("loaded", "job");
    // A file that Emacs has open.
    symlink("me@here.1234", folder.path().join(".#cron.yaml")).expect("a link");
    let ways: [(&str, &dyn Fn(u32)); 5] = [
        ("a mount that is changed", &version),
        ("another file renamed to it", &|number| {
            folder.write("cron.yaml.tmp", &text(number));
            folder.rename("cron.yaml.tmp", "cron.yaml");
        }),
        ("written in place", &|number| {
            folder.write("cron.yaml", &text(number));
        }),
        ("the old one kept under another name", &|number| {
            folder.rename("cron.yaml", "cron.yaml~");
            folder.write("cron.yaml", &text(number));
        }),
        ("removed and made anew", &|number| {
            folder.remove("cron.yaml");
            folder.write("cron.yaml", &text(number));
        }),
    ];
    for (number, (way, save)) in (1..).zip(ways) {
        save(number);
        let next = up.any_event(&["applied", "pruned", "diagnosed"], "");
        assert_eq!(
            (&next["event"], &next["schedule"]),
            (&"applied".into(), &format!("{number} 0 * * *").into()),
            "{way}: {next}"
        );
    }
    // While it is being edited it can be started anew.
    up.interrupt();
    up.rest();
    Up::follow(&folder.path()).event("loaded", "job");
}

/// Of two files that come together neither is told of as missing in the other.
#[test]
fn what_comes_in_another_file_at_the_same_time_is_not_called_missing() {
    let folder = Folder::new();
    let needs = |name: &str, map: &str| {
        let from = format!("image: busybox, envFrom: [{{configMapRef: {{name: {map}}}}}]");
        cronjob(name, "@daily", "true").replace("image: busybox", &from)
    };
    // They are in a folder that a link leads to, so that both change at one moment.
    let version = |name: &str, texts: [&str; 2]| {
        fs::create_dir(folder.path().join(name)).expect("a folder");
        for (file, text) in ["a.yaml", "b.yaml"].into_iter().zip(texts) {
            folder.write(&format!("{name}/{file}"), text);
        }
        symlink(name, folder.path().join("..new")).expect("a link");
        folder.rename("..new", "..data");
    };
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: there}, data: {k: v}}\n";
    version(
        "..before",
        [
            &cronjob("needs", "@daily", "true"),
            &cronjob("other", "@daily", "true"),
        ],
    );
    for file in ["a.yaml", "b.yaml"] {
        symlink(format!("..data/{file}"), folder.path().join(file)).expect("a link");
    }
    let up = Up::follow(&folder.path());
    up.event("loaded", "other");
    let both = format!("{}---\n{}", needs("needs", "there"), needs("lacks", "absent"));
    version("..after", [&both, map]);
    up.event("applied", "there");
    // Whatever there is to tell of them is told before the next look.
    folder.write("next.yaml", &cronjob("next", "@daily", "true"));
    up.event("applied", "next");
    up.interrupt();
    let said = up.0.ended().said;
    let warnings: Vec<_> = said.lines().filter(|line| line.contains("can't start")).collect();
    assert!(
        matches!(warnings[..], [one] if one.contains("default/lacks")),
        "{said}"
    );
}

/// What came from a path that is followed goes with its file, also when that vanished while nobody looked; what came from
/// elsewhere stays.
#[test]
fn what_vanished_while_nobody_followed_is_pruned_at_the_next_start() {
    let folder = Folder::new();
    let other = Manifest::new(&cronjob("other", "@daily", "true"));
    let run = |arguments: &[&str]| {
        let data = folder.place.path().join("data");
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
            .map(json)
            .filter(|event| ["pruned", "kept"].contains(&event["event"].as_str().unwrap_or_default()))
            .map(|event| format!("{} {}", event["event"], event["name"]).replace('"', ""));
        let mut events: Vec<String> = events.collect();
        events.sort();
        events.join(", ")
    };
    let path = folder.path();
    let followed = path.to_str().expect("UTF-8");
    folder.write("a.yaml", &cronjob("first", "@daily", "true"));
    folder.write("b.yaml", &cronjob("second", "@daily", "true"));
    folder.write("c.yaml", &cronjob("moves", "@daily", "true"));
    // What is never deleted keeps nothing from running.
    folder.write(
        "e.yaml",
        "{apiVersion: v1, kind: Namespace, metadata: {name: default}}",
    );
    assert_eq!(run(&[other.path().to_str().expect("UTF-8")]), "");
    assert_eq!(run(&["--watch", followed]), "kept other");
    folder.remove("a.yaml");
    folder.remove("e.yaml");
    folder.write("b.yaml", &cronjob("third", "@daily", "true"));
    folder.rename("c.yaml", "d.yaml");
    assert_eq!(run(&[followed]), "kept first, kept other, kept second");
    let pruned = "kept other, pruned first, pruned second";
    assert_eq!(run(&["--watch", followed]), pruned);
    assert_eq!(run(&["--watch", followed]), "kept other");
    // A folder that holds nothing at all may be a mount that comes later.
    folder.remove("b.yaml");
    folder.remove("d.yaml");
    assert_eq!(run(&["--watch", followed]), "kept moves, kept other, kept third");
    // A folder within it is another one, and what came from there stays.
    let within = path.join("within");
    fs::create_dir(&within).expect("a folder");
    folder.write("within/a.yaml", &cronjob("inner", "@daily", "true"));
    folder.write("d.yaml", &cronjob("moves", "@daily", "true"));
    run(&["--watch", within.to_str().expect("UTF-8")]);
    assert_eq!(
        run(&["--watch", followed]),
        "kept inner, kept other, pruned third"
    );
}

/// A folder may begin empty, and be away for a while: what it held goes on.
#[test]
fn a_folder_that_is_not_there_for_a_while_loses_nothing() {
    let folder = Folder::new();
    let path = folder.path();
    let up = Up::follow(&path);
    up.event("serving", "");

    folder.write("first.yaml", &cronjob("first", "@every 1s", "echo first"));
    folder.write("second.yaml", &cronjob("second", "@daily", "true"));
    up.event("applied", "second");
    let away = folder.place.path().join("away");
    fs::rename(&path, &away).expect("it is moved");
    let hidden = up.event("diagnosed", "");
    let message = hidden["messages"][0].as_str().expect("a message");
    assert_snapshot!(message.replace(path.to_str().expect("UTF-8"), "cron.d"));
    up.event("output", "");
    fs::remove_file(away.join("second.yaml")).expect("a file");
    fs::rename(&away, &path).expect("it is moved");
    // What is gone for good goes, and nothing else is done.
    assert_eq!(up.any_event(&["applied", "pruned"], "")["name"], "second");
    up.interrupt();
    let rest = up.rest();
    let done = |line: &String| json(line)["event"] == "applied" || json(line)["event"] == "pruned";
    assert!(!rest.iter().any(done), "{rest:#?}");
}

/// A start does as a later edit does: what is broken is told, its last good version goes on, and so does everything else.
#[test]
fn what_is_broken_when_it_starts_keeps_nothing_from_running() {
    let place = TempDir::new().expect("a folder");
    let folder = place.path().join("cron.d");
    std::fs::create_dir(&folder).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    let run = || {
        let data = place.path().join("data");
        let (data, folder) = (data.to_str().expect("UTF-8"), folder.to_str().expect("UTF-8"));
        let output = punctual(&[
            "up",
            "--watch",
            folder,
            "--data-dir",
            data,
            "--for",
            "1s",
            "-o",
            "json",
        ]);
        assert_eq!(exit_code(&output), 0, "{}", text(&output.stderr));
        let events = text(&output.stdout);
        let events = events
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
            .filter(|event| {
                ["loaded", "kept", "pruned"].contains(&event["event"].as_str().unwrap_or_default())
            })
            .map(|event| format!("{} {}", event["event"], event["name"]).replace('"', ""));
        let mut events: Vec<String> = events.collect();
        events.sort();
        let said = text(&output.stderr).replace(&format!("{folder}/"), "");
        (events.join(", "), said)
    };
    write("a.yaml", &cronjob("first", "@daily", "true"));
    write("b.yaml", &cronjob("second", "@daily", "true"));
    assert_eq!(run().0, "loaded first, loaded second");
    write("a.yaml", "kind: [");
    let (events, said) = run();
    assert_eq!(events, "kept first, loaded second");
    assert!(
        said.contains("a.yaml is not taken like this; what it held before goes on"),
        "{said}"
    );
    write("a.yaml", &cronjob("first", "@hourly", "true"));
    assert_eq!(run().0, "loaded first, loaded second");
    // Of what was never right nothing goes on.
    write("c.yaml", "kind: [");
    let (_, said) = run();
    let last = said.lines().last();
    assert_eq!(last, Some("c.yaml is not taken like this"), "{said}");
}

/// What vanishes from a file that was broken at the start goes when that is mended, or removed.
#[test]
fn what_vanishes_while_a_file_is_broken_at_the_start_is_pruned() {
    let folder = Folder::new();
    let data = folder.place.path().join("data");
    let start = || {
        let (data, folder) = (data.to_str().expect("UTF-8"), folder.path());
        let folder = folder.to_str().expect("UTF-8");
        Up::start(&["--watch", "-o", "json", "--data-dir", data, folder])
    };
    let both = [
        cronjob("first", "@daily", "true"),
        cronjob("second", "@daily", "true"),
    ];
    folder.write("mended.yaml", &both.join("---\n"));
    folder.write("removed.yaml", &cronjob("third", "@daily", "true"));
    let up = start();
    up.event("loaded", "third");
    up.interrupt();
    up.rest();
    folder.write("mended.yaml", "kind: [");
    folder.write("removed.yaml", "kind: [");
    let up = start();
    up.event("kept", "first");
    folder.write("mended.yaml", &cronjob("first", "@hourly", "true"));
    assert_eq!(up.event("applied", "first")["schedule"], "@hourly");
    up.event("pruned", "second");
    folder.remove("removed.yaml");
    up.event("pruned", "third");
}

/// A Job's template can't be changed; what the refusal advises works.
#[tokio::test]
async fn a_job_that_was_refused_is_taken_when_its_file_is_saved_again() {
    let folder = Folder::new();
    let job = |command: &str| {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: once}}, spec: {{template: {{spec: \
             {{restartPolicy: Never, containers: [{{name: main, image: busybox, command: [sh, -c, {command:?}]}}]}}}}}}}}\n"
        )
    };
    folder.write("job.yaml", &job("echo old"));
    let up = Up::follow(&folder.path());
    let jobs: Api<Job> = Api::default_namespaced(up.client().await);
    let output = |text: &str| up.line(text, |line| json(line)["line"] == *text);
    output("old");
    folder.write("job.yaml", &job("echo new"));
    assert_snapshot!(up.event("refused", "")["message"].as_str().expect("a message"));
    jobs.delete("once", &DeleteParams::background())
        .await
        .expect("it is deleted");
    folder.write("job.yaml", &job("echo new"));
    output("new");
    // What it was before is another change.
    folder.write("job.yaml", &job("echo old"));
    up.event("refused", "");
    up.interrupt();
    up.rest();
}

/// What kubectl has applied meanwhile is not of the file any more, and does not go with it.
#[tokio::test]
async fn what_somebody_took_over_is_not_deleted_with_its_file() {
    let folder = Folder::new();
    folder.write("taken.yaml", &cronjob("taken", "@daily", "true"));
    folder.write("left.yaml", &cronjob("left", "@daily", "true"));
    let up = Up::follow(&folder.path());
    let cronjobs: Api<CronJob> = Api::default_namespaced(up.client().await);
    let mut taken = cronjobs.get("taken").await.expect("it is there");
    taken.metadata.managed_fields = None;
    let params = PatchParams::apply("kubectl").force();
    let taken = cronjobs.patch("taken", &params, &Patch::Apply(&taken)).await;
    taken.expect("it is taken over");
    folder.remove("taken.yaml");
    folder.remove("left.yaml");
    // All that are gone at one look go at one time, in the order of their names; this one comes after.
    up.event("pruned", "left");
    folder.write("last.yaml", &cronjob("last", "@daily", "true"));
    assert_eq!(up.any_event(&["applied", "pruned"], "")["name"], "last");
    cronjobs.get("taken").await.expect("it is still there");
    up.interrupt();
    up.rest();
}

/// What a file says no more goes, what somebody has set besides stays, and what both say is as the file has it: as `kubectl
/// apply --server-side` does it. So a pause outlives a restart.
#[tokio::test]
async fn what_a_file_says_no_more_goes_and_what_others_say_besides_stays() {
    let folder = Folder::new();
    let annotated = |schedule: &str, metadata: &str| {
        let name = format!("metadata: {{name: kept, {metadata}");
        cronjob("kept", schedule, "true").replace("metadata: {name: kept", &name)
    };
    let long = "labels: {team: a}, annotations: {punctual.dev/jitter: 30s, note: a}";
    folder.write("kept.yaml", &annotated("@daily", long));
    let secret = |data: &str| {
        format!("{{apiVersion: v1, kind: Secret, metadata: {{name: word}}, stringData: {data}}}\n")
    };
    folder.write("secret.yaml", &secret("{a: x, b: z}"));
    let up = Up::follow(&folder.path());
    let client = up.client().await;
    up.event("loaded", "kept");
    let cronjobs: Api<CronJob> = Api::default_namespaced(client.clone());
    let change = object!({
        "metadata": { "annotations": { "by-hand": "1", "note": "b" } },
        "spec": { "suspend": true, "schedule": "@weekly" },
    });
    let (params, change) = (PatchParams::default(), Patch::Merge(change));
    let patched = cronjobs.patch("kept", &params, &change).await;
    patched.expect("it is changed");

    folder.write("secret.yaml", &secret("{a: x}"));
    up.event("applied", "word");
    folder.write("kept.yaml", &annotated("@hourly", "annotations: {note: a}"));
    up.event("applied", "kept");
    let kept = cronjobs.get("kept").await.expect("it is there");
    assert_eq!(kept.metadata.labels, None);
    let annotations = kept.metadata.annotations.unwrap_or_default();
    let keys: Vec<&str> = annotations.keys().map(String::as_str).collect();
    assert_eq!(keys, ["by-hand", "note", "punctual.dev/applied-from"]);
    assert_eq!(annotations["note"], "a");
    let spec = kept.spec;
    assert_eq!((spec.schedule.as_str(), spec.suspend), ("@hourly", Some(true)));
    let secrets: Api<Secret> = Api::default_namespaced(client);
    let data = secrets
        .get("word")
        .await
        .expect("it is there")
        .data
        .unwrap_or_default();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["a"]);
    up.interrupt();
    up.rest();
}

/// A list with two elements of one name, which `kubectl apply` takes, and `kubectl apply --server-side` does not.
#[test]
fn a_list_with_twins_is_followed_as_a_whole() {
    let folder = Folder::new();
    let env = |last: &str| {
        let env = format!("env: [{{name: A, value: x}}, {{name: A, value: {last}}}], command");
        cronjob("twins", "@every 1s", "echo $A").replace("command", &env)
    };
    folder.write("twins.yaml", &env("old"));
    let up = Up::follow(&folder.path());
    let output = |text: &str| up.line(text, |line| json(line)["line"] == *text);
    output("old");
    folder.write("twins.yaml", &env("new"));
    output("new");
    up.interrupt();
    up.rest();
}
