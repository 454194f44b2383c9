//! What follows from a change of the files: what is applied, and what is pruned. Pure.
//!
//! A file that is right is what it says. One that is broken stays what it was when it was last right, and one that is
//! gone is nothing. An object belongs to the file that it came from, and goes when no file has had it for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

use crate::cli::up::item::{Id, Item};
use crate::cli::up::refusal::Refusal;

/// How long an object is in no file before it goes, and what runs of it with it: a file may be written piece by piece over
/// a slow connection, or be away while another branch is looked at.
const MISSING_FOR: Duration = Duration::from_secs(3);

/// How long it takes until what has failed is tried again, at first; twice as long each time after.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest of these waits: so long a schedule may be the old one when there is room on the disk again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

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

/// The objects of the files, as these were when they were last right.
#[derive(Debug, Default)]
pub(in crate::cli::up) struct Files(BTreeMap<Id, Entry>);

/// An object.
#[derive(Debug)]
struct Entry {
    /// The file that has it, or was the last to have it.
    file: String,
    /// What was applied of it last; null where nobody knows.
    applied: Json,
    is_generated: bool,
    state: State,
    /// What other files say of it: the first of them has it when this one has it no more.
    waiting: Vec<Item>,
}

#[derive(Debug)]
enum State {
    /// A file has it, and there is nothing to do.
    Held,
    /// A file has it, and what follows from that is not done.
    Due(Step, Tries),
    /// No file has it, since then.
    Missing(Duration, Tries),
}

/// What follows from what a file says of an object: it is applied.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) item: Item,
    /// Whether it was applied already, and is to be only if somebody has deleted it meanwhile.
    pub(super) only_if_gone: bool,
}

/// What became of the tries so far.
#[derive(Debug, Default)]
struct Tries {
    failed: u32,
    /// When to try again.
    next: Duration,
    /// What was told of the last one.
    told: String,
}

/// What is to be done, and reported by [`Files::done`] or [`Files::failed`].
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What is new or was written.
    pub(super) apply: Vec<Step>,
    /// What has been missing for long, and the file that had it.
    pub(super) prune: Vec<(Id, String)>,
    /// What another file, named here, has already. It is not taken from the one in the item.
    pub(super) taken: Vec<(Item, String)>,
}

impl Files {
    /// What was applied when everything began, but for what was refused.
    pub(in crate::cli::up) fn begin(items: Vec<Item>, refused: &BTreeMap<Id, Refusal>) -> Self {
        let mut files = Self::default();
        for item in items {
            let id = item.id.clone();
            files.claim(item);
            match refused.get(&id) {
                None => files.done(&id),
                Some(refusal) => {
                    files.failed(&id, refusal, Duration::ZERO);
                }
            }
        }
        files
    }

    /// Takes in what came from files that can't be read as they are, or were not there: it is what they were when they
    /// were last right. What they said of it is not known, so it counts as changed when they say it again.
    pub(in crate::cli::up) fn hold_former(&mut self, former: Vec<(Id, String)>) {
        let former = former.into_iter();
        self.0.extend(former.map(|(id, file)| (id, Entry::unknown(file))));
    }

    /// Whether something goes on of a file, or of those in a folder.
    pub(super) fn holds(&self, path: &Path) -> bool {
        let mut files = self.0.values().map(|entry| Path::new(&entry.file));
        files.any(|file| file == path || file.parent() == Some(path))
    }

    /// Takes in what some files are now, and tells what is to be done. What the `unsure` files and folders hold at the moment
    /// is not known. Times are since the beginning.
    pub(super) fn look(
        &mut self,
        seen: BTreeMap<String, Seen>,
        unsure: &BTreeSet<PathBuf>,
        now: Duration,
    ) -> Plan {
        let (changed, taken) = self.take(seen, now);
        for entry in self.0.values_mut() {
            let mut places = Path::new(&entry.file).ancestors().take(2);
            if places.any(|place| unsure.contains(place)) && entry.is_missing() {
                entry.state = State::Missing(now, Tries::default());
            }
        }
        let mut plan = Plan {
            taken,
            ..Plan::default()
        };
        plan.apply.extend(changed.iter().filter_map(|id| self.step(id)));
        for (id, entry) in &self.0 {
            match &entry.state {
                State::Due(step, tries) if tries.is_again(now) => plan.apply.push(step.clone()),
                State::Missing(since, tries)
                    if now.saturating_sub(*since) >= MISSING_FOR && tries.next <= now =>
                {
                    plan.prune.push((id.clone(), entry.file.clone()));
                }
                _ => {}
            }
        }
        plan
    }

