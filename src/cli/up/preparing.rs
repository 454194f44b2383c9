//! What is done before anything runs: the database, the API and the door to it are opened, and the manifests put into it.

use std::path::PathBuf;
use std::sync::Arc;

use kube::Client;
use tokio::sync::mpsc;

use crate::cli::exit::Failure;
use crate::cli::interrupts::Interrupts;
use crate::cli::up::apply::{self, Applied};
use crate::cli::up::before::Before;
use crate::cli::up::happening::{Followed, LoadedObject};
use crate::cli::up::item::{Id, Item, Manifests};
use crate::cli::up::origin::{self, Former, Origin};
use crate::cli::up::watch::{Files, Watch};
use crate::cli::up::{Output, UpArgs, foreseen, json, serving, text};
use crate::cli::{complain, say};
use crate::clock::SharedClock;
use crate::cronjob::extension::Runtime;
use crate::schedule::TimeZones;
use crate::standalone::data_dir::DataDir;
use crate::standalone::door::Door;
use crate::standalone::{Standalone, runtime};
use crate::telemetry::chain;

/// What was asked for, and where it is to run.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) args: UpArgs,
    pub(super) data_dir: DataDir,
    pub(super) zones: Arc<TimeZones>,
    pub(super) clock: SharedClock,
}

/// Everything that is there before anything runs.
pub(super) struct Prepared {
    pub(super) machine: Standalone,
    pub(super) door: Door,
    pub(super) before: Before,
    /// Follows the manifests, if they are to be followed.
    pub(super) watch: Option<Watch>,
    pub(super) loaded: Vec<LoadedObject>,
    /// What went with its file while nobody followed it.
    pub(super) pruned: Vec<(Id, String)>,
}

impl Setting {
    /// Prepares, unless it is interrupted. In a task of its own, for a disk that hangs is not to keep an interrupt from
    /// being heard. Changes of manifests that are to be followed go to `follow`.
    pub(super) async fn prepare_until_interrupted(
        &self,
        manifests: Manifests,
        follow: mpsc::Sender<Followed>,
        interrupts: &mut Interrupts,
    ) -> Result<Option<Prepared>, Failure> {
        let mut prepared = tokio::spawn(self.clone().prepare(manifests, follow));
        tokio::select! {
            prepared = &mut prepared => {
                let fault = |error| Failure::from_error("a fault of punctual's", &error);
                prepared.map_err(fault)?.map(Some)
            }
            () = interrupts.next() => {
                prepared.abort();
                Ok(None)
            }
        }
    }

    /// Opens everything and puts the manifests into it: nothing is to be started by what they replace. It may be given
    /// up at any moment.
    async fn prepare(
        self,
        manifests: Manifests,
        follow: mpsc::Sender<Followed>,
    ) -> Result<Prepared, Failure> {
        let (machine, door) = open(&self.args, &self.data_dir, &self.clock, &self.zones).await?;
        let client = machine.client();
        let before = Before::look(&client).await?;
        let Manifests {
            first_look,
            items,
            broken,
            is_whole,
        } = manifests;
        let (Applied { loaded, refused }, Former { pruned, left }) =
            match self.apply(&client, &items, is_whole).await {
                Ok(applied) => applied,
                Err(failure) => {
                    machine.close().await;
                    return Err(failure);
                }
            };
        for file in broken {
            let goes_on = left.iter().any(|(_, from)| *from == file);
            complain(&text::not_taken(&file, goes_on));
        }
        let watch = self.args.watch.then(|| {
            let mut files = Files::begin(items, &refused);
            files.hold_former(left);
            let shared = (Arc::clone(&self.zones), Arc::clone(&self.clock));
            Watch::new(
                self.args.paths.clone(),
                (first_look, files),
                (client, self.args.runtimes()),
                shared,
                follow,
            )
        });
        Ok(Prepared {
            machine,
            door,
            before,
            watch,
            loaded,
            pruned,
        })
    }

    /// Applies the manifests, and deletes what came from them and is there no more.
    async fn apply(
        &self,
        client: &Client,
        items: &[Item],
        is_whole: bool,
    ) -> Result<(Applied, Former), Failure> {
        let there: Vec<Origin> = items
            .iter()
            .map(|item| Origin {
                id: item.id.clone(),
                file: origin::of_file(&item.file),
            })
            .collect();
        let applied = apply::apply(client, items, &self.zones, &self.clock).await?;
        let runtimes = self.args.runtimes();
        for item in items
            .iter()
            .filter(|item| !applied.refused.contains_key(&item.id))
        {
            foreseen::warn(client, item, &runtimes).await;
        }
        let followed: &[PathBuf] = if self.args.watch { &self.args.paths } else { &[] };
        let former = origin::prune(client, followed, &there, is_whole).await?;
        Ok((applied, former))
    }
}

/// Opens the database, the API over it and the door to that, and says where it is. Nothing runs yet.
async fn open(
    args: &UpArgs,
    data_dir: &DataDir,
    clock: &SharedClock,
    zones: &Arc<TimeZones>,
) -> Result<(Standalone, Door), Failure> {
    if args.runtime == Runtime::Container {
        let reached = runtime::reach_engine(args.container_engine.as_deref()).await;
        reached.map_err(|error| Failure::new(chain(&error)))?;
    }
    let store = serving::open_store(args, data_dir, clock.now()).await?;
    let door = serving::build(args, data_dir, Arc::clone(clock)).await?;
    if let Some(exposure) = serving::exposure(&args.exposed_as, door.address()) {
        complain(&exposure);
    }
    match args.output {
        Output::Text => say(&serving::text(&data_dir.kubeconfig())),
        Output::Json => {
            let serving = json::serving(clock.now(), &data_dir.kubeconfig(), &serving::url(&door));
            say(&serving.to_string());
        }
    }
    let machine = Standalone::open(store, Arc::clone(clock), Arc::clone(zones))
        .await
        .map_err(|error| Failure::from_error("the embedded API could not be started", &error))?;
    Ok((machine, door))
}
