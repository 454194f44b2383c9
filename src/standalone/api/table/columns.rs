//! The columns of each resource: their names, their types, and what they are about.
//!
//! Columns of priority 1 are those that `-o wide` adds.

use super::super::resource::Resource;
use crate::manifest::schema::OBJECT_META;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) format: &'static str,
    pub(super) priority: u8,
    pub(super) about: About,
}

/// Where the description of a column comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum About {
    /// A sentence of its own.
    Text(&'static str),
    /// A definition, and the field of it that the column shows.
    Field(&'static str, &'static str),
}

use About::{Field, Text};

const NAME: Column = Column {
    name: "Name",
    kind: "string",
    format: "name",
    priority: 0,
    about: Field(OBJECT_META, "name"),
};

const AGE: Column = text("Age", Field(OBJECT_META, "creationTimestamp"));
const CONTAINERS: Column = wide("Containers", Text("Names of each container in the template."));
const IMAGES: Column = wide(
    "Images",
    Text("Images referenced by each container in the template."),
);
const SELECTOR: Column = wide("Selector", Field("io.k8s.api.batch.v1.JobSpec", "selector"));

const fn text(name: &'static str, about: About) -> Column {
    Column {
        name,
        kind: "string",
        format: "",
        priority: 0,
        about,
    }
}

const fn wide(name: &'static str, about: About) -> Column {
    Column {
        priority: 1,
        ..text(name, about)
    }
}

/// The columns of a resource; those of an object of which nothing is known, for one that has none of its own.
pub(super) fn of(resource: &Resource) -> &'static [Column] {
    match resource.kind {
        "ConfigMap" => CONFIG_MAPS,
        "CronJob" => CRON_JOBS,
        "Event" => EVENTS,
        "Job" => JOBS,
        "Lease" => LEASES,
        "Namespace" => NAMESPACES,
        "Node" => NODES,
        "Pod" => PODS,
        "Secret" => SECRETS,
        "Service" => SERVICES,
        _ => &[NAME, AGE],
    }
}

const CONFIG_MAPS: &[Column] = &[
    NAME,
    text("Data", Field("io.k8s.api.core.v1.ConfigMap", "data")),
    AGE,
];

const CRON_JOB: &str = "io.k8s.api.batch.v1.CronJobSpec";
const CRON_JOB_STATUS: &str = "io.k8s.api.batch.v1.CronJobStatus";

const CRON_JOBS: &[Column] = &[
    NAME,
    text("Schedule", Field(CRON_JOB, "schedule")),
    text("Timezone", Field(CRON_JOB, "timeZone")),
    Column {
        kind: "boolean",
        ..text("Suspend", Field(CRON_JOB, "suspend"))
    },
    Column {
        kind: "integer",
        ..text("Active", Field(CRON_JOB_STATUS, "active"))
    },
    text("Last Schedule", Field(CRON_JOB_STATUS, "lastScheduleTime")),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const EVENT: &str = "io.k8s.api.core.v1.Event";

const EVENTS: &[Column] = &[
    text("Last Seen", Field(EVENT, "lastTimestamp")),
    text("Type", Field(EVENT, "type")),
    text("Reason", Field(EVENT, "reason")),
    text("Object", Field(EVENT, "involvedObject")),
    wide(
        "Subobject",
        Field("io.k8s.api.core.v1.ObjectReference", "fieldPath"),
    ),
    wide("Source", Field(EVENT, "source")),
    text("Message", Field(EVENT, "message")),
    wide("First Seen", Field(EVENT, "firstTimestamp")),
    wide("Count", Field(EVENT, "count")),
    Column { priority: 1, ..NAME },
];

const JOBS: &[Column] = &[
    NAME,
    text("Status", Text("Status of the job.")),
    text("Completions", Field("io.k8s.api.batch.v1.JobStatus", "succeeded")),
    text("Duration", Text("Time required to complete the job.")),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const LEASES: &[Column] = &[
    NAME,
    text(
        "Holder",
        Field("io.k8s.api.coordination.v1.LeaseSpec", "holderIdentity"),
    ),
    AGE,
];

const NAMESPACES: &[Column] = &[NAME, text("Status", Text("The status of the namespace")), AGE];

const NODE_INFO: &str = "io.k8s.api.core.v1.NodeSystemInfo";
const NODE_STATUS: &str = "io.k8s.api.core.v1.NodeStatus";

const NODES: &[Column] = &[
    NAME,
    text("Status", Text("The status of the node")),
    text("Roles", Text("The roles of the node")),
    AGE,
    text("Version", Field(NODE_INFO, "kubeletVersion")),
    wide("Internal-IP", Field(NODE_STATUS, "addresses")),
    wide("External-IP", Field(NODE_STATUS, "addresses")),
    wide("OS-Image", Field(NODE_INFO, "osImage")),
    wide("Kernel-Version", Field(NODE_INFO, "kernelVersion")),
    wide("Container-Runtime", Field(NODE_INFO, "containerRuntimeVersion")),
];

const POD: &str = "io.k8s.api.core.v1.PodSpec";
const POD_STATUS: &str = "io.k8s.api.core.v1.PodStatus";

const PODS: &[Column] = &[
    NAME,
    text(
        "Ready",
        Text("The aggregate readiness state of this pod for accepting traffic."),
    ),
    text(
        "Status",
        Text("The aggregate status of the containers in this pod."),
    ),
    text(
        "Restarts",
        Text(
            "The number of times the containers in this pod have been restarted and when the last container in this pod \
             has restarted.",
        ),
    ),
    AGE,
    wide("IP", Field(POD_STATUS, "podIP")),
    wide("Node", Field(POD, "nodeName")),
    wide("Nominated Node", Field(POD_STATUS, "nominatedNodeName")),
    wide("Readiness Gates", Field(POD, "readinessGates")),
];

const SERVICE: &str = "io.k8s.api.core.v1.ServiceSpec";

const SERVICES: &[Column] = &[
    NAME,
    text("Type", Field(SERVICE, "type")),
    text("Cluster-IP", Field(SERVICE, "clusterIP")),
    text("External-IP", Field(SERVICE, "externalIPs")),
    text("Port(s)", Field(SERVICE, "ports")),
    AGE,
    wide("Selector", Field(SERVICE, "selector")),
];

const SECRETS: &[Column] = &[
    NAME,
    text("Type", Field("io.k8s.api.core.v1.Secret", "type")),
    text("Data", Field("io.k8s.api.core.v1.Secret", "data")),
    AGE,
];
