//! `podFailurePolicy` and `successPolicy`.

use super::*;

const RULES: &str = "/spec/podFailurePolicy/rules";

/// What is said of one rule of a pod failure policy.
fn failure_rule(rule: &Value) -> String {
    create_job(&[(RULES, json!([rule]))]).replace("spec.podFailurePolicy.rules[0]", "~")
}

#[test]
fn a_failure_rule_has_an_action_and_one_condition() {
    let codes = json!({"operator": "In", "values": [1, 2]});
    let conditions = json!([{"type": "DisruptionTarget"}]);
    let table = [
        (json!({"action": "FailJob", "onExitCodes": codes}), ""),
        (json!({"action": "Ignore", "onPodConditions": conditions}), ""),
        (
            json!({"onExitCodes": codes}),
            r#"~.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]"#,
        ),
        (
            json!({"action": "Retry", "onExitCodes": codes}),
            r#"~.action: Unsupported value: "Retry": supported values: "Count", "FailIndex", "FailJob", "Ignore""#,
        ),
        (
            json!({"action": "FailIndex", "onExitCodes": codes}),
            r#"~.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set"#,
        ),
        (
            json!({"action": "Count"}),
            "~: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        ),
        (
            json!({"action": "Count", "onExitCodes": codes, "onPodConditions": conditions}),
            "~: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported",
        ),
    ];
    for (rule, expected) in table {
        assert_eq!(failure_rule(&rule), expected, "{rule}");
    }
}

#[test]
fn exit_codes_are_listed_in_order_and_once() {
    let table = [
        (json!({"operator": "NotIn", "values": [0, 1]}), ""),
        (
            json!({"operator": "In", "values": [1], "containerName": "main"}),
            "",
        ),
        (
            json!({"values": [1]}),
            r#"~.operator: Required value: valid values: ["In" "NotIn"]"#,
        ),
        (
            json!({"operator": "Out", "values": [1]}),
            r#"~.operator: Unsupported value: "Out": supported values: "In", "NotIn""#,
        ),
        (
            json!({"operator": "In", "values": [1], "containerName": "other"}),
            r#"~.containerName: Invalid value: "other": must be one of the container or initContainer names in the pod template"#,
        ),
        (
            json!({"operator": "In", "values": []}),
            "~.values: Invalid value: []: at least one value is required",
        ),
        (
            json!({"operator": "In", "values": [0]}),
            "~.values[0]: Invalid value: 0: must not be 0 for the In operator",
        ),
        (
            json!({"operator": "In", "values": [11, 11]}),
            "~.values[1]: Duplicate value: 11",
        ),
        (
            json!({"operator": "In", "values": [12, 11]}),
            "~.values: Invalid value: [12,11]: must be ordered",
        ),
        (
            json!({"operator": "In", "values": (1..=256).collect::<Vec<_>>()}),
            "~.values: Too many: 256: must have at most 255 items",
        ),
    ];
    for (codes, expected) in table {
        let found = failure_rule(&json!({"action": "FailJob", "onExitCodes": codes}));
        assert_eq!(found.replace("~.onExitCodes", "~"), expected, "{codes}");
    }
}

#[test]
fn conditions_have_a_type_and_a_status() {
    let table = [
        (json!({"type": "DisruptionTarget", "status": "Unknown"}), ""),
        (json!({"type": "DisruptionTarget", "status": ""}), ""),
        (
            json!({"type": "DisruptionTarget", "status": "Perhaps"}),
            r#"~.status: Unsupported value: "Perhaps": supported values: "False", "True", "Unknown""#,
        ),
        (
            json!({"type": "no good", "status": "True"}),
            r#"~.type: Invalid value: "no good": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"#,
        ),
    ];
    for (condition, expected) in table {
        let found = failure_rule(&json!({"action": "Ignore", "onPodConditions": [condition]}));
        assert_eq!(
            found.replace("~.onPodConditions[0]", "~"),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn a_failure_policy_needs_pods_that_are_not_restarted_or_replaced_early() {
    let policy = json!([{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]);
    let table = [
        (
            "/spec/podReplacementPolicy",
            json!("TerminatingOrFailed"),
            r#"spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed""#,
        ),
        (
            "/spec/template/spec/restartPolicy",
            json!("OnFailure"),
            r#"spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified"#,
        ),
    ];
    for (field, value, expected) in table {
        assert_eq!(create_job(&[(RULES, policy.clone()), (field, value)]), expected);
    }
}

#[test]
fn a_failure_policy_has_at_most_twenty_rules() {
    let rule = json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]});
    assert_eq!(create_job(&[(RULES, json!(vec![&rule; 20]))]), "");
    assert_eq!(
        create_job(&[(RULES, json!(vec![&rule; 21]))]),
        "spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items"
    );
}

/// What is said of the success policy of an indexed Job with five completions.
fn success_rules(rules: &Value) -> String {
    let changes = [
        ("/spec/completionMode", json!("Indexed")),
        ("/spec/completions", json!(5)),
        ("/spec/successPolicy/rules", rules.clone()),
    ];
    create_job(&changes).replace("spec.successPolicy.rules", "~")
}

#[test]
fn success_is_a_count_or_some_indexes() {
    let parsing = "error parsing succeededIndexes";
    let table = [
        (json!([{"succeededCount": 5}]), String::new()),
        (json!([{"succeededIndexes": "0,2-4"}]), String::new()),
        (json!([{"succeededIndexes": ""}]), String::new()),
        (json!([{"succeededIndexes": "0-4", "succeededCount": 3}]), String::new()),
        (json!([]), "~: Required value: at least one rules must be specified when the successPolicy is specified".into()),
        (json!([{}]), "~[0]: Required value: at least one of succeededCount or succeededIndexes must be specified".into()),
        (json!(vec![json!({"succeededCount": 1}); 21]), "~: Too many: 21: must have at most 20 items".into()),
        (json!([{"succeededCount": -1}]),
            "~[0].succeededCount: Invalid value: -1: must be greater than or equal to 0".into()),
        (json!([{"succeededCount": 6}]),
            "~[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)".into()),
        (json!([{"succeededIndexes": "0-1", "succeededCount": 3}]),
            "~[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)".into()),
        (json!([{"succeededIndexes": "5"}]),
            format!(r#"~[0].succeededIndexes: Invalid value: "5": {parsing}: too large index: "5""#)),
        (json!([{"succeededIndexes": "0-2-4"}]),
            format!(r#"~[0].succeededIndexes: Invalid value: "0-2-4": {parsing}: the fragment "0-2-4" violates the requirement that an index interval can have at most two parts separated by '-'"#)),
        (json!([{"succeededIndexes": "2,1"}]),
            format!(r#"~[0].succeededIndexes: Invalid value: "2,1": {parsing}: non-increasing order, previous: 2, current: 1"#)),
        (json!([{"succeededIndexes": "a"}]),
            format!(r#"~[0].succeededIndexes: Invalid value: "a": {parsing}: cannot convert string to integer for index: "a""#)),
    ];
    for (rules, expected) in table {
        assert_eq!(success_rules(&rules), expected, "{rules}");
    }
}

#[test]
fn only_an_indexed_job_has_a_success_policy() {
    assert_eq!(
        create_job(&[("/spec/successPolicy/rules", json!([{"succeededCount": 1}]))]),
        r#"spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode"#
    );
}
