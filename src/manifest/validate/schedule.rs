//! The schedule of a CronJob (rule V2): it must parse, and must not name a time zone itself.

use k8s_openapi::api::batch::v1::CronJobSpec;

use super::{Findings, Hint};
use crate::manifest::path::FieldPath;
use crate::schedule::{Dialect, Expression, ParseError, Spread, TimeZones};

/// What a schedule may not hold, anywhere: Kubernetes refuses the substring, not only the prefix.
const ZONE_MARK: &str = "TZ";

/// Checks the schedule of `spec`, which takes the place of `old` if that is given.
pub(super) fn check(
    spec: &CronJobSpec,
    old: Option<&CronJobSpec>,
    path: &FieldPath,
    zones: &TimeZones,
    found: &mut Findings,
) {
    let schedule = &spec.schedule;
    if schedule.is_empty() {
        return found.required(path, "");
    }
    match Expression::parse(schedule) {
        Ok(expression) => {
            if let Some(Err(unknown)) = expression.zone_prefix().map(|zone| zones.zone(zone)) {
                found.invalid(path, schedule, unknown.to_string());
            }
        }
        Err(error) => {
            found
                .invalid(path, schedule, error.to_string())
                .hint(in_the_schedule(&error));
        }
    }
    zone_in_schedule(spec, old, path, found);
}

/// A CronJob that was made before the rule may keep its `TZ=`, but not beside a `timeZone`.
fn zone_in_schedule(spec: &CronJobSpec, old: Option<&CronJobSpec>, path: &FieldPath, found: &mut Findings) {
    let Some(at) = spec.schedule.find(ZONE_MARK) else {
        return;
    };
    let had_it_before = old.is_some_and(|old| old.schedule.contains(ZONE_MARK));
    let detail = match (had_it_before, &spec.time_zone) {
        (true, None) => return,
        (true, Some(_)) => "cannot use both timeZone field and TZ or CRON_TZ in schedule",
        (false, _) => "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
    };
    let start = if spec.schedule[..at].ends_with("CRON_") {
        at - "CRON_".len()
    } else {
        at
    };
    let prefix = spec.schedule[start..].split(' ').next().unwrap_or_default();
    let zone = prefix
        .split_once('=')
        .map(|(_, zone)| zone)
        .filter(|zone| !zone.is_empty());
    found.invalid(path, &spec.schedule, detail).hint(Hint {
        message: ZONE_NAMED.to_owned(),
        within: Some(start..start + prefix.len()),
        label: None,
        help: zone.map(instead_of_naming),
    });
}

/// What is wrong with a schedule that names its time zone itself.
pub const ZONE_NAMED: &str = "a schedule cannot name its time zone";

/// What to write instead.
pub fn instead_of_naming(zone: &str) -> String {
    format!("leave it out, and write `timeZone: {zone}` beside the schedule")
}

fn in_the_schedule(error: &ParseError) -> Hint {
    if let Some(at) = error.text().find("{{") {
        return Hint {
            message: "this is a template, not a schedule".to_owned(),
            within: Some(at..error.text().len()),
            label: None,
            help: Some(
                "render it first, for example with `helm template`, and give the result to punctual"
                    .to_owned(),
            ),
        };
    }
    let help = error.help().into_iter().chain(elsewhere(error));
    Hint {
        message: error.to_string(),
        within: Some(error.span()),
        label: None,
        help: Some(help.collect::<Vec<String>>().join("; ")).filter(|help| !help.is_empty()),
    }
}

/// Where the same text may stand, unless what is suggested in its place means the same.
fn elsewhere(error: &ParseError) -> Option<String> {
    let good_in = error.good_in(Dialect::Kubernetes);
    let suggested = error.suggestion().and_then(|text| Expression::parse(&text).ok());
    let spread = Some(Spread::of("", ""));
    let meant = Expression::parse_in(error.text(), Dialect::Extended, spread).ok();
    if suggested.is_some_and(|suggested| meant.is_some_and(|meant| meant.describe() == suggested.describe()))
    {
        return None;
    }
    let text = match good_in.as_slice() {
        [] => return None,
        [Dialect::Quartz] => {
            "as Quartz, it may stand in the annotation `punctual.dev/schedules`, with `punctual.dev/dialect: quartz`"
        }
        _ => "as it is, it may stand in the annotation `punctual.dev/schedules`",
    };
    Some(text.to_owned())
}
