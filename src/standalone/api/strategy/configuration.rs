//! Config maps and secrets (`pkg/registry/core/configmap`, `pkg/registry/core/secret`), and what they may hold
//! (`ValidateConfigMap`, `ValidateSecret`).

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::{Value, json};

use super::{ObjectType, Strategy, check_metadata, read_as};
use crate::manifest::validate::names;
use crate::schedule::TimeZones;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::meta;

/// The most that one holds, in bytes (`MaxSecretSize`).
const BYTES_MAX: usize = 1024 * 1024;

/// In place of a secret's value.
const REDACTED: &str = "<secret contents redacted>";

/// The annotation that says whose token a secret is.
const SERVICE_ACCOUNT: &str = "kubernetes.io/service-account.name";

/// Config maps.
#[derive(Debug)]
pub struct ConfigMaps;

/// Secrets.
#[derive(Debug)]
pub struct Secrets;

impl Strategy for ConfigMaps {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<ConfigMap>()
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<ConfigMap>(object, old)?;
        causes.extend(unless_immutable(object, old, &["data", "binaryData"]));
        causes.extend(check_config_map(&read_as(object)?));
        Ok(causes)
    }
}

impl Strategy for Secrets {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<Secret>()
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<Secret>(object, old)?;
        if old.is_some_and(|old| object["type"] != old["type"]) {
            causes.push(Cause::invalid("type", &object["type"], "field is immutable"));
        }
        causes.extend(unless_immutable(object, old, &["data"]));
        causes.extend(check_secret(&read_as(object)?));
        Ok(causes)
    }

    fn prepare_create(&self, object: &mut Value) {
        self.default(object);
    }

    fn default(&self, object: &mut Value) {
        if let Some(fields) = object.as_object_mut() {
            meta::default(fields, "type", "Opaque");
        }
        self.normalize(object);
    }

    fn normalize(&self, object: &mut Value) {
        encode_string_data(object);
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["type"]
    }
}

/// The complaints about changes to an object that was made immutable.
fn unless_immutable(object: &Value, old: Option<&Value>, fields: &[&str]) -> Vec<Cause> {
    let Some(old) = old.filter(|old| old["immutable"] == Value::Bool(true)) else {
        return Vec::new();
    };
    let detail = "field is immutable when `immutable` is set";
    let is_empty = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    let changed = |field: &&&str| {
        let (new, old) = (&object[**field], &old[**field]);
        new != old && !(is_empty(new) && is_empty(old))
    };
    let mut causes: Vec<Cause> = fields
        .iter()
        .filter(changed)
        .map(|field| Cause::forbidden(*field, detail))
        .collect();
    if object["immutable"] != old["immutable"] {
        causes.insert(0, Cause::forbidden("immutable", detail));
    }
    causes
}

/// Moves `stringData`, which is written but never read, into `data`.
fn encode_string_data(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else {
        return;
    };
    if fields.get("stringData").is_some_and(Value::is_null) {
        fields.remove("stringData");
    }
    let encoded = |value: &Value| {
        // As for Kubernetes, nothing is an empty text.
        let text = if value.is_null() { "" } else { value.as_str()? };
        serde_json::to_value(ByteString(text.as_bytes().to_vec())).ok()
    };
    let plain = fields.get("stringData").and_then(Value::as_object);
    let encoded: Option<Vec<_>> = plain.and_then(|plain| {
        let entries = plain.iter();
        entries
            .map(|(key, value)| Some((key.clone(), encoded(value)?)))
            .collect()
    });
    // What is no text stays where it is, for the check of types to refuse.
    let Some(encoded) = encoded else { return };
    fields.remove("stringData");
    if let Some(data) = meta::section(fields, "data") {
        data.extend(encoded);
    }
}

/// What is wrong with what a config map holds.
fn check_config_map(map: &ConfigMap) -> Vec<Cause> {
    let (text, binary) = (map.data.iter().flatten(), map.binary_data.iter().flatten());
    let mut causes = Vec::new();
    for (key, _) in text.clone() {
        check_key("data", key, &mut causes);
        if map
            .binary_data
            .as_ref()
            .is_some_and(|binary| binary.contains_key(key))
        {
            let rule = "duplicate of key present in binaryData";
            causes.push(Cause::invalid(format!("data[{key}]"), &json!(key), rule));
        }
    }
    for (key, _) in binary.clone() {
        check_key("binaryData", key, &mut causes);
    }
    let bytes = text.map(|(_, value)| value.len()).sum::<usize>()
        + binary.map(|(_, value)| value.0.len()).sum::<usize>();
    if bytes > BYTES_MAX {
        // How Kubernetes writes the path of the object as a whole.
        causes.push(Cause::too_long("[]", BYTES_MAX));
    }
    causes
}

/// What is wrong with what a secret holds.
fn check_secret(secret: &Secret) -> Vec<Cause> {
    let nothing = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&nothing);
    let mut causes = Vec::new();
    for key in data.keys() {
        check_key("data", key, &mut causes);
    }
    if data.values().map(|value| value.0.len()).sum::<usize>() > BYTES_MAX {
        causes.push(Cause::too_long("data", BYTES_MAX));
    }
    check_type(secret, data, &mut causes);
    causes
}

fn check_key(field: &str, key: &str, causes: &mut Vec<Cause>) {
    for rule in names::config_key(key) {
        causes.push(Cause::invalid(format!("{field}[{key}]"), &json!(key), &rule));
    }
}

/// What a secret of a certain type has to hold.
fn check_type(secret: &Secret, data: &BTreeMap<String, ByteString>, causes: &mut Vec<Cause>) {
    let missing = |key: &&str| !data.contains_key(*key);
    let required = |key: &str| Cause::required(format!("data[{key}]"), "");
    match secret.type_.as_deref().unwrap_or_default() {
        "kubernetes.io/service-account-token" => {
            let named = secret.metadata.annotations.iter().flatten();
            let mut named = named.filter(|(key, _)| *key == SERVICE_ACCOUNT);
            if named.all(|(_, name)| name.is_empty()) {
                causes.push(Cause::required(
                    format!("metadata.annotations[{SERVICE_ACCOUNT}]"),
                    "",
                ));
            }
        }
        "kubernetes.io/dockercfg" => check_json(data, ".dockercfg", causes),
        "kubernetes.io/dockerconfigjson" => check_json(data, ".dockerconfigjson", causes),
        "kubernetes.io/basic-auth" => {
            let keys = ["username", "password"];
            if keys.iter().all(missing) {
                causes.extend(keys.map(required));
            }
        }
        "kubernetes.io/ssh-auth" if data.get("ssh-privatekey").is_none_or(|key| key.0.is_empty()) => {
            causes.push(required("ssh-privatekey"));
        }
        "kubernetes.io/tls" => {
            let keys = ["tls.crt", "tls.key"];
            causes.extend(keys.iter().filter(|key| missing(key)).map(|key| required(key)));
        }
        _ => {}
    }
}

/// The key has to be there, and hold a JSON object.
fn check_json(data: &BTreeMap<String, ByteString>, key: &str, causes: &mut Vec<Cause>) {
    let field = format!("data[{key}]");
    match data.get(key) {
        None => causes.push(Cause::required(field, "")),
        Some(value) => {
            let read = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&value.0);
            if let Err(error) = read {
                causes.push(Cause::invalid(field, &json!(REDACTED), &error.to_string()));
            }
        }
    }
}
