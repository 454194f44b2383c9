//! What follows from a change of the files: what is applied, and what is pruned. Pure.
//!
//! A file that is right is what it says. One that is broken stays what it was when it was last right, and one that is
//! gone is nothing. An object belongs to the file that it came from, and goes when no file has it any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::cli::up::item::{Id, Item};

/// A file as it is now.
#[derive(Debug)]
pub(super) enum Seen {
    /// It is not there any more.
    Gone,
    /// It can't be taken.
    Broken,
    /// It holds these.
    Holds(Vec<Item>),
}

/// What the files held when they were last right.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Of each file its objects.
    held: BTreeMap<String, BTreeMap<Id, Held>>,
    /// What another file has already, and is taken when that one has it no more.
    waiting: Vec<Item>,
}

/// An object of a file.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    json: Json,
    is_generated: bool,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What is new or has changed.
    pub(super) apply: Vec<Item>,
    /// What is as it was in a file that was written, and is applied if somebody has deleted it meanwhile.
    pub(super) keep: Vec<Item>,
    /// What no file has any more, and the file that had it.
    pub(super) prune: Vec<(Id, String)>,
    /// What another file, named here, has already. It is not taken from the one in the item.
    pub(super) taken: Vec<(Item, String)>,
}

impl Files {
    /// What was applied when everything began.
    pub(super) fn begin(items: &[Item]) -> Self {
        let mut files = Self::default();
        for item in items {
            files.hold(item);
        }
        files
    }

    fn hold(&mut self, item: &Item) {
        let held = Held {
            json: item.json.clone(),
            is_generated: item.is_generated(),
        };
        let file = self.held.entry(item.file.clone()).or_default();
        file.insert(item.id.clone(), held);
    }

    /// The file that has an object.
    fn owner(&self, id: &Id) -> Option<&String> {
        let mut files = self.held.iter();
        files
            .find(|(_, objects)| objects.contains_key(id))
            .map(|(file, _)| file)
    }

