//! `start-at` and `end-at`: nothing is due before the one, nor after the other. Both instants belong to the window.

use super::mistake::{Fault, Meanwhile, Problem};
use super::register::Extension;
use super::word;

/// Nothing is due before.
pub(super) const START_AT: Extension = Extension {
    name: "punctual.dev/start-at",
    values: "an instant of RFC 3339: 2027-01-01T00:00:00+01:00",
    default: "none",
    doc: "Nothing is due before this instant",
    meanwhile: Meanwhile::Held,
    read: |value, _, into| {
        into.policies.terms.start_at = Some(word::instant(value)?);
        Ok(())
    },
};

/// Nothing is due after.
pub(super) const END_AT: Extension = Extension {
    name: "punctual.dev/end-at",
    values: "an instant of RFC 3339: 2027-12-31T23:59:59+01:00",
    default: "none",
    doc: "Nothing is due after this instant",
    meanwhile: Meanwhile::Held,
    read: |value, _, into| {
        let end = word::instant(value)?;
        if into.policies.terms.start_at.is_some_and(|start| end < start) {
            return Err(Fault::whole(value, Problem::EndsBeforeItBegins).into());
        }
        into.policies.terms.end_at = Some(end);
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};

    #[test]
    fn instants_have_an_offset() {
        let terms = read(&[("punctual.dev/start-at", "2027-01-01T00:00:00+01:00")])
            .policies
            .terms;
        assert_eq!(terms.start_at, "2026-12-31T23:00:00Z".parse().ok());
        insta::assert_snapshot!(said(&[("punctual.dev/start-at", "2027-01-01")]), @r#"annotation punctual.dev/start-at is "2027-01-01"; write an instant of RFC 3339, such as 2027-01-01T00:00:00+01:00. Until then nothing is started"#);
        insta::assert_snapshot!(said(&[
            ("punctual.dev/start-at", "2027-01-01T00:00:00Z"),
            ("punctual.dev/end-at", "2026-01-01T00:00:00Z"),
        ]), @"annotation punctual.dev/end-at: this is before punctual.dev/start-at, so nothing is ever due; write a later instant. Until then nothing is started");
    }
}
