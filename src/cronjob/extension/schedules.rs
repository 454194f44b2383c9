//! `schedules` and `dialect`: more than five fields, and more than one schedule.
//!
//! ```yaml
//! metadata:
//!   annotations:
//!     punctual.dev/schedules: |
//!       0 9 * * MON-FRI
//!       0 17 * * FRIL        # the last Friday of the month
//! spec:
//!   schedule: 0 9 * * 1-5    # for other controllers; has no effect here
//! ```
//!
//! One expression a line; blank lines and what follows a `#` that stands after a blank are left out (a `#` within a word
//! is the n-th weekday of a month). All are read on the wall clock of `spec.timeZone`, and instants that several have in
//! common fire once. The annotation wins over `spec.schedule`, which stays valid for other controllers.

use std::ops::Range;
use std::sync::Arc;

use super::Extensions;
use super::mistake::{Fault, Meanwhile, Problem};
use super::register::Extension;
use super::word;
use crate::cronjob::Key;
use crate::schedule::{Dialect, Expression, ParseError, Spread};

/// A CronJob has no more schedules than this. Each makes every search for its next instant a little longer.
pub(super) const SCHEDULES_MAX: usize = 64;

/// What the schedules of the annotation are written in.
pub const DIALECT_ANNOTATION: &str = "punctual.dev/dialect";

/// What `schedules` are written in.
pub(super) const DIALECT: Extension = Extension {
    name: DIALECT_ANNOTATION,
    values: "extended or quartz",
    default: "extended",
    doc: "The dialect of `punctual.dev/schedules`: `extended` is the Kubernetes grammar with seconds, L, W, # and H",
    meanwhile: Meanwhile::Held,
    read: |value, _, into| {
        const CHOICES: [Dialect; 3] = [Dialect::Extended, Dialect::Quartz, Dialect::Kubernetes];
        into.dialect = word::one_of(value, &["extended", "quartz", "kubernetes"], &CHOICES)?;
        Ok(())
    },
};

/// Schedules that `spec.schedule` cannot hold.
pub(super) const SCHEDULES: Extension = Extension {
    name: "punctual.dev/schedules",
    values: "cron expressions, one a line",
    default: "`spec.schedule`",
    doc: "When to run, in place of `spec.schedule`; what several schedules have in common fires once",
    meanwhile: Meanwhile::Held,
    read,
};

fn read(value: &str, cronjob: &Key, into: &mut Extensions) -> Result<(), Vec<Fault>> {
    let spread = Spread::of(&cronjob.namespace, &cronjob.name);
    let lines = lines(value);
    if lines.is_empty() {
        return Err(Fault::whole(
            value,
            Problem::Empty {
                write: "a schedule, such as 0 9 * * MON-FRI",
            },
        )
        .into());
    }
    if let Some(first_too_many) = lines.get(SCHEDULES_MAX) {
        let problem = Problem::TooMany {
            what: "schedules",
            most: SCHEDULES_MAX,
        };
        return Err(Fault {
            span: first_too_many.clone(),
            problem,
        }
        .into());
    }
    let (mut expressions, mut faults) = (Vec::new(), Vec::new());
    for line in lines {
        match Expression::parse_in(&value[line.clone()], into.dialect, Some(spread)) {
            Ok(expression) => expressions.push(expression),
            Err(error) => faults.push(fault(&line, error, into.dialect)),
        }
    }
    if faults.is_empty() {
        into.schedules = Some(expressions);
        Ok(())
    } else {
        Err(faults)
    }
}

/// A mistake within a line, at its bytes of the whole value.
fn fault(line: &Range<usize>, error: ParseError, dialect: Dialect) -> Fault {
    let within = error.span();
    let good_in = error.good_in(dialect);
    Fault {
        span: line.start + within.start..line.start + within.end,
        problem: Problem::Schedule {
            error: Arc::new(error),
            // Here the dialect of `spec.schedule` offers nothing: whatever is good in it is good in `extended`.
            good_in: good_in
                .into_iter()
                .filter(|dialect| *dialect != Dialect::Kubernetes)
                .collect(),
        },
    }
}

/// Where the expressions stand: lines without blanks around them, comments and empty lines.
fn lines(value: &str) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in value.split_inclusive('\n') {
        let text = without_comment(line).trim_end();
        let indent = text.len() - text.trim_start().len();
        if indent < text.len() {
            lines.push(start + indent..start + text.len());
        }
        start += line.len();
    }
    lines
}

