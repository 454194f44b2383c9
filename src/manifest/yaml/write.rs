//! JSON written as YAML, in the style of kubectl: lists stand as far in as their key, texts of several lines are blocks.
//!
//! What could be read as anything but the text that it is, by readers of YAML 1.1 or 1.2, is put in quotes.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::scalar;
use crate::manifest::tree;

/// How much further in what belongs to a key stands than the key.
const STEP: usize = 2;

/// The value as one document.
pub fn write(value: &Value) -> String {
    let mut written = Writer { out: String::new() };
    if holds_more(value) {
        written.collection(value, 0);
    } else {
        written.scalar(value, 0);
    }
    written.out
}

/// Whether a value needs lines of its own.
fn holds_more(value: &Value) -> bool {
    value.as_object().is_some_and(|map| !map.is_empty())
        || value.as_array().is_some_and(|list| !list.is_empty())
}

struct Writer {
    out: String,
}

impl Writer {
    /// A mapping or a list with something in it. Where its first line begins is written already.
    fn collection(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) => self.mapping(map, indent),
            Value::Array(list) => self.list(list, indent),
            _ => {}
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, indent: usize) {
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                self.pad(indent);
            }
            self.out.push_str(&word(key));
            self.out.push(':');
            if holds_more(value) {
                let within = if value.is_array() { indent } else { indent + STEP };
                self.out.push('\n');
                self.pad(within);
                self.collection(value, within);
            } else {
                self.out.push(' ');
                self.scalar(value, indent);
            }
        }
    }

    fn list(&mut self, list: &[Value], indent: usize) {
        for (index, value) in list.iter().enumerate() {
            if index > 0 {
                self.pad(indent);
            }
            self.out.push_str("- ");
            if holds_more(value) {
                self.collection(value, indent + STEP);
            } else {
                self.scalar(value, indent);
            }
        }
    }

    /// A value on the rest of the line, of a key or an element that is `indent` in.
    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::String(text) if is_block(text) => return self.block(text, indent + STEP),
            Value::String(text) => self.out.push_str(&word(text)),
            // Numbers and what is empty look as in JSON.
            other => self.out.push_str(&other.to_string()),
        }
        self.out.push('\n');
    }

    /// A text of several lines, as they are.
    fn block(&mut self, text: &str, indent: usize) {
        let lines = text.trim_end_matches('\n');
        self.out.push_str(match text.len() - lines.len() {
            0 => "|-",
            1 => "|",
            _ => "|+",
        });
        self.out.push('\n');
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.pad(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }
}

/// Whether a text can stand as lines: it has some, and its first one shows how far in it is.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with(char::is_whitespace)
        && text.lines().all(|line| !line.ends_with(char::is_whitespace))
        && !text.chars().any(|c| c != '\n' && c != '\t' && is_odd(c))
}

/// A text on one line, in quotes where it needs them.
fn word(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    // Quotes and escapes are those of JSON, which leaves some characters as they are that YAML does not have.
    let quoted = Value::from(text).to_string();
    let mut word = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        if is_odd(c) {
            let _infallible = write!(word, "\\u{:04x}", u32::from(c));
        } else {
            word.push(c);
        }
    }
    word
}

/// Whether a text is read as itself without quotes. Some that would be are not found to be, such as all that begin with
/// a digit: a date is none of ours to tell from a text.
fn is_plain(text: &str) -> bool {
    let begins_well = text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '/');
    begins_well
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && !text.contains(" #")
        && text
            .chars()
            .all(|c| c == ' ' || !(c.is_whitespace() || is_odd(c)))
        && matches!(scalar::resolve(text), tree::Value::String(_))
}

/// Whether a character can't be written as it is: what does not print, what ends a line, and the marks of byte order.
fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::manifest::source::Source;

    #[test]
    fn it_looks_as_kubectl_writes_it() {
        let object = json!({
            "metadata": { "name": "a", "labels": {}, "finalizers": [] },
            "spec": {
                "containers": [
                    { "args": ["-c", "echo a: b\nexit 1\n"], "name": "main" },
                    { "command": [["nested"], []], "name": "yes" },
                ],
                "schedule": "*/5 * * * *",
                "suspend": false,
                "ttl": 5,
            },
        });
        insta::assert_snapshot!(write(&object), @r#"
        metadata:
          finalizers: []
          labels: {}
          name: a
        spec:
          containers:
          - args:
            - "-c"
            - |
              echo a: b
              exit 1
            name: main
          - command:
            - - nested
            - []
            name: "yes"
          schedule: "*/5 * * * *"
          suspend: false
          ttl: 5
        "#);
    }

    /// Texts of the characters that mean something, and of all others.
    fn text() -> impl Strategy<Value = String> {
        let marks = prop::sample::select(
            " \n\t-?:,[]{}#&*!|>'\"%@`~=<.0123eExyno\u{7}\u{85}\u{2028}\u{feff}é🦀"
                .chars()
                .collect::<Vec<_>>(),
        );
        let marks = prop::collection::vec(marks, 0..8).prop_map(String::from_iter);
        prop_oneof![
            marks,
            any::<String>(),
            prop::sample::select(vec!["yes", "null", "~", "1e3", "...", "---", "<<"]).prop_map(str::to_owned)
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(text(), inner, 0..4)
                    .prop_map(|map| Value::from(Map::from_iter(map))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in value()) {
            // A document of nothing is left out.
            let value = json!({ "value": value });
            let text = write(&value);
            let source = Arc::new(Source { name: "written".to_owned(), text: text.clone() });
            let (documents, mistakes) = super::super::read(&source);
            prop_assert!(mistakes.is_empty(), "{}\n{text}", mistakes[0]);
            prop_assert_eq!(documents.len(), 1, "{}", &text);
            prop_assert_eq!(documents[0].to_json(), value, "{}", text);
        }
    }
}
