//! What every namespace has: a service account `default`, and a config map `kube-root-ca.crt` that says whom to trust.
//!
//! In a cluster two controllers see to it (`pkg/controller/serviceaccount`, `pkg/controller/certificates/rootcacertpublisher`).
//! What is deleted comes back, and a config map that was changed is put right.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::api::{ObjectMeta, PostParams};
use kube::runtime::watcher::{Config, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt as _};

/// The service account of pods that name none.
const ACCOUNT: &str = "default";

/// The config map with the certificate of the API server's authority.
const ROOT_CA: &str = "kube-root-ca.crt";

/// The annotation that explains the config map, in Kubernetes' words.
const DESCRIPTION: &str = "kubernetes.io/description";
const DESCRIBED: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints \
     such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of \
     Kubernetes clusters.";

/// How long to wait after a write that failed.
const RETRY: Duration = Duration::from_secs(1);

/// What was noticed.
enum Noticed {
    /// The namespaces are listed anew.
    Relist,
    /// A namespace is there.
    Namespace(String),
    /// A namespace has gone, or is going.
    Gone(String),
    /// Something in a namespace is not as it has to be, perhaps.
    Check(String),
    /// Something may have been missed.
    CheckAll,
    /// Nothing of interest.
    Nothing,
}

/// Keeps the defaults of every namespace for as long as it is polled. `authority_pem` is the certificate that clients
/// of the API trust.
pub async fn keep_namespace_defaults(client: Client, authority_pem: String) {
    let named = |name: &str| Config::default().fields(&format!("metadata.name={name}"));
    let namespaces = watcher(Api::<Namespace>::all(client.clone()), Config::default()).default_backoff();
    let accounts = watcher(Api::<ServiceAccount>::all(client.clone()), named(ACCOUNT)).default_backoff();
    let maps = watcher(Api::<ConfigMap>::all(client.clone()), named(ROOT_CA)).default_backoff();
    let mut noticed = stream::select_all([
        namespaces.map(of_namespaces).boxed(),
        accounts.map(|event| of_defaults(event, |_| true)).boxed(),
        maps.map({
            let wanted = authority_pem.clone();
            move |event| of_defaults(event, |map| holds(map, &wanted))
        })
        .boxed(),
    ]);
    let mut names = BTreeSet::new();
    let mut unsettled = BTreeSet::new();
    loop {
        tokio::select! {
            Some(noticed) = noticed.next() => match noticed {
                Noticed::Relist => names.clear(),
                Noticed::Namespace(name) => {
                    if names.insert(name.clone()) {
                        unsettled.insert(name);
                    }
                }
                Noticed::Gone(name) => {
                    names.remove(&name);
                    unsettled.remove(&name);
                }
                Noticed::Check(name) => unsettled.extend(Some(name).filter(|name| names.contains(name))),
                Noticed::CheckAll => unsettled.extend(names.iter().cloned()),
                Noticed::Nothing => continue,
            },
            () = tokio::time::sleep(RETRY), if !unsettled.is_empty() => {}
        }
        for name in std::mem::take(&mut unsettled) {
            if let Err(error) = settle(&client, &name, &authority_pem).await {
                tracing::warn!(
                    namespace = name,
                    error = &error as &dyn std::error::Error,
                    "a namespace is not complete"
                );
                unsettled.insert(name);
            }
        }
    }
}

fn of_namespaces(event: Result<Event<Namespace>, watcher::Error>) -> Noticed {
    match event {
        Ok(Event::Init) => Noticed::Relist,
        Ok(Event::Apply(namespace) | Event::InitApply(namespace))
            if namespace.metadata.deletion_timestamp.is_none() =>
        {
            Noticed::Namespace(namespace.name_any())
        }
        Ok(Event::Apply(namespace) | Event::InitApply(namespace) | Event::Delete(namespace)) => {
            Noticed::Gone(namespace.name_any())
        }
        Ok(Event::InitDone) => Noticed::CheckAll,
        Err(error) => failed(&error),
    }
}

/// What an event about a resident means; `is_right` judges one that is there.
fn of_defaults<K: kube::Resource>(
    event: Result<Event<K>, watcher::Error>,
    is_right: impl Fn(&K) -> bool,
) -> Noticed {
    let check = |object: &K| Noticed::Check(object.meta().namespace.clone().unwrap_or_default());
    match event {
        Ok(Event::Delete(object)) => check(&object),
        Ok(Event::Apply(object) | Event::InitApply(object)) if !is_right(&object) => check(&object),
        Ok(Event::InitDone) => Noticed::CheckAll,
        Ok(_) => Noticed::Nothing,
        Err(error) => failed(&error),
    }
}

fn failed(error: &watcher::Error) -> Noticed {
    tracing::debug!(%error, "what namespaces have can't be watched at the moment");
    Noticed::Nothing
}

fn holds(map: &ConfigMap, authority_pem: &str) -> bool {
    map.data == Some(data(authority_pem))
}

fn data(authority_pem: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("ca.crt".to_owned(), authority_pem.to_owned())])
}

/// Makes what a namespace lacks.
async fn settle(client: &Client, namespace: &str, authority_pem: &str) -> kube::Result<()> {
    let post = PostParams::default();
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), namespace);
    let account = ServiceAccount {
        metadata: metadata(ACCOUNT),
        ..ServiceAccount::default()
    };
    unless_settled(accounts.create(&post, &account).await)?;
    let maps = Api::<ConfigMap>::namespaced(client.clone(), namespace);
    let mut map = ConfigMap {
        metadata: ObjectMeta {
            annotations: Some(BTreeMap::from([(DESCRIPTION.to_owned(), DESCRIBED.to_owned())])),
            ..metadata(ROOT_CA)
        },
        data: Some(data(authority_pem)),
        ..ConfigMap::default()
    };
    match maps.get_opt(ROOT_CA).await? {
        None => unless_settled(maps.create(&post, &map).await),
        Some(found) if holds(&found, authority_pem) => Ok(()),
        Some(found) => {
            map.metadata = found.metadata;
            unless_settled(maps.replace(ROOT_CA, &post, &map).await)
        }
    }
}

fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}

/// That it is there already, or that its namespace is going, leaves nothing to do; the watches tell if it comes to more.
fn unless_settled<T>(outcome: kube::Result<T>) -> kube::Result<()> {
    match outcome {
        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404 | 409) => Ok(()),
        outcome => outcome.map(|_| ()),
    }
}
