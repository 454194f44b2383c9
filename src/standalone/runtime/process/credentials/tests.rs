//! What manifests ask for, and what a process of root or of somebody else then has.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::*;

fn pod(of_pod: &Value, own: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "a"},
        "spec": {"securityContext": of_pod, "containers": [{"name": "main", "securityContext": own}]},
    }))
    .unwrap()
}

fn own(user: u32) -> Own {
    Own {
        user,
        group: user,
        groups: vec![user],
    }
}

/// The credentials that a process of this user starts it with; only what is said.
fn given(user: u32, of_pod: &Value, own_context: &Value) -> String {
    let accounts = Accounts::new(
        "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1010:Ada:/home/ada:/bin/sh\n",
        "root:x:0:\ndisk:x:6:bob,ada\nother:x:7:adam\n",
    );
    let pod = pod(of_pod, own_context);
    let container = &pod.spec.as_ref().unwrap().containers[0];
    if let Err(unfit) = check(&pod, container, &own(user)) {
        return unfit.message;
    }
    if is_forbidden_root(&pod, container, &own(user)) {
        return "forbidden root".to_owned();
    }
    let asked = credentials(&pod, container, &own(user), &accounts);
    let dropped = CapabilitySet::from_bits_retain(asked.dropped);
    let words = [
        asked.user.map(|user| format!("user {user}")),
        asked.group.map(|group| format!("group {group}")),
        asked.groups.map(|groups| format!("groups {groups:?}")),
        asked.no_new_privileges.then(|| "no new privileges".to_owned()),
        (!dropped.is_empty()).then(|| format!("without {}", dropped.iter_names().count())),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[test]
fn root_starts_what_is_asked_for() {
    let none = Value::Null;
    let cases = [
        (none.clone(), none.clone(), ""),
        (json!({"runAsUser": 0}), none.clone(), ""),
        (
            json!({"runAsUser": 1000}),
            none.clone(),
            "user 1000, group 1010, groups [6]",
        ),
        (
            json!({"runAsUser": 1000, "supplementalGroupsPolicy": "Strict"}),
            none.clone(),
            "user 1000, group 1010, groups []",
        ),
        (
            json!({"runAsUser": 77}),
            none.clone(),
            "user 77, group 77, groups []",
        ),
        (
            json!({"runAsUser": 77, "runAsGroup": 5, "supplementalGroups": [9, 8], "fsGroup": 8}),
            json!({"runAsUser": 78, "runAsNonRoot": true}),
            "user 78, group 5, groups [8, 9]",
        ),
        (json!({"runAsGroup": 5}), none.clone(), "group 5"),
        (json!({"fsGroup": 8}), none.clone(), "groups [0, 8]"),
        (json!({"runAsNonRoot": true}), none.clone(), "forbidden root"),
        (json!({"runAsNonRoot": true}), json!({"runAsNonRoot": false}), ""),
        (
            none.clone(),
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["NET_RAW", "CAP_CHOWN"]}}),
            "no new privileges, without 2",
        ),
        (
            none,
            json!({"capabilities": {"drop": ["all"], "add": ["NET_BIND_SERVICE"]}}),
            "without 40",
        ),
    ];
    for (of_pod, own, expected) in cases {
        assert_eq!(given(0, &of_pod, &own), expected, "{of_pod} {own}");
    }
}

#[test]
fn whoever_is_not_root_starts_processes_as_nobody_else() {
    let none = Value::Null;
    let own =
        json!({"runAsUser": 1000, "runAsGroup": 1000, "runAsNonRoot": true, "supplementalGroups": [1000]});
    assert_eq!(given(1000, &own, &none), "");
    let hardened = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    assert_eq!(given(1000, &none, &hardened), "no new privileges");
    let refused = [
        given(1000, &none, &json!({"runAsUser": 65534})),
        given(1000, &json!({"runAsGroup": 0}), &none),
        given(1000, &json!({"supplementalGroups": [1000, 6]}), &none),
    ];
    insta::assert_snapshot!(refused.join("\n"));
}

#[test]
fn what_does_not_hold_is_named_once() {
    let told = |user: u32, of_pod: &Value, own_context: &Value| {
        let caveat = caveat(&pod(of_pod, own_context), &own(user));
        caveat.map_or_else(String::new, |(_, message)| message)
    };
    let usual = json!({
        "runAsNonRoot": true, "runAsUser": 1000, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "Unconfined"}, "procMount": "Default", "readOnlyRootFilesystem": false,
    });
    assert_eq!(told(1000, &Value::Null, &usual), "");
    let unusual = json!({
        "readOnlyRootFilesystem": true, "privileged": true, "procMount": "Unmasked", "seLinuxOptions": {"level": "s0"},
        "capabilities": {"add": ["SYS_TIME"]}, "appArmorProfile": {"type": "RuntimeDefault"},
    });
    let of_pod = json!({
        "seccompProfile": {"type": "RuntimeDefault"}, "fsGroup": 6, "sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}],
    });
    let all = [
        told(1000, &of_pod, &unusual),
        told(0, &of_pod, &unusual),
        told(0, &Value::Null, &json!({"readOnlyRootFilesystem": true})),
    ];
    insta::assert_snapshot!(all.join("\n"));
    let of_containers = |of_pod: &Value, own_context: &Value| {
        let caveat = caveat_of_containers(&pod(of_pod, own_context));
        caveat.map_or_else(String::new, |(_, message)| message)
    };
    assert_eq!(of_containers(&Value::Null, &usual), "");
    insta::assert_snapshot!(of_containers(&of_pod, &unusual), @"the pod runs as containers, for which seLinuxOptions, procMount, sysctls of its `securityContext` are not enforced, as the container engine is not asked for that; where that matters, make it the engine's default");
}
