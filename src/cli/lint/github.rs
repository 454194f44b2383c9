//! What was found, as the commands by which a GitHub Actions run annotates files.

use crate::lint::{Finding, Report};
use crate::manifest::Severity;

/// One command a finding.
pub(super) fn annotations(report: &Report) -> String {
    report
        .findings
        .iter()
        .map(annotation)
        .collect::<Vec<_>>()
        .join("\n")
}

fn annotation(finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = vec![format!(
        "title={}",
        property(&format!("{} {}", finding.rule.code, finding.rule.name))
    )];
    if let Some(place) = &diagnostic.place {
        let end = place.end();
        properties.push(format!("file={}", property(&place.source.name)));
        properties.push(format!("line={},endLine={}", place.line(), end.line()));
        // Columns are shown only within one line.
        if place.line() == end.line() {
            properties.push(format!("col={},endColumn={}", place.column(), end.column()));
        }
    } else if let Some(file) = &diagnostic.file {
        properties.push(format!("file={}", property(file)));
    }
    let mut message = diagnostic.message.clone();
    for more in diagnostic.label.iter().chain(&diagnostic.help) {
        message.push('\n');
        message.push_str(more);
    }
    format!("::{command} {}::{}", properties.join(","), data(&message))
}

/// The message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
