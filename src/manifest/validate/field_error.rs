//! A field that breaks a rule, shown as kube-apiserver shows it.
//!
//! The kinds and their wording are those of `k8s.io/apimachinery/pkg/util/validation/field`.

use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde_json::Value;

use crate::manifest::path::FieldPath;

/// A field that breaks a rule.
///
/// `Display` gives Kubernetes' own line: `spec.schedule: Invalid value: "x": …`.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldError {
    /// The field, as the API server names it.
    pub path: FieldPath,
    /// Where it stands in the object, if the API server does not name it by that: it names all labels for one of them.
    pub place: Option<FieldPath>,
    /// How it breaks the rule.
    pub reason: Reason,
    /// The value that was refused; none where Kubernetes leaves it out.
    pub value: Option<Value>,
    /// The rule, in Kubernetes' words; may be empty.
    pub detail: String,
    /// What a person should be told instead, where there is more to say than Kubernetes does.
    pub hint: Option<Hint>,
}

/// A better word on a [`FieldError`], for those who can show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint {
    /// What is wrong, in one sentence without a full stop; empty to keep Kubernetes' words.
    pub message: String,
    /// The bytes of the (string) value that are meant.
    pub within: Option<Range<usize>>,
    /// What to write beside the caret.
    pub label: Option<String>,
    /// What to write instead.
    pub help: Option<String>,
}

/// How a field breaks a rule. The names are the causes of a Kubernetes `Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is there, and something must be.
    Required,
    /// The value is malformed or out of bounds.
    Invalid,
    /// The text can't be read as what the field holds. The API server finds that before it looks at anything else, so
    /// that it is no cause of a `Status`.
    Malformed,
    /// The value is not one of those allowed.
    NotSupported,
    /// The value would be right elsewhere, but not here.
    Forbidden,
    /// The value is there already.
    Duplicate,
    /// The value names something that does not exist.
    NotFound,
    /// The text is too long.
    TooLong,
    /// The list has too many items.
    TooMany,
}

impl Reason {
    /// The `reason` of a cause in a Kubernetes `Status`.
    pub fn cause(self) -> &'static str {
        match self {
            Reason::Required => "FieldValueRequired",
            Reason::Invalid | Reason::Malformed => "FieldValueInvalid",
            Reason::NotSupported => "FieldValueNotSupported",
            Reason::Forbidden => "FieldValueForbidden",
            Reason::Duplicate => "FieldValueDuplicate",
            Reason::NotFound => "FieldValueNotFound",
            Reason::TooLong => "FieldValueTooLong",
            Reason::TooMany => "FieldValueTooMany",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Reason::Required => "Required value",
            Reason::Invalid | Reason::Malformed => "Invalid value",
            Reason::NotSupported => "Unsupported value",
            Reason::Forbidden => "Forbidden",
            Reason::Duplicate => "Duplicate value",
            Reason::NotFound => "Not found",
            Reason::TooLong => "Too long",
            Reason::TooMany => "Too many",
        }
    }
}

impl FieldError {
    /// The line without the field's name: the `message` of a cause in a Kubernetes `Status`.
    pub fn body(&self) -> String {
        let mut body = self.reason.title().to_owned();
        if let Some(value) = &self.value {
            body.push_str(": ");
            body.push_str(&value.to_string());
        }
        if !self.detail.is_empty() {
            body.push_str(": ");
            body.push_str(&self.detail);
        }
        body
    }

    /// Where the field stands in the object.
    pub fn place(&self) -> &FieldPath {
        self.place.as_ref().unwrap_or(&self.path)
    }

    /// Says it better.
    pub(crate) fn hint(&mut self, hint: Hint) {
        self.hint = Some(hint);
    }

    /// Says where it stands.
    pub(crate) fn at(&mut self, place: FieldPath) -> &mut Self {
        self.place = Some(place);
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body())
    }
}

impl std::error::Error for FieldError {}

/// Collects what is wrong with an object, in the order in which it is found.
#[derive(Debug, Default)]
pub struct Findings(Vec<FieldError>);

impl Findings {
    /// Everything that was found.
    pub fn into_errors(self) -> Vec<FieldError> {
        self.0
    }

