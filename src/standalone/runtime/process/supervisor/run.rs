//! What a supervisor does, from its commission to its end.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::SecondsFormat;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::cgroup::Group;
use super::super::open_files;
use super::commission::{self, Commission};
use super::hub::Hub;
use super::leftovers::{self, Session};
use super::record::{self, Record};
use super::workplace::{Prepared, Workplace, named};
use crate::clock::{Clock as _, SystemClock};
use crate::standalone::data_dir::survive_too_large;
use crate::standalone::logs::{Stream, Writer};
use crate::standalone::runtime::order::Order;
use crate::standalone::runtime::output::stream::pump;
use crate::standalone::runtime::process::{Exit, Invocation, Process};
use crate::standalone::runtime::start_error::StartError;
use crate::telemetry::chain;

/// How long a supervisor whose work is done waits to be let go. To take a process apart takes longer than to start one, and
/// whoever listens knows when nobody waits for that.
const LET_GO_WITHIN: Duration = Duration::from_secs(5);

/// How long the end waits at most to be forced to the disk. That takes a processor from what is to be started, and whoever
/// listens records it as well, before it lets go or soon after.
const SYNCED_WITHIN: Duration = Duration::from_millis(250);

/// An attempt that has begun: that its process is about to be started is recorded.
struct Begun {
    hub: Hub,
    commission: Commission,
    /// Its records.
    state: File,
    log: Arc<Mutex<Writer>>,
    /// Tells that children have ended.
    ends: Signal,
}

/// Supervises one attempt. Who was started before it is needed gets a folder `ahead`, to work in meanwhile. An error is why it
/// could not be begun.
pub(super) async fn run(ahead: Option<&Path>) -> io::Result<()> {
    survive_too_large();
    let stdin = std::os::unix::net::UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    stdin.set_nonblocking(true)?;
    let (reader, writer) = UnixStream::from_std(stdin)?.into_split();
    let mut reader = BufReader::new(reader);
    let begun = match begin(&mut reader, ahead).await {
        Ok(begun) => begun,
        Err(why) => {
            // Without it nothing more could be said on standard input.
            writer.forget();
            return Err(why);
        }
    };
    if let Some((begun, listener)) = begun {
        let hub = &begun.hub;
        tokio::spawn(hub.clone().serve(reader, writer, begun.commission.is_bound));
        tokio::spawn(hub.clone().accept(listener));
        // From here on the records tell what has become of it.
        let _recorded = begun.supervise().await;
    }
    Ok(())
}

/// Waits for a commission, and takes it on; nothing, when somebody else has. What goes wrong here has begun nothing, and is
/// tried again. Those who come later are to be let in by the listener.
async fn begin(
    reader: &mut BufReader<OwnedReadHalf>,
    ahead: Option<&Path>,
) -> io::Result<Option<(Begun, UnixListener)>> {
    // It may have been started ahead: then nobody waits for this.
    let (boot, session, signals) = (record::boot(), Session::own(), signals()?);
    let ends = signal(SignalKind::child())?;
    commission::rehearse();
    // Without it the run starts a little later, and that is all.
    let prepared = ahead.and_then(|below| Prepared::make(below).ok());
    let mut commission = String::new();
    reader.read_line(&mut commission).await?;
    let commission: Commission = serde_json::from_str(&commission)?;

    let prepared = prepared.and_then(|prepared| prepared.move_to(&commission).ok());
    let made = prepared.map_or_else(|| Workplace::make(&commission), |prepared| Ok(Some(prepared)))?;
    let Some(Workplace { state, listener, log }) = made else {
        return Ok(None);
    };
    if has_hung_up(reader.get_ref().as_ref()) {
        return Ok(None);
    }
    let hub = Hub::new(Duration::from_secs(commission.grace_seconds));
    hub.heed(signals);
    let starting = Record::Starting {
        boot,
        session,
        group: commission.group.clone(),
    };
    let records = record::file(&commission.folder);
    record::add(&state, &starting).map_err(named("written", &records))?;
    let log = Arc::new(Mutex::new(log));
    let begun = Begun {
        hub,
        commission,
        state,
        log,
        ends,
    };
    Ok(Some((begun, listener)))
}

/// Whether whoever asked is gone. To be asked when the attempt is held: until then the next `punctual` finds nothing of it, and
/// may have run and forgotten it, or be about to remove what was prepared for it; from then on it waits for us.
fn has_hung_up(asker: &UnixStream) -> bool {
    let mut asker = [PollFd::new(asker, PollFlags::IN)];
    let now = Timespec::default();
    // Where that can't be told, it is as if it were there: its orders are waited for next.
    poll(&mut asker, Some(&now)).is_ok_and(|seen| seen > 0) && asker[0].revents().contains(PollFlags::HUP)
}

