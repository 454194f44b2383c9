//! Which API server a command speaks to, and the client for it: a cluster, or the `punctual up` of this machine.
//!
//! | file | one idea |
//! |---|---|
//! | `answer` | what is told where no answer comes |
//! | `kubeconfig` | what a kubeconfig says, read as kubectl reads it |
//! | `lasting` | connections whose other end has gone without a word |
//! | `local` | whether a `punctual up` runs with a data folder |
//! | `proxy` | whether the way there leads through a proxy |

mod answer;
mod kubeconfig;
mod lasting;
mod local;
mod proxy;

use std::path::PathBuf;

use kube::{Client, Config};

use crate::cli::exit::Failure;
use crate::cli::present::shell_quoted;
use crate::standalone::data_dir::DataDir;
use crate::telemetry::chain;

/// Set by the kubelet in every pod.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// The arguments that name a cluster, as kubectl has them.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ClusterArgs {
    /// Speak to the cluster of this kubeconfig [default: the cluster this pod runs in, else $KUBECONFIG
    /// or ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub(super) kubeconfig: Option<PathBuf>,

    /// Use this context of the kubeconfig instead of its current one
    #[arg(long, value_name = "NAME")]
    pub(super) context: Option<String>,
}

/// The arguments that name a cluster, or the `punctual up` of this machine.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ServerArgs {
    #[command(flatten)]
    cluster: ClusterArgs,

    /// Speak to the `punctual up` of this machine, by the kubeconfig in its data folder
    #[arg(long, conflicts_with_all = ["kubeconfig", "context"])]
    local: bool,

    /// Speak to the `punctual up` that uses this data folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["kubeconfig", "context", "local"])]
    data_dir: Option<PathBuf>,
}

impl ClusterArgs {
    /// The cluster that the arguments name.
    ///
    /// # Errors
    ///
    /// When no kubeconfig says how to reach one.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let is_named = self.kubeconfig.is_some() || self.context.is_some();
        let mut config = if !is_named && std::env::var_os(IN_CLUSTER).is_some() {
            Config::incluster().map_err(|error| unusable("the service account of this pod", &error))?
        } else {
            kubeconfig::config(self.kubeconfig.as_deref(), self.context.as_deref())?
        };
        // We try again ourselves, by deciding anew: a request that waits inside the client holds up others, and may
        // start a run after its deadline.
        config.default_retry = false;
        Ok(config)
    }
}

impl ServerArgs {
    /// The API server that the arguments name.
    ///
    /// # Errors
    ///
    /// When nothing says how to reach one.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let folder = match (&self.data_dir, self.local) {
            (None, false) => {
                let config = self.cluster.config();
                return config.map_err(|failure| match self.cluster.kubeconfig {
                    None => Failure::new(format!(
                        "{}, or ask the `punctual up` of this machine with --local",
                        failure.message
                    )),
                    Some(_) => failure,
                });
            }
            (Some(folder), _) => folder.clone(),
            (None, true) => DataDir::default_path().map_err(|error| Failure::new(chain(&error)))?,
        };
        let start = self.data_dir.as_deref().map_or_else(
            || "punctual up".to_owned(),
            |folder| format!("punctual up --data-dir {}", shell_quoted(folder)),
        );
        local::config(&folder, &start)
    }
}

/// What went wrong in the end: the layers above repeat the path and the cause in words of their own.
fn innermost(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// Kube's errors tell their causes themselves.
fn unusable(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(format!("{what} does not say how to reach a cluster: {error}"))
}

/// A client with connections of its own.
pub(super) fn client(config: &Config) -> Result<Client, Failure> {
    let client = lasting::client(config)
        .map_err(|error| Failure::from_error("no client could be made for the cluster", &error))?;
    Ok(answer::telling(client, server(config)))
}

/// The same for a command that somebody waits for.
pub(super) fn client_of_a_person(config: &Config) -> Result<Client, Failure> {
    Ok(answer::impatient(client(config)?, server(config)))
}

/// The server as people write it.
fn server(config: &Config) -> String {
    config.cluster_url.to_string().trim_end_matches('/').to_owned()
}

/// Runs a command that speaks to an API server.
///
/// # Errors
///
/// Those of the command.
pub(super) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::from_error("the asynchronous runtime could not be started", &error))?;
    runtime.block_on(command)
}

/// A request that failed, in the server's own words where it gave an answer.
pub(super) fn refused(what: &str, error: &kube::Error) -> Failure {
    match error {
        kube::Error::Api(_) => Failure::from_error(what, error),
        other => Failure::new(match answer::told(other) {
            Some(told) => format!("{what}: {told}"),
            None => format!("{what}: the API server can't be reached: {}", innermost(other)),
        }),
    }
}
