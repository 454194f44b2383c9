//! A disk without room. It is a small one in memory, which only root can make.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chrono::TimeDelta;
use insta::assert_snapshot;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use punctual::clock::{Clock as _, SystemClock};
use serde_json::json;
use tempfile::TempDir;

use crate::machine::{Place, until};

/// How large the disk is: the database, its log and a little more.
const SIZE: &str = "size=6m,mode=0700";

/// The template of a Job that takes no time.
const JOB: &str = "{spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: none, command: ['true']}]}}}}";

/// A file system of its own, for as long as this lives.
struct Disk(TempDir);

impl Disk {
    fn make() -> Option<Disk> {
        let folder = TempDir::new().ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "punctual-test"])
            .arg(folder.path())
            .output();
        mounted.ok()?.status.success().then_some(Disk(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, option: &str) {
        let remounted = Command::new("mount")
            .args(["-o", &format!("remount,{option}")])
            .arg(self.path())
            .status();
        assert!(remounted.expect("mount can be started").success());
    }

    /// Leaves no room for another file, and all there is in those that are there.
    fn take_no_more_files(&self) {
        let disk = rustix::fs::statvfs(self.path()).expect("a disk");
        self.remount(&format!("nr_inodes={}", disk.f_files - disk.f_ffree));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// Whether such a disk can be made here.
pub(crate) fn can_be_made() -> bool {
    Disk::make().is_some()
}

/// A config map of about 20 kB.
fn map(number: usize) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(format!("map{number}")),
            ..ObjectMeta::default()
        },
        data: Some([("text".to_owned(), "x".repeat(20_000))].into()),
        ..ConfigMap::default()
    }
}

pub(crate) async fn names(maps: &Api<ConfigMap>) -> Vec<String> {
    let maps = maps.list(&ListParams::default()).await.expect("reads go on");
    let names = maps.iter().map(ResourceExt::name_any);
    names.filter(|name| name.starts_with("map")).collect()
}

/// Creates config maps until one is refused: how many were acknowledged, and what was said.
pub(crate) async fn fill(client: &Client) -> (Vec<String>, String) {
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let mut acknowledged = Vec::new();
    for number in 0..10_000 {
        match maps.create(&PostParams::default(), &map(number)).await {
            Ok(map) => acknowledged.push(map.name_any()),
            Err(error) => return (acknowledged, error.to_string()),
        }
    }
    panic!("the disk does not fill");
}

/// Somebody else takes what room there is.
fn fill_with_zeros(path: &Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    while std::io::Write::write_all(&mut file, &[0; 1024]).is_ok() {}
}

