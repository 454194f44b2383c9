//! Create and update.

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::ResourceExt;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::cluster::{Cluster, POST, config_map, cron_job, job, pod, refused, typed};

pub(crate) async fn a_new_object_has_a_name_an_id_and_a_beginning(cluster: Cluster) {
    let made = cluster
        .cron_jobs()
        .create(&POST, &cron_job("nightly"))
        .await
        .unwrap();
    assert_eq!(made.name_any(), "nightly");
    assert_eq!(made.namespace().as_deref(), Some(cluster.namespace.as_str()));
    assert_eq!(made.uid().unwrap().len(), 36);
    assert!(made.creation_timestamp().is_some());
    assert_eq!(made.metadata.generation, Some(1));
    let spec = made.spec;
    assert_eq!(spec.concurrency_policy.as_deref(), Some("Allow"));
    assert_eq!(spec.suspend, Some(false));
    assert_eq!(
        (spec.successful_jobs_history_limit, spec.failed_jobs_history_limit),
        (Some(3), Some(1))
    );
}

pub(crate) async fn a_name_is_made_up(cluster: Cluster) {
    let mut object = config_map("");
    object.metadata.name = None;
    object.metadata.generate_name = Some("made-".to_owned());
    let made = cluster
        .config_maps()
        .create(&POST, &object)
        .await
        .unwrap()
        .name_any();
    let suffix = made.strip_prefix("made-").unwrap();
    assert!(
        suffix.len() == 5 && suffix.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c)),
        "{made}"
    );
    object.metadata.generate_name = Some("x".repeat(100));
    let made = cluster
        .config_maps()
        .create(&POST, &object)
        .await
        .unwrap()
        .name_any();
    assert_eq!(made.len(), 63);
}

pub(crate) async fn what_the_server_writes_cannot_be_sent(cluster: Cluster) {
    let mut object = cron_job("mine");
    object.metadata.uid = Some("my-own".to_owned());
    object.metadata.generation = Some(999);
    object.metadata.creation_timestamp = Some(typed(json!("2001-01-01T00:00:00Z")));
    object.metadata.deletion_timestamp = Some(typed(json!("2001-01-01T00:00:00Z")));
    object.status = Some(typed(json!({ "lastScheduleTime": "2001-01-01T00:00:00Z" })));
    let made = cluster.cron_jobs().create(&POST, &object).await.unwrap();
    assert_ne!(made.uid().unwrap(), "my-own");
    assert_eq!(made.metadata.generation, Some(1));
    assert_ne!(
        made.metadata.creation_timestamp,
        object.metadata.creation_timestamp
    );
    assert_eq!(made.metadata.deletion_timestamp, None);
    assert_eq!(made.status.unwrap_or_default().last_schedule_time, None);
    object.metadata.resource_version = Some("1".to_owned());
    // kube-apiserver calls this an error of its own, 500; the words are the same.
    let status = refused(cluster.cron_jobs().create(&POST, &object).await);
    assert_eq!(
        status.message,
        "resourceVersion should not be set on objects to be created"
    );
}

pub(crate) async fn the_generation_counts_changes_of_the_spec(cluster: Cluster) {
    let api = cluster.cron_jobs();
    let mut object = api.create(&POST, &cron_job("nightly")).await.unwrap();
    object.labels_mut().insert("a".to_owned(), "b".to_owned());
    let mut object = api.replace("nightly", &POST, &object).await.unwrap();
    assert_eq!(object.metadata.generation, Some(1));
    object.spec.suspend = Some(true);
    object.metadata.generation = Some(77);
    let mut object = api.replace("nightly", &POST, &object).await.unwrap();
    assert_eq!(object.metadata.generation, Some(2));
    object.status = Some(typed(json!({ "lastScheduleTime": "2026-11-23T12:00:00Z" })));
    let object = api.replace_status("nightly", &POST, &object).await.unwrap();
    assert_eq!(object.metadata.generation, Some(2));
}

pub(crate) async fn a_change_that_changes_nothing_is_no_write(cluster: Cluster) {
    let api = cluster.cron_jobs();
    let made = api.create(&POST, &cron_job("nightly")).await.unwrap();
    let again = api.replace("nightly", &POST, &made).await.unwrap();
    assert_eq!(again.resource_version(), made.resource_version());
}

