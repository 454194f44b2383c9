//! What is refused, and what is said to do about it.

use insta::assert_snapshot;
use tempfile::TempDir;

use super::{IMAGE_ONLY, Manifest, cronjob};
use crate::{exit_code, punctual, text};

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
        let (file, data) = (folder.path().join("cron.yaml"), folder.path().join("data"));
        std::fs::write(&file, manifest).expect("a file");
        let (file, data) = (file.to_str().expect("UTF-8"), data.to_str().expect("UTF-8"));
        punctual(&["up", file, "--for", "1s", "--data-dir", data])
    };
    let first = run("'true'");
    assert_eq!(exit_code(&first), 0, "{}", text(&first.stderr));
    let changed = run("'false'");
    assert_eq!(exit_code(&changed), 0, "everything else runs");
    assert_snapshot!(text(&changed.stderr).replace(&format!("{}/", folder.path().display()), ""));
}

/// What the pods have only when they are there keeps nobody from starting.
#[test]
fn what_keeps_runs_from_starting_is_told_before_they_are_due() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("cron.yaml");
    let pod = |name: &str, spec: &str| {
        format!(
            "---\n{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, spec: {{schedule: 0 0 1 1 *, \
             jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, {spec}}}}}}}}}}}}}\n"
        )
    };
    let volume = |name: &str, kind: &str| {
        let container = "{name: main, image: i, command: ['true'], volumeMounts: [{name: v, mountPath: v}]}";
        pod(
            name,
            &format!("containers: [{container}], volumes: [{{name: v, {kind}}}]"),
        )
    };
    let variable = |name: &str, from: &str| {
        let variable = format!("{{name: V, valueFrom: {{{from}}}}}");
        let container = format!("{{name: main, image: i, command: ['true'], env: [{variable}]}}");
        pod(name, &format!("containers: [{container}]"))
    };
    let manifests = [
        volume("from-a-server", "nfs: {server: s, path: /p}"),
        volume("by-a-driver", "csi: {driver: d}"),
        volume(
            "claimed",
            "ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}",
        ),
        volume("without-secret", "secret: {secretName: absent}"),
        volume("may-be-without", "secret: {secretName: absent, optional: true}"),
        volume("with-map", "configMap: {name: there}"),
        variable("without-map", "configMapKeyRef: {name: absent, key: k}"),
        variable("without-key", "configMapKeyRef: {name: there, key: absent}"),
        variable(
            "of-the-job",
            "fieldRef: {fieldPath: \"metadata.labels['job-name']\"}",
        ),
        pod("of-an-image", "containers: [{name: main, image: i}]"),
        "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: there}, data: {k: v}}\n".to_owned(),
    ];
    std::fs::write(&file, manifests.concat()).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let output = punctual(&["up", file, "--ephemeral", "--for", "100ms"]);
    assert_eq!(exit_code(&output), 0);
    let said = text(&output.stderr).replace(file, "cron.yaml");
    let mut warnings: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    // Many are put in at one time.
    warnings.sort_unstable();
    assert_snapshot!(warnings.join("\n"));
}

/// As kubectl without `-R`, which says nothing.
#[test]
fn folders_within_a_folder_are_not_read_and_named() {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    };
    let path = folder.path().to_str().expect("UTF-8");
    let said = |more: &[&str]| {
        let output = punctual(&[&["up", path, "--ephemeral", "--for", "100ms"][..], more].concat());
        assert!(
            !text(&output.stdout).contains("never"),
            "{}",
            text(&output.stdout)
        );
        let lines = text(&output.stderr).replace(path, "k8s");
        let lines = lines.lines().filter(|line| !line.starts_with("stopping: "));
        lines.collect::<Vec<_>>().join("\n")
    };
    write("cron.yaml", &cronjob("tick", "@yearly", "true"));
    write("notes/readme.md", "nothing to run");
    write(".git/cron.yaml", &cronjob("never", "@yearly", "true"));
    assert_eq!(said(&[]), "");
    write("jobs/cron.yaml", &cronjob("never", "@yearly", "true"));
    write("jobs/more.yaml", &cronjob("never", "@yearly", "true"));
    assert_snapshot!(said(&[]), @r"
    note: of the folder k8s only its own files are read, not those in k8s/jobs
     |
     = help: name each folder that is meant
    ");
    write("old/cron.yaml", &cronjob("never", "@yearly", "true"));
    std::fs::remove_file(folder.path().join("cron.yaml")).expect("a file");
    assert_snapshot!(said(&["--watch"]), @r"
    note: of the folder k8s only its own files are read, not those in 2 folders within it, such as k8s/jobs
     |
     = help: name each folder that is meant
    ");
}
