//! Label and field selectors: which objects of a list or a watch are meant.
//!
//! Grammar and meaning: Kubernetes documentation, "Labels and Selectors" and "Field Selectors".

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::ApiError;
use super::resource::Resource;
use crate::manifest::validate::names;
use crate::standalone::store::{Object, StoreError};

/// Which objects are meant. The default means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<LabelRule>,
    fields: Vec<FieldRule>,
}

/// One term of a label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LabelRule {
    key: String,
    test: LabelTest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LabelTest {
    Exists,
    Absent,
    In(Vec<String>),
    /// True of objects without the label as well.
    NotIn(Vec<String>),
    GreaterThan(i64),
    LessThan(i64),
}

/// One term of a field selector.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRule {
    path: String,
    value: String,
    equal: bool,
}

/// What label selectors look at.
#[derive(Deserialize)]
struct Labelled<'a> {
    #[serde(borrow, default)]
    metadata: Labels<'a>,
}

#[derive(Deserialize, Default)]
struct Labels<'a> {
    #[serde(borrow, default)]
    labels: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl Selector {
    /// Reads the two query parameters of a request.
    ///
    /// # Errors
    ///
    /// [`ApiError::BadRequest`] when they cannot be read, or name a field that objects of the resource are not found by.
    pub fn parse(resource: &Resource, labels: &str, fields: &str) -> Result<Self, ApiError> {
        let labels = terms(labels)
            .into_iter()
            .map(LabelRule::parse)
            .collect::<Result<_, _>>()?;
        let fields = terms(fields)
            .into_iter()
            .filter(|term| !term.is_empty())
            .map(|term| FieldRule::parse(resource, term))
            .collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    /// Whether everything is meant.
    pub fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether the object is meant.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the object cannot be read.
    pub fn matches(&self, object: &Object) -> Result<bool, StoreError> {
        if !self.labels.is_empty() {
            let Labelled { metadata } = object.read()?;
            let meant = |rule: &LabelRule| {
                rule.test
                    .holds(metadata.labels.get(rule.key.as_str()).map(AsRef::as_ref))
            };
            if !self.labels.iter().all(meant) {
                return Ok(false);
            }
        }
        if self.fields.is_empty() {
            return Ok(true);
        }
        let document: serde_json::Value = object.read()?;
        Ok(self.fields.iter().all(|rule| rule.holds(&document)))
    }
}

/// Splits at the commas outside of parentheses. An empty selector has no terms.
fn terms(selector: &str) -> Vec<&str> {
    if selector.trim().is_empty() {
        return Vec::new();
    }
    let mut depth = 0_usize;
    selector
        .split(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(str::trim)
        .collect()
}

impl LabelRule {
    fn parse(term: &str) -> Result<Self, ApiError> {
        let rule = |key: &str, test: LabelTest| {
            let key = key.trim();
            let is_value = |value: &String| names::label_value(value).is_empty();
            if !names::qualified(key).is_empty() || !test.values().iter().all(is_value) {
                return Err(unreadable(term));
            }
            Ok(Self {
                key: key.to_owned(),
                test,
            })
        };
        let one = |value: &str| vec![value.trim().to_owned()];
        if let Some((key, value)) = term.split_once("!=") {
            return rule(key, LabelTest::NotIn(one(value)));
        }
        if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
            return rule(key, LabelTest::In(one(value)));
        }
        if let Some((key, number)) = term.split_once('>') {
            return rule(
                key,
                LabelTest::GreaterThan(number.trim().parse().map_err(|_| unreadable(term))?),
            );
        }
        if let Some((key, number)) = term.split_once('<') {
            return rule(
                key,
                LabelTest::LessThan(number.trim().parse().map_err(|_| unreadable(term))?),
            );
        }
        if let Some((head, values)) = term.strip_suffix(')').and_then(|term| term.split_once('(')) {
            let values = values.split(',').map(|value| value.trim().to_owned()).collect();
            return match head.split_whitespace().collect::<Vec<_>>()[..] {
                [key, "in"] => rule(key, LabelTest::In(values)),
                [key, "notin"] => rule(key, LabelTest::NotIn(values)),
                _ => Err(unreadable(term)),
            };
        }
        match term.strip_prefix('!') {
            Some(key) => rule(key, LabelTest::Absent),
            None => rule(term, LabelTest::Exists),
        }
    }
}

impl LabelTest {
    /// The values that a label is compared with.
    fn values(&self) -> &[String] {
        match self {
            Self::In(values) | Self::NotIn(values) => values,
            Self::Exists | Self::Absent | Self::GreaterThan(_) | Self::LessThan(_) => &[],
        }
    }

    fn holds(&self, label: Option<&str>) -> bool {
        let number = || label.and_then(|label| label.parse::<i64>().ok());
        match self {
            Self::Exists => label.is_some(),
            Self::Absent => label.is_none(),
            Self::In(values) => label.is_some_and(|label| values.iter().any(|value| value == label)),
            Self::NotIn(values) => label.is_none_or(|label| values.iter().all(|value| value != label)),
            Self::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Self::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

impl FieldRule {
    fn parse(resource: &Resource, term: &str) -> Result<Self, ApiError> {
        let split = |separator, equal| {
            term.split_once(separator)
                .map(|(path, value)| (path, value, equal))
        };
        let (path, value, equal) = split("!=", false)
            .or_else(|| split("==", true))
            .or_else(|| split("=", true))
            .filter(|(_, value, _)| !value.contains('='))
            .ok_or_else(|| {
                ApiError::bad_request(format!(
                    "invalid selector: \"{term}\" is no term of a field selector; write field=value or field!=value"
                ))
            })?;
        let known = |field: &&str| *field == path;
        let in_metadata = path == "metadata.name" || (resource.namespaced && path == "metadata.namespace");
        if !in_metadata && !resource.strategy.selectable_fields().iter().any(known) {
            return Err(ApiError::bad_request(match resource.kind {
                "Job" => format!("field label \"{path}\" not supported for Job"),
                _ if resource.strategy.selectable_fields().is_empty() => format!(
                    "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                ),
                _ => format!("field label not supported: {path}"),
            }));
        }
        // The one field that is selected by another name than it has.
        let path = if path == "status.successful" {
            "status.succeeded"
        } else {
            path
        };
        Ok(Self {
            path: path.to_owned(),
            value: value.to_owned(),
            equal,
        })
    }

    fn holds(&self, document: &serde_json::Value) -> bool {
        // A field that is not there counts as its empty value, as in Go: "", false or 0.
        let found = self
            .path
            .split('.')
            .try_fold(document, |value, field| value.get(field));
        let equal = match found {
            Some(serde_json::Value::String(text)) => *text == self.value,
            Some(serde_json::Value::Bool(flag)) => flag.to_string() == self.value,
            Some(serde_json::Value::Number(number)) => number.to_string() == self.value,
            Some(_) => false,
            None => ["", "false", "0"].contains(&self.value.as_str()),
        };
        equal == self.equal
    }
}

fn unreadable(term: &str) -> ApiError {
    ApiError::bad_request(format!(
        "unable to parse requirement: \"{term}\" is no term of a label selector; write key=value, key!=value, \
         key in (a,b), key notin (a,b), key or !key"
    ))
}

#[cfg(test)]
mod tests;
