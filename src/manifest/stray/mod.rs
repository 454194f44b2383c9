//! Fields that are not where they belong: misspelt, put a level too high or too low, or unknown altogether.
//!
//! Kubernetes drops such a field without a word, or refuses the whole object with a path. Here it is recognised by what
//! the schema has elsewhere, and put where it was probably meant to be in a copy of the tree. So its value is checked
//! as well, and what it would have been is not reported as missing.
//!
//! | file | one idea |
//! |---|---|
//! | `homes` | where the fields of a kind are |
//! | `judge` | which of them was meant |
//! | `words` | what is said about it |

mod homes;
mod judge;
mod words;

#[cfg(test)]
mod tests;

use super::path::{FieldPath, Step};
use super::schema::Schema;
use super::source::Span;
use super::tree::{Entry, Node, Value};

/// More strays than this are not looked for in one object: then it is of another kind than it says.
const STRAYS_MAX: usize = 100;

/// Fields of one mapping that do not belong there, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stray {
    /// The mapping that they are in.
    pub parent: FieldPath,
    /// Its type, such as `PodSpec`.
    pub parent_type: &'static str,
    /// Their names and places, in the order of the text.
    pub fields: Vec<(String, Span)>,
    /// What they were meant to be.
    pub verdict: Verdict,
}

/// What a field was probably meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another field of the same mapping.
    Misspelt {
        /// Its right name.
        meant: String,
    },
    /// A field of another mapping.
    Misplaced {
        /// That mapping.
        home: FieldPath,
        /// The field's right name, if that is mistyped as well.
        meant: Option<String>,
        /// Whether there is such a field already.
        is_taken: bool,
    },
    /// A field of one of several mappings.
    Ambiguous(Vec<FieldPath>),
    /// Nothing that is known.
    Unknown,
}

/// Finds the fields of `node` that its type `root` does not have, and puts them where they belong.
pub(super) fn settle(node: &mut Node, root: Schema) -> Vec<Stray> {
    let mut strays: Vec<Stray> = Vec::new();
    for _ in 0..STRAYS_MAX {
        let Some(found) = first(node, root) else {
            break;
        };
        let verdict = judge::judge(node, root, &found);
        let Some(entry) = node.take(&found.path()) else {
            break;
        };
        if let Some(home) = verdict.home(&found) {
            node.put(&home, &entry);
        }
        node.prune(&found.parent);
        let field = (entry.key, entry.key_span);
        let same = |stray: &&mut Stray| stray.parent == found.parent && stray.verdict.is_shared(&verdict);
        match strays.iter_mut().find(same) {
            Some(stray) => stray.fields.push(field),
            None => strays.push(Stray {
                parent: found.parent,
                parent_type: found.schema.short_name(),
                fields: vec![field],
                verdict,
            }),
        }
    }
    strays
}

impl Verdict {
    /// Where to put the field, if there is one place for it.
    fn home(&self, found: &Found) -> Option<FieldPath> {
        match self {
            Verdict::Misspelt { meant } => Some(found.parent.child_named(meant)),
            Verdict::Misplaced {
                home,
                meant,
                is_taken: false,
            } => Some(home.child_named(meant.as_deref().unwrap_or(&found.entry.key))),
            Verdict::Misplaced { .. } | Verdict::Ambiguous(_) | Verdict::Unknown => None,
        }
    }

    /// Whether two fields are told of together.
    fn is_shared(&self, other: &Verdict) -> bool {
        let is_plain = |verdict: &Verdict| {
            matches!(
                verdict,
                Verdict::Misplaced {
                    meant: None,
                    is_taken: false,
                    ..
                }
            )
        };
        is_plain(self) && self == other
    }
}

/// A field that its type does not have.
struct Found {
    parent: FieldPath,
    schema: Schema,
    entry: Entry,
}

impl Found {
    fn path(&self) -> FieldPath {
        self.parent.child_named(&self.entry.key)
    }
}

/// The first field, in the order of the tree, that its type does not have.
fn first(node: &Node, root: Schema) -> Option<Found> {
    fn walk(node: &Node, schema: Schema, path: &mut Vec<Step>) -> Option<Found> {
        match &node.value {
            Value::Mapping(entries) if schema.has_fields() => entries.iter().find_map(|entry| {
                let Some(field) = schema.own_field(&entry.key) else {
                    return Some(Found {
                        parent: FieldPath::from_steps(path),
                        schema,
                        entry: entry.clone(),
                    });
                };
                path.push(Step::Field(entry.key.clone()));
                let found = walk(&entry.value, field, path);
                path.pop();
                found
            }),
            Value::Sequence(items) => items.iter().enumerate().find_map(|(index, item)| {
                path.push(Step::Index(index));
                let found = walk(item, schema.items(), path);
                path.pop();
                found
            }),
            _ => None,
        }
    }
    walk(node, root, &mut Vec::new())
}
