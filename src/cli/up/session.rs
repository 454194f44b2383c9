//! Starts what was prepared, shows what happens, stops everything.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::cli::complain;
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupts::Interrupts;
use crate::cli::up::ends::Ends;
use crate::cli::up::happening::{Followed, Happening, LoadedObject};
use crate::cli::up::item::{Id, Manifests};
use crate::cli::up::lasted::Lasted;
use crate::cli::up::listeners::Listeners;
use crate::cli::up::naming::Naming;
use crate::cli::up::preparing::{Prepared, Setting};
use crate::cli::up::repeats::Repeats;
use crate::cli::up::serving::Serving;
use crate::cli::up::sources::Sources;
use crate::cli::up::tally::Tally;
use crate::cli::up::watch::Watch;
use crate::cli::up::{Output, UpArgs, json, table, text};
use crate::clock::{SharedClock, SystemClock};
use crate::schedule::TimeZones;
use crate::standalone::data_dir::DataDir;
use crate::standalone::{EndedPart, Hearing, Running};
use crate::telemetry::{Line, Printer, tell_time_zones};

/// How many ends wait to be taken in.
const ENDED_QUEUE: usize = 1_024;

/// How many changes of manifests wait to be taken in; what follows them waits when there are more.
const FOLLOWED_QUEUE: usize = 64;

/// How long the last lines of what has run may take to come and to be taken by whoever reads.
const LAST_LINES: Duration = Duration::from_secs(5);

/// Runs what the manifests hold until it is time to stop, and shows what happens.
pub(super) async fn run(
    args: &UpArgs,
    data_dir: DataDir,
    manifests: Manifests,
    zones: Arc<TimeZones>,
    printer: Printer,
) -> Result<Exit, Failure> {
    // Signals are caught before anything runs that they would have to stop.
    let mut interrupts = Interrupts::catch()?;
    let clock = SystemClock::shared();
    tell_time_zones(&zones, clock.now());
    let setting = Setting {
        args: args.clone(),
        data_dir,
        zones,
        clock,
    };
    let (follow, followed) = mpsc::channel(FOLLOWED_QUEUE);
    let prepared = setting.prepare_until_interrupted(manifests, follow, &mut interrupts);
    match prepared.await? {
        Some(prepared) => go(setting, prepared, followed, interrupts, printer).await?,
        None => complain("stopped before anything was started"),
    }
    Ok(Exit::Fine)
}

/// Starts what was prepared, shows what happens until it is time to stop, and stops it.
async fn go(
    setting: Setting,
    prepared: Prepared,
    followed: mpsc::Receiver<Followed>,
    interrupts: Interrupts,
    printer: Printer,
) -> Result<(), Failure> {
    let Setting {
        args,
        data_dir,
        zones,
        clock,
    } = setting;
    let Prepared {
        machine,
        door,
        before,
        watch,
        loaded,
        pruned,
    } = prepared;
    let client = machine.client();
    let seen = before.seen(&clock);
    let not_ended = seen.values().filter(|seen| !seen.ended);
    let tally = Tally::after(not_ended.map(|seen| seen.work.clone()).collect());
    let ends = Ends {
        seen,
        clock: Arc::clone(&clock),
    };
    let lasted = Lasted::since(clock.now());
    let (machine, Hearing { told, processes }) =
        machine.start(data_dir.clone(), args.runtimes(), before.schedules(&zones));
    let mut serving = Serving::start(door, &machine).await;
    let (sender, ended) = mpsc::channel(ENDED_QUEUE);
    let (stop_ends, ends_stop) = watch::channel(false);
    let listeners = Listeners::start(ends.watch(client, sender, ends_stop), watch.map(Watch::run));
    let kept = before.kept((&loaded, &pruned), &zones, &clock);
    printer.keep(processes.pace);
    let session = Session {
        output: args.output,
        clock,
        tally,
        naming: Naming::default(),
        repeats: Repeats::default(),
        lasted,
        sources: Sources::new(told, (processes.events, processes.open), ended, followed),
        printer,
        stop_ends,
    };
    let mut opening = session.opening(&loaded, &kept);
    opening.extend(session.pruned(pruned));
    let is_left = !data_dir.is_ephemeral();
    let ended = session
        .follow(
            opening,
            (machine, listeners),
            &mut serving,
            interrupts,
            args.run_for,
            is_left,
        )
        .await;
    serving.stop().await;
    // Only now may another `up` have the folder.
    drop(data_dir);
    let Some(part) = ended else { return Ok(()) };
    let mut failure = Failure::died(part.name, part.panic);
    if is_left {
        failure
            .message
            .push_str("; what runs goes on, and the next start finds it");
    }
    Err(failure)
}

struct Session {
    output: Output,
    clock: SharedClock,
    tally: Tally,
    naming: Naming,
    repeats: Repeats,
    lasted: Lasted,
    sources: Sources,
    printer: Printer,
    /// Tells who notices ends that there are no more.
    stop_ends: watch::Sender<bool>,
}

