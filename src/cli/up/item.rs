//! What the manifests hold, in the form in which it is put into the API: what is to run, and what that needs.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::cli::up::watch::Look;
use crate::cronjob::Key;
use crate::manifest::{Companion, Loaded, Manifest, Object};

/// By what an object is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    /// Its kind. One kind is always of the same group and version here.
    pub(super) kind: &'static str,
    pub(super) key: Key,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}

/// An object of a manifest.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: Id,
    /// What is written.
    pub(super) json: Json,
    /// The file, as it was named.
    pub(super) file: String,
    /// The object, when it is one that is run.
    pub(super) object: Option<Object>,
    /// Whether it goes when its file has it no more.
    pub(super) is_followed: bool,
}

/// The manifests when it starts.
pub(super) struct Manifests {
    /// How they looked before they were read.
    pub(super) first_look: Look,
    /// What the whole ones hold.
    pub(super) items: Vec<Item>,
    /// The files that are broken.
    pub(super) broken: BTreeSet<String>,
    /// Whether the items are all that they hold.
    pub(super) is_whole: bool,
}

impl Item {
    /// Everything that was loaded, from files that are followed or not; what others need comes first.
    pub(super) fn all(loaded: Loaded, is_followed: bool) -> Vec<Item> {
        let mut items: Vec<Item> = loaded.companions.into_iter().map(Item::companion).collect();
        items.sort_by_key(|item| match item.id.kind {
            "Namespace" => 0,
            "Pod" => 2,
            _ => 1,
        });
        items.extend(loaded.objects.into_iter().map(Item::to_run));
        for item in &mut items {
            item.is_followed = is_followed;
        }
        items
    }

    fn companion(Companion { kind, json, place }: Companion) -> Item {
        Item {
            id: id(kind, &json),
            json,
            file: place.source.name.clone(),
            object: None,
            is_followed: false,
        }
    }

    fn to_run(Manifest { object, json, place }: Manifest) -> Item {
        let kind = match &object {
            Object::CronJob(_) => "CronJob",
            Object::Job(_) => "Job",
        };
        Item {
            id: id(kind, &json),
            json,
            file: place.source.name.clone(),
            object: Some(object),
            is_followed: false,
        }
    }

    /// Whether it is done once, and no more when it is gone: cleaned up after its end, or taken away by somebody.
    pub(super) fn is_work(&self) -> bool {
        matches!(self.id.kind, "Job" | "Pod")
    }
}

fn id(kind: &'static str, json: &Json) -> Id {
    let text = |field: &str| json["metadata"][field].as_str().map(str::to_owned);
    Id {
        kind,
        key: Key {
            namespace: text("namespace").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
        },
    }
}
