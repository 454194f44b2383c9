//! The rules of ownership: what applying a configuration means, and what any other write means for the owners.

use serde_json::{Map, Value, json};

use super::OwnershipError;
use super::compare::Comparison;
use super::entries::{Entries, Entry, Writer};
use super::merge::{merged, without};
use super::set::FieldSet;
use super::shape::{check_elements, fields_of};
use crate::manifest::schema::Schema;
use crate::schedule::Timestamp;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::meta;
use crate::standalone::api::zero;

/// Who owns what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// The manager that `kubectl apply --server-side` calls itself. What it says takes the place of what `kubectl apply` said
/// before.
const KUBECTL: &str = "kubectl";

/// In which `kubectl apply` keeps what it was given last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What belongs to nobody: it says which object this is, or only the server writes it.
const NOBODYS: [&[&str]; 12] = [
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// A write, as far as ownership is concerned.
#[derive(Debug, Clone)]
pub(in crate::standalone::api) struct Author {
    /// The name of the program; none for Punctual itself.
    pub(in crate::standalone::api) manager: Option<String>,
    /// The version of the API that it speaks.
    pub(in crate::standalone::api) api_version: String,
    /// Which part of the object it writes to; empty for the object itself.
    pub(in crate::standalone::api) subresource: &'static str,
    /// Fields that a write of this kind cannot change.
    pub(in crate::standalone::api) untouchable: &'static [&'static [&'static str]],
}

impl Author {
    fn writer(&self, applies: bool) -> Writer {
        Writer {
            manager: self.manager.clone().unwrap_or_else(|| "punctual".to_owned()),
            applies,
            api_version: self.api_version.clone(),
            subresource: self.subresource,
        }
    }
}

/// Whether an update asks for owners to be forgotten: its list of them is there and says nothing.
pub(in crate::standalone::api) fn reset(object: &Value) -> bool {
    let listed = meta::get(object, "managedFields").and_then(Value::as_array);
    listed.is_some_and(|entries| match entries.as_slice() {
        [] => true,
        [only] => only.as_object().is_some_and(Map::is_empty),
        _ => false,
    })
}

/// Puts down who owns what after a write that was no apply: what it changed is the author's, and nobody else's any more.
/// `old` is `None` for a new object. The owners are those that `new` names, else those of `old`.
pub(in crate::standalone::api) fn record(
    old: Option<&Value>,
    new: &mut Value,
    author: &Author,
    schema: Schema,
    now: Timestamp,
) {
    let named = Entries::of(new);
    let mut entries = match old {
        _ if !named.is_empty() && author.subresource.is_empty() => named,
        Some(old) => Entries::of(old),
        None => named,
    };
    let is_tracked = !entries.is_empty() || (old.is_none() && author.manager.is_some());
    meta::remove(new, "managedFields");
    if !is_tracked {
        return;
    }
    let nothing = json!({ "metadata": {} });
    let old = old.map_or_else(|| nothing.clone(), unmanaged);
    // Where ownership cannot be told, as in a list with an element without a key, nobody owns anything any more.
    let Ok(comparison) = Comparison::of(&old, new, schema) else {
        return;
    };
    entries.take_away(&comparison.written().union(&comparison.removed), None);
    let written = comparison.written().difference(&FieldSet::of_fields(&NOBODYS));
    let written = written.difference_and_below(&FieldSet::of_fields(author.untouchable));
    if !written.is_empty() {
        let writer = author.writer(false);
        let before = entries.fields_of(&writer).cloned().unwrap_or_default();
        entries.set(writer, before.union(&written), now);
    }
    entries.limit_updaters();
    entries.write(new);
}

/// The live object after a configuration was applied to it. `live` is `None` when there is no such object.
pub(in crate::standalone::api) fn apply(
    live: Option<&Value>,
    config: &Value,
    author: &Author,
    force: bool,
    schema: Schema,
    now: Timestamp,
) -> Result<Value, OwnershipError> {
    if author.manager.is_some() {
        // A manifest on disk may have such lists, as `kubectl apply` has it: they are owned as a whole.
        check_elements(config, schema)?;
    }
    let mut entries = live.map(Entries::of).unwrap_or_default();
    let live = live.map_or_else(|| json!({ "metadata": {} }), unmanaged);
    let writer = author.writer(true);
    // What Punctual wrote before it told owners apart, it wrote of its own files.
    if entries.is_empty() && author.manager.is_some() {
        let before = Comparison::of(&json!({ "metadata": {} }), &live, schema)?;
        let first = Writer {
            manager: BEFORE_FIRST_APPLY.to_owned(),
            subresource: "",
            ..author.writer(false)
        };
        let fields = before.written().difference(&FieldSet::of_fields(&NOBODYS));
        entries.set(first, fields, now);
    }

    let untouchable = FieldSet::of_fields(author.untouchable);
    let wanted = fields_of(config, schema)?.difference_and_below(&untouchable);
    let config = without(config, &untouchable, schema)?;
    let last = entries.fields_of(&writer).cloned();
    let mut after = entries.clone();
    after.set(
        writer.clone(),
        wanted.difference(&FieldSet::of_fields(&NOBODYS)),
        now,
    );
    let mut object = merged(&live, &config, schema)?;
    if let Some(last) = last {
        let kept = after.all_fields().union(&FieldSet::of_fields(&NOBODYS));
        object = pruned(&object, &last, &kept, schema)?;
    }

    let comparison = Comparison::of(&live, &object, schema)?;
    let written = comparison.written();
    if !force {
        let allowed = if writer.manager == KUBECTL {
            last_applied(&live, schema).unwrap_or_default()
        } else {
            FieldSet::default()
        };
        refuse_conflicts(after.others(&writer), &written.difference(&allowed))?;
    }
    after.take_away(&written.union(&comparison.removed), Some(&writer));
    if object == live {
        // Nothing changes but what is owned, so the moment of the last change stays.
        let owned = after.fields_of(&writer).cloned().unwrap_or_default();
        let mut same = entries;
        if same.fields_of(&writer).is_some() {
            same.set_unchanged(&writer, owned);
            after = same;
        }
    }
    if writer.manager == KUBECTL {
        keep_last_applied(&mut object, &config);
    }
    after.write(&mut object);
    Ok(object)
}

/// The merged object without what the applier wanted the last time and does not want any more, unless it belongs to
/// somebody else as well.
fn pruned(
    merged: &Value,
    last: &FieldSet,
    owned: &FieldSet,
    schema: Schema,
) -> Result<Value, OwnershipError> {
    let named = |set: &FieldSet| set.with_named_fields(schema);
    let all = named(&fields_of(merged, schema)?);
    let without_last = without(merged, &named(last), schema)?;
    let kept = named(&fields_of(&without_last, schema)?).union(&named(owned));
    // Others may own parts of what went as a whole; and what the applier never wanted does not go with it.
    let with_owned = without(merged, &all.difference(&kept), schema)?;
    let kept = named(&fields_of(&with_owned, schema)?);
    without(merged, &all.difference(&kept).intersection(&named(last)), schema)
}

/// Fails when others own some of the fields that are to be written.
fn refuse_conflicts<'a>(
    others: impl Iterator<Item = &'a Entry>,
    written: &FieldSet,
) -> Result<(), OwnershipError> {
    let mut conflicts: Vec<(String, String)> = Vec::new();
    for entry in others {
        let who = entry.writer.to_string();
        let paths = entry.fields.intersection(written).paths();
        conflicts.extend(paths.into_iter().map(|path| (who.clone(), path)));
    }
    conflicts.sort_by(|(a, _), (b, _)| a.cmp(b));
    let message = match conflicts.as_slice() {
        [] => return Ok(()),
        [(who, path)] => format!("Apply failed with 1 conflict: conflict with {who}: {path}"),
        several => {
            let mut lines = Vec::new();
            for (index, (who, path)) in several.iter().enumerate() {
                if index == 0 || several[index - 1].0 != *who {
                    lines.push(format!("conflicts with {who}:"));
                }
                lines.push(format!("- {path}"));
            }
            format!(
                "Apply failed with {} conflicts: {}",
                several.len(),
                lines.join("\n")
            )
        }
    };
    let cause = |(who, path): &(String, String)| Cause {
        reason: "FieldManagerConflict",
        message: format!("conflict with {who}"),
        field: path.clone(),
    };
    let causes = conflicts.iter().map(cause).collect();
    Err(OwnershipError::Conflict { message, causes })
}

/// The fields that `kubectl apply` wrote last and that are still as it wrote them: the same user may change them by
/// `kubectl apply --server-side`.
fn last_applied(live: &Value, schema: Schema) -> Option<FieldSet> {
    let text = meta::get(live, "annotations")?.get(LAST_APPLIED)?.as_str()?;
    let mut config: Value = serde_json::from_str(text).ok()?;
    if config["apiVersion"] != live["apiVersion"] {
        return None;
    }
    zero::drop_nulls(&mut config, schema);
    let comparison = Comparison::of(&config, live, schema).ok()?;
    let changed = comparison.written().union(&comparison.removed);
    Some(fields_of(&config, schema).ok()?.difference(&changed))
}

/// Keeps what `kubectl apply` looks at up to date, where it was used before.
fn keep_last_applied(object: &mut Value, config: &Value) {
    let annotations = object.pointer_mut("/metadata/annotations");
    let Some(kept) = annotations.and_then(|annotations| annotations.get_mut(LAST_APPLIED)) else {
        return;
    };
    let mut config = config.clone();
    let annotations = config.pointer_mut("/metadata/annotations");
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    *kept = format!("{config}\n").into();
}

/// Whether an object is as it was before an apply, and belongs to the same: that somebody applied it again, with what is
/// filled in or left out anyway, is no change.
pub(in crate::standalone::api) fn is_unchanged(old: &Value, new: &Value) -> bool {
    unmanaged(old) == unmanaged(new) && Entries::of(old).are_those_of(&Entries::of(new))
}

/// The object without its list of owners.
fn unmanaged(object: &Value) -> Value {
    let mut object = object.clone();
    meta::remove(&mut object, "managedFields");
    object
}
