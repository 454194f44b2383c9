//! From the CronJob on the wire to the one that policy decides on.
//!
//! Nothing is refused here: what the API server let through has to be lived with. A schedule or zone that cannot be
//! used is carried as such, and policy says so.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::TimeDelta;
use k8s_openapi::api::batch::v1::CronJobStatus;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use super::adoption::{self, SUSPEND_ANNOTATION};
use super::resource::CronJob;
use crate::cronjob::extension::{
    self, ExtensionError, Extensions, Meanwhile, STATE_ANNOTATION, SUSPENDED_ANNOTATION,
};
use crate::cronjob::{
    self, BadSchedule, Calendars, Concurrency, HistoryLimits, JobRef, Key, Owner, Record, Spec, Status,
};
use crate::schedule::{Days, Dialect, Expression, TimeZones, Timestamp, Zone};

/// The CronJob as policy sees it.
///
/// `previous` is what an earlier version of the same CronJob was lowered to: where schedule and zone are still the
/// same, they are not compiled again.
///
/// It knows no calendars, so a CronJob that names one is held; [`lower_with`] is for who knows some.
pub fn lower(object: &CronJob, zones: &TimeZones, previous: Option<&Spec>) -> cronjob::CronJob {
    lower_with(object, zones, &Calendars::default(), previous)
}

/// The CronJob as policy sees it, with the calendars that it may name.
pub fn lower_with(
    object: &CronJob,
    zones: &TimeZones,
    calendars: &Calendars,
    previous: Option<&Spec>,
) -> cronjob::CronJob {
    let metadata = &object.metadata;
    cronjob::CronJob {
        key: object.key(),
        uid: metadata.uid.clone().unwrap_or_default(),
        created: metadata
            .creation_timestamp
            .as_ref()
            .and_then(timestamp)
            .unwrap_or(Timestamp::UNIX_EPOCH),
        deleting: metadata.deletion_timestamp.is_some(),
        spec: lower_spec(object, zones, calendars, previous),
        status: object.recorded_status(),
    }
}

/// Namespace and name of an object.
pub fn key_of(metadata: &ObjectMeta) -> Key {
    Key {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
    }
}

impl CronJob {
    /// Namespace and name.
    pub fn key(&self) -> Key {
        key_of(&self.metadata)
    }

    /// The CronJob as its Jobs know it.
    pub fn as_owner(&self) -> Owner {
        Owner {
            namespace: self.metadata.namespace.clone().unwrap_or_default(),
            uid: self.metadata.uid.clone().unwrap_or_default(),
        }
    }

    /// What its annotations under `punctual.dev/` say, and what is wrong with them.
    pub fn extensions(&self) -> (Extensions, Vec<ExtensionError>) {
        let annotations = self.metadata.annotations.iter().flatten();
        let annotations = annotations.map(|(name, value)| (name.as_str(), value.as_str()));
        Extensions::read(&self.key(), annotations)
    }

    /// The expressions that it is scheduled by: those of `punctual.dev/schedules`, or that of its spec.
    ///
    /// # Errors
    ///
    /// When one of them can't be read.
    pub fn expressions(&self) -> Result<Vec<Expression>, BadSchedule> {
        let (extensions, mistakes) = self.extensions();
        match mistakes
            .into_iter()
            .find(|mistake| mistake.meanwhile == Meanwhile::Held)
        {
            Some(mistake) => Err(BadSchedule::Annotation {
                name: mistake.name.clone(),
                source: Arc::new(mistake),
            }),
            None => expressions(&self.spec.schedule, &extensions).map(Cow::into_owned),
        }
    }

    /// What is recorded of it: its `status`, and the annotation beside it.
    pub fn recorded_status(&self) -> Status {
        let status = self.status.as_ref();
        let active = status.and_then(|status| status.active.as_ref());
        let time = |of: fn(&CronJobStatus) -> &Option<Time>| timestamp(of(status?).as_ref()?);
        Status {
            active: active.into_iter().flatten().map(job_ref).collect(),
            last_schedule_time: time(|status| &status.last_schedule_time),
            last_successful_time: time(|status| &status.last_successful_time),
            record: self.record(),
        }
    }

    /// What is recorded beyond the status. What can't be read is told with the other annotations: a record is forgotten,
    /// a suspension stays one.
    fn record(&self) -> Record {
        let text = |name| self.metadata.annotations.as_ref()?.get(name).map(String::as_str);
        let record = text(STATE_ANNOTATION).and_then(|text| Record::parse(text).ok());
        let suspended = text(SUSPENDED_ANNOTATION);
        Record {
            suspended: suspended.map(|since| since.parse().unwrap_or(Timestamp::UNIX_EPOCH)),
            ..record.unwrap_or_default()
        }
    }
}

