//! Events are kept for an hour, as kube-apiserver keeps them (`--event-ttl`): they tell what happens, they are no archive.

use std::convert::Infallible;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use tokio::time::sleep;

use super::settled;
use crate::schedule::Timestamp;
use crate::standalone::api::error::ApiError;
use crate::standalone::api::registry::{Deletion, Mode, Registry};
use crate::standalone::api::resource::Resource;
use crate::standalone::api::together::each;
use crate::standalone::store::{Key, Range, Scope};

/// How long an event is kept after it was last seen.
const EVENT_TTL: TimeDelta = TimeDelta::hours(1);

/// The times that an event tells.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    metadata: Metadata,
    last_timestamp: Option<String>,
    event_time: Option<String>,
    series: Option<Series>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    last_observed_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    creation_timestamp: Option<String>,
}

/// How often old events are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// Deletes events when they are too old, for as long as it is polled.
pub(super) async fn keep_sweeping(registry: Registry) -> Result<Infallible, ApiError> {
    loop {
        sleep(SWEEP_INTERVAL).await;
        sweep(&registry).await?;
    }
}

pub(super) async fn sweep(registry: &Registry) -> Result<(), ApiError> {
    let Some(resource) = Resource::of("v1", "Event") else {
        return Ok(());
    };
    let scope = Scope::all(resource.stored_as);
    let page = registry.store().list(&scope, Range::default()).await?;
    let now = registry.now();
    each(page.objects, async |object| {
        let times: Times = object.read()?;
        if !times.is_old(now) {
            return Ok(());
        }
        let key = Key::new(resource.stored_as, times.metadata.namespace, times.metadata.name);
        let deletion = Deletion {
            // It may be seen again meanwhile, and is not old then.
            resource_version: Some(object.revision().to_string()),
            ..Deletion::default()
        };
        settled(registry.delete(resource, &key, &deletion, Mode::Real).await)
    })
    .await
}

impl Times {
    fn is_old(&self, now: Timestamp) -> bool {
        let series = self.series.as_ref();
        let told = [
            self.metadata.creation_timestamp.as_ref(),
            self.last_timestamp.as_ref(),
            self.event_time.as_ref(),
            series.and_then(|series| series.last_observed_time.as_ref()),
        ];
        let moments = told
            .into_iter()
            .flatten()
            .filter_map(|text| text.parse::<Timestamp>().ok());
        // A clock that was ahead, or a client's that is, would keep it until then.
        let possible = moments.filter(|moment| *moment - now <= EVENT_TTL);
        possible.max().is_none_or(|last| now - last > EVENT_TTL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_time_to_come_is_not_kept_until_then() {
        for (made, told, is_old) in [
            ("12:00:00", "12:30:00", false),
            ("12:00:00", "23:00:00", false),
            ("10:00:00", "23:00:00", true),
            ("22:00:00", "23:00:00", true),
        ] {
            let at = |time: &str| format!("2026-11-23T{time}Z");
            let event = format!(
                r#"{{"metadata": {{"name": "e", "creationTimestamp": "{}"}}, "lastTimestamp": "{}"}}"#,
                at(made),
                at(told)
            );
            let times: Times = serde_json::from_str(&event).unwrap();
            assert_eq!(times.is_old(at("12:00:01").parse().unwrap()), is_old, "{event}");
        }
    }

    #[test]
    fn an_event_is_old_an_hour_after_it_was_last_seen() {
        for told in [
            r#""lastTimestamp": "2026-11-23T11:00:00Z""#,
            r#""eventTime": "2026-11-23T11:00:00.000000Z""#,
            r#""eventTime": "2026-11-23T10:00:00.000000Z", "series": {"lastObservedTime": "2026-11-23T11:00:00.000000Z"}"#,
        ] {
            let made = r#""metadata": {"name": "e", "creationTimestamp": "2026-11-23T10:00:00Z"}"#;
            let times: Times = serde_json::from_str(&format!("{{{made}, {told}}}")).unwrap();
            assert!(!times.is_old("2026-11-23T12:00:00Z".parse().unwrap()), "{told}");
            assert!(times.is_old("2026-11-23T12:00:01Z".parse().unwrap()), "{told}");
        }
    }
}