    /// Takes in what some files are now. Returns what they have that they did not have before, and what they can't have.
    fn take(&mut self, seen: BTreeMap<String, Seen>, now: Duration) -> (Vec<Id>, Vec<(Item, String)>) {
        // What its file may have no more.
        let mut loose = BTreeSet::new();
        for (id, entry) in &mut self.0 {
            let is_read = |file: &str| matches!(seen.get(file), Some(Seen::Gone | Seen::Holds(_)));
            entry.waiting.retain(|item| !is_read(&item.file));
            match seen.get(&entry.file) {
                // It may be in what is cut off.
                Some(Seen::Broken) if entry.is_missing() => entry.state = State::Held,
                Some(Seen::Gone | Seen::Holds(_)) if !entry.is_missing() => {
                    loose.insert(id.clone());
                }
                _ => {}
            }
        }
        let items = seen.into_values().filter_map(|now| match now {
            Seen::Holds(items) => Some(items),
            Seen::Gone | Seen::Broken => None,
        });
        let (mut changed, mut taken) = (Vec::new(), Vec::new());
        for item in items.flatten() {
            let entry = self.0.get_mut(&item.id);
            match entry.filter(|entry| entry.file != item.file && !entry.is_missing()) {
                Some(entry) if !loose.contains(&item.id) => {
                    taken.push((item.clone(), entry.file.clone()));
                    entry.waiting.push(item);
                }
                _ => {
                    loose.remove(&item.id);
                    changed.push(item.id.clone());
                    self.claim(item);
                }
            }
        }
        for id in loose {
            let Some(entry) = self.0.get_mut(&id) else {
                continue;
            };
            if !entry.waiting.is_empty() {
                let item = entry.waiting.remove(0);
                changed.push(id);
                self.claim(item);
            } else if entry.is_generated {
                // Nobody knows the name that the API has made up.
                self.0.remove(&id);
            } else {
                entry.state = State::Missing(now, Tries::default());
            }
        }
        (changed, taken)
    }

    /// From now on a file has it.
    fn claim(&mut self, item: Item) {
        let unknown = || Entry::unknown(item.file.clone());
        let entry = self.0.entry(item.id.clone()).or_insert_with(unknown);
        entry.file.clone_from(&item.file);
        entry.is_generated = item.is_generated();
        let only_if_gone = entry.applied == item.json;
        entry.state = if only_if_gone && (item.is_work() || item.is_generated()) {
            State::Held
        } else {
            State::Due(Step { item, only_if_gone }, Tries::default())
        };
    }

    fn step(&self, id: &Id) -> Option<Step> {
        match &self.0.get(id)?.state {
            State::Due(step, _) => Some(step.clone()),
            _ => None,
        }
    }

    /// What was to be done about an object is done.
    pub(super) fn done(&mut self, id: &Id) {
        let Some(entry) = self.0.get_mut(id) else {
            return;
        };
        match mem::replace(&mut entry.state, State::Held) {
            State::Held => {}
            State::Due(step, _) => entry.applied = step.item.json,
            State::Missing(..) => {
                self.0.remove(id);
            }
        }
    }

    /// It failed. Where that may pass, it is tried again; else only when the file is written again. Whether it is to be
    /// told: it is not the same as the last time.
    pub(super) fn failed(&mut self, id: &Id, why: &Refusal, now: Duration) -> bool {
        let Some(entry) = self.0.get_mut(id) else {
            return true;
        };
        let (State::Due(_, tries) | State::Missing(_, tries)) = &mut entry.state else {
            return true;
        };
        let is_news = tries.fail(&why.message, now);
        match (&entry.state, why.may_pass) {
            // It may have been done, and not answered.
            (State::Due(step, _), true) if !step.only_if_gone => entry.applied = Json::Null,
            // What was applied before stays.
            (State::Due(..), false) => entry.state = State::Held,
            (State::Missing(..), false) => {
                self.0.remove(id);
            }
            _ => {}
        }
        is_news
    }
}

