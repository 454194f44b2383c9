//! Fields at the wrong level.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P010",
    name: "misplaced-field",
    severity: Severity::Error,
    summary: "A field is not where it belongs",
    page: r"
The field exists, but in another mapping: mostly it is indented too little or too far, or a level is missing.
Kubernetes drops it there without a word, or refuses the object.

    jobTemplate:
      template:               # belongs in jobTemplate.spec
        spec:
          containers: []
        restartPolicy: Never  # belongs in template.spec

What is below it is checked as if it were in its place, and it does not count as missing there.
",
    finds: Finds::Reading(&["misplaced-field"]),
};
