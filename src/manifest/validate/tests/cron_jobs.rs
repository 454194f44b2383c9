//! Creating CronJobs: rules V1 to V7 without the Job template's own.

use super::*;

#[test]
fn what_kubernetes_accepts_is_accepted() {
    let table: &[&[(&str, Value)]] = &[
        &[],
        &[("/spec/schedule", json!("* * * * ?"))],
        &[("/spec/schedule", json!("@hourly"))],
        &[("/spec/schedule", json!("0 0 31 2 *"))],
        &[("/spec/schedule", json!(", * * * *"))],
        &[("/spec/schedule", json!("@every 5s"))],
        &[("/spec/schedule", json!("@every -5s"))],
        &[
            ("/spec/schedule", json!("0 * * * *")),
            ("/spec/timeZone", json!("America/New_York")),
        ],
        &[
            ("/spec/timeZone", json!("Continent/Zone")),
            ("/spec/timeZone", json!("US/Eastern")),
        ],
        &[("/spec/startingDeadlineSeconds", json!(0))],
        &[
            ("/spec/successfulJobsHistoryLimit", json!(0)),
            ("/spec/failedJobsHistoryLimit", json!(0)),
        ],
        &[("/spec/concurrencyPolicy", json!("Forbid"))],
        &[("/spec/concurrencyPolicy", json!("Replace"))],
        &[("/spec/concurrencyPolicy", json!(""))],
        &[("/spec/suspend", json!(true))],
        &[("/metadata/name", json!("dots.are.allowed"))],
        &[("/metadata/name", json!("a".repeat(52)))],
        &[("/spec/jobTemplate/spec/template/spec/hostNetwork", json!(true))],
        &[(
            "/spec/jobTemplate/spec/template/spec/restartPolicy",
            json!("OnFailure"),
        )],
        &[("/spec/jobTemplate/spec/manualSelector", json!(false))],
        &[(
            "/spec/jobTemplate/metadata/labels/not a label",
            json!("is not looked at here"),
        )],
    ];
    for changes in table {
        assert_eq!(create_cron_job(changes), "", "{changes:?}");
    }
}

#[test]
fn zones_of_every_age_are_accepted() {
    for zone in [
        "UTC",
        "Zulu",
        "W-SU",
        "GMT0",
        "EST5EDT",
        "US/Eastern",
        "Etc/GMT-14",
        "America/Argentina/Ushuaia",
    ] {
        assert_eq!(create_cron_job(&[("/spec/timeZone", json!(zone))]), "", "{zone}");
    }
}

#[test]
fn every_zone_of_the_database_is_accepted() {
    let names = TimeZones::built_in().names();
    assert!(names.len() > 590, "{}", names.len());
    for zone in names {
        assert_eq!(create_cron_job(&[("/spec/timeZone", json!(zone))]), "", "{zone}");
    }
}

#[test]
fn what_kubernetes_refuses_is_refused_in_its_words() {
    let table: &[(&str, Value, &str)] = &[
        ("/spec/schedule", json!(""), "spec.schedule: Required value"),
        (
            "/spec/timeZone",
            json!(""),
            r#"spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string"#,
        ),
        (
            "/spec/timeZone",
            json!("LOCAL"),
            r#"spec.timeZone: Invalid value: "LOCAL": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"#,
        ),
        (
            "/spec/timeZone",
            json!(" Continent/Zone"),
            r#"spec.timeZone: Invalid value: " Continent/Zone": unknown time zone  Continent/Zone"#,
        ),
        (
            "/spec/timeZone",
            json!("Continent/InvalidZone"),
            r#"spec.timeZone: Invalid value: "Continent/InvalidZone": unknown time zone Continent/InvalidZone"#,
        ),
        (
            "/spec/timeZone",
            json!(" "),
            r#"spec.timeZone: Invalid value: " ": unknown time zone  "#,
        ),
        (
            "/spec/timeZone",
            json!("Continent/Zone "),
            r#"spec.timeZone: Invalid value: "Continent/Zone ": unknown time zone Continent/Zone "#,
        ),
        (
            "/spec/timeZone",
            json!("../etc/passwd"),
            r#"spec.timeZone: Invalid value: "../etc/passwd": unknown time zone ../etc/passwd"#,
        ),
        (
            "/spec/startingDeadlineSeconds",
            json!(-1),
            "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "/spec/successfulJobsHistoryLimit",
            json!(-1),
            "spec.successfulJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "/spec/failedJobsHistoryLimit",
            json!(-1),
            "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "/spec/concurrencyPolicy",
            json!("Never"),
            r#"spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace""#,
        ),
        (
            "/metadata/name",
            json!(""),
            "metadata.name: Required value: name or generateName is required",
        ),
        (
            "/metadata/name",
            json!("a".repeat(53)),
            r#"metadata.name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 52 characters"#,
        ),
        (
            "/metadata/namespace",
            json!("two.parts"),
            r#"metadata.namespace: Invalid value: "two.parts": must not contain dots"#,
        ),
        (
            "/metadata/labels/tier",
            json!("-x"),
            r#"metadata.labels: Invalid value: "-x": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"#,
        ),
        (
            "/metadata/annotations/note",
            json!("x".repeat(256 * 1024)),
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
    ];
    for (field, value, expected) in table {
        assert_eq!(create_cron_job(&[(field, value.clone())]), *expected);
    }
}

#[test]
fn a_schedule_that_does_not_parse_is_refused_with_the_parsers_words() {
    for schedule in ["error", "* * * *", "0 0 * * 7", "@reboot", "TZ=0", "CRON_TZ=UTC"] {
        let refused = create_cron_job(&[("/spec/schedule", json!(schedule))]);
        let start = format!("spec.schedule: Invalid value: {schedule:?}: ");
        assert!(refused.starts_with(&start), "{refused}");
    }
}

#[test]
fn a_schedule_cannot_name_its_zone() {
    let expected = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    for schedule in ["TZ=UTC 0 * * * *", "CRON_TZ=Europe/Rome 0 * * * *"] {
        assert_eq!(
            create_cron_job(&[("/spec/schedule", json!(schedule))]),
            format!("spec.schedule: Invalid value: {schedule:?}: {expected}")
        );
    }
}

#[test]
fn several_problems_are_reported_together() {
    let refused = create_cron_job(&[
        ("/metadata/name", json!("My CronJob")),
        ("/spec/schedule", json!("")),
        ("/spec/timeZone", json!("")),
        ("/spec/jobTemplate/spec/template/spec/restartPolicy", json!(null)),
    ]);
    assert_eq!(refused.lines().count(), 4, "{refused}");
}
