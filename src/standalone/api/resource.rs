//! The table of what is served: one row a resource, all facts about it in the row.
//!
//! Source: the API reference of Kubernetes 1.36 and the strategies of kube-apiserver (`pkg/registry`).

use super::strategy::{self, Strategy};
use crate::manifest::schema::Schema;

/// A kind of object that the API serves.
#[derive(Debug)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version of the group.
    pub version: &'static str,
    /// The name in paths, such as `cronjobs`.
    pub plural: &'static str,
    /// The name in kubectl's messages, such as `cronjob`.
    pub singular: &'static str,
    /// The kind of one object, such as `CronJob`.
    pub kind: &'static str,
    /// What kubectl users type instead, such as `cj`.
    pub short_names: &'static [&'static str],
    /// The groups of resources it belongs to, such as `all` of `kubectl get all`.
    pub categories: &'static [&'static str],
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What clients can do with it. Of what is the API's own they can only look at it.
    pub verbs: &'static [&'static str],
    /// Whether it has a `/status` subresource, and the main resource leaves the status alone.
    pub has_status: bool,
    /// Whether it has a `/log` subresource: what its containers write.
    pub has_log: bool,
    /// What the store keeps it under. Two rows with the same one are two views of the same objects.
    pub stored_as: &'static str,
    /// Its own rules.
    pub strategy: &'static dyn Strategy,
}

impl Resource {
    /// Whether clients may change it.
    pub fn is_writable(&self) -> bool {
        self.verbs.contains(&"create")
    }

    /// Whether it has a `/finalize` subresource: finalizers in its spec, by which it waits for what is in it.
    pub fn has_finalize(&self) -> bool {
        self.stored_as == NAMESPACES.stored_as
    }

    /// The name in error messages: `jobs.batch`, `pods`.
    pub fn qualified(&self) -> String {
        qualified(self.plural, self.group)
    }

    /// The `apiVersion` of its objects: `batch/v1`, `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Where its group and version are served: `/apis/batch/v1`, `/api/v1`.
    pub fn root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    /// The resource in whose form the objects are stored: this one, unless it is another view of them.
    pub fn stored_form(&self) -> &Resource {
        let is_it = |other: &&Resource| other.stored_as == self.stored_as && other.strategy.is_stored_form();
        RESOURCES.iter().find(is_it).unwrap_or(self)
    }

    /// The type of its objects.
    pub(crate) fn schema(&self) -> Schema {
        let found = Schema::of_kind(self.group, self.version, self.kind);
        found.map_or_else(Schema::unknown, |(_, schema)| schema)
    }

    /// The resource of an `apiVersion` and a kind, when it is served.
    pub fn of(api_version: &str, kind: &str) -> Option<&'static Resource> {
        RESOURCES
            .iter()
            .find(|resource| resource.kind == kind && resource.api_version() == api_version)
    }
}

/// `name.group`, or only the name in the core group.
pub(super) fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

/// What every row of the core group has in common; each says how it differs.
pub(super) const CORE: Resource = Resource {
    group: "",
    version: "v1",
    plural: "",
    singular: "",
    kind: "",
    short_names: &[],
    categories: &[],
    namespaced: true,
    verbs: &[
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    ],
    has_status: false,
    has_log: false,
    stored_as: "",
    strategy: &strategy::ConfigMaps,
};

/// What the rows of `batch/v1` have in common.
const BATCH: Resource = Resource {
    group: "batch",
    categories: &["all"],
    has_status: true,
    ..CORE
};

/// What is asked of a log. It is no object, and is named only where it is refused.
pub(super) static LOG_OPTIONS: &Resource = &Resource {
    kind: "PodLogOptions",
    ..CORE
};

const NAMESPACE_ROW: Resource = Resource {
    plural: "namespaces",
    singular: "namespace",
    kind: "Namespace",
    short_names: &["ns"],
    namespaced: false,
    // They are not deleted as a collection.
    verbs: &["create", "delete", "get", "list", "patch", "update", "watch"],
    has_status: true,
    stored_as: "namespaces",
    strategy: &strategy::Namespaces,
    ..CORE
};

const POD_ROW: Resource = Resource {
    plural: "pods",
    singular: "pod",
    kind: "Pod",
    short_names: &["po"],
    categories: &["all"],
    has_status: true,
    has_log: true,
    stored_as: "pods",
    strategy: &strategy::Pods,
    ..CORE
};

const SERVICE_ROW: Resource = Resource {
    plural: "services",
    singular: "service",
    kind: "Service",
    short_names: &["svc"],
    categories: &["all"],
    verbs: &["get", "list", "watch"],
    stored_as: "services",
    strategy: &strategy::Services,
    ..CORE
};

/// Namespaces, which every other namespaced object needs.
pub static NAMESPACES: &Resource = &NAMESPACE_ROW;

/// Pods, which are given to the node, and go before all else in their namespace.
pub static PODS: &Resource = &POD_ROW;

/// Services, of which there is one: the API itself.
pub static SERVICES: &Resource = &SERVICE_ROW;

/// Everything that is served, in the order of discovery.
pub static RESOURCES: &[Resource] = &[
    NAMESPACE_ROW,
    Resource {
        plural: "configmaps",
        singular: "configmap",
        kind: "ConfigMap",
        short_names: &["cm"],
        stored_as: "configmaps",
        strategy: &strategy::ConfigMaps,
        ..CORE
    },
    Resource {
        plural: "events",
        singular: "event",
        kind: "Event",
        short_names: &["ev"],
        stored_as: "events",
        strategy: &strategy::Events,
        ..CORE
    },
    Resource {
        plural: "nodes",
        singular: "node",
        kind: "Node",
        short_names: &["no"],
        namespaced: false,
        has_status: true,
        stored_as: "nodes",
        strategy: &strategy::Nodes,
        ..CORE
    },
    POD_ROW,
    Resource {
        plural: "secrets",
        singular: "secret",
        kind: "Secret",
        stored_as: "secrets",
        strategy: &strategy::Secrets,
        ..CORE
    },
    Resource {
        plural: "serviceaccounts",
        singular: "serviceaccount",
        kind: "ServiceAccount",
        short_names: &["sa"],
        stored_as: "serviceaccounts",
        strategy: &strategy::ServiceAccounts,
        ..CORE
    },
    SERVICE_ROW,
    Resource {
        plural: "cronjobs",
        singular: "cronjob",
        kind: "CronJob",
        short_names: &["cj"],
        stored_as: "cronjobs.batch",
        strategy: &strategy::CronJobs,
        ..BATCH
    },
    Resource {
        plural: "jobs",
        singular: "job",
        kind: "Job",
        stored_as: "jobs.batch",
        strategy: &strategy::Jobs,
        ..BATCH
    },
    Resource {
        group: "coordination.k8s.io",
        plural: "leases",
        singular: "lease",
        kind: "Lease",
        stored_as: "leases.coordination.k8s.io",
        strategy: &strategy::Leases,
        ..CORE
    },
    Resource {
        group: "events.k8s.io",
        plural: "events",
        singular: "event",
        kind: "Event",
        short_names: &["ev"],
        stored_as: "events",
        strategy: &strategy::EventsV1,
        ..CORE
    },
];
