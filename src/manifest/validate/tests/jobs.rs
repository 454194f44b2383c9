//! Creating Jobs, and the Job templates of CronJobs.

use super::*;

/// Checks a change to the spec of a Job and to that of a CronJob's template: the same, but for the path.
#[track_caller]
fn both(changes: &[(&str, Value)], expected: &str) {
    let in_template: Vec<(String, Value)> = changes
        .iter()
        .map(|(field, value)| (format!("/spec/jobTemplate/spec/{field}"), value.clone()))
        .collect();
    let in_job: Vec<(String, Value)> = changes
        .iter()
        .map(|(field, value)| (format!("/spec/{field}"), value.clone()))
        .collect();
    assert_eq!(create_job(&borrowed(&in_job)), expected.replace('~', "spec"));
    assert_eq!(
        create_cron_job(&borrowed(&in_template)),
        expected.replace('~', "spec.jobTemplate.spec")
    );
}

fn borrowed(changes: &[(String, Value)]) -> Vec<(&str, Value)> {
    changes
        .iter()
        .map(|(field, value)| (field.as_str(), value.clone()))
        .collect()
}

#[test]
fn numbers_must_not_be_negative() {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ] {
        let expected = format!("~.{field}: Invalid value: -1: must be greater than or equal to 0");
        both(&[(field, json!(-1))], &expected);
        both(&[(field, json!(0))], "");
    }
}

#[test]
fn pods_ask_to_run_as_something_that_there_is() {
    let asked = |runtime: &str| {
        (
            "template/metadata/annotations",
            json!({"punctual.dev/runtime": runtime}),
        )
    };
    both(&[asked("process")], "");
    both(&[asked("container")], "");
    both(
        &[asked("docker")],
        r#"~.template.metadata.annotations[punctual.dev/runtime]: Unsupported value: "docker": supported values: "process", "container""#,
    );
}

#[test]
fn a_pod_must_be_able_to_end() {
    let field = "template/spec/restartPolicy";
    let required = r#"~.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#;
    both(&[(field, json!("Never"))], "");
    both(&[(field, json!("OnFailure"))], "");
    both(&[(field, json!(null))], required);
    both(&[(field, json!(""))], required);
    both(&[(field, json!("Always"))], required);
    both(
        &[(field, json!("Invalid"))],
        "~.template.spec.restartPolicy: Unsupported value: \"Invalid\": supported values: \"Always\", \"OnFailure\", \
         \"Never\"\n\
         ~.template.spec.restartPolicy: Unsupported value: \"Invalid\": supported values: \"OnFailure\", \"Never\"",
    );
}

#[test]
fn a_manager_is_named_by_a_path_under_a_domain() {
    let table = [
        (json!("example.com/controller"), ""),
        (json!("kubernetes.io/job-controller"), ""),
        (json!(""), "~.managedBy: Required value"),
        (
            json!("controller"),
            r#"~.managedBy: Invalid value: "controller": must be a domain-prefixed path (such as "acme.io/foo")"#,
        ),
        (
            json!("example.com/"),
            r#"~.managedBy: Invalid value: "example.com/": must be a domain-prefixed path (such as "acme.io/foo")"#,
        ),
        (
            json!("example.com/a b"),
            r#"~.managedBy: Invalid value: "a b": Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')"#,
        ),
        (
            json!(format!("example.com/{}", "x".repeat(60))),
            "~.managedBy: Too long: may not be more than 63 bytes",
        ),
    ];
    for (manager, expected) in table {
        // The path's own tilde would be taken for the mark of this table.
        let expected = expected.replace("._~%", "._\u{1}%");
        let changes = [("/spec/managedBy", manager)];
        let found = create_job(&changes).replace("._~%", "._\u{1}%");
        assert_eq!(found, expected.replace('~', "spec"));
    }
}

