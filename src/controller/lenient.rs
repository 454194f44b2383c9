//! Objects that may not be what they should.
//!
//! One object that can't be read must not hide the others: a list or watch of [`Lenient`] objects goes on, and says of
//! each that it could not read who it is and why.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::watcher::Event;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::manifest::misfit;

/// An object of type `K`, or what is wrong with it.
#[derive(Debug, Clone)]
pub(super) enum Lenient<K> {
    Read(K),
    Malformed(Box<Malformed>),
}

/// An object that could not be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Malformed {
    /// Name, namespace, UID, version, owners and annotations, as far as they can be read; nothing else is sure.
    pub(super) metadata: ObjectMeta,
    /// What is wrong.
    pub(super) error: String,
}

/// Tells the objects of a watch that can be read from those that can't.
pub(super) trait Strict<K> {
    /// The event, or the object that it can't show.
    fn strict(self) -> Result<Event<K>, Box<Malformed>>;
}

impl<K> Strict<K> for Event<Lenient<K>> {
    fn strict(self) -> Result<Event<K>, Box<Malformed>> {
        Ok(match self {
            Event::Init => Event::Init,
            Event::InitDone => Event::InitDone,
            Event::InitApply(object) => Event::InitApply(object.strict()?),
            Event::Apply(object) => Event::Apply(object.strict()?),
            Event::Delete(object) => Event::Delete(object.strict()?),
        })
    }
}

impl<K> Lenient<K> {
    fn strict(self) -> Result<K, Box<Malformed>> {
        match self {
            Lenient::Read(object) => Ok(object),
            Lenient::Malformed(malformed) => Err(malformed),
        }
    }
}

/// What is needed to know which object it is.
#[derive(Default, Deserialize)]
struct Identity {
    #[serde(default)]
    metadata: Names,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    owner_references: Option<Value>,
    annotations: Option<Value>,
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Lenient<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let text = text.get();
        Ok(match serde_json::from_str(text) {
            Ok(object) => Lenient::Read(object),
            Err(error) => Lenient::Malformed(Box::new(Malformed {
                metadata: identity(text),
                error: describe::<K>(text, &error),
            })),
        })
    }
}

/// The field and what is wrong with it, without lines and columns: they would be those of a text that nobody sees.
fn describe<K: DeserializeOwned>(text: &str, error: &serde_json::Error) -> String {
    let value: Option<Value> = serde_json::from_str(text).ok();
    match value.map(|value| misfit::read::<K>(&value)) {
        Some(Err(misfit)) => misfit.to_string(),
        // What a value does not have is wrong, such as a field that is there twice.
        _ => error.to_string(),
    }
}

fn identity(text: &str) -> ObjectMeta {
    let Identity { metadata } = serde_json::from_str(text).unwrap_or_default();
    ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resource_version: metadata.resource_version,
        owner_references: metadata
            .owner_references
            .and_then(|owners| serde_json::from_value(owners).ok()),
        annotations: metadata.annotations.as_ref().and_then(texts),
        ..ObjectMeta::default()
    }
}

/// The entries of a map that are what they should be.
fn texts(map: &Value) -> Option<BTreeMap<String, String>> {
    let entries = map.as_object()?.iter();
    let texts = entries.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Some(texts.collect())
}

impl<K: Resource<DynamicType = ()>> Resource for Lenient<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind(dt: &()) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &()) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &()) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &()) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        match self {
            Lenient::Read(object) => object.meta(),
            Lenient::Malformed(malformed) => &malformed.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Lenient::Read(object) => object.meta_mut(),
            Lenient::Malformed(malformed) => &mut malformed.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::CronJob;
    use kube::core::WatchEvent;

    #[test]
    fn an_object_that_cannot_be_read_says_who_it_is_and_why() {
        let event = r#"{"type":"ADDED","object":{"metadata":{"name":"a","namespace":"b","uid":"c","resourceVersion":"7"},
            "spec":{"schedule":5}}}"#;
        let event: WatchEvent<Lenient<CronJob>> = serde_json::from_str(event).expect("an event");
        let WatchEvent::Added(Lenient::Malformed(malformed)) = event else {
            panic!("{event:?}")
        };
        assert_eq!(malformed.metadata.name.as_deref(), Some("a"));
        assert_eq!(malformed.metadata.resource_version.as_deref(), Some("7"));
        insta::assert_snapshot!(malformed.error, @"spec.schedule: invalid type: integer `5`, expected a string");
    }

    /// They say whose it is.
    #[test]
    fn the_annotations_that_can_be_read_are_kept() {
        for (annotations, kept) in [
            (
                r#"{"is":"text","is-not":5}"#,
                Some([("is".into(), "text".into())].into()),
            ),
            ("5", None),
        ] {
            let text = format!(r#"{{"metadata":{{"name":"a","annotations":{annotations}}}}}"#);
            let metadata = identity(&text);
            assert_eq!(
                (metadata.name.as_deref(), metadata.annotations),
                (Some("a"), kept)
            );
        }
    }

    #[test]
    fn an_object_that_is_nothing_at_all_is_malformed_too() {
        for text in ["5", "null", r#"{"metadata":{"name":5}}"#] {
            let object: Lenient<CronJob> = serde_json::from_str(text).expect("lenient");
            assert!(matches!(object, Lenient::Malformed(_)), "{text}");
        }
    }
}
