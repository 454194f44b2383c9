//! Which CronJobs a command is about: by name, by label, or all of a namespace or of the cluster.

use kube::api::ListParams;
use kube::{Api, Client, Config};

use crate::cli::connect::refused;
use crate::cli::exit::Failure;
use crate::manifest::CronJob;
use crate::standalone::api::resource::Resource;
use crate::standalone::api::selector::Selector;

/// How many objects a list brings at a time, as kubectl asks for them.
const PAGE_SIZE: u32 = 500;

/// The arguments that say which CronJobs.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ChosenArgs {
    /// The CronJobs, by name
    #[arg(value_name = "NAME", conflicts_with_all = ["selector", "all_namespaces"], value_parser = name)]
    names: Vec<String>,

    /// Look in this namespace [default: that of the kubeconfig's context]
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,

    /// Look in all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(super) all_namespaces: bool,

    /// Only CronJobs whose labels match, e.g. tier=batch,team!=a
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = selector)]
    selector: Option<String>,
}

/// A name, alone or as kubectl prints it: `backup`, `cronjob/backup`, `cronjob.batch/backup`.
pub(super) fn name(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        None => Ok(text.to_owned()),
        Some(("cronjob" | "cronjobs" | "cj" | "cronjob.batch", name)) => Ok(name.to_owned()),
        Some((kind, _)) => Err(format!("{kind} is no CronJob")),
    }
}

/// The selector, if the API server will take it: a mistake is better met here than in its answer.
pub(super) fn selector(text: &str) -> Result<String, String> {
    if let Some(cronjobs) = Resource::of("batch/v1", "CronJob") {
        Selector::parse(cronjobs, text, "").map_err(|error| error.to_string())?;
    }
    Ok(text.to_owned())
}

impl ChosenArgs {
    /// Whether they are named one by one.
    pub(super) fn are_named(&self) -> bool {
        !self.names.is_empty()
    }

    /// The namespace to look in; none means all.
    pub(super) fn namespace<'a>(&'a self, config: &'a Config) -> Option<&'a str> {
        let asked = self.namespace.as_deref().unwrap_or(&config.default_namespace);
        (!self.all_namespaces).then_some(asked)
    }

    /// The CronJobs that are meant, by namespace and name.
    ///
    /// # Errors
    ///
    /// When one that is named does not exist, or the API server does not answer.
    pub(super) async fn find(&self, client: &Client, config: &Config) -> Result<Vec<CronJob>, Failure> {
        let namespace = self.namespace(config);
        let cronjobs: Api<CronJob> = in_namespace(client, namespace);
        let mut found = Vec::new();
        for name in &self.names {
            found.push(one(&cronjobs, namespace.unwrap_or_default(), name).await?);
        }
        if !self.are_named() {
            let params = ListParams::default().labels(self.selector.as_deref().unwrap_or_default());
            found = list(&cronjobs, params, "CronJobs").await?;
        }
        found.sort_by_key(CronJob::key);
        Ok(found)
    }
}

/// The CronJob of a name.
///
/// # Errors
///
/// When it does not exist, or the API server does not answer.
pub(super) async fn one(cronjobs: &Api<CronJob>, namespace: &str, name: &str) -> Result<CronJob, Failure> {
    let found = cronjobs.get_opt(name).await;
    let found =
        found.map_err(|error| refused(&format!("CronJob {namespace}/{name} can't be read"), &error))?;
    found.ok_or_else(|| Failure::new(format!("there is no CronJob {namespace}/{name}")))
}

/// The objects of a namespace, or of all.
pub(super) fn in_namespace<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Lists objects page by page.
///
/// # Errors
///
/// When the API server does not answer, or may not let us see them.
pub(super) async fn list<K>(api: &Api<K>, params: ListParams, what: &str) -> Result<Vec<K>, Failure>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let mut found = Vec::new();
    let mut params = params.limit(PAGE_SIZE);
    loop {
        let page = api.list(&params).await;
        let page = page.map_err(|error| refused(&format!("{what} can't be listed"), &error))?;
        found.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(found),
        }
    }
}
