//! Pods that are taken from a Job as soon as they are made: whatever the cause, they are not made without end.

use serde_json::json;

use super::world::World;
use super::*;

/// How often a Job with thirty pods makes them in an hour, when what it has is taken away every second.
fn made_in_an_hour(spec: &Value, take: fn(&mut World)) -> usize {
    let mut whole = json!({"parallelism": 30, "completions": 30, "backoffLimit": 100_000});
    json_patch::merge(&mut whole, spec);
    let mut world = World::new(&whole);
    for _ in 0..3_600 {
        while world.sync(usize::MAX) {}
        take(&mut world);
        world.now += TimeDelta::seconds(1);
    }
    world.made / 30
}

#[test]
fn pods_that_are_taken_away_are_made_ever_more_seldom() {
    let per_index = json!({"completionMode": "Indexed", "backoffLimitPerIndex": 100_000});
    for spec in [
        json!({}),
        json!({"completionMode": "Indexed"}),
        per_index,
        json!({"podReplacementPolicy": "Failed"}),
    ] {
        for (way, take) in [
            ("deleted", World::delete_all as fn(&mut World)),
            ("given to others", World::lose_all),
        ] {
            let made = made_in_an_hour(&spec, take);
            assert!((2..=12).contains(&made), "{spec}, {way}: {made} times");
        }
    }
}
