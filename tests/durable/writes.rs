//! Clients that write without a pause, and remember what was acknowledged: each object is there as it was written last, or
//! gone if it was deleted last. Only a write whose answer never came may have happened or not.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt};

use crate::machine::{Up, until};

/// How many write at a time, so that their writes share transactions.
const CLIENTS: usize = 4;

/// Of how many objects each is in charge.
const NAMES: usize = 40;

/// How large an object is at most, in bytes: with some of them the log is emptied now and then.
const BYTES: usize = 30_000;

/// The label of what they write.
const LABEL: &str = "writes=ours";

/// What the clients know.
pub(crate) struct Writes {
    clients: Vec<Knowledge>,
    random: fastrand::Rng,
}

/// What one client knows of its objects.
#[derive(Default)]
struct Knowledge {
    /// The text of each that is there.
    there: BTreeMap<String, String>,
    /// A write that was not answered: the object, and its text if it was not a deletion.
    doubt: Option<(String, Option<String>)>,
    acknowledged: usize,
}

impl Writes {
    pub(crate) fn new(random: &mut fastrand::Rng) -> Writes {
        Writes {
            clients: (0..CLIENTS).map(|_| Knowledge::default()).collect(),
            random: random.fork(),
        }
    }

    /// How many writes were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.clients.iter().map(|client| client.acknowledged).sum()
    }

    /// Writes for ever, first what is in doubt.
    pub(crate) async fn go_on(&mut self, up: &Up) {
        let client = until("a client", || up.client()).await;
        let maps: Api<ConfigMap> = Api::default_namespaced(client);
        let random = &mut self.random;
        let clients = self.clients.iter_mut().enumerate();
        join_all(clients.map(|(number, client)| client.go_on(&maps, number, random.fork()))).await;
    }

    /// What there is is what was acknowledged.
    pub(crate) async fn check(&mut self, client: Client) {
        let maps: Api<ConfigMap> = Api::default_namespaced(client);
        let listed = maps.list(&ListParams::default().labels(LABEL)).await;
        let mut there: BTreeMap<String, String> = listed.expect("a list").iter().map(written).collect();
        for client in &mut self.clients {
            if let Some((name, text)) = client.doubt.take()
                && there.get(&name) == text.as_ref()
            {
                client.settle(name, text);
            }
            for (name, text) in &client.there {
                let found = there.remove(name);
                let found = found.unwrap_or_else(|| panic!("{name} was acknowledged and is not there"));
                assert!(found == *text, "{name} is not as it was acknowledged");
            }
        }
        let names: Vec<_> = there.keys().collect();
        assert!(names.is_empty(), "deleted, and there: {names:?}");
    }
}

impl Knowledge {
    async fn go_on(&mut self, maps: &Api<ConfigMap>, client: usize, mut random: fastrand::Rng) {
        loop {
            let (name, text) = self.doubt.take().unwrap_or_else(|| {
                let name = format!("write-{client}-{}", random.usize(..NAMES));
                let deletes = self.there.contains_key(&name) && random.u8(..3) == 0;
                let bytes = random.usize(1..BYTES);
                let text = || {
                    std::iter::repeat_with(|| random.alphanumeric())
                        .take(bytes)
                        .collect()
                };
                (name, (!deletes).then(text))
            });
            self.doubt = Some((name.clone(), text.clone()));
            if write(maps, &name, text.clone()).await.is_ok() {
                self.doubt = None;
                self.acknowledged += 1;
                self.settle(name, text);
            } else {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    fn settle(&mut self, name: String, text: Option<String>) {
        match text {
            Some(text) => self.there.insert(name, text),
            None => self.there.remove(&name),
        };
    }
}

/// Carries out a write that may have been carried out already.
async fn write(maps: &Api<ConfigMap>, name: &str, text: Option<String>) -> kube::Result<()> {
    let answer = match text {
        None => maps.delete(name, &DeleteParams::default()).await.map(drop),
        Some(text) => {
            let map = ConfigMap {
                metadata: ObjectMeta {
                    name: Some(name.to_owned()),
                    labels: Some([("writes".to_owned(), "ours".to_owned())].into()),
                    ..ObjectMeta::default()
                },
                data: Some([("text".to_owned(), text)].into()),
                ..ConfigMap::default()
            };
            match maps.create(&PostParams::default(), &map).await {
                Err(kube::Error::Api(status)) if status.is_already_exists() => {
                    maps.replace(name, &PostParams::default(), &map).await.map(drop)
                }
                answer => answer.map(drop),
            }
        }
    };
    match answer {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        answer => answer,
    }
}

fn written(map: &ConfigMap) -> (String, String) {
    let text = map.data.as_ref().and_then(|data| data.get("text"));
    (map.name_any(), text.cloned().unwrap_or_default())
}
