//! A connection to a supervisor: what it is to do goes in, and that there is something new to read comes out.
//!
//! The first one is the supervisor's standard input, and begins with its commission; whoever comes later connects to its
//! socket. Either way the connection ends with the supervisor.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{Mutex, watch};

use super::ending;
use super::record::{self, State};
use crate::standalone::data_dir::PodDir;
use crate::standalone::runtime::engine::Control;
use crate::standalone::runtime::order::Order;

/// What a supervisor says when there is something new to read, and when the end is recorded: then it only waits to be let go.
pub(super) const NEWS: u8 = b'\n';
pub(super) const END: u8 = b'.';

/// The socket's name in the attempt's folder.
pub(super) const SOCKET: &str = "socket";

/// How often, and how long apart, a supervisor is looked for that lives and does not answer yet.
pub(super) const CONNECT_TRIES: u32 = 50;
pub(super) const CONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Connects to a supervisor.
pub(super) async fn connect(folder: &Path) -> io::Result<UnixStream> {
    let folder = File::open(folder)?;
    UnixStream::connect(socket_in(&folder)).await
}

/// The socket in the folder of an attempt. Its path may be no longer than 107 bytes, so the folder is named by a descriptor.
pub(super) fn socket_in(folder: &File) -> String {
    format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())
}

/// What has become of a commission.
#[derive(Debug)]
pub(super) struct Commissioned {
    /// The supervisor, if it lives.
    pub(super) supervisor: Option<UnixStream>,
    pub(super) state: State,
    /// Why it could not begin, in its words, if it has said that.
    pub(super) why_not: Option<String>,
}

/// Tells a supervisor what it is to do, and waits until it has started that or is gone.
pub(super) async fn commissioned(
    mut supervisor: UnixStream,
    order: &[u8],
    folder: &Path,
) -> io::Result<Commissioned> {
    // When it is gone, so it is with the next read.
    let _gone = supervisor.write_all(order).await;
    let mut said = Vec::new();
    loop {
        let read = supervisor.read_buf(&mut said).await.unwrap_or(0);
        let state = record::read_in_time(folder).await?;
        if read > 0 && state.outcome().is_none() {
            continue;
        }
        let said = String::from_utf8_lossy(&said);
        return Ok(Commissioned {
            supervisor: Some(supervisor).filter(|_| read > 0),
            why_not: Some(said.into_owned()).filter(|said| state.records.is_empty() && !said.is_empty()),
            state,
        });
    }
}

/// Listens to a supervisor until the end is recorded or it is gone.
pub(super) async fn listen(supervisor: &mut (impl AsyncRead + Unpin), wrote: &watch::Sender<u64>) {
    let mut bytes = [0; 64];
    while let Ok(read @ 1..) = supervisor.read(&mut bytes).await {
        if bytes[..read].contains(&END) {
            break;
        }
        wrote.send_modify(|count| *count += 1);
    }
}

/// Gives an order to a supervisor. When it is gone, so is the process.
async fn give(supervisor: &mut (impl AsyncWrite + Unpin), order: Order) {
    let Ok(mut order) = serde_json::to_vec(&order) else {
        return;
    };
    order.push(b'\n');
    let _gone = supervisor.write_all(&order).await;
}

/// Orders to a supervisor; nothing, when it is gone. Without this it is let go.
pub(super) struct SupervisorControl(Mutex<Option<OwnedWriteHalf>>);

impl SupervisorControl {
    pub(super) fn to(supervisor: Option<OwnedWriteHalf>) -> Self {
        Self(Mutex::new(supervisor))
    }
}

impl Control for SupervisorControl {
    fn obey(&self, order: Order) -> BoxFuture<'_, ()> {
        async move {
            if let Some(writer) = &mut *self.0.lock().await {
                give(writer, order).await;
            }
        }
        .boxed()
    }
}

