//! What was found, as a SARIF log (Static Analysis Results Interchange Format 2.1.0, an OASIS standard).

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::exit::Failure;
use crate::lint::{Finding, Report, Rule, rules};
use crate::manifest::Severity;
use crate::manifest::source::Place;

/// The schema that the log obeys.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log of one run.
pub(super) fn log(report: &Report) -> Result<String, Failure> {
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "punctual",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules().iter().map(descriptor).collect::<Value>(),
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": report.findings.iter().map(result).collect::<Value>(),
        }],
    });
    serde_json::to_string_pretty(&log)
        .map_err(|error| Failure::from_error("the output could not be written", &error))
}

/// A rule.
fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": format!("{}.", rule.summary) },
        "help": { "text": rule.explanation(), "markdown": rule.explanation() },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(finding: &Finding) -> Value {
    let diagnostic = &finding.diagnostic;
    let mut message = diagnostic.message.clone();
    for more in diagnostic.label.iter().chain(&diagnostic.help) {
        // Writing to a string does not fail.
        let _ = write!(message, "; {more}");
    }
    let mut result = json!({
        "ruleId": finding.rule.code,
        "level": level(diagnostic.severity),
        "message": { "text": message },
    });
    result["ruleIndex"] = rules().iter().position(|rule| rule == finding.rule).into();
    if let Some(place) = &diagnostic.place {
        let mut location = json!({ "physicalLocation": physical(place) });
        if let Some(subject) = &diagnostic.subject {
            let field = diagnostic
                .path
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            location["logicalLocations"] =
                json!([{ "fullyQualifiedName": format!("{subject} {field}").trim_end() }]);
        }
        result["locations"] = json!([location]);
    } else if let Some(file) = &diagnostic.file {
        let location = json!({ "physicalLocation": { "artifactLocation": { "uri": uri(file) } } });
        result["locations"] = json!([location]);
    }
    let related = diagnostic.related.iter().map(|related| {
        json!({ "physicalLocation": physical(&related.place), "message": { "text": related.label } })
    });
    let related: Vec<Value> = related.collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

fn physical(place: &Place) -> Value {
    let end = place.end();
    json!({
        "artifactLocation": { "uri": uri(&place.source.name) },
        "region": {
            "startLine": place.line(),
            "startColumn": place.column(),
            "endLine": end.line(),
            "endColumn": end.column(),
        },
    })
}

/// A path as a URI: relative to where the program was started, unless it is absolute.
fn uri(path: &str) -> String {
    let scheme = if Path::new(path).is_absolute() {
        "file://"
    } else {
        ""
    };
    let mut uri = scheme.to_owned();
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into());
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_uris() {
        for (path, expected) in [
            ("cron.yaml", "cron.yaml"),
            ("./k8s/cron.yaml", "k8s/cron.yaml"),
            ("/etc/a b.yaml", "file:///etc/a%20b.yaml"),
            ("<stdin>", "%3Cstdin%3E"),
            ("a:b/é.yaml", "a%3Ab/%C3%A9.yaml"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
