//! Which field was meant by one that is not known where it stands.
//!
//! Every field with the same name, or nearly the same, is a candidate. What speaks against one is counted: the levels
//! between the two places, the letters that differ, and what the written value holds that the candidate's type does not.

use super::homes::{Home, ITEM, Route, homes};
use super::{Found, Verdict, words};
use crate::manifest::path::{FieldPath, Step};
use crate::manifest::schema::Schema;
use crate::manifest::suggest;
use crate::manifest::tree::{Node, Value};

/// Lists of a pod that few people write, so that their items are seldom meant.
const SELDOM: [&str; 2] = ["initContainers", "ephemeralContainers"];

/// A value with more misfits than this is not counted further: it is of another type.
const MISFITS_MAX: usize = 3;

/// A name with more homes than this says nothing by itself, as `name` and `path` do; only the next mapping counts.
const COMMON: usize = 12;

/// Fewer letters than this are not enough to tell a typing mistake from another word.
const SHORT: usize = 4;

/// What a container asks for and may use, in maps.
const RESOURCES: &str = "ResourceRequirements";

struct Candidate {
    name: &'static str,
    home: FieldPath,
    is_sibling: bool,
    is_taken: bool,
    against: usize,
}

/// Decides what was meant by a field.
pub(super) fn judge(node: &Node, root: Schema, found: &Found) -> Verdict {
    if words::is_of_workloads(found.schema.short_name(), &found.entry.key) {
        return Verdict::Unknown;
    }
    let mut candidates: Vec<Candidate> = elsewhere(node, root, found);
    candidates.extend(sibling(node, found));
    let Some(least) = candidates.iter().map(|candidate| candidate.against).min() else {
        return keyed(node, found);
    };
    let mut best: Vec<Candidate> = candidates
        .into_iter()
        .filter(|candidate| candidate.against == least)
        .collect();
    // Whoever is one slip of the finger away from a field of the same mapping has slipped.
    if let Some(index) = best.iter().position(|candidate| candidate.is_sibling) {
        let meant = best.swap_remove(index).name.to_owned();
        return Verdict::Misspelt { meant };
    }
    match best.len() {
        1 => {
            let Candidate {
                name, home, is_taken, ..
            } = best.remove(0);
            Verdict::Misplaced {
                meant: (name != found.entry.key).then(|| name.to_owned()),
                home,
                is_taken,
            }
        }
        2 => Verdict::Ambiguous(best.into_iter().map(|candidate| candidate.home).collect()),
        _ => Verdict::Unknown,
    }
}

/// An entry of a map of the same mapping, such as `labels`: one that is left empty, its entries not being indented; or,
/// for a resource, one of those that there are.
fn keyed(node: &Node, found: &Found) -> Verdict {
    if matches!(
        found.entry.value.value,
        Value::Null | Value::Sequence(_) | Value::Mapping(_)
    ) {
        return Verdict::Unknown;
    }
    let maps = found.schema.fields().filter(|(_, field)| field.is_map());
    let mut homes: Vec<FieldPath> = maps.map(|(name, _)| found.parent.child_named(name)).collect();
    let is_empty = |home: &FieldPath| node.at(home).is_some_and(|map| map.value == Value::Null);
    if let Some(home) = homes.iter().find(|home| is_empty(home)) {
        return Verdict::Misplaced {
            home: home.clone(),
            meant: None,
            is_taken: false,
        };
    }
    let is_resource = found.schema.short_name() == RESOURCES && homes.len() == 2;
    if is_resource {
        Verdict::Ambiguous(std::mem::take(&mut homes))
    } else {
        Verdict::Unknown
    }
}

/// The fields of other mappings.
fn elsewhere(node: &Node, root: Schema, found: &Found) -> Vec<Candidate> {
    let from = route(&found.parent);
    // What looks like indentation and is none has become part of the key.
    let key = found.entry.key.trim();
    let mut candidates = Vec::new();
    for (name, places) in homes(root).iter() {
        let Some(letters) = letters_apart(key, name) else {
            continue;
        };
        for place in places.iter().filter(|place| place.route != from) {
            let levels = levels_apart(&from, &place.route);
            let is_far = (places.len() > COMMON || letters > 0) && levels > 2;
            let Some(home) = concrete(node, &found.parent, &from, place).filter(|_| !is_far) else {
                continue;
            };
            let is_taken = node
                .at(&home.child_named(name))
                .is_some_and(|value| value.value != Value::Null);
            let seldom = place.route.iter().filter(|step| SELDOM.contains(step)).count();
            candidates.push(Candidate {
                name,
                is_sibling: false,
                against: 2 * levels
                    + 3 * letters
                    + 4 * misfits(&found.entry.value, place.schema)
                    + 6 * seldom
                    + usize::from(node.at(&home).is_none())
                    + usize::from(is_taken),
                home,
                is_taken,
            });
        }
    }
    candidates
}

