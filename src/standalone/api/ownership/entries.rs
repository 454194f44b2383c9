//! Who owns which fields of an object, as `metadata.managedFields` keeps it.

use std::fmt;

use serde_json::{Value, json};

use super::set::FieldSet;
use crate::schedule::Timestamp;
use crate::standalone::api::meta;

/// The field of the metadata.
const MANAGED_FIELDS: &str = "managedFields";

/// How many writers are told apart that change objects without applying them, as in kube-apiserver; older ones are lumped
/// together.
const UPDATERS_MAX: usize = 10;

/// The name of those that are lumped together.
const ANCIENT: &str = "ancient-changes";

/// Who writes to an object, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer {
    /// The name of the program.
    pub(super) manager: String,
    /// Whether it applies what it wants (`Apply`), or changes what is there (`Update`).
    pub(super) applies: bool,
    /// The version of the API that it speaks.
    pub(super) api_version: String,
    /// Which part of the object it writes to; empty for the object itself.
    pub(super) subresource: &'static str,
}

impl Writer {
    /// Whether this is the same writer. One that applies may come with another version of the API.
    fn is(&self, other: &Writer) -> bool {
        self.manager == other.manager
            && self.applies == other.applies
            && self.subresource == other.subresource
            && (self.applies || self.api_version == other.api_version)
    }
}

/// As people are told of it.
impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.manager)?;
        if !self.subresource.is_empty() {
            write!(f, " with subresource {:?}", self.subresource)?;
        }
        if !self.applies {
            write!(f, " using {}", self.api_version)?;
        }
        Ok(())
    }
}

/// What a writer owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) writer: Writer,
    pub(super) fields: FieldSet,
    /// When it last changed something: as it is written, in UTC, so texts are in the order of moments.
    time: String,
}

/// All that is owned of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entries(Vec<Entry>);

impl Entries {
    /// Reads what an object says; nothing where it says something else than writers and fields.
    pub(super) fn of(object: &Value) -> Self {
        let listed = meta::get(object, MANAGED_FIELDS).and_then(Value::as_array);
        let entries: Option<Vec<Entry>> = listed.into_iter().flatten().map(entry).collect();
        Entries(entries.unwrap_or_default())
    }

    /// Writes it into an object.
    pub(super) fn write(mut self, object: &mut Value) {
        self.0.retain(|entry| !entry.fields.is_empty());
        self.0.sort_by(|a, b| {
            let key = |entry: &Entry| {
                (
                    !entry.writer.applies,
                    entry.time.clone(),
                    entry.writer.manager.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        if self.0.is_empty() {
            meta::remove(object, MANAGED_FIELDS);
        } else {
            let written: Vec<Value> = self.0.iter().map(Entry::to_value).collect();
            meta::set(object, MANAGED_FIELDS, written);
        }
    }

    /// Whether nobody owns anything.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a writer owns.
    pub(super) fn fields_of(&self, writer: &Writer) -> Option<&FieldSet> {
        self.0
            .iter()
            .find(|entry| entry.writer.is(writer))
            .map(|entry| &entry.fields)
    }

    /// Whether the same writers own the same, whenever they last changed something.
    pub(super) fn are_those_of(&self, other: &Entries) -> bool {
        let is_in = |entry: &Entry, others: &[Entry]| {
            let mut others = others.iter();
            others.any(|other| other.writer == entry.writer && other.fields == entry.fields)
        };
        self.0.len() == other.0.len() && self.0.iter().all(|entry| is_in(entry, &other.0))
    }

    /// What all writers own together.
    pub(super) fn all_fields(&self) -> FieldSet {
        self.0
            .iter()
            .fold(FieldSet::default(), |all, entry| all.union(&entry.fields))
    }

    /// The entries of all other writers.
    pub(super) fn others(&self, writer: &Writer) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(|entry| !entry.writer.is(writer))
    }

    /// Takes fields away from all writers, but for one.
    pub(super) fn take_away(&mut self, fields: &FieldSet, except: Option<&Writer>) {
        for entry in &mut self.0 {
            if !except.is_some_and(|writer| entry.writer.is(writer)) {
                entry.fields = entry.fields.difference(fields);
            }
        }
    }

    /// Sets what a writer owns. The moment is that of its last change.
    pub(super) fn set(&mut self, writer: Writer, fields: FieldSet, now: Timestamp) {
        let time = meta::time(now).as_str().unwrap_or_default().to_owned();
        let entry = Entry { writer, fields, time };
        match self.0.iter_mut().find(|other| other.writer.is(&entry.writer)) {
            Some(same) => *same = entry,
            None => self.0.push(entry),
        }
    }

    /// Sets what a writer owns that has changed nothing.
    pub(super) fn set_unchanged(&mut self, writer: &Writer, fields: FieldSet) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.writer.is(writer)) {
            entry.fields = fields;
        }
    }

    /// Lumps the oldest writers together that change objects without applying them, where there are too many.
    pub(super) fn limit_updaters(&mut self) {
        let mut updaters: Vec<Entry> = self
            .0
            .iter()
            .filter(|entry| !entry.writer.applies)
            .cloned()
            .collect();
        if updaters.len() <= UPDATERS_MAX {
            return;
        }
        updaters.sort_by(|a, b| (&a.time, &a.writer.manager).cmp(&(&b.time, &b.writer.manager)));
        let lumped = updaters.len() - UPDATERS_MAX + 1;
        let Some(newest) = updaters.get(lumped - 1) else {
            return;
        };
        let together = Entry {
            writer: Writer {
                manager: ANCIENT.to_owned(),
                subresource: "",
                ..newest.writer.clone()
            },
            time: newest.time.clone(),
            fields: updaters[..lumped]
                .iter()
                .fold(FieldSet::default(), |all, entry| all.union(&entry.fields)),
        };
        self.0.retain(|entry| !updaters[..lumped].contains(entry));
        self.0.push(together);
    }
}

impl Entry {
    fn to_value(&self) -> Value {
        let writer = &self.writer;
        let mut value = json!({
            "manager": writer.manager,
            "operation": if writer.applies { "Apply" } else { "Update" },
            "apiVersion": writer.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.to_fields(),
        });
        if !writer.subresource.is_empty() {
            value["subresource"] = writer.subresource.into();
        }
        value
    }
}

fn entry(value: &Value) -> Option<Entry> {
    let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
    if value["fieldsType"] != "FieldsV1" {
        return None;
    }
    let writer = Writer {
        manager: text("manager"),
        applies: match text("operation").as_str() {
            "Apply" => true,
            "Update" => false,
            _ => return None,
        },
        api_version: Some(text("apiVersion")).filter(|version| !version.is_empty())?,
        subresource: match text("subresource").as_str() {
            "" => "",
            "status" => "status",
            "finalize" => "finalize",
            _ => return None,
        },
    };
    Some(Entry {
        writer,
        fields: FieldSet::parse(&value["fieldsV1"])?,
        time: text("time"),
    })
}
