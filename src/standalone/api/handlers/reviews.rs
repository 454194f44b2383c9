//! Reviews: objects that are not kept, but answered. Who is somebody, and what may they do?
//!
//! There is one user, the owner of the machine, who may do everything that is served; everybody else is refused before
//! a request comes here. So nobody else may do anything, and the one token there is is the one that the request itself
//! shows. None are made for service accounts: who had one would be the owner.
//!
//! Source: `pkg/registry/authorization`, `pkg/registry/authentication` and their validation.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::post;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::ApiError;
use super::body::{Content, answer_json, may_be};
use super::call::Call;
use crate::standalone::api::cause::Cause;

/// The name of the one user, and the groups that it is in.
const OWNER: &str = "owner";
const GROUPS: [&str; 2] = [MASTERS, "system:authenticated"];

/// The group of those who may do everything.
const MASTERS: &str = "system:masters";

/// For whom tokens are good, where a review asks: this API.
const AUDIENCE: &str = "https://kubernetes.default.svc";

/// A kind of review.
#[derive(Debug)]
pub(super) struct Review {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    namespaced: bool,
    /// What is found.
    find: fn(&Asked) -> Result<Value, ApiError>,
}

/// What is asked in a review.
struct Asked<'a> {
    spec: &'a Value,
    /// The namespace of the path; empty without one.
    namespace: &'a str,
    headers: &'a HeaderMap,
}

/// What the rows have in common.
const AUTHORIZATION_REVIEW: Review = Review {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "",
    singular: "",
    kind: "",
    namespaced: false,
    find: |_| Ok(json!({})),
};

/// All of them.
pub(super) static REVIEWS: &[Review] = &[
    Review {
        group: "authentication.k8s.io",
        plural: "selfsubjectreviews",
        singular: "selfsubjectreview",
        kind: "SelfSubjectReview",
        find: |_| Ok(json!({ "userInfo": owner() })),
        ..AUTHORIZATION_REVIEW
    },
    Review {
        group: "authentication.k8s.io",
        plural: "tokenreviews",
        singular: "tokenreview",
        kind: "TokenReview",
        find: whose_token,
        ..AUTHORIZATION_REVIEW
    },
    Review {
        plural: "localsubjectaccessreviews",
        singular: "localsubjectaccessreview",
        kind: "LocalSubjectAccessReview",
        namespaced: true,
        find: may_they,
        ..AUTHORIZATION_REVIEW
    },
    Review {
        plural: "selfsubjectaccessreviews",
        singular: "selfsubjectaccessreview",
        kind: "SelfSubjectAccessReview",
        find: may_i,
        ..AUTHORIZATION_REVIEW
    },
    Review {
        plural: "selfsubjectrulesreviews",
        singular: "selfsubjectrulesreview",
        kind: "SelfSubjectRulesReview",
        find: what_may_i,
        ..AUTHORIZATION_REVIEW
    },
    Review {
        plural: "subjectaccessreviews",
        singular: "subjectaccessreview",
        kind: "SubjectAccessReview",
        find: may_they,
        ..AUTHORIZATION_REVIEW
    },
];

fn owner() -> Value {
    json!({ "username": OWNER, "groups": GROUPS })
}

fn may_i(asked: &Asked) -> Result<Value, ApiError> {
    invalid_if_any(attributes(asked))?;
    Ok(json!({ "allowed": true, "reason": "the owner of this machine may do everything" }))
}

fn may_they(asked: &Asked) -> Result<Value, ApiError> {
    let user = asked.spec["user"].as_str().unwrap_or_default();
    let groups = asked.spec["groups"].as_array().map_or(&[][..], Vec::as_slice);
    let mut causes = attributes(asked);
    if user.is_empty() && groups.is_empty() {
        let rule = "at least one of user or group must be specified";
        causes.push(Cause::invalid("spec.user", &json!(""), rule));
    }
    invalid_if_any(causes)?;
    if user == OWNER || groups.iter().any(|group| group == MASTERS) {
        return Ok(json!({ "allowed": true }));
    }
    Ok(json!({ "allowed": false, "reason": "this machine has one user, its owner" }))
}

fn what_may_i(asked: &Asked) -> Result<Value, ApiError> {
    if asked.spec["namespace"].as_str().is_none_or(str::is_empty) {
        return Err(ApiError::bad_request("no namespace on request"));
    }
    Ok(json!({
        "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
        "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
        "incomplete": false,
    }))
}

fn whose_token(asked: &Asked) -> Result<Value, ApiError> {
    let token = asked.spec["token"].as_str().unwrap_or_default();
    if token.is_empty() {
        return Err(ApiError::bad_request(
            "token is required for TokenReview in authentication",
        ));
    }
    // Who asks has shown the token already, and learns nothing from how long a comparison takes.
    let shown = asked
        .headers
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok());
    let is_shown = shown
        .and_then(|header| header.split_once(' '))
        .is_some_and(|(_, shown)| shown.trim() == token);
    let audiences = asked.spec["audiences"].as_array().map_or(&[][..], Vec::as_slice);
    if is_shown && (audiences.is_empty() || audiences.iter().any(|audience| audience == AUDIENCE)) {
        return Ok(json!({ "authenticated": true, "user": owner(), "audiences": [AUDIENCE] }));
    }
    Ok(json!({ "user": {}, "error": "invalid bearer token" }))
}

