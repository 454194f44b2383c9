//! Kubernetes' own types: their fields, what these hold and what they are for.
//!
//! `kubernetes.json` holds the definitions that Kubernetes 1.36 publishes as `OpenAPI` v3 (Apache-2.0), of the kinds
//! that are known here and of everything they are made of, one definition a line. They are read when they are first
//! needed: by `lint`, which asks where a field belongs, and by the embedded API for tables, `kubectl explain`, server-side
//! apply and bodies in protobuf.

mod facts;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

pub use facts::{NotAVersion, Version};
pub(crate) use facts::{since, values};

/// The definition of the metadata of objects.
pub(crate) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// What a reference to a definition begins with.
const REFERENCE: &str = "#/components/schemas/";

static DEFINITIONS: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("kubernetes.json")).unwrap_or_default());

/// The names of the definitions of kinds, by group, version and kind.
static KINDS: LazyLock<HashMap<(&str, &str, &str), &str>> = LazyLock::new(|| {
    let kinds = DEFINITIONS.iter().filter_map(|(name, definition)| {
        let identity = definition.get("x-kubernetes-group-version-kind")?.get(0)?;
        let part = |part: &str| identity.get(part)?.as_str();
        Some(((part("group")?, part("version")?, part("kind")?), name.as_str()))
    });
    kinds.collect()
});

/// All definitions, by name.
pub(crate) fn definitions() -> &'static Map<String, Value> {
    &DEFINITIONS
}

/// A type: a definition, or one that stands within another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// As it is used, which may say more than the definition.
    used: &'static Value,
    /// As it is defined.
    defined: &'static Value,
    /// The name of the definition, where it has one of its own.
    name: Option<&'static str>,
}

static NOTHING: Value = Value::Null;

/// How the elements of a list belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListType {
    /// The list is one value.
    Atomic,
    /// Its elements are objects that these fields tell apart.
    ByKeys(Vec<&'static str>),
    /// Its elements are plain values, each there once.
    Set,
}

