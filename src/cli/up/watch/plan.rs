//! What follows from a change of the files: what is applied, and what is pruned. Pure.
//!
//! A file that is right is what it says. One that is broken stays what it was when it was last right, and one that is
//! gone is nothing. An object belongs to the file that it came from, and goes when no file has had it for a while.

#[cfg(test)]
mod tests;

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
            if entry.waiting.is_empty() {
                entry.state = State::Missing(now, Tries::default());
            } else {
                let item = entry.waiting.remove(0);
                changed.push(id);
                self.claim(item);
            }
        }
        (changed, taken)
    }

    /// From now on a file has it.
    fn claim(&mut self, item: Item) {
        let unknown = || Entry::unknown(item.file.clone());
        let entry = self.0.entry(item.id.clone()).or_insert_with(unknown);
        entry.file.clone_from(&item.file);
        let only_if_gone = entry.applied == item.json;
        entry.state = if only_if_gone && item.is_work() {
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
