//! Which cluster, and the clients for it.

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::cli::controller::ControllerArgs;
use crate::cli::exit::Failure;

/// Set by the kubelet in every pod.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// The cluster that the arguments name.
pub(super) async fn config(args: &ControllerArgs) -> Result<Config, Failure> {
    let options = KubeConfigOptions {
        context: args.context.clone(),
        ..KubeConfigOptions::default()
    };
    let mut config = if let Some(file) = &args.kubeconfig {
        let kubeconfig = Kubeconfig::read_from(file).map_err(|error| {
            let cause = innermost(&error);
            Failure::new(format!(
                "the kubeconfig {} can't be read: {cause}",
                file.display()
            ))
        })?;
        Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| unusable(&format!("the kubeconfig {}", file.display()), &error))?
    } else if args.context.is_none() && std::env::var_os(IN_CLUSTER).is_some() {
        Config::incluster().map_err(|error| unusable("the service account of this pod", &error))?
    } else {
        Config::from_kubeconfig(&options).await.map_err(|error| {
            let failure = unusable("the kubeconfig", &error);
            Failure::new(format!("{}; name one with --kubeconfig", failure.message))
        })?
    };
    // We try again ourselves, by deciding anew: a request that waits inside the client holds up others, and may start a
    // run after its deadline.
    config.default_retry = false;
    Ok(config)
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
    Client::try_from(config.clone())
        .map_err(|error| Failure::from_error("no client could be made for the cluster", &error))
}
