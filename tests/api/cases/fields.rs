//! Fields of what is written: those that nobody knows, and those that are left out.

use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::cluster::{Cluster, POST, cron_job, job, pod, typed};

/// kube-apiserver drops what it does not know. Here a template may be newer than the server.
pub(crate) async fn those_that_nobody_knows_survive(cluster: Cluster) {
    let mut object: Value = serde_json::to_value(job("newer")).unwrap();
    object["spec"]["template"]["spec"]["newerThanUs"] = json!({ "list": [1, "two", { "three": 3.5 }] });
    let made = cluster.create(object.clone()).await;
    let path = format!("{}/newer", cluster.path_of(&object));
    let read = cluster.send("GET", &path, None).await.unwrap();
    for seen in [&made, &read] {
        assert_eq!(
            seen["spec"]["template"]["spec"]["newerThanUs"],
            json!({ "list": [1, "two", { "three": 3.5 }] })
        );
    }
    let patch = json!({ "metadata": { "labels": { "a": "b" } } });
    let patched = cluster
        .send_as("application/merge-patch+json", "PATCH", &path, Some(&patch))
        .await
        .unwrap();
    assert_eq!(
        patched["spec"]["template"]["spec"]["newerThanUs"]["list"][1],
        "two"
    );
}

/// kubectl asks for this, to catch slips of the pen.
pub(crate) async fn those_that_nobody_knows_are_refused_on_demand(cluster: Cluster) {
    let mut object: Value = serde_json::to_value(cron_job("typo")).unwrap();
    object["spec"]["suspnd"] = true.into();
    let path = format!("{}?fieldValidation=Strict", cluster.path_of(&object));
    let status = cluster.send("POST", &path, Some(&object)).await.unwrap_err();
    assert_eq!(status.code, 400);
    assert!(
        status
            .message
            .ends_with(r#"strict decoding error: unknown field "spec.suspnd""#),
        "{}",
        status.message
    );
    object["spec"].as_object_mut().unwrap().remove("suspnd");
    object["metadata"]["creationTimestamp"] = Value::Null;
    object["status"] = json!({});
    cluster.send("POST", &path, Some(&object)).await.unwrap();
}

/// What programs say that do not know better: the object is taken, as far as its kind has such fields.
pub(crate) async fn those_that_nobody_knows_are_taken_out_with_a_warning(cluster: Cluster) {
    let mut object: Value = serde_json::to_value(cron_job("typo")).unwrap();
    object["spec"]["suspnd"] = true.into();
    object["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["comand"] = json!(["x"]);
    for (asked, is_warned) in [
        ("", true),
        ("&fieldValidation=Warn", true),
        ("&fieldValidation=Ignore", false),
    ] {
        let request = http::Request::post(format!("{}?dryRun=All{asked}", cluster.path_of(&object)))
            .header("content-type", "application/json")
            .header("user-agent", "a-program/1")
            .body(object.to_string().into_bytes().into())
            .unwrap();
        let answer = cluster.client.send(request).await.unwrap();
        assert_eq!(answer.status(), 201);
        let warnings = answer.headers().get_all("warning").iter();
        let mut warnings: Vec<_> = warnings.map(|value| value.to_str().unwrap().to_owned()).collect();
        warnings.sort();
        let expected = [
            r#"299 - "unknown field \"spec.jobTemplate.spec.template.spec.containers[0].comand\"""#,
            r#"299 - "unknown field \"spec.suspnd\"""#,
        ];
        assert_eq!(
            warnings,
            if is_warned { expected.to_vec() } else { Vec::new() },
            "{asked}"
        );
        let body = axum::body::Body::new(answer.into_body());
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let made: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(made["spec"]["suspnd"], Value::Null);
        let container = &made["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(
            (&container["comand"], &container["name"]),
            (&Value::Null, &json!("main"))
        );
    }
}

pub(crate) async fn a_pod_has_the_defaults_of_kubernetes(cluster: Cluster) {
    let container = json!({
        "name": "main",
        "image": "busybox",
        "resources": { "limits": { "cpu": "1", "memory": "1Mi" }, "requests": { "cpu": "500m" } },
    });
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "spec": { "containers": [container] } });
    let made = cluster.create(pod).await;
    let (spec, container) = (&made["spec"], &made["spec"]["containers"][0]);
    let seen = json!({
        "pod": {
            "restartPolicy": spec["restartPolicy"],
            "dnsPolicy": spec["dnsPolicy"],
            "schedulerName": spec["schedulerName"],
            "securityContext": spec["securityContext"],
            "enableServiceLinks": spec["enableServiceLinks"],
            "terminationGracePeriodSeconds": spec["terminationGracePeriodSeconds"],
        },
        "container": {
            "imagePullPolicy": container["imagePullPolicy"],
            "terminationMessagePath": container["terminationMessagePath"],
            "terminationMessagePolicy": container["terminationMessagePolicy"],
            "requests": container["resources"]["requests"],
        },
        "status": made["status"],
    });
    let expected = json!({
        "pod": {
            "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "enableServiceLinks": true,
            "terminationGracePeriodSeconds": 30,
        },
        "container": {
            "imagePullPolicy": "Always",
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "requests": { "cpu": "500m", "memory": "1Mi" },
        },
        "status": { "phase": "Pending", "qosClass": "Burstable" },
    });
    assert_eq!(seen, expected);
}

