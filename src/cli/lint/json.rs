//! What was found, for programs.

use serde::Serialize;

use crate::cli::exit::Failure;
use crate::lint::{Finding, Report};
use crate::manifest::source::Place;

/// The JSON output, in the order of its fields.
#[derive(Serialize)]
struct Json<'a> {
    findings: Vec<JsonFinding<'a>>,
    /// CronJobs, Jobs and objects with pods that were looked at.
    objects: usize,
    /// Objects of other kinds.
    others: usize,
    silenced: usize,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    code: &'a str,
    name: &'a str,
    severity: String,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(flatten)]
    place: Option<JsonPlace<'a>>,
    /// Where there is no place in it: it is meant as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<JsonRelated<'a>>,
}

/// A place in a file; lines and columns (of characters) are counted from 1, and the end is the first character that is
/// not part of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonPlace<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    #[serde(flatten)]
    place: JsonPlace<'a>,
    label: &'a str,
}

/// The whole report.
pub(super) fn report(report: &Report) -> Result<String, Failure> {
    let json = Json {
        findings: report.findings.iter().map(finding).collect(),
        objects: report.objects,
        others: report.others,
        silenced: report.silenced,
    };
    serde_json::to_string_pretty(&json)
        .map_err(|error| Failure::from_error("the output could not be written", &error))
}

fn finding(finding: &Finding) -> JsonFinding<'_> {
    let diagnostic = &finding.diagnostic;
    let related = diagnostic.related.iter().map(|related| JsonRelated {
        place: place(&related.place),
        label: &related.label,
    });
    JsonFinding {
        code: finding.rule.code,
        name: finding.rule.name,
        severity: diagnostic.severity.to_string(),
        message: &diagnostic.message,
        object: diagnostic.subject.as_deref(),
        field: diagnostic.path.as_ref().map(ToString::to_string),
        place: diagnostic.place.as_ref().map(place),
        file: diagnostic.file.as_deref().filter(|_| diagnostic.place.is_none()),
        label: diagnostic.label.as_deref(),
        help: diagnostic.help.as_deref(),
        related: related.collect(),
    }
}

fn place(place: &Place) -> JsonPlace<'_> {
    let end = place.end();
    JsonPlace {
        file: &place.source.name,
        line: place.line(),
        column: place.column(),
        end_line: end.line(),
        end_column: end.column(),
    }
}
