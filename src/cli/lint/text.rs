//! What was found, for people.

use std::fmt::Write as _;

use crate::cli::present::columns;
use crate::lint::{Report, Rule};
use crate::manifest::{Paint, Severity};

/// The findings one after another, with an empty line between them.
pub(super) fn findings(report: &Report) -> String {
    let drawn = report
        .findings
        .iter()
        .map(|finding| finding.diagnostic.render(Paint::Coloured));
    drawn.collect::<Vec<_>>().join("\n\n")
}

/// `2 errors and 1 warning in 5 objects; 3 objects of other kinds passed by`.
pub(super) fn summary(report: &Report) -> String {
    let severities = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ];
    let counts = severities
        .into_iter()
        .filter_map(|(severity, word)| match report.count(severity) {
            0 => None,
            count => Some(counted(count, word)),
        });
    let counts: Vec<String> = counts.collect();
    let found = if counts.is_empty() {
        "nothing found".to_owned()
    } else {
        counts.join(", ")
    };
    let mut summary = format!("{found} in {}", counted(report.objects, "object"));
    if report.others > 0 {
        // Writing to a string does not fail.
        let _ = write!(
            summary,
            "; {} of other kinds passed by",
            counted(report.others, "object")
        );
    }
    if report.silenced > 0 {
        let _ = write!(summary, "; {} silenced", report.silenced);
    }
    if let Some(finding) = report.findings.first() {
        let _ = write!(
            summary,
            "\n`punctual lint --explain {}` says more about a code",
            finding.rule.code
        );
    }
    summary
}

/// The page of a rule.
pub(super) fn page(rule: &Rule) -> String {
    format!(
        "{} {} ({})\n\n{}",
        rule.code,
        rule.name,
        rule.severity,
        rule.explanation()
    )
}

/// What rules there are.
pub(super) fn list(rules: &[Rule]) -> String {
    let row = |rule: &Rule| {
        [
            rule.code.to_owned(),
            rule.severity.to_string(),
            rule.name.to_owned(),
            rule.summary.to_owned(),
        ]
    };
    columns(
        ["CODE", "SEVERITY", "NAME", "WHAT IT FINDS"],
        rules.iter().map(row),
    )
}

fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}
