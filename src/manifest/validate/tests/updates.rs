//! What may change once an object exists.

use super::*;

/// What is said of a CronJob whose schedule and zone change from one pair to another.
fn cron_job_update(old: (&str, Value), new: (&str, Value)) -> String {
    let with = |(schedule, zone): (&str, Value)| {
        cron_job_with(&[("/spec/schedule", json!(schedule)), ("/spec/timeZone", zone)])
    };
    lines(&cron_job::update(&with(new), &with(old), &TimeZones::built_in()))
}

#[test]
fn a_zone_in_the_schedule_may_stay_but_not_come() {
    let (plain, zoned) = ("0 * * * *", "TZ=UTC 0 * * * *");
    let (none, utc) = (json!(null), json!("UTC"));
    assert_eq!(cron_job_update((zoned, none.clone()), (plain, none.clone())), "");
    assert_eq!(cron_job_update((zoned, none.clone()), (zoned, none.clone())), "");
    assert_eq!(
        cron_job_update((zoned, none.clone()), (zoned, utc)),
        r#"spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule"#
    );
    assert_eq!(
        cron_job_update((plain, none.clone()), (zoned, none)),
        r#"spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"#
    );
}

#[test]
fn a_zone_that_no_longer_exists_may_stay() {
    let (broken, other, good, none) = (json!("Gone/Zone"), json!("Lost/Zone"), json!("UTC"), json!(null));
    let refused = |zone: &Value| {
        let name = zone.as_str().unwrap();
        format!("spec.timeZone: Invalid value: {name:?}: unknown time zone {name}")
    };
    let table = [
        // from          to           said
        (&broken, &broken, String::new()),
        (&broken, &other, refused(&other)),
        (&broken, &good, String::new()),
        (&good, &broken, refused(&broken)),
        (&none, &broken, refused(&broken)),
        (&broken, &none, String::new()),
    ];
    for (from, to, expected) in table {
        let schedule = "0 * * * *";
        assert_eq!(
            cron_job_update((schedule, from.clone()), (schedule, to.clone())),
            expected,
            "{from} to {to}"
        );
    }
}

#[test]
fn a_runtime_that_there_is_not_may_stay_but_not_come() {
    let asking = |runtime: &str, suspend: bool| {
        cron_job_with(&[
            ("/spec/suspend", json!(suspend)),
            (
                "/spec/jobTemplate/spec/template/metadata/annotations",
                json!({"punctual.dev/runtime": runtime}),
            ),
        ])
    };
    let told = |from: &str, to: &str| {
        let (new, old) = (asking(to, true), asking(from, false));
        lines(&cron_job::update(&new, &old, &TimeZones::built_in()))
    };
    let refused = |runtime: &str| {
        format!(
            "spec.jobTemplate.spec.template.metadata.annotations[punctual.dev/runtime]: Unsupported value: {runtime:?}: \
             supported values: \"process\", \"container\""
        )
    };
    assert_eq!(told("docker", "docker"), "");
    assert_eq!(told("docker", "process"), "");
    assert_eq!(told("docker", "podman"), refused("podman"));
    assert_eq!(told("process", "docker"), refused("docker"));
}

#[test]
fn a_name_that_is_too_long_may_stay() {
    let long = cron_job_with(&[("/metadata/name", json!("a".repeat(60)))]);
    assert_eq!(lines(&cron_job::update(&long, &long, &TimeZones::built_in())), "");
}

#[test]
fn the_rest_of_a_cron_job_is_checked_as_it_was_at_first() {
    let old = cron_job_with(&[]);
    let new = cron_job_with(&[
        ("/spec/schedule", json!("")),
        ("/spec/startingDeadlineSeconds", json!(-1)),
    ]);
    assert_eq!(
        lines(&cron_job::update(&new, &old, &TimeZones::built_in())),
        "spec.schedule: Required value\n\
         spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"
    );
}

