//! Templates of Helm or Jinja that were not rendered.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P004",
    name: "unrendered-template",
    severity: Severity::Error,
    summary: "A text is a template, not a manifest",
    page: r"
`{{ … }}` and `{% … %}` are Helm's, Go's or Jinja's, and no YAML. Render the template and lint the result:

    helm template my-chart | punctual lint -
",
    finds: Finds::InText(&["unrendered-template"]),
};
