//! The parameters of a request: where in the path, what in the query.
//!
//! Source: "Kubernetes API Concepts" of the Kubernetes documentation, and `metav1.ListOptions` and its neighbours.

use std::collections::HashSet;

use axum::extract::Query;
use http::Uri;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::ApiError;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::registry::Mode;
use crate::standalone::store::{Place, Revision};

/// The longest name of who writes, in bytes (`FieldManagerMaxLength`).
const FIELD_MANAGER_BYTES_MAX: usize = 128;

/// What the parameters of a list or a watch are called when they are refused.
const LIST_OPTIONS: &str = "ListOptions";

/// The parameter that says how the revision of a list is meant, and what it can say.
const RULE: &str = "resourceVersionMatch";
const EXACT: &str = "Exact";
const NOT_OLDER_THAN: &str = "NotOlderThan";

/// The parameters in the path. A part that the route does not have is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Target {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// The query of a list or a watch.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListQuery {
    pub(super) label_selector: String,
    pub(super) field_selector: String,
    /// As many as there are, if it is not positive.
    pub(super) limit: Option<i64>,
    #[serde(rename = "continue")]
    pub(super) continue_token: String,
    pub(super) resource_version: String,
    pub(super) resource_version_match: String,
    #[serde(deserialize_with = "flag")]
    pub(super) watch: bool,
    #[serde(deserialize_with = "flag")]
    pub(super) allow_watch_bookmarks: bool,
    #[serde(deserialize_with = "maybe_flag")]
    pub(super) send_initial_events: Option<bool>,
    /// As long as the server likes, if it is not positive.
    pub(super) timeout_seconds: Option<i64>,
    /// How much of its object each row of a table carries.
    pub(super) include_object: String,
}

impl ListQuery {
    /// Fails for parameters that contradict each other (`ValidateListOptions`).
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let mut causes = Vec::new();
        let rule = self.resource_version_match.as_str();
        let mut forbid = |field: &str, detail: &str| causes.push(Cause::forbidden(field, detail));
        let supported: &[&str] = if self.watch {
            if self.send_initial_events.is_some() && rule != NOT_OLDER_THAN {
                let detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                forbid(RULE, detail);
            }
            if self.send_initial_events.is_none() && !rule.is_empty() {
                let detail =
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                forbid(RULE, detail);
            }
            &[NOT_OLDER_THAN]
        } else {
            if self.resource_version.is_empty() && !rule.is_empty() {
                forbid(
                    RULE,
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                );
            }
            if rule == EXACT && self.resource_version == "0" {
                forbid(
                    RULE,
                    "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
                );
            }
            &[EXACT, NOT_OLDER_THAN, ""]
        };
        if !self.continue_token.is_empty() && (self.watch || !rule.is_empty()) {
            forbid(
                RULE,
                "resourceVersionMatch is forbidden when continue is provided",
            );
        }
        if self.send_initial_events.is_some() && !self.watch {
            forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
        }
        if !rule.is_empty() && !supported.contains(&rule) {
            causes.push(Cause::unsupported(RULE, rule, supported));
        }
        if causes.is_empty() {
            return Ok(());
        }
        Err(ApiError::InvalidOptions {
            kind: LIST_OPTIONS,
            causes,
        })
    }
}

/// The query of a write.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WriteQuery {
    pub(super) dry_run: String,
    /// What is done about unknown fields: see `fields`.
    pub(super) field_validation: String,
    /// The name of who writes, for the ownership of fields.
    pub(super) field_manager: String,
    /// Whether an apply takes fields from their owners.
    #[serde(deserialize_with = "maybe_flag")]
    pub(super) force: Option<bool>,
    pub(super) grace_period_seconds: Option<i64>,
    pub(super) propagation_policy: Option<String>,
    #[serde(deserialize_with = "maybe_flag")]
    pub(super) orphan_dependents: Option<bool>,
}

/// Reads the query of a request.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    let pairs = counting(uri.query().unwrap_or_default()).join("&");
    let uri = format!("/?{pairs}").parse();
    let uri = uri.map_err(|error: http::uri::InvalidUri| ApiError::bad_request(error.to_string()))?;
    match Query::<T>::try_from_uri(&uri) {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
    }
}

