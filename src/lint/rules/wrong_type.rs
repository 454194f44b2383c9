//! Values of the wrong kind.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P011",
    name: "wrong-type",
    severity: Severity::Error,
    summary: "A value is not of the kind that the field holds",
    page: r#"
YAML decides by how a value is written: `5` is a number and `"5"` is text; `yes`, `no`, `on` and `off` are
booleans; `- ` begins an item of a list. Kubernetes converts nothing.

    env:
      - name: RETRIES
        value: 3              # must be text: "3"
    command: /bin/backup      # must be a list: ["/bin/backup"]
"#,
    finds: Finds::Reading(&["wrong-type"]),
};
