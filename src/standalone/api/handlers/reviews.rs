//! Reviews: objects that are not kept, but answered. Who am I, and what may I do?
//!
//! There is one user, the owner of the machine, who may do everything that is served; everybody else is refused before
//! a request comes here.

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use http::StatusCode;
use serde_json::{Value, json};

use super::ApiError;
use super::body::{Content, answer_json, may_be};

/// The name of the one user.
const OWNER: &str = "owner";

/// A kind of review.
#[derive(Debug)]
pub(super) struct Review {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    /// What is found.
    status: fn() -> Value,
}

/// What the rows have in common.
const AUTHORIZATION: Review = Review {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "",
    singular: "",
    kind: "",
    status: || json!({}),
};

/// All of them.
pub(super) static REVIEWS: &[Review] = &[
    Review {
        group: "authentication.k8s.io",
        plural: "selfsubjectreviews",
        singular: "selfsubjectreview",
        kind: "SelfSubjectReview",
        status: || json!({ "userInfo": { "username": OWNER, "groups": ["system:masters", "system:authenticated"] } }),
        ..AUTHORIZATION
    },
    Review {
        plural: "selfsubjectaccessreviews",
        singular: "selfsubjectaccessreview",
        kind: "SelfSubjectAccessReview",
        status: || json!({ "allowed": true, "reason": "the owner of this machine may do everything" }),
        ..AUTHORIZATION
    },
    Review {
        plural: "selfsubjectrulesreviews",
        singular: "selfsubjectrulesreview",
        kind: "SelfSubjectRulesReview",
        status: || {
            json!({
                "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
                "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
                "incomplete": false,
            })
        },
        ..AUTHORIZATION
    },
];

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
            "namespaced": false,
            "kind": self.kind,
            "verbs": ["create"],
        })
    }

    fn answer(&self, content: &Content) -> Result<Response, ApiError> {
        let mut review = content.value()?;
        if !may_be(&review, &self.api_version(), self.kind) {
            return Err(ApiError::bad_request(format!(
                "expected a {} of {}",
                self.kind,
                self.api_version()
            )));
        }
        review["kind"] = self.kind.into();
        review["apiVersion"] = self.api_version().into();
        review["status"] = (self.status)();
        Ok(answer_json(StatusCode::CREATED, &review))
    }
}

/// The routes of all reviews.
pub(super) fn routes() -> Router {
    REVIEWS.iter().fold(Router::new(), |router, review| {
        let answer = move |content: Content| async move { review.answer(&content) };
        router.route(&format!("{}/{}", review.root(), review.plural), post(answer))
    })
}
