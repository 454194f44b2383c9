//! Replicas as processes, one of which is killed or stopped.

use std::time::Duration;

use serde_json::json;

use crate::world::{World, due, eventually, seconds};

/// Longer than a standby takes, so that each instant has a run of its own.
const INTERVAL_SECONDS: i64 = 5;

pub(crate) async fn a_leader_that_is_killed_loses_no_run(world: World) {
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        world
            .cronjob(name, &format!("@every {INTERVAL_SECONDS}s"), json!({}))
            .await;
        // Due at different moments, so that some are due while nobody leads.
        seconds(1).await;
    }
    let first = world.controller("first", &[]);
    eventually("the first leads", || async { !world.leader().await.is_empty() }).await;
    let leader = world.leader().await;
    let _second = world.controller("second", &[]);
    seconds(2).await;
    assert_eq!(world.leader().await, leader, "a standby waits");
    first.signal("KILL");
    eventually("the second leads", || async {
        let now = world.leader().await;
        !now.is_empty() && now != leader
    })
    .await;
    seconds(2 * INTERVAL_SECONDS.unsigned_abs()).await;
    for name in names {
        let jobs = world.jobs_of(name).await;
        let mut instants: Vec<i64> = jobs.iter().map(due).collect();
        instants.sort_unstable();
        assert!(instants.len() >= 3, "{name}: {instants:?}");
        assert!(
            instants
                .windows(2)
                .all(|pair| pair[1] - pair[0] == INTERVAL_SECONDS),
            "{name}: none lost, none doubled: {instants:?}"
        );
    }
}

pub(crate) async fn a_leader_that_is_stopped_hands_over_at_once(world: World) {
    let first = world.controller("first", &[]);
    eventually("the first leads", || async { !world.leader().await.is_empty() }).await;
    let leader = world.leader().await;
    let _second = world.controller("second", &[]);
    seconds(2).await;
    first.signal("TERM");
    assert_eq!(first.exit_code(Duration::from_secs(10)).await, 0);
    assert_ne!(world.leader().await, leader, "it is released");
    eventually("the second leads", || async {
        let now = world.leader().await;
        !now.is_empty() && now != leader
    })
    .await;
}