fn without_comment(line: &str) -> &str {
    let begins =
        |(at, c): (usize, char)| c == '#' && line[..at].chars().next_back().is_none_or(char::is_whitespace);
    match line.char_indices().find(|at| begins(*at)) {
        Some((at, _)) => &line[..at],
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ExtensionError;
    use super::super::tests::{read, said};

    #[test]
    fn one_expression_a_line() {
        for (value, expected) in [
            ("0 9 * * *", "0 9 * * *"),
            ("0 9 * * *\n0 17 * * FRIL\n", "0 9 * * * | 0 17 * * FRIL"),
            (
                "\n  0 9 * * * \r\n\n\t30 0 9 * * * # half a minute later\n",
                "0 9 * * * | 30 0 9 * * *",
            ),
            ("# office hours\n0 9-17 * * MON-FRI", "0 9-17 * * MON-FRI"),
            ("0 17 * * FRI#2", "0 17 * * FRI#2"),
            ("@every 90s\n@daily", "@every 90s | @daily"),
        ] {
            let read = read(&[("punctual.dev/schedules", value)]);
            let expressions = read.schedules.expect("schedules");
            let texts: Vec<&str> = expressions
                .iter()
                .map(crate::schedule::Expression::as_str)
                .collect();
            assert_eq!(texts.join(" | "), expected, "{value:?}");
        }
    }

    #[test]
    fn a_dialect_is_that_of_the_schedules() {
        let quartz = [
            ("punctual.dev/schedules", "0 0 12 ? * FRI 2027"),
            ("punctual.dev/dialect", "quartz"),
        ];
        assert_eq!(read(&quartz).schedules.map(|all| all.len()), Some(1));
    }

    #[test]
    fn mistakes_name_the_line_and_the_remedy() {
        insta::assert_snapshot!(said(&[("punctual.dev/schedules", "0 9 * * *\n0 25 * * *\n0 9 * * FUN")]), @r#"annotation punctual.dev/schedules has "0 25 * * *": there is no hour 25: hours go from 0 to 23. Until then nothing is started
annotation punctual.dev/schedules has "0 9 * * FUN": `FUN` is not a day of the week; write `0 9 * * SUN`. Until then nothing is started"#);
        insta::assert_snapshot!(said(&[("punctual.dev/schedules", "0 0 12 ? * 6L 2027")]), @r#"annotation punctual.dev/schedules has "0 0 12 ? * 6L 2027": a schedule has 5 fields, or 6 with seconds, and this one has 7; write five fields, or six with the seconds in front, such as `30 0 2 * * *`. Until then nothing is started"#);
        insta::assert_snapshot!(said(&[("punctual.dev/schedules", "TZ=Asia/Tokyo 0 9 * * *")]), @r#"annotation punctual.dev/schedules has "TZ=Asia/Tokyo 0 9 * * *": only the dialect `kubernetes` has a time zone in front; a CronJob names its time zone in spec.timeZone. Until then nothing is started"#);
        insta::assert_snapshot!(said(&[("punctual.dev/schedules", " \n# later\n")]), @"annotation punctual.dev/schedules: there is nothing in it; write a schedule, such as 0 9 * * MON-FRI. Until then nothing is started");
        insta::assert_snapshot!(said(&[("punctual.dev/schedules", &"0 9 * * *\n".repeat(65))]), @"annotation punctual.dev/schedules: there may be no more than 64 schedules; split it into several CronJobs. Until then nothing is started");
        insta::assert_snapshot!(said(&[("punctual.dev/dialect", "Quartz")]), @r#"annotation punctual.dev/dialect is "Quartz"; write "extended", "quartz" or "kubernetes". Until then nothing is started"#);
    }

    #[test]
    fn a_mistake_knows_its_bytes() {
        let value = "0 9 * * *\n  0 25 * * *";
        let key = crate::cronjob::Key {
            namespace: "a".into(),
            name: "b".into(),
        };
        let (_, mistakes) = super::super::Extensions::read(&key, [("punctual.dev/schedules", value)]);
        assert_eq!(
            mistakes.iter().map(ExtensionError::fragment).collect::<Vec<_>>(),
            ["25"]
        );
    }
}
