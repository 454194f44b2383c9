//! CronJobs in a version that Kubernetes has removed.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P008",
    name: "removed-version",
    severity: Severity::Error,
    summary: "The version of this CronJob is no longer served",
    page: r#"
`batch/v1beta1` was removed in Kubernetes 1.25 and `batch/v2alpha1` in 1.21: such a manifest is refused with
"no matches for kind". The fields are the same, so only the version has to change:

    apiVersion: batch/v1

With `--kubernetes-version 1.24` or older, `batch/v1beta1` is not reported.
"#,
    finds: Finds::Reading(&["removed-version"]),
};
