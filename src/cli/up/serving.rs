//! The data folder and the door to the API: opened before anything runs, closed after everything has stopped.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use crate::cli::complain;
use crate::cli::exit::Failure;
use crate::cli::present::shell_quoted;
use crate::cli::up::UpArgs;
use crate::clock::SharedClock;
use crate::schedule::Timestamp;
use crate::standalone::data_dir::{DataDir, DataDirError};
use crate::standalone::door::{Door, DoorError, DoorOptions, Host, server_url};
use crate::standalone::runtime::make_room_at_start;
use crate::standalone::store::{MemoryStore, OpenError, SharedStore, SqliteOptions, SqliteStore};
use crate::standalone::{EndedPart, Part, Running, keep_namespace_defaults};
use crate::telemetry::chain;

/// The API as the network sees it.
pub(super) struct Serving {
    stop: watch::Sender<bool>,
    door: Part,
    namespace_defaults: Part,
}

/// Takes the data folder that was asked for.
pub(super) fn open(args: &UpArgs) -> Result<DataDir, Failure> {
    let opened = match &args.data_dir {
        _ if args.ephemeral => DataDir::ephemeral(),
        Some(path) => DataDir::open(path),
        None => DataDir::default_path().and_then(|path| DataDir::open(&path)),
    };
    opened.map_err(|error: DataDirError| Failure::new(chain(&error)))
}

/// Opens the database of the data folder; nothing is kept of what is ephemeral. Says so when an empty one was begun.
pub(super) async fn open_store(
    args: &UpArgs,
    data_dir: &DataDir,
    now: Timestamp,
) -> Result<SharedStore, Failure> {
    if data_dir.is_ephemeral() {
        return Ok(Arc::new(MemoryStore::new()));
    }
    let options = SqliteOptions {
        start_empty: args.start_empty,
        pods: Some(data_dir.pods()),
        ..SqliteOptions::default()
    };
    let was_there = data_dir.database().exists();
    let mut opened = SqliteStore::open(&data_dir.database(), now, &options).await;
    if opened.as_ref().is_err_and(is_short) {
        match make_room_at_start(data_dir) {
            0 => {}
            removed => {
                complain(&format!(
                    "warning: the disk is full; {removed} logs of pods that have ended were removed, the oldest first"
                ));
                opened = SqliteStore::open(&data_dir.database(), now, &options).await;
            }
        }
    }
    let (store, put_aside) = opened.map_err(|error| {
        let mut message = chain(&error);
        if is_short(&error) {
            let _infallible = write!(message, "\n{}", data_dir.usage());
        }
        Failure::new(message)
    })?;
    if let Some(kept) = put_aside {
        complain(&format!(
            "warning: the database was damaged and is kept as {}; nothing is known of the runs before",
            kept.display()
        ));
    } else if args.start_empty && was_there {
        complain("note: the database is whole, and goes on; --start-empty is for a damaged one");
    }
    Ok(Arc::new(store))
}

/// Whether there is no room for the database.
fn is_short(error: &OpenError) -> bool {
    matches!(error, OpenError::Unwritable { obstacle, .. } if obstacle.is_shortage())
}

/// Builds the door; says so when it is not where it was.
pub(super) async fn build(args: &UpArgs, data_dir: &DataDir, clock: SharedClock) -> Result<Door, Failure> {
    let options = DoorOptions {
        listen: args.listen,
        exposed_as: args.exposed_as.clone(),
    };
    let door = Door::build(data_dir, &options, clock).await.map_err(|error| {
        let is_usage = matches!(
            error,
            DoorError::NotLoopback { .. } | DoorError::OnlyLoopback { .. }
        );
        let message = chain(&error);
        if is_usage {
            Failure::usage(message)
        } else {
            Failure::new(message)
        }
    })?;
    if let Some(former) = door.moved_from() {
        complain(&format!(
            "warning: another program listens on {former}; the API is at {} from now on, and copies of the kubeconfig \
             have to be made anew",
            door.address()
        ));
    }
    Ok(door)
}

impl Serving {
    /// Opens the door to a machine.
    pub(super) async fn start(door: Door, machine: &Running) -> Serving {
        machine.publish(door.address()).await;
        let namespace_defaults = keep_namespace_defaults(machine.client(), door.authority_pem().to_owned());
        let (stop, stopped) = watch::channel(false);
        Serving {
            stop,
            door: Part::start("the server of the API", door.serve(machine.router(), stopped)),
            namespace_defaults: Part::start("the controller of service accounts", namespace_defaults),
        }
    }

    /// Waits until a part of it has ended by itself.
    pub(super) async fn ended(&mut self) -> EndedPart {
        tokio::select! {
            ended = self.door.ended() => ended,
            ended = self.namespace_defaults.ended() => ended,
        }
    }

    /// Closes the door; watches end, and what was asked before is answered.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        self.namespace_defaults.abort();
        self.door.end().await;
    }
}

/// Who else is let in, for people (`--exposed-as`).
pub(super) fn exposure(hosts: &[Host], address: SocketAddr) -> Option<String> {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    (!hosts.is_empty()).then(|| {
        format!(
            "note: other machines are let in, at {address} as {}: whoever has the token of the kubeconfig can start processes \
             on this one",
            hosts.join(", ")
        )
    })
}

/// Where the API is, for people: the kubeconfig, and what to do with it.
pub(super) fn text(kubeconfig: &Path) -> String {
    let path = shell_quoted(kubeconfig);
    format!(
        "kubeconfig: {}\n  try: kubectl --kubeconfig {path} get cronjobs,jobs,pods\n",
        kubeconfig.display()
    )
}

/// Where the API is, as it stands in the JSON output.
pub(super) fn url(door: &Door) -> String {
    server_url(door.address())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_else_is_let_in_is_said() {
        let said = |hosts: &[&str]| {
            let hosts: Vec<Host> = hosts.iter().map(|host| host.parse().unwrap()).collect();
            exposure(&hosts, "0.0.0.0:8443".parse().unwrap())
        };
        assert_eq!(said(&[]), None);
        insta::assert_snapshot!(said(&["build1.example.com", "10.0.0.5"]).unwrap());
    }

    #[test]
    fn the_line_to_try_can_be_pasted_into_a_shell() {
        insta::assert_snapshot!(text(Path::new("/home/ann/.local/state/punctual/kubeconfig")));
        insta::assert_snapshot!(text(Path::new("/home/ann/it's here/kubeconfig")));
    }
}