    /// Collects what `check` finds, and says that what it names within `path` stands within `place`.
    pub(crate) fn placed(&mut self, path: &FieldPath, place: &FieldPath, check: impl FnOnce(&mut Findings)) {
        let before = self.0.len();
        check(self);
        for error in &mut self.0[before..] {
            if let Some(below) = error.place().below(path) {
                error.place = Some(place.join(&below));
            }
        }
    }

    pub(crate) fn required(&mut self, path: &FieldPath, detail: impl Into<String>) {
        self.add(path, Reason::Required, None, detail);
    }

    pub(crate) fn required_hinting(&mut self, path: &FieldPath, detail: impl Into<String>, hint: Hint) {
        self.add(path, Reason::Required, None, detail).hint(hint);
    }

    pub(crate) fn invalid(
        &mut self,
        path: &FieldPath,
        value: impl Serialize,
        detail: impl Into<String>,
    ) -> &mut FieldError {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.add(path, Reason::Invalid, Some(value), detail)
    }

    /// An object that is wrong as a whole, so that showing it would not help.
    pub(crate) fn invalid_as_a_whole(&mut self, path: &FieldPath, detail: impl Into<String>) {
        self.add(path, Reason::Invalid, None, detail);
    }

    /// A text that is not of the field's type.
    pub(crate) fn malformed(&mut self, path: &FieldPath, text: &str, detail: &str) -> &mut FieldError {
        self.add(path, Reason::Malformed, Some(text.into()), detail)
    }

    pub(crate) fn not_supported(&mut self, path: &FieldPath, value: impl Serialize, supported: &[&str]) {
        let value = serde_json::to_value(value).unwrap_or_default();
        let quoted: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        let detail = format!("supported values: {}", quoted.join(", "));
        let meant = value
            .as_str()
            .and_then(|value| crate::manifest::suggest::nearest(value, supported));
        let help = meant.map(|meant| format!("did you mean `{meant}`?"));
        let error = self.add(path, Reason::NotSupported, Some(value), detail);
        if help.is_some() {
            error.hint(Hint {
                help,
                ..Hint::default()
            });
        }
    }

    pub(crate) fn forbidden(&mut self, path: &FieldPath, detail: impl Into<String>) {
        self.add(path, Reason::Forbidden, None, detail);
    }

    pub(crate) fn forbidden_hinting(&mut self, path: &FieldPath, detail: impl Into<String>, hint: Hint) {
        self.add(path, Reason::Forbidden, None, detail).hint(hint);
    }

    pub(crate) fn duplicate(&mut self, path: &FieldPath, value: impl Serialize) {
        self.add(
            path,
            Reason::Duplicate,
            Some(serde_json::to_value(value).unwrap_or_default()),
            "",
        );
    }

    pub(crate) fn not_found(&mut self, path: &FieldPath, value: &str) -> &mut FieldError {
        self.add(path, Reason::NotFound, Some(value.into()), "")
    }

    pub(crate) fn too_long(&mut self, path: &FieldPath, bytes_max: usize) {
        self.add(
            path,
            Reason::TooLong,
            None,
            format!("may not be more than {bytes_max} bytes"),
        );
    }

    pub(crate) fn too_many(&mut self, path: &FieldPath, count: usize, count_max: usize) {
        let detail = format!("must have at most {count_max} items");
        self.add(path, Reason::TooMany, Some(count.into()), detail);
    }

    /// A number that must not be negative.
    pub(crate) fn not_negative(&mut self, path: &FieldPath, number: Option<impl Into<i64>>) {
        if let Some(number) = number.map(Into::into).filter(|number| *number < 0) {
            self.invalid(path, number, "must be greater than or equal to 0");
        }
    }

    fn add(
        &mut self,
        path: &FieldPath,
        reason: Reason,
        value: Option<Value>,
        detail: impl Into<String>,
    ) -> &mut FieldError {
        let index = self.0.len();
        self.0.push(FieldError {
            path: path.clone(),
            place: None,
            reason,
            value,
            detail: detail.into(),
            hint: None,
        });
        &mut self.0[index]
    }
}