impl Begun {
    /// Starts the process and follows it to its end.
    async fn supervise(mut self) -> io::Result<()> {
        if let Some(before) = self.commission.open_files {
            open_files::take_back(before);
        }
        let group = self.commission.group.take().unwrap_or_default();
        match start(&self.commission.invocation, &group) {
            Ok(process) => self.follow(process, group).await,
            Err(error) => {
                group.remove().await;
                let not_started = Record::NotStarted {
                    exit_code: error.exit_code(),
                    message: chain(&error),
                    is_tried_again: error.waits().is_some(),
                };
                self.record(&not_started).await
            }
        }
    }

    /// Follows the process to its end, and records both.
    async fn follow(mut self, mut process: Process, group: Group) -> io::Result<()> {
        let (pid, at) = (process.pid(), now());
        let recorded = record::add(&self.state, &Record::Started { pid, at });
        if recorded.is_err() {
            // Nobody would know of it, and it would run beside the one that comes next.
            Order::Kill.give(&self.hub.orders);
        }
        self.hub.tell();

        let (over, ended_at) = watch::channel(None);
        let pumps = self.pumps(&mut process, &ended_at);
        let exit = process
            .end(&mut self.ends, &mut self.hub.orders.subscribe())
            .await;
        let at = now();
        leftovers::kill_descendants().await;
        let out_of_memory = group.was_out_of_memory();
        group.remove().await;
        over.send_replace(Some(Instant::now()));
        pumps.join_all().await;
        recorded?;
        let Exit { code, signal } = exit.unwrap_or(Exit::UNKNOWN);
        let ended = Record::Ended {
            exit_code: code,
            signal,
            out_of_memory,
            at,
        };
        self.record(&ended).await?;
        self.wait_to_be_let_go().await
    }

    /// Takes what the process writes to the log, until some time after its end.
    fn pumps(&self, process: &mut Process, ended_at: &watch::Receiver<Option<Instant>>) -> JoinSet<()> {
        let mut pumps = JoinSet::new();
        let (stdout, stderr) = process.streams();
        if let Some(stdout) = stdout {
            let sink = self.hub.sink(&self.log, Stream::Stdout);
            pumps.spawn(pump(stdout, sink, ended_at.clone()));
        }
        if let Some(stderr) = stderr {
            let sink = self.hub.sink(&self.log, Stream::Stderr);
            pumps.spawn(pump(stderr, sink, ended_at.clone()));
        }
        pumps
    }

    async fn record(&self, record: &Record) -> io::Result<()> {
        let is_bound = self.commission.is_bound;
        self.hub.record(&self.state, record, is_bound).await
    }

    /// Tells that the end is recorded, and waits until nobody listens any more, but not for long.
    async fn wait_to_be_let_go(&self) -> io::Result<()> {
        self.hub.tell_end();
        let is_let_go = self.hub.is_let_go_within(SYNCED_WITHIN).await;
        // Only what never outlives this run of the machine may be lost with it.
        if !self.commission.is_bound {
            self.state.sync_data()?;
        }
        if !is_let_go {
            self.hub.is_let_go_within(LET_GO_WITHIN).await;
        }
        Ok(())
    }
}

/// What tells a supervisor to stop: all that whoever started `punctual` may have it ignore, as a shell does in the background,
/// and `nohup`. What a supervisor heeds its process does not ignore: a shell can't trap what it was started to ignore.
fn signals() -> io::Result<Vec<Signal>> {
    let kinds = [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ];
    kinds.into_iter().map(signal).collect()
}

/// Starts the process in its group.
fn start(invocation: &Invocation, group: &Group) -> Result<Process, StartError> {
    group.around(|| invocation.start()).map_err(StartError::unready)?
}

fn now() -> String {
    SystemClock.now().to_rfc3339_opts(SecondsFormat::Nanos, true)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::standalone::data_dir::DataDir;

    /// Whether an attempt is begun that was asked for by one who has gone meanwhile, or not.
    async fn is_begun(has_gone: bool) -> bool {
        let data = DataDir::ephemeral().unwrap();
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let pod = data.pod("u-1");
        let commission = Commission::of_nobody(pod.attempt("main", 0), pod.log("main", 0));
        ours.write_all(&commission.to_line().unwrap()).await.unwrap();
        let ours = (!has_gone).then_some(ours);
        let (reader, _writer) = theirs.into_split();
        let begun = begin(&mut BufReader::new(reader), None).await.unwrap();
        drop(ours);
        let state = record::read(&commission.folder).unwrap();
        assert_eq!(begun.is_some(), !state.records.is_empty());
        begun.is_some()
    }

    #[tokio::test]
    async fn nothing_is_begun_for_one_who_is_gone() {
        assert!(is_begun(false).await);
        assert!(!is_begun(true).await);
    }
}