/// Ends whatever attempt at a pod still runs. Whether nothing does any more.
pub(in crate::standalone::runtime) async fn end_attempts(pod: &PodDir, grace: Duration) -> bool {
    let mut nothing_runs = true;
    for folder in pod.attempts() {
        nothing_runs &= end_attempt(&folder, grace).await;
    }
    nothing_runs
}

async fn end_attempt(folder: &Path, grace: Duration) -> bool {
    for _ in 0..CONNECT_TRIES {
        if let Ok(mut supervisor) = connect(folder).await {
            give(&mut supervisor, Order::Stop { grace }).await;
            // The connection stays whole until the end: whoever closes a half of it hears of nothing more.
            listen(&mut supervisor, &watch::Sender::new(0)).await;
        }
        // Where nobody can read what is recorded of it, it may run.
        let Ok(state) = record::read_in_time(folder).await else {
            return false;
        };
        if !state.is_held || state.is_over() {
            // One that was killed has left its process.
            ending::end_rest(folder, &state).await;
            return true;
        }
        // It has not begun yet, or is not gone yet.
        tokio::time::sleep(CONNECT_PAUSE).await;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::leftovers;
    use super::super::record::Record;
    use super::*;
    use crate::standalone::data_dir::{DataDir, create_private};

    #[tokio::test]
    async fn the_process_of_a_supervisor_that_was_killed_is_ended() {
        let data = DataDir::ephemeral().unwrap();
        let pod = data.pod("u-1");
        let (_, state) = attempt(&pod);
        let (session, process) = leftovers::tests::orphaned();
        let starting = Record::Starting {
            boot: record::boot(),
            session,
            group: None,
        };
        // The process leads its group, as here its supervisor does.
        let started = Record::Started {
            pid: session.leader().unsigned_abs(),
            at: "2026-11-27T02:00:00Z".to_owned(),
        };
        for record in [starting, started] {
            record::add(&state, &record).unwrap();
        }
        drop(state);
        assert!(end_attempts(&pod, Duration::ZERO).await);
        leftovers::tests::wait_for_the_end(process);
    }

    /// The folder of an attempt at a pod, and its records, which a supervisor holds.
    fn attempt(pod: &PodDir) -> (std::path::PathBuf, std::fs::File) {
        let folder = pod.attempt("main", 0);
        create_private(&folder).unwrap();
        let state = record::claim(&folder).unwrap().unwrap();
        (folder, state)
    }

    #[tokio::test]
    async fn what_is_ended_is_waited_for_through_its_grace() {
        let data = DataDir::ephemeral().unwrap();
        let pod = data.pod("u-1");
        let (folder, state) = attempt(&pod);
        let listener = tokio::net::UnixListener::bind(socket_in(&File::open(&folder).unwrap())).unwrap();
        let supervisor = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 64];
            assert!(connection.read(&mut bytes).await.unwrap() > 0, "an order");
            // A supervisor hangs up on whoever does.
            let hung_up = connection.read(&mut bytes);
            if tokio::time::timeout(Duration::from_millis(200), hung_up)
                .await
                .is_ok()
            {
                return;
            }
            let ended = Record::Ended {
                exit_code: 0,
                signal: None,
                out_of_memory: false,
                at: "2026-11-27T02:00:00Z".to_owned(),
            };
            record::add(&state, &ended).unwrap();
            connection.write_all(&[END]).await.unwrap();
        });
        assert!(end_attempts(&pod, Duration::from_secs(10)).await);
        assert!(record::read(&folder).unwrap().is_over());
        supervisor.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_lives_and_cannot_be_reached_is_not_taken_for_ended() {
        let data = DataDir::ephemeral().unwrap();
        let pod = data.pod("u-1");
        let _held = attempt(&pod);
        assert!(!end_attempts(&pod, Duration::ZERO).await);
    }

    #[tokio::test]
    async fn a_supervisor_that_was_killed_while_it_waited_has_begun_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let begun = commissioned(ours, b"{}\n", folder.path()).await.unwrap();
        assert!(begun.supervisor.is_none() && begun.state.is_untouched() && begun.why_not.is_none());
    }
}
