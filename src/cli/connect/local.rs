//! The `punctual up` of a data folder: where its API is, and whether it runs.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use kube::Config;

use super::ClusterArgs;
use crate::cli::exit::Failure;
use crate::standalone::data_dir::KUBECONFIG;

/// How long this machine may take to say whether it listens at an address; a request that comes after may take longer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Where the `punctual up` of this folder is; `start` is the command that starts one there.
pub(super) fn config(folder: &Path, start: &str) -> Result<Config, Failure> {
    let kubeconfig = folder.join(KUBECONFIG);
    let was_started = kubeconfig.try_exists().map_err(|error| {
        let told = format!("{} can't be looked into; its owner can", folder.display());
        Failure::from_error(&told, &error)
    })?;
    let nobody = || {
        Failure::new(format!(
            "no `punctual up` runs with the data folder {}; start one with `{start}`, or name the folder of the one that runs with --data-dir",
            folder.display()
        ))
    };
    if !was_started {
        return Err(nobody());
    }
    let args = ClusterArgs {
        kubeconfig: Some(kubeconfig),
        context: None,
    };
    let config = args.config()?;
    if is_refused(&config) {
        Err(nobody())
    } else {
        Ok(config)
    }
}

/// Whether nobody listens there. Whatever else may be wrong is told by the request that meets it.
fn is_refused(config: &Config) -> bool {
    let addresses = config
        .cluster_url
        .authority()
        .map(|server| server.as_str().to_socket_addrs());
    let Some(Ok(addresses)) = addresses else {
        return false;
    };
    let mut answers = addresses
        .map(|address| TcpStream::connect_timeout(&address, ANSWERS_WITHIN))
        .peekable();
    answers.peek().is_some()
        && answers.all(|answer| answer.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}
