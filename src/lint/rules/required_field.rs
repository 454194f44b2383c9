//! Fields that are missing.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P012",
    name: "required-field",
    severity: Severity::Error,
    summary: "A field that must be written is missing",
    page: r#"
Kubernetes refuses the object. A CronJob needs at least this:

    apiVersion: batch/v1
    kind: CronJob
    metadata:
      name: report
    spec:
      schedule: "0 6 * * *"
      jobTemplate:
        spec:
          template:
            spec:
              restartPolicy: Never
              containers:
                - name: report
                  image: example.com/report:1.4

`restartPolicy` has a default in Kubernetes, `Always`, but a Job must not have it.
"#,
    finds: Finds::Reading(&["required-field"]),
};
