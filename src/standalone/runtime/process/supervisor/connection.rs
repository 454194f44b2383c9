//! A connection to a supervisor: what it is to do goes in, and that there is something new to read comes out.
//!
//! The first one is the supervisor's standard input, and begins with its commission; whoever comes later connects to its
//! socket. Either way the connection ends with the supervisor.

use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, watch};

use super::ending;
use super::record::{self, State};
use super::run::SOCKET;
use crate::standalone::data_dir::PodDir;
use crate::standalone::runtime::engine::Control;
use crate::standalone::runtime::order::Order;

/// What a supervisor says when there is something new to read, and when the end is recorded: then it only waits to be let go.
pub(super) const NEWS: u8 = b'\n';
pub(super) const END: u8 = b'.';

/// Connects to a supervisor. The path of a socket is limited to 107 bytes, so the folder is named by a descriptor.
pub(super) async fn connect(folder: &Path) -> io::Result<UnixStream> {
    let folder = std::fs::File::open(folder)?;
    let path = format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd());
    UnixStream::connect(path).await
}

/// Tells a supervisor what it is to do, and waits until it has started that or is gone.
pub(super) async fn commissioned(
    mut supervisor: UnixStream,
    order: &[u8],
    folder: &Path,
) -> io::Result<(Option<UnixStream>, State)> {
    // When it is gone, so it is with the next read.
    let _gone = supervisor.write_all(order).await;
    loop {
        let read = supervisor.read(&mut [0; 64]).await.unwrap_or(0);
        let state = record::read_in_time(folder).await?;
        if read == 0 {
            return Ok((None, state));
        }
        if state.outcome().is_some() {
            return Ok((Some(supervisor), state));
        }
    }
}

/// Listens to a supervisor until the end is recorded or it is gone.
pub(super) async fn listen(mut reader: OwnedReadHalf, wrote: watch::Sender<u64>) {
    let mut bytes = [0; 64];
    while let Ok(read @ 1..) = reader.read(&mut bytes).await {
        if bytes[..read].contains(&END) {
            break;
        }
        wrote.send_modify(|count| *count += 1);
    }
}

/// Orders to a supervisor; nothing, when it is gone.
pub(super) struct SupervisorControl(Mutex<Option<OwnedWriteHalf>>);

impl SupervisorControl {
    pub(super) fn to(supervisor: Option<OwnedWriteHalf>) -> Self {
        Self(Mutex::new(supervisor))
    }
}

impl Control for SupervisorControl {
    fn obey(&self, order: Order) -> BoxFuture<'_, ()> {
        async move {
            let Ok(mut order) = serde_json::to_vec(&order) else {
                return;
            };
            order.push(b'\n');
            if let Some(writer) = &mut *self.0.lock().await {
                // When it is gone, so is the process.
                let _gone = writer.write_all(&order).await;
            }
        }
        .boxed()
    }
}

/// Ends whatever attempt at a pod still runs, and returns when nothing does.
pub(in crate::standalone::runtime) async fn end_attempts(pod: &PodDir, grace: Duration) {
    for folder in pod.attempts() {
        // One that lives and does not answer has not begun yet, and ends without its folder.
        if let Ok(stream) = connect(&folder).await {
            let (reader, writer) = stream.into_split();
            SupervisorControl::to(Some(writer))
                .obey(Order::Stop { grace })
                .await;
            listen(reader, watch::Sender::new(0)).await;
        }
        // One that was killed has left its process.
        let state = record::read_in_time(&folder).await.unwrap_or_default();
        if !state.is_held {
            ending::end_rest(&folder, &state).await;
        }
    }
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
        let folder = pod.attempt("main", 0);
        create_private(&folder).unwrap();
        let (session, process) = leftovers::tests::orphaned();
        let starting = Record::Starting {
            boot: record::boot(),
            session,
            group: None,
        };
        record::add(&record::claim(&folder).unwrap().unwrap(), &starting).unwrap();
        end_attempts(&pod, Duration::ZERO).await;
        leftovers::tests::wait_for_the_end(process);
    }

    #[tokio::test]
    async fn a_supervisor_that_was_killed_while_it_waited_has_begun_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let (supervisor, state) = commissioned(ours, b"{}\n", folder.path()).await.unwrap();
        assert!(supervisor.is_none() && state.is_untouched());
    }
}
