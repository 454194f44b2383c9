//! What follows from a change of the files: what is applied, and what is pruned. Pure.
//!
//! A file that is right is what it says. One that is broken stays what it was when it was last right, and one that is
//! gone is nothing. An object belongs to the file that it came from, and goes when no file has had it for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;

use crate::cli::up::item::{Id, Item};

/// How long an object is in no file before it goes, and what runs of it with it: a file may be written piece by piece over
/// a slow connection, or be away while another branch is looked at.
const MISSING_FOR: Duration = Duration::from_secs(3);

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
    /// What no file has any more, and has not been missing for long.
    missing: BTreeMap<Id, Missing>,
}

/// An object that no file has.
#[derive(Debug)]
struct Missing {
    held: Held,
    /// The file that had it.
    file: String,
    since: Duration,
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

    /// Takes in what came from files that can't be read as they are, or were not there: it is what they were when they
    /// were last right. What they said of it is not known, so it counts as changed when they say it again.
    pub(super) fn hold_former(&mut self, former: Vec<(Id, String)>) {
        for (id, file) in former {
            let held = Held {
                json: Json::Null,
                is_generated: false,
            };
            self.held.entry(file).or_default().insert(id, held);
        }
    }

    /// Whether something goes on of a file, or of those in a folder.
    pub(super) fn holds(&self, path: &Path) -> bool {
        let mut files = self.held.keys().map(Path::new);
        files.any(|file| file == path || file.parent() == Some(path))
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

    /// What has been missing for so long that it is to go, and the file that had it. Times are since the beginning.
    pub(super) fn take_gone(&mut self, now: Duration) -> Vec<(Id, String)> {
        let is_over = |missing: &Missing| now.saturating_sub(missing.since) >= MISSING_FOR;
        let missing = std::mem::take(&mut self.missing);
        let (gone, missing): (BTreeMap<_, _>, BTreeMap<_, _>) =
            missing.into_iter().partition(|(_, missing)| is_over(missing));
        self.missing = missing;
        gone.into_iter().map(|(id, missing)| (id, missing.file)).collect()
    }

    /// Takes in what some files are now.
    pub(super) fn take(&mut self, seen: BTreeMap<String, Seen>, now: Duration) -> Plan {
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
            let came_back = self.missing.remove(&item.id).map(|missing| missing.held);
            let was = before.get(&item.id).map(|(held, _)| held).or(came_back.as_ref());
            if was.map(|held| &held.json) != Some(&item.json) {
                plan.apply.push(item);
            } else if !item.is_work() && !item.is_generated() {
                plan.keep.push(item);
            }
        }
        let kept: BTreeSet<&Id> = self.held.values().flat_map(BTreeMap::keys).collect();
        // Nobody knows the names that the API has made up.
        let gone = before
            .into_iter()
            .filter(|(id, (held, _))| !kept.contains(id) && !held.is_generated);
        let since = now;
        let missing: Vec<_> = gone
            .map(|(id, (held, file))| (id, Missing { held, file, since }))
            .collect();
        self.missing.extend(missing);
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

    /// Some files, as they are now; or, for no file, how many milliseconds pass.
    type State<'s> = &'s [(&'s str, &'s str)];

    /// What follows, in words, from one state of files after another.
    fn story(states: &[State<'_>]) -> String {
        let mut files = Files::default();
        let mut now = Duration::ZERO;
        let steps = states.iter().map(|state| {
            if let [("", seconds)] = state {
                now += Duration::from_millis(seconds.parse().unwrap());
                let gone = files.take_gone(now);
                let gone = gone
                    .iter()
                    .map(|(id, file)| format!("prune {} of {file}", id.key.name));
                let gone = gone.collect::<Vec<_>>().join(", ");
                return if gone.is_empty() {
                    "nothing".to_owned()
                } else {
                    gone
                };
            }
            let state = state
                .iter()
                .map(|(file, text)| ((*file).to_owned(), seen(file, text)));
            let plan = files.take(state.collect(), now);
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
        let table: [(&str, &[State<'_>], &str); 11] = [
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
                &[
                    &[("a", "x=1 y=1")],
                    &[("a", "y=1")],
                    &[("", "2999")],
                    &[("", "1")],
                ],
                "apply x=1, apply y=1; keep y; nothing; prune x of a",
            ),
            (
                "written piece by piece",
                &[
                    &[("a", "x=1 y=1")],
                    &[("a", "x=1")],
                    &[("", "2000")],
                    &[("a", "x=1 y=1")],
                    &[("", "9000")],
                ],
                "apply x=1, apply y=1; keep x; nothing; keep x, keep y; nothing",
            ),
            (
                "away for a while, and changed when it comes back elsewhere",
                &[
                    &[("a", "x=1")],
                    &[("a", "-")],
                    &[("", "1000")],
                    &[("b", "x=2")],
                    &[("", "9000")],
                ],
                "apply x=1; nothing; nothing; apply x=2; nothing",
            ),
            (
                "its file removed",
                &[&[("a", "x=1"), ("b", "y=1")], &[("a", "-")], &[("", "3000")]],
                "apply x=1, apply y=1; nothing; prune x of a",
            ),
            (
                "broken, and mended",
                &[
                    &[("a", "x=1 y=1")],
                    &[("a", "!")],
                    &[("", "9000")],
                    &[("a", "x=2")],
                    &[("", "3000")],
                ],
                "apply x=1, apply y=1; nothing; nothing; apply x=2; prune y of a",
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

    #[test]
    fn what_came_from_a_broken_file_is_its_own_until_that_is_right() {
        let mut files = Files::begin(&[item("b", "other=1")]);
        files.hold_former(
            ["kept", "gone"]
                .map(|name| (item("a", &format!("{name}=1")).id, "a".into()))
                .into(),
        );
        assert!(files.holds(Path::new("a")) && !files.holds(Path::new("c")));
        let plan = files.take([("a".into(), seen("a", "kept=1"))].into(), Duration::ZERO);
        let applied: Vec<_> = plan.apply.iter().map(|item| &item.id.key.name).collect();
        assert_eq!(applied, ["kept"], "nobody knows what it was");
        let gone = files.take_gone(MISSING_FOR);
        let gone: Vec<_> = gone
            .iter()
            .map(|(id, file)| (id.key.name.as_str(), file.as_str()))
            .collect();
        assert_eq!(gone, [("gone", "a")]);
    }
}