pub(crate) async fn what_the_update_of_a_pod_leaves_out_is_as_it_was_by_default(cluster: Cluster) {
    let made = cluster.pods().create(&POST, &pod("plain")).await.unwrap();
    let mut object = serde_json::to_value(&made).unwrap();
    let spec = object["spec"].as_object_mut().unwrap();
    for field in [
        "dnsPolicy",
        "schedulerName",
        "securityContext",
        "enableServiceLinks",
    ] {
        assert!(spec.remove(field).is_some(), "{field}");
    }
    let container = spec["containers"][0].as_object_mut().unwrap();
    for field in ["resources", "terminationMessagePath", "imagePullPolicy"] {
        assert!(container.remove(field).is_some(), "{field}");
    }
    let kept = cluster
        .pods()
        .replace("plain", &POST, &typed(object))
        .await
        .unwrap();
    assert_eq!(kept.spec, made.spec);
    assert_eq!(kept.resource_version(), made.resource_version());
}

/// Typed clients leave out what is empty when they send an object back, and that is no change of what can't be changed.
pub(crate) async fn what_says_nothing_is_not_kept(cluster: Cluster) {
    let mut object: Value = serde_json::to_value(job("empties")).unwrap();
    object["spec"]["suspend"] = true.into();
    let empties = json!({ "volumes": [], "hostNetwork": false, "nodeSelector": {}, "priorityClassName": "" });
    let pod = &mut object["spec"]["template"]["spec"];
    pod.as_object_mut()
        .unwrap()
        .extend(empties.as_object().unwrap().clone());
    pod["terminationGracePeriodSeconds"] = 0.into();
    pod["containers"][0]["env"] = json!([{ "name": "A", "value": "" }]);
    pod["containers"][0]["args"] = json!([]);
    let made = cluster.create(object.clone()).await;
    let pod = &made["spec"]["template"]["spec"];
    for field in empties.as_object().unwrap().keys() {
        assert_eq!(pod.get(field), None, "{field}");
    }
    assert_eq!(pod["terminationGracePeriodSeconds"], 0, "a pointer");
    assert_eq!(pod["containers"][0]["env"], json!([{ "name": "A" }]));
    assert_eq!(pod["containers"][0].get("args"), None);

    let path = format!("{}/empties", cluster.path_of(&object));
    let mut typed: Value = serde_json::to_value(typed::<Job>(made)).unwrap();
    typed["metadata"]["labels"]["tried"] = "again".into();
    cluster.send("PUT", &path, Some(&typed)).await.unwrap();
    let emptied = json!({ "spec": { "template": { "spec": { "volumes": [], "tolerations": [] } } } });
    let patched = cluster.send_as("application/merge-patch+json", "PATCH", &path, Some(&emptied));
    assert_eq!(patched.await.unwrap()["metadata"]["generation"], 1);
}

pub(crate) async fn null_is_a_field_left_out_and_in_a_map_an_empty_text(cluster: Cluster) {
    let made = cluster
        .create(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "nulls", "namespace": cluster.namespace, "annotations": { "a": null } },
            "immutable": null,
            "data": { "FLAG": null, "other": "1" },
        }))
        .await;
    assert_eq!(made["data"], json!({ "FLAG": "", "other": "1" }));
    assert_eq!(made["metadata"]["annotations"], json!({ "a": "" }));
    assert_eq!(made.get("immutable"), None);
}
