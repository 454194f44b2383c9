//! Schedules that are meant in a dialect (`--dialect`), while nothing in their object says so.

use crate::cronjob::extension::DIALECT_ANNOTATION;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::path::FieldPath;
use crate::manifest::tree::Node;
use crate::schedule::{Dialect, Expression, Spread};

/// The code of what is said of a `spec.schedule` that does not parse.
const INVALID_SCHEDULE: &str = "invalid-schedule";

/// Says of a `spec.schedule` in the dialect how to write what it means; of one that is none, what is wrong with it there.
pub(super) fn in_dialect(dialect: Dialect, object: &Node, diagnostics: &mut [Diagnostic]) {
    let schedule = object.at(&FieldPath::of("spec.schedule")).and_then(Node::as_str);
    let (Some(schedule), true) = (schedule, dialect != Dialect::Kubernetes) else {
        return;
    };
    let parsed = Expression::parse_in(schedule, dialect, Some(Spread::of("", "")));
    for diagnostic in diagnostics
        .iter_mut()
        .filter(|found| found.code == INVALID_SCHEDULE)
    {
        diagnostic.help = Some(match &parsed {
            Ok(expression) => remedy(expression),
            Err(error) => {
                let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
                format!("it is not good in the dialect `{dialect}` either: {error}{help}")
            }
        });
    }
}

/// How to write what an expression of another dialect means.
fn remedy(expression: &Expression) -> String {
    let dialect = expression.dialect();
    let annotation = match dialect {
        Dialect::Quartz => format!("`punctual.dev/schedules` with `{DIALECT_ANNOTATION}: {dialect}`"),
        Dialect::Extended | Dialect::Kubernetes => "`punctual.dev/schedules`".to_owned(),
    };
    match expression.written_in(Dialect::Kubernetes) {
        Some(five) => {
            format!("write `{five}`, which means the same, or put it into the annotation {annotation}")
        }
        None => format!(
            "put it into the annotation {annotation}, and here what comes nearest, for other controllers"
        ),
    }
}

/// The annotations of an object, read in the dialect where none says which.
pub(super) fn with_dialect(dialect: Dialect, annotations: &mut Vec<(String, String)>) {
    if !annotations.iter().any(|(name, _)| name == DIALECT_ANNOTATION) {
        annotations.push((DIALECT_ANNOTATION.to_owned(), dialect.name().to_owned()));
    }
}
