//! Files that can't be read.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P001",
    name: "unreadable",
    severity: Severity::Error,
    summary: "A manifest can't be read",
    page: r"
A file is missing, may not be read, is larger than 16 MiB, is not UTF-8, or nests more lists and mappings than
any manifest does. PowerShell's `>` writes UTF-16: save such a file as UTF-8.

Of a folder, only files that end in `.yaml`, `.yml` or `.json` are read, as `kubectl apply -f` does; with `-R`, those of
folders within it as well.
",
    finds: Finds::InText(&["unreadable", "not-utf8", "too-large", "too-deep"]),
};