pub(crate) async fn the_later_of_two_writers_is_refused(cluster: Cluster) {
    let api = cluster.cron_jobs();
    let made = api.create(&POST, &cron_job("nightly")).await.unwrap();
    let (mut first, mut second) = (made.clone(), made);
    first.labels_mut().insert("writer".to_owned(), "first".to_owned());
    second
        .labels_mut()
        .insert("writer".to_owned(), "second".to_owned());
    api.replace("nightly", &POST, &first).await.unwrap();
    let status = refused(api.replace("nightly", &POST, &second).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert_eq!(api.get("nightly").await.unwrap().labels()["writer"], "first");
}

pub(crate) async fn an_update_without_a_version_always_goes(cluster: Cluster) {
    let api = cluster.cron_jobs();
    let made = api.create(&POST, &cron_job("nightly")).await.unwrap();
    let mut object = cron_job("nightly");
    object.spec.suspend = Some(true);
    let updated = api.replace("nightly", &POST, &object).await.unwrap();
    assert_eq!(updated.uid(), made.uid());
    assert_eq!(updated.creation_timestamp(), made.creation_timestamp());
    assert_eq!(updated.spec.suspend, Some(true));
}

pub(crate) async fn a_lease_is_updated_only_by_those_who_read_it(cluster: Cluster) {
    let api = cluster.api::<Lease>();
    let mut lease = Lease::default();
    lease.metadata.name = Some("leader".to_owned());
    lease.spec = Some(LeaseSpec {
        holder_identity: Some("a".to_owned()),
        ..LeaseSpec::default()
    });
    let mut held = api.create(&POST, &lease).await.unwrap();
    lease.spec.as_mut().unwrap().holder_identity = Some("b".to_owned());
    let status = refused(api.replace("leader", &POST, &lease).await);
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    held.spec.as_mut().unwrap().holder_identity = Some("c".to_owned());
    assert_eq!(api.replace("leader", &POST, &held).await.unwrap().spec, held.spec);
}

pub(crate) async fn metadata_that_never_changes_cannot_be_changed(cluster: Cluster) {
    let api = cluster.config_maps();
    let made = api.create(&POST, &config_map("fixed")).await.unwrap();
    let mut other_time = made.clone();
    other_time.metadata.creation_timestamp = Some(typed(json!("2001-01-01T00:00:00Z")));
    let written = api.replace("fixed", &POST, &other_time).await.unwrap();
    assert_eq!(
        written.metadata.creation_timestamp, made.metadata.creation_timestamp,
        "it is not refused, it is kept"
    );
    let mut other_id = made.clone();
    other_id.metadata.uid = Some("00000000-0000-0000-0000-000000000000".to_owned());
    assert_eq!(refused(api.replace("fixed", &POST, &other_id).await).code, 409);
    let mut other_name = made;
    other_name.metadata.name = Some("other".to_owned());
    assert_eq!(refused(api.replace("fixed", &POST, &other_name).await).code, 400);
}

pub(crate) async fn the_status_is_a_part_of_its_own(cluster: Cluster) {
    let api = cluster.jobs();
    let made = api.create(&POST, &job("split")).await.unwrap();
    let mut both = made.clone();
    both.spec.as_mut().unwrap().suspend = Some(true);
    both.status = Some(typed(json!({ "startTime": "2026-11-23T12:00:00Z", "active": 1 })));
    let main = api.replace("split", &POST, &both).await.unwrap();
    assert_eq!(main.spec.as_ref().unwrap().suspend, Some(true));
    assert_eq!(main.status.unwrap_or_default().active, None);

    let mut both = api.get("split").await.unwrap();
    both.spec.as_mut().unwrap().suspend = Some(false);
    both.status = Some(typed(json!({ "startTime": "2026-11-23T12:00:00Z", "active": 1 })));
    let status = api.replace_status("split", &POST, &both).await.unwrap();
    assert_eq!(status.spec.unwrap().suspend, Some(true));
    assert_eq!(status.status.unwrap().active, Some(1));
}

pub(crate) async fn a_job_selects_its_own_pods(cluster: Cluster) {
    let made = cluster.jobs().create(&POST, &job("one")).await.unwrap();
    let uid = made.uid().unwrap();
    let spec = made.spec.clone().unwrap();
    let selector = spec.selector.unwrap().match_labels.unwrap();
    assert_eq!(selector["batch.kubernetes.io/controller-uid"], uid);
    let labels = spec.template.metadata.unwrap().labels.unwrap();
    assert_eq!(labels["batch.kubernetes.io/controller-uid"], uid);
    assert_eq!(labels["controller-uid"], uid);
    assert_eq!(labels["batch.kubernetes.io/job-name"], "one");
    assert_eq!(labels["job-name"], "one");
    assert_eq!(made.labels(), &labels);
    assert_eq!(
        (spec.completions, spec.parallelism, spec.backoff_limit),
        (Some(1), Some(1), Some(6))
    );
    assert_eq!(spec.completion_mode.as_deref(), Some("NonIndexed"));
    assert_eq!(spec.suspend, Some(false));
}

pub(crate) async fn a_rehearsal_keeps_nothing(cluster: Cluster) {
    let rehearsal = PostParams {
        dry_run: true,
        ..POST
    };
    let api = cluster.config_maps();
    let shown = api.create(&rehearsal, &config_map("never")).await.unwrap();
    assert!(shown.uid().is_some());
    assert_eq!(api.get_opt("never").await.unwrap(), None);
    let kept = api.create(&POST, &config_map("kept")).await.unwrap();
    let status = refused(api.create(&rehearsal, &config_map("kept")).await);
    assert_eq!(status.reason, "AlreadyExists");
    let mut changed = kept.clone();
    changed.labels_mut().insert("a".to_owned(), "b".to_owned());
    assert_eq!(
        api.replace("kept", &rehearsal, &changed).await.unwrap().labels()["a"],
        "b"
    );
    let params = kube::api::DeleteParams {
        dry_run: true,
        ..Default::default()
    };
    api.delete("kept", &params).await.unwrap();
    assert_eq!(api.get("kept").await.unwrap(), kept);
}

pub(crate) async fn secrets_are_written_as_text_and_read_as_bytes(cluster: Cluster) {
    let api = cluster.api::<Secret>();
    let secret: Secret =
        typed(json!({ "metadata": { "name": "s" }, "stringData": { "password": "hunter2" } }));
    let made = api.create(&POST, &secret).await.unwrap();
    assert_eq!(made.string_data, None);
    assert_eq!(made.type_.as_deref(), Some("Opaque"));
    assert_eq!(made.data.unwrap()["password"].0, b"hunter2");

    // YAML makes a boolean of `y`, and who wrote it looks for what is meant.
    let path = format!("/api/v1/namespaces/{}/secrets", cluster.namespace);
    let no_text = json!({ "metadata": { "name": "t" }, "stringData": { "a": "x", "b": true } });
    let refused = cluster.send("POST", &path, Some(&no_text)).await.unwrap_err();
    assert_eq!(refused.code, 400, "{refused:?}");
    assert!(refused.message.contains("stringData"), "{}", refused.message);
}

pub(crate) async fn a_reference_to_an_owner_is_kept_once(cluster: Cluster) {
    let owner = cluster
        .config_maps()
        .create(&POST, &config_map("owner"))
        .await
        .unwrap();
    let uid = owner.metadata.uid;
    let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid });
    let owned = json!({ "metadata": { "name": "owned", "ownerReferences": [owner, owner] } });
    let path = format!("/api/v1/namespaces/{}/configmaps", cluster.namespace);
    let created = cluster.send("POST", &path, Some(&owned)).await.unwrap();
    assert_eq!(created["metadata"]["ownerReferences"], json!([owner]));
    let twice = json!({ "metadata": { "ownerReferences": [owner, owner] } });
    let path = format!("{path}/owned");
    let merge = "application/merge-patch+json";
    let patched = cluster
        .send_as(merge, "PATCH", &path, Some(&twice))
        .await
        .unwrap();
    assert_eq!(patched["metadata"]["ownerReferences"], json!([owner]));
}

