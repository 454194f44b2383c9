//! What the tasks of a supervisor share: orders come in from whoever listens, and news goes out to them.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::signal::unix::Signal;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::connection::{END, NEWS};
use super::record::{self, Record};
use crate::clock::{Clock as _, SystemClock};
use crate::standalone::logs::{Stream, Writer};
use crate::standalone::runtime::order::Order;
use crate::standalone::runtime::output::lines::Piece;
use crate::standalone::runtime::shortage::Shortage;

/// How long after it a record is tried again that found no room on the disk.
const ROOM_RETRY: Duration = Duration::from_secs(1);

/// How long to wait before somebody is let in, when that has failed.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// What the tasks of a supervisor share.
#[derive(Clone)]
pub(super) struct Hub {
    pub(super) orders: Arc<watch::Sender<Order>>,
    /// Whether the end is recorded; changed, too, whenever there is something new to read.
    news: Arc<watch::Sender<bool>>,
    /// Somebody has ended a connection.
    let_go: Arc<Notify>,
    /// How long the process is given when it is stopped by somebody who does not say.
    grace: Duration,
}

impl Hub {
    pub(super) fn new(grace: Duration) -> Hub {
        Hub {
            orders: Arc::new(watch::Sender::new(Order::Run)),
            news: Arc::default(),
            let_go: Arc::default(),
            grace,
        }
    }

    /// Adds a record, when there is room for it: an end that is not recorded is taken for one that nobody saw, and the work
    /// is done again.
    pub(super) async fn record(&self, state: &File, record: &Record, is_bound: bool) -> io::Result<()> {
        loop {
            match record::add(state, record) {
                Err(why) if Shortage::behind(&why) == Some(Shortage::Disk) => {
                    // Of what is bound to a `punctual` that is gone nobody will read; and what is to go may be what takes the room.
                    let is_let_go = self.is_let_go_within(ROOM_RETRY).await;
                    if (is_let_go && is_bound) || self.orders.borrow().is_end() {
                        return Err(why);
                    }
                }
                added => return added,
            }
        }
    }

    pub(super) async fn is_let_go_within(&self, patience: Duration) -> bool {
        timeout(patience, self.let_go.notified()).await.is_ok()
    }

    /// Takes what is read of a stream to the log.
    pub(super) fn sink(
        &self,
        log: &Arc<Mutex<Writer>>,
        stream: Stream,
    ) -> impl FnMut(Vec<Piece>) + Send + 'static {
        let (hub, log) = (self.clone(), log.clone());
        move |pieces| {
            let now = SystemClock.now();
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            for piece in pieces {
                log.push(&piece.into_line(now, stream));
            }
            log.flush(now);
            hub.tell();
        }
    }

    /// There is something new to read.
    pub(super) fn tell(&self) {
        self.news.send_modify(|_is_over| {});
    }

    /// The end is recorded.
    pub(super) fn tell_end(&self) {
        self.news.send_replace(true);
    }

    /// Serves a connection until it ends.
    pub(super) async fn serve(
        self,
        reader: BufReader<OwnedReadHalf>,
        writer: OwnedWriteHalf,
        is_bound: bool,
    ) {
        let mut lines = reader.lines();
        let mut news = self.news.subscribe();
        // Something may have happened before.
        news.mark_changed();
        loop {
            tokio::select! {
                line = lines.next_line() => match line {
                    Ok(Some(line)) => {
                        if let Ok(order) = serde_json::from_str::<Order>(&line) {
                            order.give(&self.orders);
                        }
                    }
                    _ => break,
                },
                Ok(()) = news.changed() => {
                    let byte = if *news.borrow_and_update() { END } else { NEWS };
                    // Who has not read the last byte yet learns nothing from another, and of the end when we are gone.
                    let _full = writer.try_write(&[byte]);
                }
            }
        }
        self.let_go.notify_one();
        if is_bound {
            Order::Stop { grace: self.grace }.give(&self.orders);
        }
    }

    pub(super) async fn accept(self, listener: UnixListener) {
        loop {
            let Ok((connection, _)) = listener.accept().await else {
                // The machine is short of files for a moment. Whoever connects is let in when it is not.
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            };
            let (reader, writer) = connection.into_split();
            tokio::spawn(self.clone().serve(BufReader::new(reader), writer, false));
        }
    }

    /// Whoever stops the supervisor stops the process, e.g. a service manager that ends everything.
    pub(super) fn heed(&self, signals: Vec<Signal>) {
        for mut signal in signals {
            let hub = self.clone();
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    Order::Stop { grace: hub.grace }.give(&hub.orders);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::UnixStream;

    use super::super::connection::SOCKET;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_end_waits_for_room_while_somebody_may_read_it() {
        let full = File::options().append(true).open("/dev/full").unwrap();
        let ended = Record::Ended {
            exit_code: 0,
            signal: None,
            out_of_memory: false,
            at: "2026-11-27T02:00:00Z".to_owned(),
        };
        let hub = Hub::new(Duration::ZERO);
        hub.let_go.notify_one();
        let waits = timeout(Duration::from_hours(1), hub.record(&full, &ended, false));
        assert!(waits.await.is_err(), "it is given up");
        hub.let_go.notify_one();
        let given_up = timeout(Duration::from_hours(1), hub.record(&full, &ended, true));
        assert!(given_up.await.expect("nobody will read it").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_later_hears_what_has_happened_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SOCKET);
        let hub = Hub::new(Duration::ZERO);
        hub.tell_end();
        tokio::spawn(hub.accept(UnixListener::bind(&path).unwrap()));
        let mut connection = UnixStream::connect(&path).await.unwrap();
        let mut byte = [0];
        let heard = timeout(Duration::from_secs(20), connection.read(&mut byte));
        assert_eq!((heard.await.unwrap().unwrap(), byte), (1, [END]));
    }
}
