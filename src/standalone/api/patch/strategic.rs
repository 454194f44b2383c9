//! Strategic merge patch: a merge patch that knows which lists are sets of things with a key.
//!
//! Source: `apimachinery/pkg/util/strategicpatch` and "Update API Objects in Place Using kubectl patch". The keys are those
//! that the Go types carry as `patchMergeKey`.

use serde_json::{Map, Value};

use crate::manifest::schema::{ListType, Schema};

/// What a patch asks that cannot be done, first in the words of kube-apiserver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrategicError {
    /// An element of a list that is merged by key has no such key.
    #[error(
        "map: {element} does not contain declared merge key: {key}, by which the elements of \"{field}\" are told apart"
    )]
    NoKey {
        /// The list.
        field: String,
        /// The element.
        element: Value,
        /// The key that is missing.
        key: &'static str,
    },

    /// A `$patch` directive that does not exist.
    #[error("unknown patch type: {directive} in map: {map}; there are replace, merge and delete")]
    UnknownDirective {
        /// What was written.
        directive: String,
        /// Where.
        map: Value,
    },

    /// A `$patch: merge` in an element of a list.
    #[error("merging lists cannot yet be specified in the patch; an element says replace or delete")]
    MergedElement,

    /// A `$retainKeys` that is none.
    #[error(
        "invalid patch format of retainKeys: \"$retainKeys\" is a list of fields, and has every field that stands beside it"
    )]
    RetainKeys,

    /// A `$setElementOrder` that is none.
    #[error("expected a list in \"$setElementOrder/{field}\", but received {order}")]
    NoOrder {
        /// The list.
        field: String,
        /// What was written.
        order: Value,
    },

    /// A `$setElementOrder` that is not that of the list beside it.
    #[error(
        "The order in patch list: {} doesn't match $setElementOrder list: {order}; \"$setElementOrder/{field}\" has each element \
         that is set in \"{field}\", in that order", Value::from(set.as_slice())
    )]
    Order {
        /// The list.
        field: String,
        /// What is set in it.
        set: Vec<Value>,
        /// What was written.
        order: Value,
    },
}

/// How a list is patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListKind {
    /// The patch's list takes the place of the object's.
    Atomic,
    /// Elements are objects, told apart by a key.
    ByKey(&'static str),
    /// Elements are plain values; the patch's are added.
    Set,
}

impl ListKind {
    fn of(list: Schema) -> Self {
        match list.patched_as() {
            ListType::Atomic => Self::Atomic,
            ListType::ByKeys(keys) => keys.first().map_or(Self::Atomic, |key| Self::ByKey(key)),
            ListType::Set => Self::Set,
        }
    }

    /// Whether two elements are one for a patch.
    fn are_same(self, element: &Value, other: &Value) -> bool {
        match self {
            Self::ByKey(key) => element.get(key).is_some() && element.get(key) == other.get(key),
            Self::Set | Self::Atomic => element == other,
        }
    }
}

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_VALUES: &str = "$deleteFromPrimitiveList/";

