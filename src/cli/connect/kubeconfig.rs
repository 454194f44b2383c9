//! What a kubeconfig says, read as kubectl reads it.

use std::path::{Path, PathBuf};

use kube::Config;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::{innermost, proxy, unusable};
use crate::cli::exit::Failure;

/// The variable that names the files in the place of `~/.kube/config`, separated like the folders of `PATH`.
const KUBECONFIG: &str = "KUBECONFIG";

/// How to reach the cluster of a context, or of the current one: of this file, or of those that kubectl would read.
///
/// # Errors
///
/// When nothing can be read, or does not say how to reach a cluster.
pub(super) async fn config(file: Option<&Path>, context: Option<&str>) -> Result<Config, Failure> {
    let (files, advice) = match file {
        Some(file) => (vec![file.to_owned()], ""),
        None => (usual_files(), "; name one with --kubeconfig"),
    };
    let advised = |failure: Failure| Failure::new(failure.message + advice);
    let mut kubeconfig = read(&files).map_err(advised)?;
    kubeconfig
        .auth_infos
        .iter_mut()
        .filter_map(|user| user.auth_info.as_mut())
        .for_each(trim_token);
    let has_own_proxy = own_proxy(&kubeconfig, context).is_some();
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| advised(unusable(&named(&files), &error)))?;
    if !has_own_proxy {
        // Kube asks whether the proxy itself is to be reached without one.
        config.proxy_url = proxy::on_the_way_to(&config.cluster_url, |name| std::env::var(name).ok());
    }
    Ok(config)
}

/// The files that kubectl reads. Those of its list that are not there are passed over, if one is.
fn usual_files() -> Vec<PathBuf> {
    let listed = std::env::var_os(KUBECONFIG).unwrap_or_default();
    let (there, missing): (Vec<PathBuf>, Vec<PathBuf>) = std::env::split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .partition(|path| path.exists());
    match (there.is_empty(), missing.is_empty()) {
        (false, _) => there,
        (true, false) => missing,
        (true, true) => vec![std::env::home_dir().unwrap_or_default().join(".kube/config")],
    }
}

/// Reads files as one: what the first of them says holds.
fn read(files: &[PathBuf]) -> Result<Kubeconfig, Failure> {
    let unreadable = |error: KubeconfigError, file: &Path| {
        Failure::new(format!(
            "the kubeconfig {} can't be read: {}",
            file.display(),
            innermost(&error)
        ))
    };
    let mut files = files.iter();
    files.try_fold(Kubeconfig::default(), |merged, file| {
        let next = Kubeconfig::read_from(file).and_then(|next| merged.merge(next));
        next.map_err(|error| unreadable(error, file))
    })
}

fn named(files: &[PathBuf]) -> String {
    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    format!("the kubeconfig {}", files.join(":"))
}

/// The proxy that a context's cluster names.
fn own_proxy<'a>(kubeconfig: &'a Kubeconfig, context: Option<&str>) -> Option<&'a str> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let named = kubeconfig.contexts.iter().find(|named| named.name == context)?;
    let cluster = &named.context.as_ref()?.cluster;
    let named = kubeconfig.clusters.iter().find(|named| named.name == *cluster)?;
    let proxy = named.cluster.as_ref()?.proxy_url.as_deref();
    proxy.filter(|proxy| !proxy.is_empty())
}

/// Takes the line end off a token in a file, as kubectl does; kube would send it. It is then not read again when the file
/// changes: whoever renews the tokens in files writes them without a line end.
fn trim_token(user: &mut AuthInfo) {
    let (None, Some(file)) = (&user.token, &user.token_file) else {
        return;
    };
    // What can't be read is told by who reads it next.
    let Ok(text) = std::fs::read_to_string(file) else {
        return;
    };
    if text.trim().len() < text.len() {
        user.token = Some(text.trim().to_owned().into());
    }
}
