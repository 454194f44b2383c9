//! What a kubeconfig says, read as kubectl reads it.

use std::path::{Path, PathBuf};

use kube::Config;
use kube::config::{AuthInfo, Cluster, Context, ExecAuthCluster, Kubeconfig, KubeconfigError};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};

use super::{innermost, proxy, unusable};
use crate::cli::exit::Failure;

/// The variable that names the files in the place of `~/.kube/config`, separated like the folders of `PATH`.
const KUBECONFIG: &str = "KUBECONFIG";

/// How to reach the cluster of a context, or of the current one: of this file, or of those that kubectl would read.
///
/// # Errors
///
/// When nothing can be read, or does not say how to reach a cluster.
pub(super) fn config(file: Option<&Path>, context: Option<&str>) -> Result<Config, Failure> {
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
    let (mut config, own_proxy) = chosen(kubeconfig, context)
        .and_then(reached)
        .map_err(|error| advised(unusable(&named(&files), &error)))?;
    config.proxy_url = match own_proxy {
        Some(own) => Some(own),
        None => proxy::on_the_way_to(&config.cluster_url, |name| std::env::var(name).ok())
            .map_err(|error| Failure::new(error.to_string()))?,
    };
    Ok(config)
}

/// What a context names.
struct Chosen {
    context: Context,
    cluster: Cluster,
    user: AuthInfo,
}

/// Why a kubeconfig that can be read does not say how to reach a cluster.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Said(#[from] KubeconfigError),
    #[error("the certificate authority of its cluster is not PEM: {0}")]
    Authority(pem::Error),
    #[error("the proxy-url of its cluster is {0}")]
    Proxy(proxy::Unusable),
}

/// What this context names, or the current one. A user that is not there is nobody, as for kubectl.
fn chosen(kubeconfig: Kubeconfig, context: Option<&str>) -> Result<Chosen, Unusable> {
    let name = context
        .map(str::to_owned)
        .or(kubeconfig.current_context)
        .ok_or(KubeconfigError::CurrentContextNotSet)?;
    let mut contexts = kubeconfig.contexts.into_iter();
    let context = contexts
        .find(|named| named.name == name)
        .and_then(|named| named.context)
        .ok_or(KubeconfigError::LoadContext(name))?;
    let mut clusters = kubeconfig.clusters.into_iter();
    let cluster = clusters
        .find(|named| named.name == context.cluster)
        .and_then(|named| named.cluster)
        .ok_or_else(|| KubeconfigError::LoadClusterOfContext(context.cluster.clone()))?;
    let mut users = kubeconfig.auth_infos.into_iter();
    let user = users
        .find(|named| Some(&named.name) == context.user.as_ref())
        .and_then(|named| named.auth_info)
        .unwrap_or_default();
    Ok(Chosen {
        context,
        cluster,
        user,
    })
}

/// How to reach what was chosen, and the proxy that the cluster names. Kube's own way from a kubeconfig would ask the
/// environment for a proxy, by other rules than kubectl, and fail by what it says even where no proxy is needed.
fn reached(chosen: Chosen) -> Result<(Config, Option<http::Uri>), Unusable> {
    let Chosen {
        context,
        cluster,
        mut user,
    } = chosen;
    let server = cluster
        .server
        .as_ref()
        .ok_or(KubeconfigError::MissingClusterUrl)?;
    let mut config = Config::new(server.parse().map_err(KubeconfigError::ParseClusterUrl)?);
    let told = ExecAuthCluster::try_from(&cluster)?;
    if let Some(pem) = &told.certificate_authority_data {
        let certificates = CertificateDer::pem_slice_iter(pem).map(|one| one.map(|one| one.to_vec()));
        config.root_cert = Some(
            certificates
                .collect::<Result<_, _>>()
                .map_err(Unusable::Authority)?,
        );
    }
    if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
        exec.cluster = Some(told);
    }
    if let Some(namespace) = context.namespace {
        config.default_namespace = namespace;
    }
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or_default();
    config.disable_compression = cluster.disable_compression.unwrap_or_default();
    config.tls_server_name = cluster.tls_server_name;
    config.auth_info = user;
    let own_proxy = cluster.proxy_url.filter(|proxy| !proxy.is_empty());
    let own_proxy = own_proxy.map(|proxy| proxy::address(&proxy)).transpose();
    Ok((config, own_proxy.map_err(Unusable::Proxy)?))
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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
current-context: here
contexts:
- {name: here, context: {cluster: near, user: me, namespace: work}}
- {name: there, context: {cluster: far, user: nobody}}
- {name: nowhere, context: {cluster: missing}}
clusters:
- name: near
  cluster:
    server: https://near.example:6443
    insecure-skip-tls-verify: true
    tls-server-name: near
    disable-compression: true
    proxy-url: p:1
- name: far
  cluster: {server: 'https://far.example', proxy-url: ''}
users:
- name: me
  user: {exec: {command: login, provideClusterInfo: true}}
";

    fn read_as(context: Option<&str>) -> Result<(Config, Option<http::Uri>), String> {
        let kubeconfig = Kubeconfig::from_yaml(TEXT).expect("a kubeconfig");
        let read = chosen(kubeconfig, context).and_then(reached);
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn all_that_is_said_of_a_cluster_holds() {
        let (near, proxy) = read_as(None).expect("a cluster");
        assert_eq!(near.cluster_url, "https://near.example:6443");
        assert_eq!(near.default_namespace, "work");
        assert_eq!(near.tls_server_name.as_deref(), Some("near"));
        assert!(near.accept_invalid_certs && near.disable_compression);
        let exec = near.auth_info.exec.expect("a command");
        let told = exec.cluster.and_then(|cluster| cluster.server);
        assert_eq!(told.as_deref(), Some("https://near.example:6443"));
        assert_eq!(proxy.expect("a proxy"), "http://p:1");
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let (far, proxy) = read_as(Some("there")).expect("a cluster");
        assert_eq!(far.default_namespace, "default");
        assert!(!far.accept_invalid_certs && !far.disable_compression);
        assert_eq!((far.root_cert, far.tls_server_name, proxy), (None, None, None));
        for (context, said) in [
            ("nowhere", "failed to load the cluster of context: missing"),
            ("unheard-of", "failed to load current context: unheard-of"),
        ] {
            assert_eq!(read_as(Some(context)).err().as_deref(), Some(said));
        }
    }
}
