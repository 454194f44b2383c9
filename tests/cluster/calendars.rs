//! Calendars that CronJobs name, over a watch: what changes in a `ConfigMap` changes what is due next.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use punctual::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::world::{World, eventually};

const CALENDAR: &str = "/api/v1/namespaces/default/configmaps/holidays";

/// Longer than the time between two runs, which are due every second.
const PAUSE: Duration = Duration::from_millis(2_500);

fn today() -> NaiveDate {
    SystemClock.now().date_naive()
}

/// A calendar of yesterday, today and tomorrow, should the test run at midnight.
fn these_days() -> Value {
    let range = format!("{}..{}", today() - Days::new(1), today() + Days::new(1));
    json!({ "data": { "days": range } })
}

fn other_days() -> Value {
    json!({ "data": { "days": (today() + Days::new(100)).to_string() } })
}

#[tokio::test]
async fn a_calendar_is_followed_as_it_changes_comes_and_goes() {
    let world = World::new().await;
    let named = json!({ "metadata": { "annotations": { "punctual.dev/exclude": "holidays" } } });
    world.every_second("default", "tick", named).await;
    let _running = world.controller();
    eventually("an event that the calendar is not there", || async {
        world.events("default", "InvalidAnnotation").await.len() == 1
    })
    .await;
    assert_eq!(
        world.jobs("default").await.len(),
        0,
        "nothing is known of the days"
    );

    let mut calendar = other_days();
    calendar["metadata"] = json!({ "name": "holidays", "labels": { "punctual.dev/calendar": "true" } });
    let configmaps = CALENDAR.trim_end_matches("/holidays");
    world.send("POST", configmaps, &calendar).await;
    runs(&world).await;

    world.send("PATCH", CALENDAR, &these_days()).await;
    rests(&world).await;
    world.send("PATCH", CALENDAR, &other_days()).await;
    runs(&world).await;

    world.send("DELETE", CALENDAR, &Value::Null).await;
    rests(&world).await;
}

/// Waits until something is started.
async fn runs(world: &World) {
    let before = world.jobs("default").await.len();
    eventually("a run", || async { world.jobs("default").await.len() > before }).await;
}

/// Waits until nothing has been started for a while.
async fn rests(world: &World) {
    eventually("a rest", || async {
        let before = world.jobs("default").await.len();
        tokio::time::sleep(PAUSE).await;
        world.jobs("default").await.len() == before
    })
    .await;
}