fn lower_spec(object: &CronJob, zones: &TimeZones, calendars: &Calendars, previous: Option<&Spec>) -> Spec {
    let spec = &object.spec;
    let (mut extensions, mut mistakes) = object.extensions();
    mistakes.extend(resolve(&mut extensions, object, calendars));
    let schedule_text = schedule_text(object, &extensions);
    // The pause of a CronJob that is not handed over has no effect, whatever it says.
    mistakes.retain(|mistake| extensions.managed || mistake.name != SUSPEND_ANNOTATION);
    let held = mistakes
        .iter()
        .find(|mistake| mistake.meanwhile == Meanwhile::Held);
    let unchanged = previous.filter(|known| {
        held.is_none()
            && !matches!(known.schedule, Err(BadSchedule::Annotation { .. }))
            && known.schedule_text == schedule_text
            && known.time_zone == spec.time_zone
            && known.policies.terms == extensions.policies.terms
    });
    let schedule = match (held, unchanged) {
        (Some(mistake), _) => Err(BadSchedule::Annotation {
            name: mistake.name.clone(),
            source: Arc::new(mistake.clone()),
        }),
        (None, Some(known)) => known.schedule.clone(),
        (None, None) => {
            let zone = spec.time_zone.as_deref();
            timing(&spec.schedule, zone, &extensions, zones)
                .map(|(expressions, zone)| extensions.policies.terms.apply(&expressions, &zone))
        }
    };
    let schedule = schedule.map(|schedule| schedule.without(&extensions.skip));
    let defaults = HistoryLimits::default();
    let limit = |written: Option<i32>, default| {
        written.map_or(default, |limit| Some(usize::try_from(limit).unwrap_or(0)))
    };
    Spec {
        schedule_text,
        time_zone: spec.time_zone.clone(),
        schedule,
        suspend: adoption::suspended(object, &extensions),
        suspend_until: extensions.paused_until,
        concurrency: concurrency(spec.concurrency_policy.as_deref()),
        starting_deadline: spec.starting_deadline_seconds.and_then(TimeDelta::try_seconds),
        history: HistoryLimits {
            successful: limit(spec.successful_jobs_history_limit, defaults.successful),
            failed: limit(spec.failed_jobs_history_limit, defaults.failed),
        },
        policies: extensions.policies,
        mistakes,
    }
}

/// The schedule as it was written: that of the annotation, if there is one.
///
/// A schedule reads the same whatever its dialect, so that of Quartz says so: a change of dialect is an edit.
fn schedule_text(object: &CronJob, extensions: &Extensions) -> String {
    let Some(schedules) = &extensions.schedules else {
        return object.spec.schedule.clone();
    };
    let lines: Vec<&str> = schedules.iter().map(Expression::as_str).collect();
    match extensions.dialect {
        Dialect::Quartz => format!("{} (quartz)", lines.join("; ")),
        Dialect::Extended | Dialect::Kubernetes => lines.join("; "),
    }
}

/// What a CronJob is scheduled by, and on whose wall clock.
pub(crate) fn timing<'a>(
    schedule: &str,
    time_zone: Option<&str>,
    extensions: &'a Extensions,
    zones: &TimeZones,
) -> Result<(Cow<'a, [Expression]>, Arc<Zone>), BadSchedule> {
    let expressions = expressions(schedule, extensions)?;
    // A `TZ=` prefix, which only `spec.schedule` can have, wins over `spec.timeZone`; without either, the zone is UTC.
    let prefix = expressions.iter().find_map(Expression::zone_prefix);
    let zone = match prefix.or(time_zone) {
        None | Some("") => Zone::utc(),
        Some(name) => zones.zone(name).map_err(|source| BadSchedule::UnknownTimeZone {
            name: name.to_owned(),
            source: Arc::new(source),
        })?,
    };
    Ok((expressions, zone))
}

/// Adds the days of the calendars that a CronJob names to those that it excludes, or says which it can't.
fn resolve(extensions: &mut Extensions, object: &CronJob, calendars: &Calendars) -> Option<ExtensionError> {
    let named = &extensions.policies.calendars;
    if named.is_empty() {
        return None;
    }
    let excluded = &mut extensions.policies.terms.excluded;
    match calendars.days(&object.key().namespace, named) {
        Ok(days) => {
            *excluded = Days::union([&*excluded, &days]);
            None
        }
        Err((name, error)) => Some(extension::no_calendar(&name, error)),
    }
}

/// What a CronJob is scheduled by: the annotation's expressions, or that of its spec.
fn expressions<'a>(schedule: &str, extensions: &'a Extensions) -> Result<Cow<'a, [Expression]>, BadSchedule> {
    if let Some(schedules) = &extensions.schedules {
        return Ok(Cow::Borrowed(schedules));
    }
    let expression = Expression::parse(schedule).map_err(|source| BadSchedule::Unparseable {
        text: schedule.to_owned(),
        source: Arc::new(source),
    })?;
    Ok(Cow::Owned(vec![expression]))
}

/// As in Kubernetes, a policy that is not known acts as `Allow`.
fn concurrency(policy: Option<&str>) -> Concurrency {
    match policy {
        Some("Forbid") => Concurrency::Forbid,
        Some("Replace") => Concurrency::Replace,
        _ => Concurrency::Allow,
    }
}

fn job_ref(reference: &ObjectReference) -> JobRef {
    JobRef {
        name: reference.name.clone().unwrap_or_default(),
        uid: reference.uid.clone().unwrap_or_default(),
        resource_version: reference.resource_version.clone().unwrap_or_default(),
    }
}

/// A time of Kubernetes, which has whole seconds, as ours.
pub fn timestamp(time: &Time) -> Option<Timestamp> {
    Timestamp::from_timestamp(time.0.as_second(), 0)
}
