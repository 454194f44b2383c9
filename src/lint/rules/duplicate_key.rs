//! Keys that are written twice.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P005",
    name: "duplicate-key",
    severity: Severity::Error,
    summary: "A key is written twice in one mapping",
    page: r#"
YAML forbids it, and `kubectl` refuses it or takes the last value without a word. Here the first counts for
what follows. Often the second was meant for another level, or a block was pasted twice:

    env:
      - name: HOST
        value: a
    env:                      # takes the place of the first, or is refused
      - name: PORT
        value: "80"
"#,
    finds: Finds::InText(&["duplicate-key"]),
};