/// A text with `N` for each number.
fn without_figures(text: &str) -> String {
    let is_figure = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let words = text.split(' ');
    let words = words.map(|word| if is_figure(word) { "N" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

pub(crate) async fn a_full_disk_is_reported_and_nothing_acknowledged_is_lost() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    let up = place.up().await;
    let client = up.client().await.expect("a client");
    let (mut acknowledged, said) = fill(&client).await;
    assert!(
        said.contains("the disk is full: nothing was written; make room for"),
        "{said}"
    );
    // The log of writes does not take what the objects could have.
    assert!(acknowledged.len() * 20_000 > 4_500_000, "{}", acknowledged.len());
    acknowledged.sort();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    assert_eq!(names(&maps).await, acknowledged);
    let log = up.interrupt();
    assert!(
        log.contains("nothing new is taken until 768 KiB are free"),
        "{log}"
    );

    // It starts all the same, so that somebody can delete something.
    let up = place.up().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(up.client().await.expect("a client"));
    assert_eq!(names(&maps).await, acknowledged);
    let deleted = maps.delete(&acknowledged[0], &DeleteParams::default()).await;
    deleted.expect("deletions make room");
    acknowledged.remove(0);
    up.interrupt();

    // There is not even room to begin.
    fill_with_zeros(&disk.path().join("other"));
    let refused = place.ended(&["--for", "1s"]);
    assert_eq!(refused.code, Some(1));
    assert_snapshot!(without_figures(&refused.said));
    disk.remount("size=24m");
    let up = place.up().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(up.client().await.expect("a client"));
    assert_eq!(names(&maps).await, acknowledged);
    maps.create(&PostParams::default(), &map(10_001))
        .await
        .expect("there is room");
    up.interrupt();
}

/// Deletions are how room is made through the API, and each of them needs some itself.
pub(crate) async fn what_is_deleted_makes_room_on_a_full_disk() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    let up = place.up().await;
    let client = up.client().await.expect("a client");
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    for _ in 0..2 {
        let (_, said) = fill(&client).await;
        assert!(said.contains("the disk is full"), "{said}");
        for name in names(&maps).await {
            let deleted = maps.delete(&name, &DeleteParams::default()).await;
            deleted.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        until("something new is taken", || async {
            maps.create(&PostParams::default(), &map(0)).await.ok()
        })
        .await;
        maps.delete("map0", &DeleteParams::default())
            .await
            .expect("a deletion");
    }
    up.kill();
    let up = place.up().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(up.client().await.expect("a client"));
    assert_eq!(names(&maps).await, [] as [&str; 0]);
    up.interrupt();
}

/// Changes, too, for which there is a little room at other times.
pub(crate) async fn a_disk_that_takes_nothing_is_told_once() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    let up = place.up().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(up.client().await.expect("a client"));
    maps.create(&PostParams::default(), &map(0))
        .await
        .expect("there is room");
    std::fs::remove_file(disk.path().join("data/punctual.db.reserve")).expect("room is set aside");
    fill_with_zeros(&disk.path().join("other"));
    for number in 0..100 {
        let more = json!({"data": {number.to_string(): "x".repeat(9_000)}});
        let changed = maps
            .patch("map0", &PatchParams::default(), &Patch::Merge(more))
            .await;
        if changed.is_err() {
            break;
        }
        assert!(number < 99, "the disk takes everything");
    }
    std::fs::remove_file(disk.path().join("other")).expect("a file");
    until("it takes writes again", || async {
        maps.create(&PostParams::default(), &map(1)).await.ok()
    })
    .await;
    let log = up.interrupt();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("::store::")).collect();
    assert!(
        matches!(told[..], [full, over] if full.contains("nothing new is taken") && over.contains("there is room again")),
        "{log}"
    );
}

/// Nothing is to be written for it, nor for the namespace that it is in.
pub(crate) async fn what_is_there_already_needs_no_room() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    place.manifest(&format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: seldom, namespace: shop}}, spec: {{schedule: '@yearly', \
         jobTemplate: {JOB}}}}}"
    ));
    let up = place.up().await;
    up.shows("seldom").await;
    let (_, said) = fill(&up.client().await.expect("a client")).await;
    assert!(said.contains("the disk is full"), "{said}");
    up.interrupt();
    let up = place.up().await;
    up.shows("seldom").await;
    up.interrupt();
}

pub(crate) async fn what_could_not_be_started_is_told_counted_and_caught_up() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    place.manifest(&format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: tick}}, spec: {{schedule: '@every 1s', jobTemplate: {JOB}}}}}"
    ));
    let up = place.up().await;
    up.shows("succeeded after").await;
    fill_with_zeros(&disk.path().join("other"));
    up.shows("could not start tick-").await;
    // Two more are due, and the first is tried again and again.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let told = || {
        up.shown()
            .into_iter()
            .filter(|line| line.contains("could not start tick-"))
    };
    assert_eq!(told().count(), 1, "{:?}", up.shown());
    up.signal("INT");
    up.shows("skipped: could not be started").await;
    up.interrupt();
    std::fs::remove_file(disk.path().join("other")).expect("a file");
    let up = place.up().await;
    up.shows("could not be started in time; only the newest").await;
    up.interrupt();
}

