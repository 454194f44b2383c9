//! The API as a service, `default/kubernetes`: where clients look for the server that they speak to.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::error::ApiError;
use super::registry::{Mode, Owners, Part, Registry};
use super::resource::SERVICES;
use crate::standalone::store::Key;

const NAMESPACE: &str = "default";
const NAME: &str = "kubernetes";

/// Puts down that the API is at this address.
pub(super) async fn publish(registry: &Registry, address: SocketAddr) -> Result<(), ApiError> {
    let service = service(address);
    let created = registry
        .create(SERVICES, NAMESPACE, service.clone(), Mode::Real, Owners::AsBefore)
        .await;
    match created {
        // It was there, perhaps at another address.
        Err(ApiError::AlreadyExists { .. }) => {
            let key = Key::new(SERVICES.stored_as, NAMESPACE, NAME);
            let change = |old: &Value| {
                let mut new = old.clone();
                new["spec"] = service["spec"].clone();
                Ok(new)
            };
            registry
                .update(SERVICES, &key, Part::Any, Mode::Real, Owners::AsBefore, change)
                .await
                .map(drop)
        }
        created => created.map(drop),
    }
}

fn service(address: SocketAddr) -> Value {
    let (ip, port) = (address.ip().to_string(), address.port());
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": NAME, "labels": { "component": "apiserver", "provider": "kubernetes" } },
        "spec": {
            "clusterIP": ip,
            "clusterIPs": [ip],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": [if address.is_ipv6() { "IPv6" } else { "IPv4" }],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{ "name": "https", "port": port, "protocol": "TCP", "targetPort": port }],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": { "loadBalancer": {} },
    })
}
