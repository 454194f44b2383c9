//! Kinds that a cluster has and one machine has not.
//!
//! There are none of them, which is what clients hear that look for them, as `kubectl apply --prune` does; and whoever
//! wants to make one, as with a Helm chart, is told that it can't be made here. Of a kind that is not in this table
//! they would hear that nobody knows it.

use super::resource::{CORE, Resource};
use super::strategy;

/// The table: one row a kind.
pub(super) static ABSENTEES: &[Resource] = &[
    core("endpoints", "endpoints", "Endpoints", &["ep"]),
    core("limitranges", "limitrange", "LimitRange", &["limits"]),
    core(
        "persistentvolumeclaims",
        "persistentvolumeclaim",
        "PersistentVolumeClaim",
        &["pvc"],
    ),
    in_no_namespace(&core(
        "persistentvolumes",
        "persistentvolume",
        "PersistentVolume",
        &["pv"],
    )),
    core(
        "replicationcontrollers",
        "replicationcontroller",
        "ReplicationController",
        &["rc"],
    ),
    core("resourcequotas", "resourcequota", "ResourceQuota", &["quota"]),
    in_no_namespace(&of(
        "apiextensions.k8s.io",
        &core(
            "customresourcedefinitions",
            "customresourcedefinition",
            "CustomResourceDefinition",
            &["crd", "crds"],
        ),
    )),
    of("apps", &core("daemonsets", "daemonset", "DaemonSet", &["ds"])),
    of(
        "apps",
        &core("deployments", "deployment", "Deployment", &["deploy"]),
    ),
    of("apps", &core("replicasets", "replicaset", "ReplicaSet", &["rs"])),
    of(
        "apps",
        &core("statefulsets", "statefulset", "StatefulSet", &["sts"]),
    ),
    Resource {
        version: "v2",
        ..of(
            "autoscaling",
            &core(
                "horizontalpodautoscalers",
                "horizontalpodautoscaler",
                "HorizontalPodAutoscaler",
                &["hpa"],
            ),
        )
    },
    of(
        "networking.k8s.io",
        &core("ingresses", "ingress", "Ingress", &["ing"]),
    ),
    of(
        "networking.k8s.io",
        &core("networkpolicies", "networkpolicy", "NetworkPolicy", &["netpol"]),
    ),
    of(
        "policy",
        &core(
            "poddisruptionbudgets",
            "poddisruptionbudget",
            "PodDisruptionBudget",
            &["pdb"],
        ),
    ),
    in_no_namespace(&of(
        RBAC,
        &core("clusterroles", "clusterrole", "ClusterRole", &[]),
    )),
    in_no_namespace(&of(
        RBAC,
        &core(
            "clusterrolebindings",
            "clusterrolebinding",
            "ClusterRoleBinding",
            &[],
        ),
    )),
    of(RBAC, &core("roles", "role", "Role", &[])),
    of(RBAC, &core("rolebindings", "rolebinding", "RoleBinding", &[])),
    in_no_namespace(&of(
        "scheduling.k8s.io",
        &core("priorityclasses", "priorityclass", "PriorityClass", &["pc"]),
    )),
    in_no_namespace(&of(
        "storage.k8s.io",
        &core("storageclasses", "storageclass", "StorageClass", &["sc"]),
    )),
];

const RBAC: &str = "rbac.authorization.k8s.io";

/// A kind of the core group, whose objects would live in namespaces.
const fn core(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short_names: &'static [&'static str],
) -> Resource {
    Resource {
        plural,
        singular,
        kind,
        short_names,
        verbs: &["get", "list", "watch"],
        // Nothing is.
        stored_as: "absentees",
        strategy: &strategy::Absent,
        ..CORE
    }
}

/// The same in another group.
const fn of(group: &'static str, resource: &Resource) -> Resource {
    Resource { group, ..*resource }
}

/// The same for a kind whose objects live in no namespace.
const fn in_no_namespace(resource: &Resource) -> Resource {
    Resource {
        namespaced: false,
        ..*resource
    }
}