pub(crate) async fn an_event_has_two_forms(cluster: Cluster) {
    let namespace = &cluster.namespace;
    let event: Event = typed(json!({
        "metadata": { "name": "e", "namespace": namespace },
        "involvedObject": { "kind": "CronJob", "name": "nightly", "namespace": namespace },
        "reason": "SuccessfulCreate",
        "message": "Created job nightly-1",
        "type": "Normal",
        "count": 2,
    }));
    cluster.api::<Event>().create(&POST, &event).await.unwrap();
    let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
    let other = cluster.send("GET", &format!("{path}/e"), None).await.unwrap();
    assert_eq!(other["apiVersion"], "events.k8s.io/v1");
    assert_eq!(other["regarding"]["name"], "nightly");
    assert_eq!(other["note"], "Created job nightly-1");
    assert_eq!(other["deprecatedCount"], 2);
    let selected = format!("{path}?fieldSelector=regarding.name%3Dnightly,reason%3DSuccessfulCreate");
    assert_eq!(
        cluster.send("GET", &selected, None).await.unwrap()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// What else it says is as it was; by way of the older form all of it can be changed.
pub(crate) async fn an_event_of_the_newer_form_goes_on_as_a_series(cluster: Cluster) {
    let namespace = &cluster.namespace;
    let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
    let event = json!({
        "metadata": { "name": "e" },
        "regarding": { "kind": "CronJob", "name": "nightly", "namespace": namespace },
        "eventTime": "2026-11-23T12:00:00.000000Z", "reason": "Late", "note": "It is late.", "type": "Warning",
        "action": "Starting", "reportingController": "example.com/clock", "reportingInstance": "clock-1",
    });
    cluster.send("POST", &path, Some(&event)).await.unwrap();
    let write = async |path: &str, patch: Value| {
        let media_type = "application/strategic-merge-patch+json";
        cluster.send_as(media_type, "PATCH", path, Some(&patch)).await
    };
    let event = format!("{path}/e");
    let seen = |count: u32| json!({ "series": { "count": count, "lastObservedTime": "2026-11-23T12:05:00.000000Z" } });
    for count in [2, 3] {
        let written = write(&event, seen(count)).await.unwrap();
        assert_eq!(written["series"]["count"], count);
    }
    for (patch, causes) in [
        (
            seen(1),
            vec!["series.count: Invalid value: \"\": should be at least 2"],
        ),
        (
            json!({ "note": "It is very late.", "deprecatedCount": 4, "reportingController": "example.com/other" }),
            vec![
                "message: Invalid value: \"It is very late.\": field is immutable",
                "count: Invalid value: 4: field is immutable",
                "reportingController: Invalid value: \"example.com/other\": field is immutable",
            ],
        ),
        (
            json!({ "eventTime": "2026-11-23T12:00:00.000001Z" }),
            vec!["eventTime: Invalid value: \"2026-11-23T12:00:00.000001Z\": field is immutable"],
        ),
        (
            json!({ "eventTime": "2026-11-23T13:00:00.000000+01:00", "deprecatedSource": {} }),
            vec![],
        ),
    ] {
        let refused = write(&event, patch)
            .await
            .map_err(|refused| refused.details.unwrap().causes);
        let told: Vec<String> = refused
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        assert_eq!(told, causes);
    }
    let older = format!("/api/v1/namespaces/{namespace}/events/e");
    let written = write(&older, json!({ "message": "It is over.", "count": 4 }))
        .await
        .unwrap();
    assert_eq!(written["series"]["count"], 3);
}

pub(crate) async fn gates_keep_a_pod_back(cluster: Cluster) {
    let gate = |name: &str| json!([{ "name": name }]);
    let mut gated = serde_json::to_value(pod("a")).unwrap();
    gated["spec"]["schedulingGates"] = gate("example.com/quota");
    let made = cluster.create(gated.clone()).await;
    assert_eq!(made["spec"].get("nodeName"), None);
    let condition = &made["status"]["conditions"][0];
    assert_eq!(
        (&condition["type"], &condition["reason"], &condition["message"]),
        (
            &json!("PodScheduled"),
            &json!("SchedulingGated"),
            &json!("Scheduling is blocked due to non-empty scheduling gates"),
        )
    );
    assert!(condition["lastTransitionTime"].is_string(), "{condition}");
    let path = format!("{}/a", cluster.path_of(&gated));
    let patch = async |gates: Value| {
        let patch = json!({ "spec": { "schedulingGates": gates } });
        let media_type = "application/merge-patch+json";
        cluster.send_as(media_type, "PATCH", &path, Some(&patch)).await
    };
    let refused = patch(gate("example.com/other")).await.unwrap_err();
    assert_eq!(
        refused.message,
        "Pod \"a\" is invalid: spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling \
         gate 'example.com/other'"
    );
    let let_go = patch(Value::Null).await.unwrap();
    assert_eq!(let_go["spec"].get("schedulingGates"), None);
}
