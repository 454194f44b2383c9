//! `up --watch`: follows the manifests, and does what changes of them ask for.
//!
//! | file | one idea |
//! |---|---|
//! | `settling` | which files have changed |
//! | `plan` | what follows from that (pure) |

mod plan;
mod settling;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Client;
use kube::core::DynamicObject;
use tokio::sync::mpsc;

use crate::cli::calendars::of_machine;
use crate::cli::exit::Failure;
use crate::cli::up::apply;
use crate::cli::up::happening::{Followed, LoadedObject};
use crate::cli::up::item::{Id, Item};
use crate::clock::SharedClock;
use crate::manifest;
use crate::schedule::TimeZones;

use plan::{Files, Plan, Seen};
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
    zones: Arc<TimeZones>,
    clock: SharedClock,
    told: mpsc::Sender<Followed>,
}

impl Watch {
    /// `first` is how the files looked before `items` were read from them.
    pub(super) fn new(
        paths: Vec<PathBuf>,
        (first, items): (Look, &[Item]),
        client: Client,
        (zones, clock): (Arc<TimeZones>, SharedClock),
        told: mpsc::Sender<Followed>,
    ) -> Self {
        Self {
            paths,
            settling: Settling::begin(first),
            files: Files::begin(items),
            client,
            zones,
            clock,
            told,
        }
    }

    /// Takes in what came from the files before, and is not among the items.
    pub(super) fn hold_former(&mut self, former: Vec<(Id, String)>) {
        self.files.hold_former(former);
    }

    /// Follows them for ever. It may be dropped at any moment: what was done is done.
    pub(super) async fn run(mut self) {
        let began = Instant::now();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let settled = tokio::task::block_in_place(|| self.settling.settled(look(&self.paths)));
            let seen = self.read(settled).await;
            if !seen.is_empty() {
                let plan = self.files.take(seen, began.elapsed());
                self.carry_out(plan).await;
            }
            for (id, file) in self.files.take_gone(began.elapsed()) {
                match apply::delete(&self.client, &id).await {
                    Ok(()) => self.pruned(id, file).await,
                    Err(Failure { message, .. }) => self.refuse(&file, message).await,
                }
            }
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
                manifest::load(std::slice::from_ref(&path), &mut std::io::empty(), &self.zones)
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

    async fn carry_out(&self, mut plan: Plan) {
        for item in plan.keep {
            match apply::is_there(&self.client, &item.id).await {
                Ok(true) => {}
                Ok(false) => plan.apply.push(item),
                Err(Failure { message, .. }) => self.refuse(&item.file, message).await,
            }
        }
        for (item, owner) in plan.taken {
            let message = format!(
                "{} is in {owner} as well, and that one counts; take it out of one of them",
                item.id
            );
            self.refuse(&item.file, message).await;
        }
        if let Err(failure) = apply::create_namespaces(&self.client, &plan.apply).await {
            let file = plan.apply.first().map_or("", |item| &item.file);
            self.refuse(file, failure.message).await;
        }
        for item in &plan.apply {
            match apply::apply_one(&self.client, item).await {
                Ok(taken) => self.applied(item, taken).await,
                Err(Failure { message, .. }) => self.refuse(&item.file, message).await,
            }
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