/// The parameters of a query that count, as kube-apiserver reads it: of each the first, and none that is malformed.
fn counting(query: &str) -> Vec<&str> {
    let mut seen = HashSet::new();
    let pairs = query.split('&').filter(|pair| is_well_formed(pair));
    let name = |pair: &&str| seen.insert(pair.split('=').next().unwrap_or_default().to_owned());
    pairs.filter(name).collect()
}

/// Whether every `%` begins an escape; and a `;` is no separator any more.
fn is_well_formed(pair: &str) -> bool {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    !pair.contains(';') && pair.split('%').skip(1).all(is_escape)
}

/// Anything but `0` and `false` means yes, even nothing at all: `?watch`.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text != "0" && !text.eq_ignore_ascii_case("false"))
}

fn maybe_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    flag(deserializer).map(Some)
}

/// Whether a `dryRun` parameter of these options asks for a rehearsal.
pub(super) fn mode(dry_run: &str, options: &'static str) -> Result<Mode, ApiError> {
    match dry_run {
        "" => Ok(Mode::Real),
        "All" => Ok(Mode::DryRun),
        other => Err(unsupported(options, "dryRun", other, &["All"])),
    }
}

/// Fails for a `fieldValidation` that does not exist.
pub(super) fn check_field_validation(asked: &str, options: &'static str) -> Result<(), ApiError> {
    let supported = ["", "Ignore", "Strict", "Warn"];
    if supported.contains(&asked) {
        return Ok(());
    }
    Err(unsupported(options, "fieldValidation", asked, &supported))
}

/// Fails for a `fieldManager` that is no name.
pub(super) fn check_field_manager(name: &str, options: &'static str) -> Result<(), ApiError> {
    if name.len() <= FIELD_MANAGER_BYTES_MAX {
        return Ok(());
    }
    Err(ApiError::InvalidOptions {
        kind: options,
        causes: vec![Cause::too_long("fieldManager", FIELD_MANAGER_BYTES_MAX)],
    })
}

fn unsupported(kind: &'static str, field: &str, value: &str, supported: &[&str]) -> ApiError {
    ApiError::InvalidOptions {
        kind,
        causes: vec![Cause::unsupported(field, value, supported)],
    }
}

/// A `resourceVersion`; `None` when there is none.
pub(super) fn revision(text: &str) -> Result<Option<Revision>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse().map_err(|_| {
        ApiError::bad_request(format!(
            "resourceVersion: Invalid value: \"{text}\": must be a number that a list or an object gave"
        ))
    })?;
    Ok(Some(Revision(number)))
}

/// Where a list goes on: the revision it is of, and the last place it has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Continue {
    pub(super) at: Revision,
    pub(super) after: Place,
}

impl Continue {
    /// The rest of a list whose revision is forgotten is that of now.
    pub(super) const NOW: Revision = Revision(0);

    /// The token that the client hands back. Names hold no `/`, so the three parts need no escape.
    pub(super) fn token(&self) -> String {
        format!("{}/{}/{}", self.at, self.after.namespace, self.after.name)
    }

    /// Reads a token; `None` when there is none.
    pub(super) fn parse(token: &str) -> Result<Option<Self>, ApiError> {
        if token.is_empty() {
            return Ok(None);
        }
        let parts: Vec<&str> = token.split('/').collect();
        if let [at, namespace, name] = parts[..]
            && let Ok(at) = at.parse()
        {
            let after = Place {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            };
            return Ok(Some(Self {
                at: Revision(at),
                after,
            }));
        }
        Err(ApiError::bad_request(format!(
            "continue key is not valid: \"{token}\" is not a token that a list gave"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_parameter_the_first_counts_and_none_that_is_malformed() {
        for (query, counts) in [
            ("", &[""][..]),
            ("limit=1&limit=2", &["limit=1"]),
            ("watch&watch=false", &["watch"]),
            (
                "labelSelector=a%3Db&labelSelector=c%3Dd&limit=1",
                &["labelSelector=a%3Db", "limit=1"],
            ),
            ("limit=1;limit=2&watch", &["watch"]),
            ("labelSelector=%zz&limit=1", &["limit=1"]),
            ("labelSelector=100%&labelSelector=a", &["labelSelector=a"]),
        ] {
            assert_eq!(counting(query), counts, "{query}");
        }
    }
}
