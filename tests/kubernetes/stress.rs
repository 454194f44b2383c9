//! Leaders killed at random moments under load, and a ledger: none lost, none doubled.
//!
//! Runs for `STRESS_SECONDS`, and is ignored without it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt;
use serde_json::json;

use crate::world::{World, due, eventually, lateness};

const CRONJOBS: usize = 60;

/// Longer than a standby takes, so that each instant has a run of its own.
const INTERVAL_SECONDS: i64 = 5;

/// For how long, if at all.
pub(crate) fn seconds() -> Option<u64> {
    std::env::var("STRESS_SECONDS").ok()?.parse().ok()
}

pub(crate) async fn leaders_die_under_load(world: World) {
    let end = Instant::now() + Duration::from_secs(seconds().unwrap_or(60));
    let mut replicas = vec![("0".to_owned(), world.controller("0", &[]))];
    eventually("the first leads", || async { !world.leader().await.is_empty() }).await;
    for number in 0..CRONJOBS {
        world
            .cronjob(
                &format!("load{number}"),
                &format!("@every {INTERVAL_SECONDS}s"),
                json!({}),
            )
            .await;
        // Spread over the interval.
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    let mut kills = 0;
    while Instant::now() < end {
        kills += 1;
        let name = kills.to_string();
        let standby = world.controller(&name, &[]);
        replicas.push((name, standby));
        tokio::time::sleep(Duration::from_millis(fastrand::u64(5_000..9_000))).await;
        // With one standby only, the older one leads.
        let leader = world.leader().await;
        replicas.remove(0).1.signal("KILL");
        eventually("the standby leads", || async {
            let now = world.leader().await;
            !now.is_empty() && now != leader
        })
        .await;
    }
    tokio::time::sleep(Duration::from_secs(INTERVAL_SECONDS.unsigned_abs())).await;
    let (mut runs, mut lost, mut doubled, mut latest) = (0, 0, 0, 0);
    let mut by_cronjob: BTreeMap<String, Vec<Job>> = BTreeMap::new();
    for job in world.jobs().await {
        let owner = job.owner_references()[0].name.clone();
        by_cronjob.entry(owner).or_default().push(job);
    }
    assert_eq!(by_cronjob.len(), CRONJOBS, "each has run");
    for jobs in by_cronjob.values() {
        let mut instants: Vec<i64> = jobs.iter().map(due).collect();
        instants.sort_unstable();
        runs += instants.len();
        for pair in instants.windows(2) {
            let gap = pair[1] - pair[0];
            doubled += i64::from(gap < INTERVAL_SECONDS);
            lost += (gap / INTERVAL_SECONDS - 1).max(0);
        }
        latest = latest.max(jobs.iter().map(lateness).max().unwrap_or_default());
    }
    println!(
        "{kills} leaders killed, {runs} runs: {lost} lost, {doubled} doubled, the latest {latest} s late"
    );
    assert_eq!((lost, doubled), (0, 0));
    assert!(latest <= 3, "{latest} s late");
}
