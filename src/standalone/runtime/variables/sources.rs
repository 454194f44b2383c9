//! What variables and volumes are taken from: config maps, secrets, and the size of this machine.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client};

use crate::manifest::quantity::Quantity;

/// What a variable or a file can be taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A `ConfigMap`.
    ConfigMap,
    /// A `Secret`.
    Secret,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ConfigMap => "config map",
            Self::Secret => "secret",
        })
    }
}

/// The config maps and secrets that something refers to, each once.
pub type References = BTreeSet<(Kind, String)>;

/// The data of one config map or secret, by key.
pub(super) type Data = BTreeMap<String, Vec<u8>>;

/// The data of the config maps and secrets that exist, by kind and name; and how large the machine is.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    objects: BTreeMap<(Kind, String), Data>,
    /// The keys under which config maps have bytes that are no text, by their names.
    binary: BTreeMap<String, BTreeSet<String>>,
    /// What a container without a limit may use.
    pub(in crate::standalone::runtime) capacity: Capacity,
}

impl Sources {
    /// Nothing yet, on a machine of this size.
    pub(in crate::standalone::runtime) fn on(capacity: Capacity) -> Self {
        Self {
            capacity,
            ..Self::default()
        }
    }

    /// Adds a config map.
    pub fn add_config_map(&mut self, name: &str, object: ConfigMap) {
        let text = object.data.unwrap_or_default().into_iter();
        let mut data: Data = text.map(|(key, value)| (key, value.into_bytes())).collect();
        for (key, value) in object.binary_data.unwrap_or_default() {
            let keys = self.binary.entry(name.to_owned()).or_default();
            keys.insert(key.clone());
            data.insert(key, value.0);
        }
        self.objects.insert((Kind::ConfigMap, name.to_owned()), data);
    }

    /// Adds a secret.
    pub fn add_secret(&mut self, name: &str, object: Secret) {
        let encoded = object.data.unwrap_or_default().into_iter();
        let mut data: Data = encoded.map(|(key, value)| (key, value.0)).collect();
        let plain = object.string_data.unwrap_or_default().into_iter();
        data.extend(plain.map(|(key, value)| (key, value.into_bytes())));
        self.objects.insert((Kind::Secret, name.to_owned()), data);
    }

    pub(in crate::standalone::runtime) fn get(&self, kind: Kind, name: &str) -> Option<&Data> {
        self.objects.get(&(kind, name.to_owned()))
    }

    /// Whether a key can be a variable: the bytes of a config map's `binaryData` can only be a file.
    pub(super) fn is_text(&self, kind: Kind, name: &str, key: &str) -> bool {
        let is_binary = || self.binary.get(name).is_some_and(|keys| keys.contains(key));
        kind == Kind::Secret || !is_binary()
    }
}

/// Reads the config maps and secrets of a namespace that something refers to, those that are there.
pub(in crate::standalone::runtime) async fn fetch(
    client: &Client,
    namespace: &str,
    references: References,
    sources: &mut Sources,
) -> kube::Result<()> {
    for (kind, name) in references {
        match kind {
            Kind::ConfigMap => {
                let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
                if let Some(object) = api.get_opt(&name).await? {
                    sources.add_config_map(&name, object);
                }
            }
            Kind::Secret => {
                let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
                if let Some(object) = api.get_opt(&name).await? {
                    sources.add_secret(&name, object);
                }
            }
        }
    }
    Ok(())
}

/// How much of each resource a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::standalone::runtime) struct Capacity {
    pub(in crate::standalone::runtime) cpu: Quantity,
    /// In bytes.
    pub(in crate::standalone::runtime) memory: Quantity,
}

impl Capacity {
    /// What this machine has. What it does not tell counts as nothing.
    pub(in crate::standalone::runtime) fn of_this_machine() -> Self {
        let cpus = std::thread::available_parallelism().map_or(0, |cpus| cpus.get() as u64);
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Self {
            cpu: Quantity::whole(cpus),
            memory: Quantity::whole(total_memory(&memory).unwrap_or_default()),
        }
    }
}

/// The bytes of memory that `/proc/meminfo` tells.
fn total_memory(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_machine() {
        let text = "MemTotal:       24684084 kB\nMemFree:        14000000 kB\n";
        assert_eq!(total_memory(text), Some(24_684_084 * 1024));
        assert_eq!(total_memory("MemFree: 1 kB"), None);
        assert_eq!(total_memory("MemTotal: much kB"), None);
    }
}
