//! What an object does not want to be told: the annotation `punctual.dev/lint-ignore`.

use std::ops::Range;

use super::register::find;
use super::rule::Rule;
use crate::manifest::path::FieldPath;
use crate::manifest::tree::Node;

/// The annotation: codes or names of rules, with commas between them.
pub(super) const LINT_IGNORE: &str = "punctual.dev/lint-ignore";

/// What the annotation of an object says.
pub(super) fn text(object: &Node) -> &str {
    let node = object.at(&FieldPath::of("metadata.annotations").key(LINT_IGNORE));
    node.and_then(Node::as_str).unwrap_or_default()
}

/// The rules that a text names.
pub(super) fn rules(text: &str) -> Vec<&'static Rule> {
    words(text).filter_map(|word| find(&text[word])).collect()
}

/// Where a text has words that are no rules.
pub(super) fn unknown(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    words(text).filter(|word| find(&text[word.clone()]).is_none())
}

/// Where the words of a list with commas or blanks between them are.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    text.split([',', ' ', '\n', '\t']).filter_map(move |word| {
        let start = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some(start..start + word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_named_by_code_or_name_with_commas_or_blanks_between_them() {
        let text = "P014, p038 endless-run,,nonsense\nP999";
        let codes: Vec<&str> = rules(text).iter().map(|rule| rule.code).collect();
        assert_eq!(codes, ["P014", "P038", "P042"]);
        let unknown: Vec<&str> = unknown(text).map(|word| &text[word]).collect();
        assert_eq!(unknown, ["nonsense", "P999"]);
    }
}
