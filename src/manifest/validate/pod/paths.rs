//! Paths that may not lead out of where they begin.

use super::super::Findings;
use crate::manifest::path::FieldPath;

/// A path below a folder: relative, and without steps back.
pub(super) fn check_descending(value: &str, path: &FieldPath, found: &mut Findings) {
    if value.starts_with('/') {
        found.invalid(path, value, "must be a relative path");
    }
    check_no_steps_back(value, path, found);
}

/// A path without `..`.
pub(super) fn check_no_steps_back(value: &str, path: &FieldPath, found: &mut Findings) {
    if value.split('/').any(|part| part == "..") {
        found.invalid(path, value, "must not contain '..'");
    }
}

/// The path of a file in a volume, whose own files begin with two dots.
pub(super) fn check_file(value: &str, path: &FieldPath, found: &mut Findings) {
    if value.is_empty() {
        found.required(path, "");
    }
    check_descending(value, path, found);
    if value.starts_with("..") && !value.starts_with("../") {
        found.invalid(path, value, "must not start with '..'");
    }
}