impl Schema {
    /// A definition by its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        DEFINITIONS.get_key_value(name).map(Self::defined)
    }

    /// The definition of a kind.
    pub(crate) fn of_kind(group: &str, version: &str, kind: &str) -> Option<(&'static str, Self)> {
        let name = KINDS.get(&(group, version, kind))?;
        Self::named(name).map(|schema| (*name, schema))
    }

    fn defined((name, definition): (&'static String, &'static Value)) -> Self {
        Self {
            used: definition,
            defined: definition,
            name: Some(name),
        }
    }

    /// A type of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self {
            used: &NOTHING,
            defined: &NOTHING,
            name: None,
        }
    }

    fn of(used: &'static Value) -> Self {
        let name = reference(used);
        let defined = name.and_then(|name| DEFINITIONS.get(name));
        Self {
            used,
            defined: defined.unwrap_or(used),
            name,
        }
    }

    fn says(&self, extension: &str) -> Option<&'static Value> {
        self.used.get(extension).or_else(|| self.defined.get(extension))
    }

    /// The name of its definition, when it has one of its own.
    pub(crate) fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// What it is for.
    pub(crate) fn description(&self) -> &'static str {
        self.says("description")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What `type` and `format` say, such as `("string", "byte")`.
    pub(crate) fn primitive(&self) -> (&'static str, &'static str) {
        let text = |field| self.says(field).and_then(Value::as_str).unwrap_or_default();
        (text("type"), text("format"))
    }

    /// Whether it has named fields of its own.
    pub(crate) fn has_fields(&self) -> bool {
        self.defined.get("properties").is_some()
    }

    /// The type of a field that it has by this name.
    pub(crate) fn own_field(&self, name: &str) -> Option<Self> {
        let properties = self.defined.get("properties")?;
        properties.get(name).map(Self::of)
    }

    /// Whether it is a map, whose keys are data.
    pub(crate) fn is_map(&self) -> bool {
        self.defined.get("additionalProperties").is_some()
    }

    /// Whether it is a list.
    pub(crate) fn is_list(&self) -> bool {
        self.primitive().0 == "array"
    }

    /// What it is where nobody says.
    pub(crate) fn default(&self) -> Option<&'static Value> {
        self.used.get("default")
    }

    /// Whether an object of this type always has a field, if only an empty one: in Kubernetes' own types it is no pointer.
    pub(crate) fn is_always_there(&self, name: &str) -> bool {
        let property = self.own_field(name);
        let is_struct = |property: Self| property.default().is_some_and(Value::is_object);
        property.is_some_and(|property| is_struct(property) || self.requires(name))
    }

    /// How the elements of a list belong together. Older types say it by how patches merge.
    pub(crate) fn list_type(&self) -> ListType {
        let text = |extension| self.says(extension).and_then(Value::as_str);
        match text("x-kubernetes-list-type") {
            Some("map") => {
                let keys = self.says("x-kubernetes-list-map-keys").and_then(Value::as_array);
                ListType::ByKeys(keys.into_iter().flatten().filter_map(Value::as_str).collect())
            }
            Some("set") => ListType::Set,
            Some(_) => ListType::Atomic,
            None => self.patched_as(),
        }
    }

    /// How the elements of a list belong together for a strategic merge patch, which may be otherwise.
    pub(crate) fn patched_as(&self) -> ListType {
        let text = |extension| self.says(extension).and_then(Value::as_str);
        let merges =
            text("x-kubernetes-patch-strategy").is_some_and(|strategy| strategy.starts_with("merge"));
        match (merges, text("x-kubernetes-patch-merge-key")) {
            (true, Some(key)) => ListType::ByKeys(vec![key]),
            (true, None) => ListType::Set,
            (false, _) => ListType::Atomic,
        }
    }

    /// Whether an object of this type is one value, and not made of its fields.
    pub(crate) fn is_atomic_map(&self) -> bool {
        self.says("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic")
    }

    /// The type of a field, or of the values of a map.
    pub(crate) fn field(&self, name: &str) -> Self {
        let values = || self.defined.get("additionalProperties").map(Self::of);
        self.own_field(name).or_else(values).unwrap_or_else(Self::unknown)
    }

    /// Its own fields by name, with their types; none for a map or a primitive.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, Self)> + use<> {
        let properties = self.defined.get("properties").and_then(Value::as_object);
        properties
            .into_iter()
            .flatten()
            .map(|(name, field)| (name.as_str(), Self::of(field)))
    }

    /// The fields that must be written.
    pub(crate) fn required(&self) -> impl Iterator<Item = &'static str> + use<> {
        let names = self.defined.get("required").and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether a field must be written, be it empty.
    pub(crate) fn requires(&self, name: &str) -> bool {
        self.required().any(|required| required == name)
    }

    /// What a person calls the type, such as `PodSpec`.
    pub(crate) fn short_name(&self) -> &'static str {
        let name = self.name().unwrap_or_default();
        name.rsplit('.').next().unwrap_or_default()
    }

    /// The type of the elements of a list.
    pub(crate) fn items(&self) -> Self {
        self.defined.get("items").map_or_else(Self::unknown, Self::of)
    }
}

/// The definitions that a definition refers to.
pub(crate) fn references(definition: &'static Value) -> Vec<&'static str> {
    match definition {
        Value::Object(fields) => {
            let own = fields
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|target| target.strip_prefix(REFERENCE));
            own.into_iter()
                .chain(fields.values().flat_map(references))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The definition that a use of it names; `OpenAPI` v3 wraps the reference when something stands beside it.
fn reference(used: &'static Value) -> Option<&'static str> {
    let direct = used.get("$ref");
    let named = direct.or_else(|| used.get("allOf")?.get(0)?.get("$ref"))?;
    named.as_str()?.strip_prefix(REFERENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        assert!(!DEFINITIONS.is_empty(), "the definitions are JSON");
        for name in DEFINITIONS.values().flat_map(references) {
            assert!(DEFINITIONS.contains_key(name), "{name}");
        }
    }
}