#[test]
fn names_do_not_change() {
    let old = cron_job_with(&[]);
    let new = cron_job_with(&[("/metadata/name", json!("other"))]);
    assert_eq!(
        lines(&cron_job::update(&new, &old, &TimeZones::built_in())),
        r#"metadata.name: Invalid value: "other": field is immutable"#
    );
}

/// A Job that the API server has made, with changes to it.
fn made(changes: &[(&str, Value)]) -> Job {
    let mut all = vec![
        ("/metadata/uid", json!("1a2b3c")),
        (
            "/spec/selector",
            json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "1a2b3c"}}),
        ),
        (
            "/spec/template/metadata/labels",
            json!({
                "batch.kubernetes.io/controller-uid": "1a2b3c",
                "batch.kubernetes.io/job-name": "myjob",
                "controller-uid": "1a2b3c",
                "job-name": "myjob",
            }),
        ),
    ];
    all.extend_from_slice(changes);
    job_with(&all)
}

#[test]
fn a_jobs_work_does_not_change_but_its_pace_does() {
    let update = |new: &[(&str, Value)]| lines(&job::update(&made(new), &made(&[])));
    assert_eq!(
        update(&[("/spec/parallelism", json!(5))]),
        "spec.completions: Invalid value: null: field is immutable"
    );
    assert_eq!(
        update(&[("/spec/parallelism", json!(5)), ("/spec/completions", json!(1))]),
        ""
    );
    assert_eq!(update(&[("/spec/suspend", json!(true))]), "");
    assert_eq!(update(&[("/spec/backoffLimit", json!(0))]), "");
    assert_eq!(
        update(&[("/spec/managedBy", json!("example.com/x"))]),
        r#"spec.managedBy: Invalid value: "example.com/x": field is immutable"#
    );
    let refused = update(&[("/spec/template/spec/containers/0/image", json!("other"))]);
    assert!(
        refused.starts_with("spec.template: Invalid value: {"),
        "{refused}"
    );
    assert!(refused.ends_with(": field is immutable"), "{refused}");
}

#[test]
fn a_job_that_waits_may_be_told_where_to_run() {
    let field = |name: &str| match name {
        "place" => ("/spec/template/spec/nodeSelector/zone", json!("b")),
        "image" => ("/spec/template/spec/containers/0/image", json!("other")),
        "started" => ("/status/startTime", json!("2026-11-23T12:00:00Z")),
        "stopped" => (
            "/status/conditions",
            json!([{ "type": "Suspended", "status": "True" }]),
        ),
        "active" => ("/status/active", json!(1)),
        _ => ("/spec/suspend", json!(true)),
    };
    let with = |fields: &str| {
        let changes: Vec<(&str, Value)> = fields.split_whitespace().map(field).collect();
        made(&changes)
    };
    #[rustfmt::skip]
    let table = [
        // before              changed to           may it be?
        ("suspended",          "suspended place",   true),
        ("suspended",          "place",             true),
        ("suspended",          "suspended image",   false),
        ("suspended started",  "suspended place",   false),
        ("suspended started stopped", "suspended place", true),
        ("suspended stopped active", "suspended place", false),
        ("",                   "place",             false),
    ];
    for (old, new, allowed) in table {
        let said = lines(&job::update(&with(new), &with(old)));
        assert_eq!(said.is_empty(), allowed, "{old} to {new}: {said}");
    }
}

#[test]
fn an_indexed_job_grows_and_shrinks_as_a_whole() {
    let with = |count: i32, pods: i32| {
        made(&[
            ("/spec/completionMode", json!("Indexed")),
            ("/spec/completions", json!(count)),
            ("/spec/parallelism", json!(pods)),
        ])
    };
    assert_eq!(lines(&job::update(&with(3, 3), &with(5, 5))), "");
    assert_eq!(
        lines(&job::update(&with(3, 5), &with(5, 5))),
        "spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"
    );
}