    /// Takes in what some files are now.
    pub(super) fn take(&mut self, seen: BTreeMap<String, Seen>) -> Plan {
        let mut before: BTreeMap<Id, (Held, String)> = BTreeMap::new();
        let mut waiting = std::mem::take(&mut self.waiting);
        for (file, now) in &seen {
            if !matches!(now, Seen::Broken) {
                waiting.retain(|item| item.file != *file);
                let objects = self.held.remove(file).unwrap_or_default();
                before.extend(objects.into_iter().map(|(id, held)| (id, (held, file.clone()))));
            }
        }
        let mut plan = Plan::default();
        let held = seen.into_values().filter_map(|now| match now {
            Seen::Holds(items) => Some(items),
            Seen::Gone | Seen::Broken => None,
        });
        let held = held.flatten().map(|item| (item, true));
        for (item, is_new) in held.chain(waiting.into_iter().map(|item| (item, false))) {
            if let Some(owner) = self.owner(&item.id).filter(|owner| **owner != item.file) {
                if is_new {
                    plan.taken.push((item.clone(), owner.clone()));
                }
                self.waiting.push(item);
                continue;
            }
            self.hold(&item);
            let was = before.get(&item.id).map(|(held, _)| &held.json);
            if was != Some(&item.json) {
                plan.apply.push(item);
            } else if !item.is_work() && !item.is_generated() {
                plan.keep.push(item);
            }
        }
        let kept: BTreeSet<&Id> = self.held.values().flat_map(BTreeMap::keys).collect();
        // Nobody knows the names that the API has made up.
        let gone = before
            .iter()
            .filter(|(id, (held, _))| !kept.contains(id) && !held.is_generated);
        plan.prune = gone.map(|(id, (_, file))| (id.clone(), file.clone())).collect();
        plan
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cronjob::Key;

    /// `name=version`, in a file.
    fn item(file: &str, text: &str) -> Item {
        let (name, version) = text.split_once('=').unwrap();
        let metadata = match name.strip_suffix('*') {
            Some(prefix) => json!({ "generateName": prefix }),
            None => json!({ "name": name }),
        };
        Item {
            id: Id {
                kind: "CronJob",
                key: Key {
                    namespace: "default".into(),
                    name: name.into(),
                },
            },
            json: json!({ "metadata": metadata, "spec": version }),
            file: file.into(),
            object: None,
            is_followed: true,
        }
    }

    /// A file as it is now: `-` for gone, `!` for broken, else its objects.
    fn seen(file: &str, text: &str) -> Seen {
        match text {
            "-" => Seen::Gone,
            "!" => Seen::Broken,
            text => Seen::Holds(text.split_whitespace().map(|text| item(file, text)).collect()),
        }
    }

    /// Some files, as they are now.
    type State<'s> = &'s [(&'s str, &'s str)];

    /// What follows, in words, from one state of files after another.
    fn story(states: &[State<'_>]) -> String {
        let mut files = Files::default();
        let steps = states.iter().map(|state| {
            let now = state
                .iter()
                .map(|(file, text)| ((*file).to_owned(), seen(file, text)));
            let plan = files.take(now.collect());
            let mut words = Vec::new();
            words.extend(plan.apply.iter().map(|item| {
                format!(
                    "apply {}={}",
                    item.id.key.name,
                    item.json["spec"].as_str().unwrap()
                )
            }));
            words.extend(plan.keep.iter().map(|item| format!("keep {}", item.id.key.name)));
            words.extend(
                plan.prune
                    .iter()
                    .map(|(id, file)| format!("prune {} of {file}", id.key.name)),
            );
            words.extend(
                plan.taken
                    .iter()
                    .map(|(item, owner)| format!("{} is {owner}'s", item.id.key.name)),
            );
            if words.is_empty() {
                "nothing".to_owned()
            } else {
                words.join(", ")
            }
        });
        steps.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_changes_is_applied_and_what_goes_is_pruned() {
        let table: [(&str, &[State<'_>], &str); 9] = [
            (
                "as it was",
                &[&[("a", "x=1 y=1")], &[("a", "x=1 y=1")]],
                "apply x=1, apply y=1; keep x, keep y",
            ),
            (
                "changed",
                &[&[("a", "x=1 y=1")], &[("a", "x=2 y=1")]],
                "apply x=1, apply y=1; apply x=2, keep y",
            ),
            (
                "taken out",
                &[&[("a", "x=1 y=1")], &[("a", "y=1")]],
                "apply x=1, apply y=1; keep y, prune x of a",
            ),
            (
                "its file removed",
                &[&[("a", "x=1"), ("b", "y=1")], &[("a", "-")]],
                "apply x=1, apply y=1; prune x of a",
            ),
            (
                "broken, and mended",
                &[&[("a", "x=1 y=1")], &[("a", "!")], &[("a", "x=2")]],
                "apply x=1, apply y=1; nothing; apply x=2, prune y of a",
            ),
            (
                "its file renamed",
                &[&[("a", "x=1")], &[("a", "-"), ("b", "x=1")]],
                "apply x=1; keep x",
            ),
            (
                "moved, and changed",
                &[&[("b", "x=1")], &[("a", "x=2"), ("b", "y=1")]],
                "apply x=1; apply x=2, apply y=1",
            ),
            (
                "in two files",
                &[&[("a", "x=1")], &[("b", "x=2")], &[("a", "y=1")]],
                "apply x=1; x is a's; apply y=1, apply x=2",
            ),
            (
                "with a name that is made up",
                &[&[("a", "x*=1")], &[("a", "x*=1")], &[("a", "-")]],
                "apply x*=1; nothing; nothing",
            ),
        ];
        for (what, states, expected) in table {
            assert_eq!(story(states), expected, "{what}");
        }
    }
}
