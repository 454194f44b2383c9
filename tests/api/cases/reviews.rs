//! Reviews: who is somebody, and what may they do?

use std::fmt::Write as _;

use serde_json::json;

use crate::cluster::Cluster;

/// What a review finds: the code, and its answer or why there is none.
async fn finding(cluster: &Cluster, path: &str, kind: &str, spec: serde_json::Value) -> String {
    let (group, _) = path.split_once('/').expect("a group");
    let review = json!({ "apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {}, "spec": spec });
    let path = format!("/apis/{}", path.replace("NAMESPACE", &cluster.namespace));
    match cluster.send("POST", &path, Some(&review)).await {
        Ok(review) => {
            let mut status = review["status"].clone();
            // In whose words it is said is each server's own business.
            if let Some(status) = status.as_object_mut() {
                status.remove("reason");
            }
            status.to_string()
        }
        Err(refusal) => {
            let causes = refusal.details.iter().flat_map(|details| &details.causes);
            let causes: Vec<String> = causes
                .map(|cause| format!("\n    {}: {}", cause.field, cause.message))
                .collect();
            format!(
                "{} {}: {}{}",
                refusal.code,
                refusal.reason,
                refusal.message,
                causes.concat()
            )
        }
    }
}

pub(crate) async fn of_access_and_of_tokens(cluster: Cluster) {
    const MINE: &str = "authorization.k8s.io/v1/selfsubjectaccessreviews";
    const RULES: &str = "authorization.k8s.io/v1/selfsubjectrulesreviews";
    const OTHERS: &str = "authorization.k8s.io/v1/subjectaccessreviews";
    const LOCAL: &str = "authorization.k8s.io/v1/namespaces/NAMESPACE/localsubjectaccessreviews";
    const TOKEN: &str = "authentication.k8s.io/v1/tokenreviews";
    let pods = json!({ "verb": "list", "resource": "pods" });
    let pods_here = json!({ "verb": "list", "resource": "pods", "namespace": cluster.namespace });
    let masters = json!(["system:masters"]);
    let mut found = String::new();
    for (what, path, kind, spec) in [
        (
            "may I list pods?",
            MINE,
            "SelfSubjectAccessReview",
            json!({ "resourceAttributes": pods }),
        ),
        (
            "may I look at the health?",
            MINE,
            "SelfSubjectAccessReview",
            json!({ "nonResourceAttributes": { "path": "/livez", "verb": "get" } }),
        ),
        ("may I?", MINE, "SelfSubjectAccessReview", json!({})),
        (
            "what may I do nowhere?",
            RULES,
            "SelfSubjectRulesReview",
            json!({}),
        ),
        (
            "may a master?",
            OTHERS,
            "SubjectAccessReview",
            json!({ "user": "someone", "groups": masters, "resourceAttributes": pods }),
        ),
        (
            "may a stranger?",
            OTHERS,
            "SubjectAccessReview",
            json!({ "user": "someone", "resourceAttributes": pods }),
        ),
        (
            "may nobody?",
            OTHERS,
            "SubjectAccessReview",
            json!({ "resourceAttributes": pods }),
        ),
        ("may nobody do nothing?", OTHERS, "SubjectAccessReview", json!({})),
        (
            "may a master here?",
            LOCAL,
            "LocalSubjectAccessReview",
            json!({ "user": "someone", "groups": masters, "resourceAttributes": pods_here }),
        ),
        (
            "may a stranger here?",
            LOCAL,
            "LocalSubjectAccessReview",
            json!({ "user": "someone", "resourceAttributes": pods_here }),
        ),
        (
            "may a master elsewhere?",
            LOCAL,
            "LocalSubjectAccessReview",
            json!({ "user": "someone", "groups": masters, "resourceAttributes": pods }),
        ),
        (
            "whose token is it?",
            TOKEN,
            "TokenReview",
            json!({ "token": "none that anybody has" }),
        ),
        ("whose is none?", TOKEN, "TokenReview", json!({})),
    ] {
        let finding = finding(&cluster, path, kind, spec).await;
        writeln!(found, "{what}\n  {finding}").expect("a line");
    }
    insta::assert_snapshot!("reviews", found.replace(&cluster.namespace, "NAMESPACE"));
}

/// One who had a token of a service account would be the owner of the machine.
pub(crate) async fn a_service_account_that_is_not_there_has_no_token(cluster: Cluster) {
    let accounts = format!("/api/v1/namespaces/{}/serviceaccounts", cluster.namespace);
    let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
    let refused = cluster
        .send("POST", &format!("{accounts}/nobody/token"), Some(&request))
        .await
        .expect_err("there is no such account");
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (404, "serviceaccounts \"nobody\" not found")
    );
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "somebody" } });
    cluster.create(account).await;
    let path = format!("{accounts}/somebody/token");
    if cluster.is_embedded() {
        let refused = cluster
            .send("POST", &path, Some(&request))
            .await
            .expect_err("no token");
        insta::assert_snapshot!(refused.message, @"service accounts have no tokens on one machine: its API has one user, whose token is in the kubeconfig; the server does not allow this method on the requested resource");
        assert_eq!((refused.code, refused.reason.as_str()), (405, "MethodNotAllowed"));
    }
    let refused = cluster
        .send("GET", &path, None)
        .await
        .expect_err("it can only be asked for");
    assert_eq!(refused.code, 405);
}
