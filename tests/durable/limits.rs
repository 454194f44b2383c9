//! Limits of a process, where this machine lets control groups be made; and what is done within the limits of `punctual`.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::JobStatus;
use k8s_openapi::api::core::v1::{ConfigMap, Event};
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use punctual::standalone::runtime::limited_here;

use crate::full_disk::{fill, names};
use crate::machine::{Place, holds, until};
use crate::restarts::job;

/// Whether memory and CPU can be limited here.
pub(crate) fn hold() -> bool {
    limited_here().len() == 2
}

/// A Job whose process has limits.
fn limited(script: &str) -> String {
    let limits = "resources: {limits: {memory: 24Mi, cpu: 500m}}, command:";
    job(script, "backoffLimit: 0, ").replace("command:", limits)
}

/// The groups that the process was in, as `/proc/self/cgroup` names them.
fn groups(place: &Place) -> Vec<String> {
    let lines = place.lines("groups");
    let paths = lines.iter().filter_map(|line| line.rsplit_once(':'));
    let ours = paths
        .map(|(_, path)| path.to_owned())
        .filter(|path| path.contains("/punctual-"));
    ours.collect()
}

fn are_there(groups: &[String]) -> bool {
    let mut known = String::new();
    for table in ["cpu", "memory", ""] {
        let root = std::path::Path::new("/sys/fs/cgroup").join(table);
        for group in groups {
            if root.join(group.trim_start_matches('/')).exists() {
                known.push_str(group);
            }
        }
    }
    !known.is_empty()
}

/// The process is killed by the kernel, also when `punctual` was killed before it; nothing of its group is left.
pub(crate) async fn what_takes_too_much_memory_is_ended_and_says_so() {
    let place = Place::new();
    let (groups_file, go) = (place.path("groups"), place.path("go"));
    place.manifest(&limited(&format!(
        "cat /proc/self/cgroup > {}; until [ -e {} ]; do sleep 0.02; done; exec tail /dev/zero",
        groups_file.display(),
        go.display()
    )));
    let up = place.up().await;
    place.lines_until("groups", 1).await;
    up.kill();
    let groups = groups(&place);
    assert!(are_there(&groups), "{groups:?}");
    let up = place.up().await;
    std::fs::write(go, "").expect("a file");
    up.job_until("work", |status| holds(status, "Failed")).await;
    let ended = up.process_ended().await;
    assert_eq!(
        (ended.reason.as_deref(), ended.exit_code),
        (Some("OOMKilled"), 137)
    );
    assert!(!are_there(&groups), "{groups:?}");
    up.interrupt();
}

/// A process that stays within them ends as any other; what it has left behind in its group goes with it.
pub(crate) async fn what_stays_within_its_limits_is_left_alone() {
    let place = Place::new();
    let groups_file = place.path("groups");
    place.manifest(&limited(&format!(
        "setsid sleep 600 & cat /proc/self/cgroup > {}",
        groups_file.display()
    )));
    let up = place.up().await;
    up.job_until("work", |status| holds(status, "Complete")).await;
    assert_eq!(up.process_ended().await.reason.as_deref(), Some("Completed"));
    let groups = groups(&place);
    assert!(!groups.is_empty() && !are_there(&groups), "{groups:?}");
    up.interrupt();
}

/// A Job of many pods at once: each writes a line.
fn many(script: &str, count: u32) -> String {
    job(
        script,
        &format!("backoffLimit: 0, completions: {count}, parallelism: {count}, "),
    )
}

pub(crate) async fn processes_have_the_limit_of_open_files_that_punctual_was_started_with() {
    let place = Place::new();
    place.manifest(&many(
        &format!("ulimit -Sn >> {}; sleep 1", place.path("runs").display()),
        40,
    ));
    // Of them all more than a hundred files are open at once.
    let up = place.up_within("ulimit -Sn 64 && ulimit -Hn 2048");
    up.serves().await;
    up.job_until("work", |status| holds(status, "Complete")).await;
    let runs = place.lines("runs");
    assert!(runs.len() == 40 && runs.iter().all(|run| run == "64"), "{runs:?}");
    up.interrupt();
}

pub(crate) async fn a_start_that_there_is_no_room_for_waits_and_is_told() {
    let place = Place::new();
    let (runs, go) = (place.path("runs"), place.path("go"));
    let script = format!(
        "echo run >> {}; until [ -e {} ]; do sleep 0.2; done",
        runs.display(),
        go.display()
    );
    place.manifest(&many(&script, 60));
    let up = place.up_within("ulimit -n 110");
    up.serves().await;
    let events: Api<Event> = Api::default_namespaced(up.client().await.expect("a client"));
    let warnings = async || {
        let events = events.list(&ListParams::default()).await.expect("events");
        let warnings = events.items.into_iter();
        let warnings = warnings.filter(|event| event.type_.as_deref() == Some("Warning"));
        warnings
            .filter_map(|event| event.message)
            .collect::<BTreeSet<_>>()
    };
    until("it says that there is no room", || async {
        let is_it = |said: &String| said.contains("short of open files");
        warnings().await.iter().any(is_it).then_some(())
    })
    .await;
    // Those that have started make room.
    std::fs::write(go, "").expect("a file");
    let ended = |status: &JobStatus| holds(status, "Complete") || holds(status, "Failed");
    let status = up.job_until("work", ended).await;
    assert!(holds(&status, "Complete"), "{:?}", warnings().await);
    assert_eq!(place.lines("runs").len(), 60);
    up.interrupt();
}

/// What is too large for a file is refused, as on a full disk, where the signal for it would end `punctual`.
pub(crate) async fn a_limit_of_file_sizes_is_told_and_nothing_acknowledged_is_lost() {
    let place = Place::new();
    let (big, runs) = (place.path("big"), place.path("runs"));
    let script = format!(
        "head -c 9000000 /dev/zero > {}; echo $? >> {}",
        big.display(),
        runs.display()
    );
    place.manifest(&job(&script, ""));
    // Some shells count kibibytes, and others half of that.
    let up = place.up_within("ulimit -f 4096");
    up.serves().await;
    let ended: i32 = place.lines_until("runs", 1).await[0].parse().expect("a code");
    assert!(ended > 128, "a process is ended by the signal: {ended}");
    let client = up.client().await.expect("a client");
    let (mut acknowledged, said) = fill(&client).await;
    assert!(said.contains("no file may be larger than"), "{said}");
    acknowledged.sort();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let deleted = maps
        .delete(&acknowledged.remove(0), &DeleteParams::default())
        .await;
    deleted.expect("deletions go on");
    let log = up.interrupt();
    assert!(log.contains("start with a higher `ulimit -f`"), "{log}");
    let up = place.up().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(up.client().await.expect("a client"));
    assert_eq!(names(&maps).await, acknowledged);
    up.interrupt();
}