/// The one run that there is: no later one comes that would start in any case.
pub(crate) async fn what_could_not_be_started_starts_when_there_is_room() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    place.manifest(&format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: once}}, spec: {{schedule: '@yearly', jobTemplate: {JOB}}}}}"
    ));
    let up = place.up().await;
    let client = up.client().await.expect("a client");
    let (maps, cron_jobs) = (
        Api::<ConfigMap>::default_namespaced(client.clone()),
        Api::<CronJob>::default_namespaced(client.clone()),
    );
    fill(&client).await;
    let due = SystemClock.now() + TimeDelta::seconds(5);
    let due = due.format("%-S %-M %-H %-d %-m *").to_string();
    let due = json!({"metadata": {"annotations": {"punctual.dev/schedules": due}}});
    cron_jobs
        .patch("once", &PatchParams::default(), &Patch::Merge(due))
        .await
        .expect("changes have a little room");
    up.shows("could not start once-").await;
    for name in names(&maps).await {
        maps.delete(&name, &DeleteParams::default())
            .await
            .expect("deletions make room");
    }
    up.shows("succeeded after").await;
    up.interrupt();
}

pub(crate) async fn a_process_waits_for_room_to_start() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    let up = place.up().await;
    let pods: Api<Pod> = Api::default_namespaced(up.client().await.expect("a client"));
    disk.take_no_more_files();
    let pod = json!({"metadata": {"name": "once"}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": "none", "command": ["true"]},
    ]}});
    let pod = serde_json::from_value(pod).expect("a pod");
    pods.create(&PostParams::default(), &pod)
        .await
        .expect("there is room for objects");
    let status = || async { pods.get_opt("once").await.ok()??.status };
    let waits = until("the pod waits", || async {
        let container = status().await?.container_statuses?.pop()?;
        container
            .state?
            .waiting
            .filter(|waiting| waiting.reason.as_deref() == Some("CreateContainerError"))
    })
    .await;
    let said = waits.message.unwrap_or_default();
    assert!(
        said.contains("main.0.attempt can't be written: the disk can hold no more files"),
        "{said}"
    );
    disk.remount("nr_inodes=10000");
    until("the pod has succeeded", || async {
        status()
            .await
            .filter(|status| status.phase.as_deref() == Some("Succeeded"))
    })
    .await;
    up.interrupt();
}

/// Logs of what has ended make way, so that what is due goes on.
pub(crate) async fn work_goes_on_when_logs_have_filled_the_disk() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    let runs = place.path("runs");
    let script = format!(
        "head -c 700000 /dev/zero | tr '\\0' x | fold -w 100; echo run >> {}",
        runs.display()
    );
    place.manifest(&format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: loud}}, spec: {{schedule: '@every 1s', \
         successfulJobsHistoryLimit: 100, jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [\
         {{name: main, image: none, command: [sh, -c, {script:?}]}}]}}}}}}}}}}}}"
    ));
    let up = place.up().await;
    // Six of them would fill the disk.
    place.lines_until("runs", 25).await;
    let log = up.interrupt();
    assert!(
        log.contains("the disk is nearly full: logs of pods that have ended are removed, the oldest first"),
        "{log}"
    );
    // The same at a start, when somebody else has taken all that was left.
    std::fs::remove_file(place.data().join("punctual.db.reserve")).expect("room is set aside");
    fill_with_zeros(&disk.path().join("other"));
    let before = place.lines("runs").len();
    let up = place.up().await;
    place.lines_until("runs", before + 2).await;
    let log = up.interrupt();
    assert!(
        log.contains("logs of pods that have ended were removed, the oldest first"),
        "{log}"
    );
}

/// It says so at once, for it may end before there is room again.
pub(crate) async fn a_log_that_finds_no_room_says_so() {
    let disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    let up = place.up().await;
    let pods: Api<Pod> = Api::default_namespaced(up.client().await.expect("a client"));
    let script = "head -c 10000000 /dev/zero | tr '\\0' x | fold -w 100";
    let pod = json!({"metadata": {"name": "loud"}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": "none", "command": ["sh", "-c", script]},
    ]}});
    let pod = serde_json::from_value(pod).expect("a pod");
    pods.create(&PostParams::default(), &pod)
        .await
        .expect("there is room for objects");
    up.shows("lines are left out from here on: the disk was full")
        .await;
    until("the pod has succeeded", || async {
        let status = pods.get_opt("loud").await.ok()??.status?;
        (status.phase.as_deref() == Some("Succeeded")).then_some(())
    })
    .await;
    up.interrupt();
}
