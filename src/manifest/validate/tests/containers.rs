//! What containers use, how they are looked after, as whom they run and where: one row a rule, in Kubernetes' words.

use super::*;

/// What is said of a Job's pod with a change to its spec.
fn pod(field: &str, value: Value) -> String {
    let path = format!("/spec/template/spec/{field}");
    create_job(&[(path.as_str(), value)]).replace("spec.template.spec.", "")
}

/// What is said of a change to the first container.
fn container(field: &str, value: Value) -> String {
    pod(&format!("containers/0/{field}"), value).replace("containers[0].", "")
}

#[test]
fn amounts_are_amounts_and_no_more_is_asked_for_than_may_be_used() {
    let quantity =
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    for (resources, expected) in [
        (json!({"limits": {"memory": "64Mi", "cpu": "0.5"}, "requests": {"memory": "64Mi"}}), String::new()),
        (
            json!({"limits": {"memory": "512MB"}}),
            format!(r#"resources.limits[memory]: Invalid value: "512MB": {quantity}"#),
        ),
        (
            json!({"limits": {"memory": "-1"}}),
            r#"resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0"#.to_owned(),
        ),
        (
            json!({"limits": {"memory": "512Mi"}, "requests": {"memory": "2Gi"}}),
            r#"resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 512Mi"#
                .to_owned(),
        ),
    ] {
        assert_eq!(container("resources", resources.clone()), expected, "{resources}");
    }
}

#[test]
fn a_probe_does_one_thing_in_a_time_that_is_one() {
    let exec = json!({"command": ["true"]});
    for (probe, expected) in [
        (json!({"exec": exec, "periodSeconds": 5}), ""),
        (
            json!({"exec": exec, "periodSeconds": -5}),
            "livenessProbe.periodSeconds: Invalid value: -5: must be greater than or equal to 0",
        ),
        (
            json!({}),
            "livenessProbe: Required value: must specify a handler type",
        ),
        (
            json!({"exec": exec, "tcpSocket": {"port": 80}}),
            "livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ),
        (
            json!({"exec": exec, "successThreshold": 2}),
            "livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
    ] {
        assert_eq!(container("livenessProbe", probe.clone()), expected, "{probe}");
    }
    let init = json!([{"name": "first", "image": "x", "readinessProbe": {"exec": exec}}]);
    assert_eq!(
        pod("initContainers", init),
        "initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
    );
}

#[test]
fn ports_have_short_names_of_their_own() {
    for (ports, expected) in [
        (json!([{"containerPort": 80, "name": "http"}]), ""),
        (
            json!([{"containerPort": 80, "name": "http"}, {"containerPort": 81, "name": "http"}]),
            r#"ports[1].name: Duplicate value: "http""#,
        ),
        (
            json!([{"containerPort": 80, "name": "a-name-of-sixteen"}]),
            r#"ports[0].name: Invalid value: "a-name-of-sixteen": must be no more than 15 characters"#,
        ),
        (
            json!([{"containerPort": 80, "name": "80"}]),
            r#"ports[0].name: Invalid value: "80": must contain at least one letter (a-z)"#,
        ),
    ] {
        assert_eq!(container("ports", ports.clone()), expected, "{ports}");
    }
}

#[test]
fn users_have_numbers_and_privileges_are_given_or_not() {
    for (context, expected) in [
        (json!({"runAsUser": 1000}), ""),
        (
            json!({"runAsUser": -1}),
            "securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
        ),
        (
            json!({"privileged": true, "allowPrivilegeEscalation": false}),
            "securityContext: Invalid value: {\"allowPrivilegeEscalation\":false,\"privileged\":true}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
        ),
    ] {
        assert_eq!(
            container("securityContext", context.clone()),
            expected,
            "{context}"
        );
    }
}

#[test]
fn pods_are_put_where_it_makes_sense() {
    let term = |requirement: Value| {
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [requirement]}]}}})
    };
    for (field, value, expected) in [
        ("tolerations", json!([{"key": "a", "operator": "Exists"}]), ""),
        (
            "tolerations",
            json!([{"key": "a", "operator": "Exists", "value": "b"}]),
            r#"tolerations[0].operator: Invalid value: "b": value must be empty when `operator` is 'Exists'"#,
        ),
        (
            "tolerations",
            json!([{"key": "a", "value": "b", "tolerationSeconds": 5}]),
            "tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
        (
            "affinity",
            term(json!({"key": "a", "operator": "In", "values": ["b"]})),
            "",
        ),
        (
            "affinity",
            term(json!({"key": "a", "operator": "In"})),
            "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]\
             .matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ),
        (
            "dnsPolicy",
            json!("None"),
            "dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            "hostAliases",
            json!([{"ip": "10.0.0"}]),
            r#"hostAliases[0].ip: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
        ),
    ] {
        assert_eq!(pod(field, value.clone()), expected, "{value}");
    }
}
