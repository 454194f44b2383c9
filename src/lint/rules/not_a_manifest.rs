//! Documents that are no objects.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P006",
    name: "not-a-manifest",
    severity: Severity::Error,
    summary: "A document is not a Kubernetes object",
    page: r"
An object is a mapping with `apiVersion` and `kind`. A document without them, an empty file, a list without
items and a crontab are none. `punctual import crontab` writes a crontab as CronJobs.

    apiVersion: batch/v1
    kind: CronJob
",
    finds: Finds::InText(&["not-a-manifest", "no-manifests", "crontab"]),
};