/// The field of the same mapping whose name is nearest.
fn sibling(node: &Node, found: &Found) -> Option<Candidate> {
    let names: Vec<&'static str> = found.schema.fields().map(|(name, _)| name).collect();
    let key = found.entry.key.as_str();
    let name = fuller(found, key).or_else(|| suggest::meant(key, &names))?;
    let path = found.parent.child_named(name);
    let letters = match fuller(found, key) {
        Some(_) => 1,
        None => suggest::letters_apart(key, name),
    };
    let schema = found.schema.field(name);
    // What is written already is not meant a second time.
    let is_free = node.at(&path).is_none_or(|value| value.value == Value::Null);
    is_free.then(|| Candidate {
        name,
        home: found.parent.clone(),
        is_sibling: true,
        is_taken: false,
        against: 3 * letters.min(3) + 4 * misfits(&found.entry.value, schema),
    })
}

/// The field that a short name is the end of, such as `secretName` for `name`: the only one, or the one that must be
/// written.
fn fuller(found: &Found, key: &str) -> Option<&'static str> {
    let mut letters = key.chars();
    let end: String = letters.next()?.to_uppercase().chain(letters).collect();
    let names = found.schema.fields().map(|(name, _)| name);
    let fuller: Vec<&'static str> = names.filter(|name| name.ends_with(&end)).collect();
    match fuller.as_slice() {
        [only] => Some(only),
        several => found.schema.required().find(|name| several.contains(name)),
    }
}

/// How many letters two names differ in, if that can be a typing mistake.
fn letters_apart(key: &str, name: &str) -> Option<usize> {
    if key == name {
        return Some(0);
    }
    let is_alike = key.len().abs_diff(name.len()) <= 1 && key.len() > SHORT;
    let letters = is_alike.then(|| suggest::letters_apart(key, name))?;
    (letters <= 1).then_some(letters.max(1))
}

/// How much of a value a type does not have: fields, and values of the wrong kind.
fn misfits(value: &Node, schema: Schema) -> usize {
    let (primitive, _) = schema.primitive();
    let count = match &value.value {
        Value::Null => 0,
        Value::Mapping(entries) if schema.has_fields() => entries
            .iter()
            .map(|entry| {
                schema
                    .own_field(&entry.key)
                    .map_or(1, |field| misfits(&entry.value, field))
            })
            .sum(),
        Value::Mapping(_) => usize::from(primitive != "object") * MISFITS_MAX,
        Value::Sequence(items) if schema.is_list() => {
            items.iter().map(|item| misfits(item, schema.items())).sum()
        }
        Value::Sequence(_) => MISFITS_MAX,
        _ => usize::from(schema.is_list() || schema.has_fields() || primitive == "object") * MISFITS_MAX,
    };
    count.min(MISFITS_MAX)
}

/// A path without the numbers of items.
fn route(path: &FieldPath) -> Vec<&str> {
    let step = |step| match step {
        &Step::Index(_) => ITEM,
        Step::Field(name) | Step::Key(name) => name.as_str(),
    };
    path.steps().iter().map(step).collect()
}

fn shared(from: &[&str], to: &[&str]) -> usize {
    from.iter().zip(to).take_while(|(from, to)| from == to).count()
}

/// The levels from one mapping up to what both are in, and down to the other.
fn levels_apart(from: &[&str], to: &[&str]) -> usize {
    let shared = shared(from, to);
    let levels = |route: &[&str]| route[shared..].iter().filter(|step| **step != ITEM).count();
    levels(from) + levels(to)
}

/// The mapping that is meant, as a path in the tree. Where it is one of several items, the path is that of their list;
/// none where it is something within one of several.
fn concrete(node: &Node, parent: &FieldPath, from: &[&str], place: &Home) -> Option<FieldPath> {
    let route: &Route = &place.route;
    let shared = shared(from, route);
    let mut path = FieldPath::from_steps(&parent.steps()[..shared]);
    for (index, step) in route.iter().enumerate().skip(shared) {
        if *step != ITEM {
            path = path.child_named(step);
        } else if has_several(node, &path) {
            return (index + 1 == route.len()).then_some(path);
        } else {
            path = path.index(0);
        }
    }
    Some(path)
}

fn has_several(node: &Node, path: &FieldPath) -> bool {
    matches!(node.at(path).map(|list| &list.value), Some(Value::Sequence(items)) if items.len() > 1)
}
