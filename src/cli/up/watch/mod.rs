//! `up --watch`: follows the manifests, and does what changes of them ask for.
//!
//! | file | one idea |
//! |---|---|
//! | `settling` | which files have changed |
//! | `plan` | what follows from that (pure) |

mod plan;
mod settling;

use std::collections::BTreeMap;
use std::mem;
use std::path::PathBuf;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Client;
use kube::core::DynamicObject;
use tokio::sync::mpsc;

use crate::cli::calendars::of_machine;
use crate::cli::up::apply;
use crate::cli::up::foreseen;
use crate::cli::up::happening::{Followed, LoadedObject};
use crate::cli::up::item::{Id, Item};
use crate::cli::up::origin;
use crate::cli::up::refusal::Refusal;
use crate::clock::SharedClock;
use crate::manifest;
use crate::schedule::TimeZones;
use crate::standalone::runtime::Runtimes;

pub(super) use plan::Files;
use plan::{Plan, Seen, Step};
pub(super) use settling::{Look, look};
use settling::{Settled, Settling};

/// How often the files are looked at. A change is taken between one and two of these after the last write.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Follows the manifests.
pub(super) struct Watch {
    paths: Vec<PathBuf>,
    settling: Settling,
    files: Files,
    client: Client,
    runtimes: Runtimes,
    zones: Arc<TimeZones>,
    clock: SharedClock,
    told: mpsc::Sender<Followed>,
    began: Instant,
}

impl Watch {
    /// `first` is how the files looked before `files` were read from them and applied.
    pub(super) fn new(
        paths: Vec<PathBuf>,
        (first, files): (Look, Files),
        (client, runtimes): (Client, Runtimes),
        (zones, clock): (Arc<TimeZones>, SharedClock),
        told: mpsc::Sender<Followed>,
    ) -> Self {
        Self {
            paths,
            settling: Settling::begin(first),
            files,
            client,
            runtimes,
            zones,
            clock,
            told,
            began: Instant::now(),
        }
    }

    /// Follows them for ever. It may be dropped at any moment: what was done is done.
    pub(super) async fn run(mut self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let mut settled = tokio::task::block_in_place(|| self.settling.settled(look(&self.paths)));
            let unsure = mem::take(&mut settled.unsure);
            let seen = self.read(settled).await;
            let plan = self.files.look(seen, &unsure, self.began.elapsed());
            self.carry_out(plan).await;
        }
    }

    /// Reads the files that have changed, and tells what is wrong with them.
    async fn read(&self, settled: Settled) -> BTreeMap<String, Seen> {
        for (path, why) in settled.hidden {
            let told = Followed::Diagnosed {
                file: path.display().to_string(),
                diagnostics: vec![why],
                is_broken: true,
                goes_on: self.files.holds(&path),
            };
            self.tell(told).await;
        }
        let gone = settled.gone.into_iter();
        let mut seen: BTreeMap<String, Seen> = gone
            .map(|path| (path.display().to_string(), Seen::Gone))
            .collect();
        for path in settled.written {
            let name = path.display().to_string();
            let loaded = tokio::task::block_in_place(|| {
                manifest::load(slice::from_ref(&path), &mut std::io::empty(), &self.zones)
            });
            let is_broken = loaded.has_errors();
            if !loaded.diagnostics.is_empty() {
                let told = Followed::Diagnosed {
                    file: name.clone(),
                    diagnostics: loaded.diagnostics.clone(),
                    is_broken,
                    goes_on: self.files.holds(&path),
                };
                self.tell(told).await;
            }
            let now = if is_broken {
                Seen::Broken
            } else {
                Seen::Holds(Item::all(loaded, true))
            };
            seen.insert(name, now);
        }
        seen
    }

    async fn carry_out(&mut self, plan: Plan) {
        for (item, owner) in plan.taken {
            let message = format!(
                "{} is in {owner} as well, and that one counts; take it out of one of them",
                item.id
            );
            self.refuse(&item.file, message).await;
        }
        let mut applied = Vec::new();
        for step in plan.apply {
            let item = &step.item;
            match take(&self.client, &step).await {
                Ok(taken) => {
                    self.files.done(&item.id);
                    if let Some(taken) = taken {
                        self.applied(item, taken).await;
                        applied.push(step.item);
                    }
                }
                Err(refusal) => self.failed(&item.id, &item.file, &refusal).await,
            }
        }
        // What one needs may have come after it.
        for item in &applied {
            foreseen::warn(&self.client, item, &self.runtimes).await;
        }
        for (id, file) in plan.prune {
            match origin::prune_one(&self.client, &self.paths, &id).await {
                Ok(was_there) => {
                    self.files.done(&id);
                    if was_there {
                        self.pruned(id, file).await;
                    }
                }
                Err(refusal) => self.failed(&id, &file, &refusal).await,
            }
        }
    }

    async fn failed(&mut self, id: &Id, file: &str, refusal: &Refusal) {
        if self.files.failed(id, refusal, self.began.elapsed()) {
            self.refuse(file, refusal.told()).await;
        }
    }

    async fn applied(&self, item: &Item, taken: DynamicObject) {
        let calendars = of_machine(&self.client).await;
        let object = item.object.clone();
        let object = object.map(|object| apply::as_taken(object, taken));
        let object = object.map(|object| apply::describe(&object, &self.zones, &calendars, &self.clock));
        let object = object.unwrap_or_else(|| LoadedObject {
            kind: item.id.kind,
            key: item.id.key.clone(),
            timing: None,
            rest: None,
            comes_again: false,
        });
        let at = self.clock.now();
        let file = item.file.clone();
        self.tell(Followed::Applied { at, file, object }).await;
    }

    async fn pruned(&self, id: Id, file: String) {
        let at = self.clock.now();
        self.tell(Followed::Pruned { at, file, id }).await;
    }

    async fn refuse(&self, file: &str, message: String) {
        let file = file.to_owned();
        self.tell(Followed::Refused { file, message }).await;
    }

    async fn tell(&self, followed: Followed) {
        // Nobody listens when everything stops.
        let _unheard = self.told.send(followed).await;
    }
}

/// Applies what a file says of an object; what it is then, unless there is nothing to do.
async fn take(client: &Client, Step { item, only_if_gone }: &Step) -> Result<Option<DynamicObject>, Refusal> {
    if *only_if_gone && apply::find(client, &item.id).await?.is_some() {
        return Ok(None);
    }
    apply::create_namespaces(client, slice::from_ref(item)).await?;
    apply::apply_one(client, item).await.map(Some)
}