/// What is wrong with what is asked about.
fn attributes(asked: &Asked) -> Vec<Cause> {
    let (of_resource, of_path) = (
        &asked.spec["resourceAttributes"],
        &asked.spec["nonResourceAttributes"],
    );
    let mut causes = Vec::new();
    match (of_resource, of_path) {
        (Value::Null, Value::Null) => {
            let rule = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            causes.push(Cause::invalid("spec.resourceAttributes", of_resource, rule));
        }
        (_, Value::Null) | (Value::Null, _) => {}
        _ => {
            let rule = "cannot be specified in combination with resourceAttributes";
            causes.push(Cause::invalid("spec.nonResourceAttributes", of_path, rule));
        }
    }
    let namespace = of_resource["namespace"].as_str().unwrap_or_default();
    if !asked.namespace.is_empty() && namespace != asked.namespace {
        let field = "spec.resourceAttributes.namespace";
        causes.push(Cause::invalid(
            field,
            &json!(namespace),
            "must match metadata.namespace",
        ));
    }
    causes
}

fn invalid_if_any(causes: Vec<Cause>) -> Result<(), ApiError> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(ApiError::InvalidReview {
        group: AUTHORIZATION_REVIEW.group,
        causes,
    })
}

impl Review {
    /// The `apiVersion` of its objects.
    pub(super) fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// Where its group and version are served.
    pub(super) fn root(&self) -> String {
        format!("/apis/{}", self.api_version())
    }

    /// What discovery says of it.
    pub(super) fn entry(&self) -> Value {
        json!({
            "name": self.plural,
            "singularName": self.singular,
            "namespaced": self.namespaced,
            "kind": self.kind,
            "verbs": ["create"],
        })
    }

    fn path(&self) -> String {
        let within = if self.namespaced {
            "/namespaces/{namespace}"
        } else {
            ""
        };
        format!("{}{within}/{}", self.root(), self.plural)
    }

    fn answer(&self, namespace: &str, content: &Content) -> Result<Response, ApiError> {
        let mut review = content.value()?;
        if !may_be(&review, &self.api_version(), self.kind) {
            return Err(ApiError::bad_request(format!(
                "expected a {} of {}",
                self.kind,
                self.api_version()
            )));
        }
        let asked = Asked {
            spec: &review["spec"],
            namespace,
            headers: &content.headers,
        };
        let status = (self.find)(&asked)?;
        review["kind"] = self.kind.into();
        review["apiVersion"] = self.api_version().into();
        review["status"] = status;
        Ok(answer_json(StatusCode::CREATED, &review))
    }
}

/// The routes of all reviews.
pub(super) fn routes() -> Router {
    REVIEWS.iter().fold(Router::new(), |router, review| {
        let answer = move |namespace: Option<Path<String>>, content: Content| async move {
            let namespace = namespace.map_or_else(String::new, |Path(namespace)| namespace);
            review.answer(&namespace, &content)
        };
        router.route(&review.path(), post(answer))
    })
}

/// `POST` to a service account's `token`, which would be a `TokenRequest`.
pub(super) async fn refuse_token(call: Call) -> Result<Response, ApiError> {
    let (endpoint, target) = (&call.endpoint, &call.target);
    let registry = endpoint.registry();
    registry
        .get(endpoint.resource, &target.namespace, &target.name)
        .await?;
    Err(ApiError::NoTokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_that_let_the_request_in_is_the_owners() {
        let table = [
            (json!({ "token": "secret" }), "owner"),
            (
                json!({ "token": "secret", "audiences": ["https://kubernetes.default.svc"] }),
                "owner",
            ),
            (json!({ "token": "secret", "audiences": ["vault"] }), ""),
            (json!({ "token": "Bearer secret" }), ""),
            (json!({ "token": "guessed" }), ""),
        ];
        let headers = HeaderMap::from_iter([(AUTHORIZATION, "Bearer secret".parse().unwrap())]);
        for (spec, user) in table {
            let asked = |headers| {
                whose_token(&Asked {
                    spec: &spec,
                    namespace: "",
                    headers,
                })
                .unwrap()
            };
            let found = asked(&headers);
            assert_eq!(
                found["user"]["username"].as_str().unwrap_or_default(),
                user,
                "{spec}"
            );
            assert_eq!(found["authenticated"] == true, !user.is_empty(), "{spec}");
            assert_eq!(
                asked(&HeaderMap::new())["error"],
                "invalid bearer token",
                "within this process"
            );
        }
    }
}