/// Changes `object`, which is of the type `schema`, as `patch` says.
///
/// # Errors
///
/// What the patch asks that cannot be done; the object is then half changed and to be thrown away.
pub(super) fn merge(object: &mut Value, patch: &Value, schema: Schema) -> Result<(), StrategicError> {
    let Value::Object(changes) = patch else {
        *object = patch.clone();
        return Ok(());
    };
    match directive(changes)? {
        Some(Directive::Replace) => {
            *object = Value::Object(without_directives(changes));
            return Ok(());
        }
        Some(Directive::Delete) => {
            *object = Value::Object(Map::new());
            return Ok(());
        }
        None => {}
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Some(fields) = object.as_object_mut() else {
        return Ok(());
    };
    if let Some(kept) = changes.get(RETAIN_KEYS) {
        let kept = retained(kept, changes)?;
        fields.retain(|field, _| kept.contains(&field.as_str()));
    }
    let orders: Vec<_> = changes
        .iter()
        .filter_map(|(field, order)| Some((field.strip_prefix(ORDER)?, order)))
        .map(|(list, order)| (list, order, fields.get(list).cloned()))
        .collect();
    for (list, order, _) in &orders {
        check_order(list, order, changes.get(*list), ListKind::of(schema.field(list)))?;
    }
    for (field, change) in changes.iter().filter(|(field, _)| !is_directive(field)) {
        merge_field(fields, field, change, schema.field(field))?;
    }
    for (field, change) in changes {
        if let Some(list) = field.strip_prefix(DELETE_VALUES) {
            remove_values(fields, list, change);
        }
    }
    for (list, order, before) in orders {
        if let (Some(Value::Array(merged)), Value::Array(order)) = (fields.get_mut(list), order) {
            let before = before.as_ref().and_then(Value::as_array);
            let kind = ListKind::of(schema.field(list));
            put_in_order(merged, order, before.map_or(&[], Vec::as_slice), kind);
        }
    }
    Ok(())
}

/// Whether a field of a patch says how to patch. Another one that begins with `$` is a field, if not of the object's kind.
fn is_directive(field: &str) -> bool {
    field == DIRECTIVE || field == RETAIN_KEYS || field.starts_with(ORDER) || field.starts_with(DELETE_VALUES)
}

/// The fields that are kept.
fn retained<'p>(kept: &'p Value, changes: &Map<String, Value>) -> Result<Vec<&'p str>, StrategicError> {
    let kept = kept.as_array().ok_or(StrategicError::RetainKeys)?;
    let kept: Option<Vec<&str>> = kept.iter().map(Value::as_str).collect();
    let kept = kept.ok_or(StrategicError::RetainKeys)?;
    let mut set = changes
        .iter()
        .filter(|(field, value)| !is_directive(field) && !value.is_null());
    if set.all(|(field, _)| kept.contains(&field.as_str())) {
        Ok(kept)
    } else {
        Err(StrategicError::RetainKeys)
    }
}

/// Fails unless the elements that a patch sets in a list are in its order, one after the other. An order of nothing is none.
fn check_order(list: &str, order: &Value, set: Option<&Value>, kind: ListKind) -> Result<(), StrategicError> {
    let field = || list.to_owned();
    let Value::Array(wanted) = order else {
        return Err(StrategicError::NoOrder {
            field: field(),
            order: order.clone(),
        });
    };
    if let ListKind::ByKey(key) = kind
        && let Some(element) = wanted.iter().find(|element| element.get(key).is_none())
    {
        return Err(StrategicError::NoKey {
            field: field(),
            element: element.clone(),
            key,
        });
    }
    let set = set.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_deleted = |element: &&Value| element.get(DIRECTIVE).is_some();
    let mut rest = wanted.iter();
    let mut stay = set.iter().filter(|element| !is_deleted(element));
    if wanted.is_empty() || stay.all(|element| rest.any(|wanted| kind.are_same(element, wanted))) {
        return Ok(());
    }
    Err(StrategicError::Order {
        field: field(),
        set: set.to_owned(),
        order: order.clone(),
    })
}

enum Directive {
    Replace,
    Delete,
}

fn directive(changes: &Map<String, Value>) -> Result<Option<Directive>, StrategicError> {
    let Some(directive) = changes.get(DIRECTIVE) else {
        return Ok(None);
    };
    match directive.as_str() {
        Some("merge") => Ok(None),
        Some("replace") => Ok(Some(Directive::Replace)),
        Some("delete") => Ok(Some(Directive::Delete)),
        other => Err(StrategicError::UnknownDirective {
            directive: other.map_or_else(|| directive.to_string(), str::to_owned),
            map: Value::Object(changes.clone()),
        }),
    }
}