impl Session {
    /// Shows what happens until the machine has stopped, and tells when a part of it or a listener has ended by itself. Then nobody knows
    /// what else there is to do here but to end: where what runs can be found again, it `is_left`, and whoever started this
    /// starts it again.
    async fn follow(
        mut self,
        opening: Vec<Line>,
        (mut machine, mut listeners): (Running, Listeners),
        serving: &mut Serving,
        mut interrupts: Interrupts,
        run_for: Option<Duration>,
        is_left: bool,
    ) -> Option<EndedPart> {
        let time_is_up = async {
            match run_for {
                Some(run_for) => tokio::time::sleep(run_for).await,
                None => pending().await,
            }
        };
        let ended = tokio::select! {
            () = self.show_all(opening) => None,
            () = interrupts.next() => None,
            () = time_is_up => None,
            part = machine.ended() => Some(part),
            part = serving.ended() => Some(part),
            part = listeners.ended() => Some(part),
        };
        listeners.stop_following();
        if ended.is_some() && is_left {
            machine.leave().await;
            self.show_rest().await;
        } else {
            self.stop(machine, interrupts).await;
            self.show_rest().await;
            self.show_summary();
        }
        ended
    }

    /// Stops the machine. The first interrupt has let running work end in peace, the next ends it. Nothing of that waits for
    /// whoever reads what is shown.
    async fn stop(&mut self, machine: Running, mut interrupts: Interrupts) {
        let (hurry, hurried) = watch::channel(false);
        let notice = (self.output == Output::Text).then(|| Line::Complained(text::STOPPING.to_owned()));
        let mut stopping = pin!(machine.stop(hurried));
        let mut showing = pin!(self.show_all(notice.into_iter().collect()));
        loop {
            tokio::select! {
                () = &mut showing => {}
                () = interrupts.next() => { hurry.send_replace(true); }
                () = &mut stopping => break,
            }
        }
    }

    /// Shows these lines, and then what happens, for ever.
    async fn show_all(&mut self, first: Vec<Line>) {
        for line in first {
            self.printer.print(line);
        }
        loop {
            let happening = self.sources.next().await;
            self.show(happening);
        }
    }

    /// Shows what was not shown yet.
    async fn show_rest(&mut self) {
        self.stop_ends.send_replace(true);
        let rest = async {
            while let Some(happening) = self.sources.next_of_rest().await {
                self.show(happening);
            }
        };
        let is_cut_off = tokio::time::timeout(LAST_LINES, rest).await.is_err();
        for happening in self.sources.last() {
            self.show(happening);
        }
        if is_cut_off && self.output == Output::Text {
            self.printer.print(Line::Said(text::CUT_OFF.to_owned()));
        }
    }

    /// Shows what it came to.
    fn show_summary(&self) {
        let summary = match self.output {
            Output::Text => format!("\n{}", text::summary(&self.tally)),
            Output::Json => json::summary(self.clock.now(), &self.tally).to_string(),
        };
        self.printer.insist(Line::Said(summary));
    }

    /// What is there from the beginning.
    fn opening(&self, loaded: &[LoadedObject], kept: &[LoadedObject]) -> Vec<Line> {
        let now = self.clock.now();
        let lines: Vec<String> = match self.output {
            Output::Text => [table::loaded(loaded, now), table::kept(kept, now)]
                .into_iter()
                .flatten()
                .collect(),
            Output::Json => [("loaded", loaded), ("kept", kept)]
                .into_iter()
                .flat_map(|(event, objects)| objects.iter().map(move |object| (event, object)))
                .map(|(event, object)| json::object(now, event, object).to_string())
                .collect(),
        };
        lines.into_iter().map(Line::Said).collect()
    }

    /// What was there before and went with its file.
    fn pruned(&self, pruned: Vec<(Id, String)>) -> Vec<Line> {
        let at = self.clock.now();
        let happened = pruned
            .into_iter()
            .map(|(id, file)| Happening::Followed(Followed::Pruned { at, file, id }));
        happened.flat_map(|happening| self.lines(&happening)).collect()
    }

    fn show(&mut self, mut happening: Happening) {
        self.lasted.hear(&mut happening);
        self.tally.count(&happening);
        self.naming.hear(&happening);
        // A program is told of each attempt.
        if self.repeats.hold(&happening) && self.output == Output::Text {
            return;
        }
        for line in self.lines(&happening) {
            self.printer.print(line);
        }
    }

    /// How something is shown.
    fn lines(&self, happening: &Happening) -> Vec<Line> {
        let line = match self.output {
            Output::Text => text::line(happening, &self.naming),
            Output::Json => Some(json::event(happening).to_string()),
        };
        let complaint = text::complaint(happening).filter(|_| self.output == Output::Text);
        let lines = line.map(Line::Said).into_iter();
        lines.chain(complaint.map(Line::Complained)).collect()
    }
}
