//! The file for kubectl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use k8s_openapi::ByteString;
use serde_json::Value;

use super::token::Token;

/// The text of the kubeconfig. It holds everything, so a copy of it works from elsewhere, too.
pub(super) fn kubeconfig(address: SocketAddr, authority_pem: &str, token: &Token) -> String {
    let server = server_url(address);
    let authority = base64(authority_pem.as_bytes());
    let token = token.secret();
    format!(
        "# Written anew at each start of punctual. Whoever has the token in it can start processes here.\n\
         apiVersion: v1\n\
         kind: Config\n\
         current-context: punctual\n\
         contexts:\n\
         - name: punctual\n  \
           context:\n    cluster: punctual\n    user: punctual\n    namespace: default\n\
         clusters:\n\
         - name: punctual\n  \
           cluster:\n    server: {server}\n    certificate-authority-data: {authority}\n\
         users:\n\
         - name: punctual\n  \
           user:\n    token: {token}\n"
    )
}

/// Where a client on this machine finds the server.
pub fn server_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("https://{}", SocketAddr::new(ip, address.port()))
}

/// Base 64, as Kubernetes' types write bytes.
fn base64(bytes: &[u8]) -> String {
    match serde_json::to_value(ByteString(bytes.to_vec())) {
        Ok(Value::String(text)) => text,
        _ => String::new(),
    }
}