fn without_directives(changes: &Map<String, Value>) -> Map<String, Value> {
    let plain = changes
        .iter()
        .filter(|(field, value)| !is_directive(field) && !value.is_null());
    plain
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

fn merge_field(
    fields: &mut Map<String, Value>,
    field: &str,
    change: &Value,
    schema: Schema,
) -> Result<(), StrategicError> {
    match (change, ListKind::of(schema)) {
        (Value::Null, _) => {
            fields.remove(field);
        }
        (Value::Object(changes), _) => {
            if matches!(directive(changes)?, Some(Directive::Delete)) {
                fields.remove(field);
            } else {
                merge(
                    fields.entry(field.to_owned()).or_insert(Value::Null),
                    change,
                    schema,
                )?;
            }
        }
        (Value::Array(changes), ListKind::ByKey(key)) => {
            merge_list(elements(fields, field), (field, key), changes, schema.items())?;
        }
        (Value::Array(changes), ListKind::Set) => {
            let list = elements(fields, field);
            let before = list.clone();
            for change in changes {
                if !list.contains(change) {
                    list.push(change.clone());
                }
            }
            put_in_order(list, changes, &before, ListKind::Set);
        }
        _ => {
            fields.insert(field.to_owned(), change.clone());
        }
    }
    Ok(())
}

/// The list under a field, which is made when it is not there.
fn elements<'a>(fields: &'a mut Map<String, Value>, field: &str) -> &'a mut Vec<Value> {
    let value = fields.entry(field.to_owned()).or_insert(Value::Null);
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    match value {
        Value::Array(list) => list,
        // Made an array two lines above.
        _ => unreachable!("the list was just made"),
    }
}

fn merge_list(
    list: &mut Vec<Value>,
    (field, key): (&str, &'static str),
    changes: &[Value],
    items: Schema,
) -> Result<(), StrategicError> {
    let says = |change: &Value, what: &str| change.get(DIRECTIVE).is_some_and(|directive| directive == what);
    if changes.iter().any(|change| says(change, "merge")) {
        return Err(StrategicError::MergedElement);
    }
    if changes.iter().any(|change| says(change, "replace")) {
        // The element that says so is none of the list, whatever else it says.
        let others = changes.iter().filter(|change| change.get(DIRECTIVE).is_none());
        *list = others.cloned().collect();
        return Ok(());
    }
    let before = list.clone();
    for change in changes {
        let no_key = || StrategicError::NoKey {
            field: field.to_owned(),
            element: change.clone(),
            key,
        };
        let wanted = change.get(key).ok_or_else(no_key)?;
        let place = list.iter().position(|element| element.get(key) == Some(wanted));
        let deletes = match change.as_object() {
            Some(fields) => matches!(directive(fields)?, Some(Directive::Delete)),
            None => false,
        };
        match place {
            Some(place) if deletes => drop(list.remove(place)),
            Some(place) => merge(&mut list[place], change, items)?,
            None if deletes => {}
            None => {
                let mut element = Value::Null;
                merge(&mut element, change, items)?;
                list.push(element);
            }
        }
    }
    put_in_order(list, changes, &before, ListKind::ByKey(key));
    Ok(())
}

fn remove_values(fields: &mut Map<String, Value>, field: &str, unwanted: &Value) {
    if let (Some(Value::Array(list)), Value::Array(unwanted)) = (fields.get_mut(field), unwanted) {
        list.retain(|value| !unwanted.contains(value));
    }
}

/// Puts the elements that a patch names into its order. The others keep theirs, and go before an element of the patch
/// only where they stood before it in the list as it was `before`; so what is new to the list goes to its front
/// (`normalizeElementOrder`).
fn put_in_order(list: &mut Vec<Value>, order: &[Value], before: &[Value], kind: ListKind) {
    let rank = |element: &Value| order.iter().position(|wanted| kind.are_same(element, wanted));
    let place = |element: &Value| before.iter().position(|former| kind.are_same(element, former));
    let (mut named, others): (Vec<_>, Vec<_>) = std::mem::take(list)
        .into_iter()
        .partition(|element| rank(element).is_some());
    named.sort_by_key(rank);
    let mut named = named.into_iter().peekable();
    for other in others {
        let stood_before = |element: &Value| matches!((place(&other), place(element)), (Some(other), Some(named)) if other < named);
        while let Some(element) = named.next_if(|element| !stood_before(element)) {
            list.push(element);
        }
        list.push(other);
    }
    list.extend(named);
}

#[cfg(test)]
mod tests;
