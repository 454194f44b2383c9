//! `suspend-until`, `suspend-reason` and `skip`: how long a pause lasts and why, and single instants that do not run.
//!
//! They are what `punctual suspend` and `punctual skip-next` write, and may as well be written by hand. The pause itself is
//! `spec.suspend`, or `punctual.dev/suspend` of a CronJob that is handed over; without one, its end and its reason say
//! nothing.

use super::mistake::{Fault, Meanwhile, Problem};
use super::register::Extension;
use crate::schedule::Timestamp;

/// When a pause ends.
pub const SUSPEND_UNTIL_ANNOTATION: &str = "punctual.dev/suspend-until";

/// Why there is a pause.
pub const SUSPEND_REASON_ANNOTATION: &str = "punctual.dev/suspend-reason";

/// The instants that do not run.
pub const SKIP_ANNOTATION: &str = "punctual.dev/skip";

/// More instants than this are a schedule of their own; `exclude` and `end-at` say such things better.
const MOST_SKIPPED: usize = 100;

/// The end of a pause.
pub(super) const SUSPEND_UNTIL: Extension = Extension {
    name: SUSPEND_UNTIL_ANNOTATION,
    values: "an instant of RFC 3339: 2026-11-23T08:00:00Z",
    default: "the pause has no end",
    doc: "When a pause ends by itself; kubectl goes on showing SUSPEND True",
    meanwhile: Meanwhile::Default("the pause has no end"),
    read: |value, _, into| {
        into.paused_until = Some(instant(value, value)?);
        Ok(())
    },
};

/// The reason of a pause.
pub(super) const SUSPEND_REASON: Extension = Extension {
    name: SUSPEND_REASON_ANNOTATION,
    values: "any text",
    default: "none",
    doc: "Why the CronJob is suspended, for `punctual get` and whoever wonders",
    meanwhile: Meanwhile::Default("it has no effect"),
    read: |value, _, into| {
        into.pause_reason = Some(value.to_owned());
        Ok(())
    },
};

/// Instants that do not run.
pub(super) const SKIP: Extension = Extension {
    name: SKIP_ANNOTATION,
    values: "instants of RFC 3339, with commas between them: 2026-11-23T08:00:00Z,2026-11-24T08:00:00Z",
    default: "none",
    doc: "Due instants that are not started",
    meanwhile: Meanwhile::Held,
    read: |value, _, into| {
        into.skip = instants(value)?;
        Ok(())
    },
};

fn instants(value: &str) -> Result<Vec<Timestamp>, Vec<Fault>> {
    let texts: Vec<&str> = value
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect();
    if texts.len() > MOST_SKIPPED {
        let too_many = Problem::TooMany {
            what: "instants",
            most: MOST_SKIPPED,
        };
        return Err(Fault::whole(value, too_many).into());
    }
    let (mut instants, mut faults) = (vec![], vec![]);
    for text in texts {
        match instant(value, text) {
            Ok(instant) => instants.push(instant),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(instants)
    } else {
        Err(faults)
    }
}

/// The instant that a part of a value is.
fn instant(value: &str, text: &str) -> Result<Timestamp, Fault> {
    let parsed = chrono::DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
    parsed.map_err(|_| {
        let start = value.find(text).unwrap_or(0);
        Fault {
            span: start..start + text.len(),
            problem: Problem::NotA {
                what: "an instant of RFC 3339 such as 2026-11-23T08:00:00Z".into(),
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn instants_are_read_in_any_offset() {
        let extensions = read(&[
            (SUSPEND_UNTIL_ANNOTATION, "2026-11-23T09:00:00+01:00"),
            (SKIP_ANNOTATION, "2026-11-23T08:00:00Z, 2026-11-24T08:00:00Z,"),
        ]);
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        assert_eq!(extensions.paused_until, Some(at("2026-11-23T08:00:00Z")));
        assert_eq!(
            extensions.skip,
            [at("2026-11-23T08:00:00Z"), at("2026-11-24T08:00:00Z")]
        );
    }

    #[test]
    fn what_is_no_instant_is_said_where_it_stands() {
        insta::assert_snapshot!(said(&[
            (SUSPEND_UNTIL_ANNOTATION, "tomorrow"),
            (SKIP_ANNOTATION, "2026-11-23T08:00:00Z,noon"),
        ]));
    }

    #[test]
    fn a_list_of_instants_has_an_end() {
        let many = "2026-11-23T08:00:00Z,".repeat(MOST_SKIPPED + 1);
        assert!(said(&[(SKIP_ANNOTATION, &many)]).contains("no more than 100 instants"));
    }
}