#[test]
fn indexed_jobs_have_limits() {
    let indexed = |more: &[(&'static str, Value)]| {
        let mut changes = vec![("completionMode", json!("Indexed"))];
        changes.extend_from_slice(more);
        changes
    };
    both(&indexed(&[("completions", json!(5))]), "");
    both(
        &indexed(&[("parallelism", json!(1))]),
        "~.completions: Required value: when completion mode is Indexed",
    );
    both(
        &indexed(&[("completions", json!(2)), ("parallelism", json!(100_001))]),
        "~.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
    );
    both(
        &indexed(&[("completions", json!(2)), ("maxFailedIndexes", json!(1))]),
        "~.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
    );
    both(
        &indexed(&[
            ("completions", json!(2)),
            ("backoffLimitPerIndex", json!(1)),
            ("maxFailedIndexes", json!(3)),
        ]),
        "~.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions",
    );
    both(
        &indexed(&[
            ("completions", json!(100_001)),
            ("backoffLimitPerIndex", json!(1)),
        ]),
        "~.maxFailedIndexes: Required value: must be specified when completions is above 100000",
    );
    both(
        &indexed(&[
            ("completions", json!(200_000)),
            ("parallelism", json!(10_001)),
            ("backoffLimitPerIndex", json!(1)),
            ("maxFailedIndexes", json!(10_001)),
        ]),
        "~.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index\n\
         ~.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index",
    );
}

#[test]
fn other_jobs_have_no_indexes() {
    both(
        &[("backoffLimitPerIndex", json!(1)), ("maxFailedIndexes", json!(1))],
        "~.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode\n\
         ~.maxFailedIndexes: Invalid value: 1: requires indexed completion mode",
    );
    both(
        &[("completionMode", json!("Parallel"))],
        r#"~.completionMode: Unsupported value: "Parallel": supported values: "NonIndexed", "Indexed""#,
    );
}

#[test]
fn pods_are_replaced_when_they_have_failed_or_sooner() {
    both(&[("podReplacementPolicy", json!("Failed"))], "");
    both(&[("podReplacementPolicy", json!("TerminatingOrFailed"))], "");
    both(
        &[("podReplacementPolicy", json!("Soon"))],
        r#"~.podReplacementPolicy: Unsupported value: "Soon": supported values: "Failed", "TerminatingOrFailed""#,
    );
}

#[test]
fn a_template_has_no_selector() {
    let selector = json!({"matchLabels": {"a": "b"}});
    assert_eq!(
        create_cron_job(&[("/spec/jobTemplate/spec/selector", selector)]),
        r#"spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated"#
    );
    assert_eq!(
        create_cron_job(&[("/spec/jobTemplate/spec/manualSelector", json!(true))]),
        r#"spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false""#
    );
}

#[test]
fn a_job_has_a_generated_selector_or_its_own() {
    let generated = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "1a2b3c"}});
    let own = json!({"matchLabels": {"a": "b"}});
    let labels = json!({
        "batch.kubernetes.io/controller-uid": "1a2b3c",
        "batch.kubernetes.io/job-name": "myjob",
        "controller-uid": "1a2b3c",
        "job-name": "myjob",
    });
    let table: &[(&[(&str, Value)], &str)] = &[
        (
            &[
                ("/spec/selector", generated.clone()),
                ("/metadata/uid", json!("1a2b3c")),
                ("/spec/template/metadata/labels", labels),
            ],
            "",
        ),
        (
            &[("/spec/selector", generated)],
            r#"spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"1a2b3c"}}: `selector` not auto-generated"#,
        ),
        (
            &[("/spec/selector", own.clone())],
            r#"spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` not auto-generated"#,
        ),
        (
            &[("/spec/manualSelector", json!(true))],
            "spec.selector: Required value\n\
             spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
        ),
        (
            &[("/spec/template/metadata/labels/job-name", json!("other"))],
            r#"spec.template.metadata.labels[job-name]: Invalid value: {"job-name":"other"}: must be 'myjob'"#,
        ),
        (
            &[
                ("/spec/manualSelector", json!(true)),
                ("/spec/selector", own.clone()),
            ],
            "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
        ),
        (
            &[
                ("/spec/manualSelector", json!(true)),
                ("/spec/selector", own),
                ("/spec/template/metadata/labels/a", json!("b")),
            ],
            "",
        ),
    ];
    for (changes, expected) in table {
        assert_eq!(create_job(changes), *expected, "{changes:?}");
    }
}

#[test]
fn a_jobs_name_ends_up_in_labels_and_host_names() {
    let indexed = [
        ("/spec/completionMode", json!("Indexed")),
        ("/spec/completions", json!(11)),
    ];
    let with_name = |name: &str| {
        let mut changes = indexed.to_vec();
        changes.push(("/metadata/name", json!(name)));
        create_job(&changes)
    };
    assert_eq!(create_job(&[("/metadata/name", json!("a".repeat(63)))]), "");
    assert!(
        create_job(&[("/metadata/name", json!("a".repeat(64)))]).ends_with("must be no more than 63 bytes")
    );
    let own = [
        ("/metadata/name", json!("a".repeat(64))),
        ("/spec/manualSelector", json!(true)),
        ("/spec/selector", json!({"matchLabels": {"a": "b"}})),
        ("/spec/template/metadata/labels/a", json!("b")),
    ];
    assert_eq!(
        create_job(&own),
        "",
        "pods that the user selects have no such label"
    );
    assert_eq!(with_name(&"a".repeat(60)), "");
    assert!(with_name(&"a".repeat(61)).contains("will not able to create pod with invalid DNS label: aaaa"));
    assert!(with_name("a.b").contains("will not able to create pod with invalid DNS label: a.b-10"));
}
