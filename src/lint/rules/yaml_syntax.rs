//! Texts that do not parse.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P002",
    name: "yaml-syntax",
    severity: Severity::Error,
    summary: "A text is neither YAML nor JSON",
    page: r#"
Nothing after the mistake is read, up to the next `---`. The usual causes: a tab, keys of one mapping that
don't start in the same column, a `:` or a `-` without a blank after it, a quote or bracket that is never
closed.

    spec:
      schedule: "0 6 * * *"
       suspend: true          # one column too far
"#,
    finds: Finds::InText(&["yaml-syntax", "json-syntax"]),
};
