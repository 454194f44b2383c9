//! Pod templates: containers, environment, ports, volumes.

use super::*;

/// What is said of a change to the pod's spec.
fn pod(changes: &[(&str, Value)]) -> String {
    let changes: Vec<(String, Value)> = changes
        .iter()
        .map(|(field, value)| (format!("/spec/template/spec/{field}"), value.clone()))
        .collect();
    let changes: Vec<(&str, Value)> = changes
        .iter()
        .map(|(field, value)| (field.as_str(), value.clone()))
        .collect();
    create_job(&changes).replace("spec.template.spec.", "")
}

#[test]
fn a_pod_has_containers_with_names_and_images() {
    let table = [
        (json!([]), "containers: Required value"),
        (json!(null), "containers: Required value"),
        (json!([{"image": "x"}]), "containers[0].name: Required value"),
        (json!([{"name": "a"}]), "containers[0].image: Required value"),
        // Refused only in the pods that are made of the template.
        (json!([{"name": "a", "image": " x"}]), ""),
        (
            json!([{"name": "a", "image": "x"}, {"name": "a", "image": "y"}]),
            r#"containers[1].name: Duplicate value: "a""#,
        ),
        (
            json!([{"name": "a", "image": "x", "imagePullPolicy": "Sometimes"}]),
            r#"containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#,
        ),
        (
            json!([{"name": "A", "image": "x"}]),
            r#"containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"#,
        ),
    ];
    for (containers, expected) in table {
        assert_eq!(
            pod(&[("containers", containers.clone())]),
            expected,
            "{containers}"
        );
    }
}

#[test]
fn init_containers_share_the_names_of_containers() {
    let init = json!([{"name": "main", "image": "x"}, {"name": "wait", "image": "x"}]);
    assert_eq!(
        pod(&[("initContainers", init)]),
        r#"initContainers[0].name: Duplicate value: "main""#
    );
}

#[test]
fn environment_variables_have_a_name_and_one_value() {
    let table = [
        (json!({"name": "A", "value": "b"}), ""),
        (json!({"name": "with spaces, even", "value": ""}), ""),
        (
            json!({"name": "A", "value": "", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
            "",
        ),
        (json!({"value": "b"}), "name: Required value"),
        (
            json!({"name": "A=B"}),
            r#"name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='"#,
        ),
        (
            json!({"name": "A", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
            r#"valueFrom: Invalid value: "": may not be specified when `value` is not empty"#,
        ),
        (
            json!({"name": "A", "valueFrom": {}}),
            r#"valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"#,
        ),
        (
            json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}, "secretKeyRef": {"key": "k", "name": "n"}}}),
            r#"valueFrom: Invalid value: "": may not have more than one field specified at a time"#,
        ),
    ];
    for (variable, expected) in table {
        let found = pod(&[("containers/0/env", json!([variable]))]);
        assert_eq!(found.replace("containers[0].env[0].", ""), expected, "{variable}");
    }
}

#[test]
fn ports_have_a_number_and_a_protocol() {
    let table = [
        (json!({"containerPort": 80}), ""),
        (json!({}), "containerPort: Required value"),
        (
            json!({"containerPort": 65_536}),
            "containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive",
        ),
        (
            json!({"containerPort": 80, "protocol": "HTTP"}),
            r#"protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP""#,
        ),
    ];
    for (port, expected) in table {
        let found = pod(&[("containers/0/ports", json!([port]))]);
        assert_eq!(found.replace("containers[0].ports[0].", ""), expected, "{port}");
    }
}

#[test]
fn volumes_are_named_once_and_mounted_by_name() {
    let volumes = |volumes: Value| pod(&[("volumes", volumes)]);
    assert_eq!(
        volumes(json!([{"name": "a"}, {"name": "b", "hostPath": {"path": "/x"}}])),
        ""
    );
    assert_eq!(
        volumes(json!([{"emptyDir": {}}])),
        "volumes[0].name: Required value"
    );
    assert_eq!(
        volumes(json!([{"name": "a"}, {"name": "a"}])),
        r#"volumes[1].name: Duplicate value: "a""#
    );
    assert_eq!(
        volumes(json!([{"name": "a", "emptyDir": {}, "hostPath": {"path": "/x"}}])),
        "volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"
    );
    let mounts = |mounts: Value| {
        pod(&[
            ("volumes", json!([{"name": "a"}])),
            ("containers/0/volumeMounts", mounts),
        ])
    };
    assert_eq!(mounts(json!([{"name": "a", "mountPath": "/a"}])), "");
    assert_eq!(
        mounts(json!([{"name": "b", "mountPath": "/b"}])),
        r#"containers[0].volumeMounts[0].name: Not found: "b""#
    );
    assert_eq!(
        mounts(json!([{"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/a"}])),
        r#"containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique"#
    );
    assert_eq!(
        mounts(json!([{"name": "a"}])),
        "containers[0].volumeMounts[0].mountPath: Required value"
    );
}

#[test]
fn a_pods_deadline_is_a_time() {
    for seconds in [0, -1, i64::from(i32::MAX) + 1] {
        assert_eq!(
            pod(&[("activeDeadlineSeconds", json!(seconds))]),
            format!(
                "activeDeadlineSeconds: Invalid value: {seconds}: must be between 1 and 2147483647, inclusive"
            )
        );
    }
}

#[test]
fn what_the_server_names_without_its_place_has_one_in_the_text() {
    let long = "x y";
    let table = [
        (
            "/spec/template/metadata/labels",
            json!({"app": long}),
            "spec.template.labels",
            "spec.template.metadata.labels[app]",
        ),
        (
            "/spec/template/metadata/annotations",
            json!({"a b": ""}),
            "spec.template.annotations",
            "spec.template.metadata.annotations[a b]",
        ),
        (
            "/spec/template/spec/nodeSelector",
            json!({"disk": long}),
            "spec.template.spec.nodeSelector",
            "spec.template.spec.nodeSelector[disk]",
        ),
        (
            "/spec/template/spec/containers/0/envFrom",
            json!([{"configMapRef": {"name": "a"}}, {}]),
            "spec.template.spec.containers[0].envFrom",
            "spec.template.spec.containers[0].envFrom[1]",
        ),
        (
            "/spec/template/spec/volumes",
            json!([{"name": "v", "downwardAPI": {"items": [{"path": "../a", "fieldRef": {"fieldPath": "metadata.name"}}]}}]),
            "spec.template.spec.volumes[0].downwardAPI.path",
            "spec.template.spec.volumes[0].downwardAPI.items[0].path",
        ),
        (
            "/spec/template/spec/overhead",
            json!({"cpu": "-1"}),
            "spec.template.spec.overhead.limits[cpu]",
            "spec.template.spec.overhead[cpu]",
        ),
        (
            "/spec/template/spec/topologySpreadConstraints",
            json!([
                {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"},
                {"maxSkew": 2, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"},
            ]),
            "spec.template.spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}",
            "spec.template.spec.topologySpreadConstraints[0].topologyKey",
        ),
    ];
    for (pointer, value, path, place) in table {
        let errors = job::create(&job_with(&[
            (pointer, value),
            // Not taken over from the pods.
            ("/metadata/labels", json!({"own": ""})),
        ]));
        let found: Vec<_> = errors
            .iter()
            .map(|error| (error.path.to_string(), error.place().to_string()))
            .collect();
        assert_eq!(found, [(path.to_owned(), place.to_owned())]);
    }
}