impl Entry {
    /// One of which nothing is known but the file.
    fn unknown(file: String) -> Self {
        Entry {
            file,
            applied: Json::Null,
            is_generated: false,
            state: State::Held,
            waiting: Vec::new(),
        }
    }

    fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing(..))
    }
}

impl Tries {
    /// Whether it has failed, and it is time to try again.
    fn is_again(&self, now: Duration) -> bool {
        self.failed > 0 && self.next <= now
    }

    /// One more has failed; whether not as the last one did.
    fn fail(&mut self, why: &str, now: Duration) -> bool {
        let factor = 2_u32.saturating_pow(self.failed);
        self.next = now + FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
        self.failed = self.failed.saturating_add(1);
        let is_news = self.told != why;
        why.clone_into(&mut self.told);
        is_news
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

    /// A file as it is now: `-` for gone, `!` for broken, else its objects. `~` is for one that is being written or can't be
    /// looked at.
    fn seen(file: &str, text: &str) -> Seen {
        match text {
            "-" => Seen::Gone,
            "!" => Seen::Broken,
            text => Seen::Holds(text.split_whitespace().map(|text| item(file, text)).collect()),
        }
    }

    /// Some files, as they are now; or, for no file, how many milliseconds pass.
    type State<'s> = &'s [(&'s str, &'s str)];

    /// How the API refuses whatever is written.
    fn refusal(why: &str) -> Option<Refusal> {
        let may_pass = match why {
            "fits" => return None,
            "full" => true,
            _ => false,
        };
        let message = why.to_owned();
        Some(Refusal { message, may_pass })
    }

    /// What follows, in words, from one state of files after another. `("fits", "")` and so on tell how the API answers from
    /// then on.
    fn story(states: &[State<'_>]) -> String {
        let mut files = Files::default();
        let mut now = Duration::ZERO;
        let mut answer = None;
        let mut steps = Vec::new();
        for state in states {
            let seen = match state {
                [(why, "")] => {
                    answer = refusal(why);
                    continue;
                }
                [("", millis)] => {
                    now += Duration::from_millis(millis.parse().unwrap());
                    BTreeMap::new()
                }
                files => files
                    .iter()
                    .filter(|(_, text)| *text != "~")
                    .map(|(file, text)| ((*file).to_owned(), seen(file, text)))
                    .collect(),
            };
            let unsure = state.iter().filter(|(_, text)| *text == "~");
            let unsure = unsure.map(|(file, _)| file.into()).collect();
            let plan = files.look(seen, &unsure, now);
            let mut words = Vec::new();
            for Step { item, only_if_gone } in &plan.apply {
                let version = item.json["spec"].as_str().unwrap();
                words.push(match only_if_gone {
                    false => format!("apply {}={version}", item.id.key.name),
                    true => format!("keep {}", item.id.key.name),
                });
            }
            for (item, owner) in &plan.taken {
                words.push(format!("{} is {owner}'s", item.id.key.name));
            }
            for (id, file) in &plan.prune {
                words.push(format!("prune {} of {file}", id.key.name));
            }
            let applied = plan.apply.iter().map(|step| &step.item.id);
            for id in applied.chain(plan.prune.iter().map(|(id, _)| id)) {
                match &answer {
                    None => files.done(id),
                    Some(why) if files.failed(id, why, now) => words.push(format!("tell {}", why.message)),
                    Some(_) => {}
                }
            }
            steps.push(if words.is_empty() {
                "nothing".to_owned()
            } else {
                words.join(", ")
            });
        }
        steps.join("; ")
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
        let mut files = Files::begin(vec![item("b", "other=1")], &BTreeMap::new());
        files.hold_former(
            ["kept", "gone"]
                .map(|name| (item("a", &format!("{name}=1")).id, "a".into()))
                .into(),
        );
        assert!(files.holds(Path::new("a")) && !files.holds(Path::new("c")));
        let plan = files.look(
            [("a".into(), seen("a", "kept=1"))].into(),
            &BTreeSet::new(),
            Duration::ZERO,
        );
        let applied = plan.apply.iter().map(|step| &step.item.id.key.name);
        assert_eq!(applied.collect::<Vec<_>>(), ["kept"], "nobody knows what it was");
        let gone = files.look(BTreeMap::new(), &BTreeSet::new(), MISSING_FOR).prune;
        let gone: Vec<_> = gone
            .iter()
            .map(|(id, file)| (id.key.name.as_str(), file.as_str()))
            .collect();
        assert_eq!(gone, [("gone", "a")]);
    }

    #[test]
    fn what_may_be_in_its_file_is_not_pruned() {
        let table: [(&str, &[State<'_>], &str); 6] = [
            (
                "cut off while it is written",
                &[
                    &[("a", "x=1 y=1")],
                    &[("a", "x=1")],
                    &[("", "2000")],
                    &[("a", "!")],
                    &[("", "9000")],
                    &[("a", "x=1")],
                    &[("", "3000")],
                ],
                "apply x=1, apply y=1; keep x; nothing; nothing; nothing; keep x; prune y of a",
            ),
            (
                "away, and back with a mistake",
                &[
                    &[("a", "x=1")],
                    &[("a", "-")],
                    &[("", "1000")],
                    &[("a", "!")],
                    &[("", "9000")],
                    &[("a", "-")],
                    &[("", "3000")],
                ],
                "apply x=1; nothing; nothing; nothing; nothing; nothing; prune x of a",
            ),
            (
                "another file broken",
                &[
                    &[("a", "x=1"), ("b", "y=1")],
                    &[("a", "-")],
                    &[("b", "!")],
                    &[("", "3000")],
                ],
                "apply x=1, apply y=1; nothing; nothing; prune x of a",
            ),
            (
                "being written",
                &[
                    &[("a", "x=1 y=1")],
                    &[("a", "x=1")],
                    &[("", "2999")],
                    &[("a", "~")],
                    &[("", "2999")],
                    &[("a", "~")],
                    &[("", "2999")],
                    &[("a", "x=1 y=1")],
                    &[("", "9000")],
                ],
                "apply x=1, apply y=1; keep x; nothing; nothing; nothing; nothing; nothing; keep x, keep y; nothing",
            ),
            (
                "its folder away for a while",
                &[
                    &[("d/a", "x=1")],
                    &[("d/a", "-")],
                    &[("", "2999")],
                    &[("d", "~")],
                    &[("", "2999")],
                    &[("", "1")],
                ],
                "apply x=1; nothing; nothing; nothing; nothing; prune x of d/a",
            ),
            (
                "another folder away",
                &[
                    &[("d/e/a", "x=1")],
                    &[("d/e/a", "-")],
                    &[("d", "~")],
                    &[("", "2999")],
                    &[("d", "~")],
                    &[("", "1")],
                ],
                "apply x=1; nothing; nothing; nothing; nothing; prune x of d/e/a",
            ),
        ];
        for (what, states, expected) in table {
            assert_eq!(story(states), expected, "{what}");
        }
    }

    #[test]
    fn what_could_not_be_pruned_is_pruned_later() {
        let table: [(&str, &[State<'_>], &str); 3] = [
            (
                "tried again, and told once",
                &[
                    &[("a", "x=1")],
                    &[("full", "")],
                    &[("a", "-")],
                    &[("", "3000")],
                    &[("", "499")],
                    &[("", "1")],
                    &[("fits", "")],
                    &[("", "1000")],
                    &[("", "60000")],
                ],
                "apply x=1; nothing; prune x of a, tell full; nothing; prune x of a; prune x of a; nothing",
            ),
            (
                "never to be",
                &[
                    &[("a", "x=1")],
                    &[("forbidden", "")],
                    &[("a", "-")],
                    &[("", "3000")],
                    &[("", "60000")],
                ],
                "apply x=1; nothing; prune x of a, tell forbidden; nothing",
            ),
            (
                "back meanwhile",
                &[
                    &[("a", "x=1")],
                    &[("full", "")],
                    &[("a", "-")],
                    &[("", "3000")],
                    &[("fits", "")],
                    &[("b", "x=1")],
                    &[("", "60000")],
                ],
                "apply x=1; nothing; prune x of a, tell full; keep x; nothing",
            ),
        ];
        for (what, states, expected) in table {
            assert_eq!(story(states), expected, "{what}");
        }
    }

    #[test]
    fn what_was_refused_is_not_held_as_applied() {
        let table: [(&str, &[State<'_>], &str); 6] = [
            (
                "saved again when it can be taken",
                &[
                    &[("a", "x=1")],
                    &[("invalid", "")],
                    &[("a", "x=2")],
                    &[("", "60000")],
                    &[("a", "x=2")],
                    &[("fits", "")],
                    &[("a", "x=2")],
                    &[("a", "x=2")],
                ],
                "apply x=1; apply x=2, tell invalid; nothing; apply x=2, tell invalid; apply x=2; keep x",
            ),
            (
                "put back to what it was",
                &[
                    &[("a", "x=1")],
                    &[("invalid", "")],
                    &[("a", "x=2")],
                    &[("fits", "")],
                    &[("a", "x=1")],
                ],
                "apply x=1; apply x=2, tell invalid; keep x",
            ),
            (
                "tried again by itself, less and less often, and told once",
                &[
                    &[("full", "")],
                    &[("a", "x=1")],
                    &[("", "499")],
                    &[("", "1")],
                    &[("", "999")],
                    &[("", "1")],
                    &[("a", "!")],
                    &[("fits", "")],
                    &[("", "60000")],
                    &[("", "60000")],
                ],
                "apply x=1, tell full; nothing; apply x=1; nothing; apply x=1; nothing; apply x=1; nothing",
            ),
            (
                "written anew meanwhile, and refused in another way",
                &[
                    &[("full", "")],
                    &[("a", "x=1")],
                    &[("a", "x=2")],
                    &[("invalid", "")],
                    &[("", "500")],
                    &[("", "60000")],
                ],
                "apply x=1, tell full; apply x=2, tell full; apply x=2, tell invalid; nothing",
            ),
            (
                "nobody knows whether it was",
                &[
                    &[("a", "x=1")],
                    &[("full", "")],
                    &[("a", "x=2")],
                    &[("fits", "")],
                    &[("a", "x=1")],
                ],
                "apply x=1; apply x=2, tell full; apply x=1",
            ),
            (
                "what could not be looked for is looked for again, and not written over",
                &[
                    &[("a", "x=1")],
                    &[("full", "")],
                    &[("a", "x=1")],
                    &[("fits", "")],
                    &[("", "500")],
                    &[("", "500")],
                ],
                "apply x=1; keep x, tell full; keep x; nothing",
            ),
        ];
        for (what, states, expected) in table {
            assert_eq!(story(states), expected, "{what}");
        }
    }

    #[test]
    fn what_was_refused_at_the_start_is_not_held_either() {
        let refused =
            ["full", "invalid"].map(|name| (item("a", &format!("{name}=1")).id, refusal(name).unwrap()));
        let items = ["full=1", "invalid=1", "taken=1"].map(|text| item("a", text));
        let mut files = Files::begin(items.into(), &refused.into());
        let mut applied = |seen: BTreeMap<String, Seen>, now| {
            let steps = files.look(seen, &BTreeSet::new(), now).apply.into_iter();
            let steps = steps.filter(|step| !step.only_if_gone);
            steps.map(|step| step.item.id.key.name).collect::<Vec<_>>()
        };
        assert_eq!(applied(BTreeMap::new(), FIRST_WAIT), ["full"]);
        let saved = [("a".into(), seen("a", "full=1 invalid=1 taken=1"))];
        assert_eq!(applied(saved.into(), FIRST_WAIT), ["full", "invalid"]);
    }
}
