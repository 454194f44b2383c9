//! Certificates, keys, tokens and the kubeconfig: made anew for every control plane.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::{Value, json};

/// Writes them into `folder`, for a server on this port of loopback.
pub(super) fn write(folder: &Path, port: u16) {
    let authority_key = key();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority
        .distinguished_name
        .push(DnType::CommonName, "throw-away authority");
    let authority_pem = authority
        .self_signed(&authority_key)
        .expect("a certificate")
        .pem();
    let issuer = Issuer::new(authority, authority_key);

    let server_key = key();
    let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(String::from);
    let mut server = CertificateParams::new(names).expect("names of a server");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server
        .distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    let server = server.signed_by(&server_key, &issuer).expect("a certificate");

    let accounts_key = key();
    // Nobody else can guess it, and it ends with the server.
    let token = uuid::Uuid::new_v4().to_string();
    let files = [
        ("authority.pem", authority_pem),
        ("server.pem", server.pem()),
        ("server.key", server_key.serialize_pem()),
        ("accounts.pem", accounts_key.public_key_pem()),
        ("accounts.key", accounts_key.serialize_pem()),
        ("tokens.csv", format!("{token},admin,admin,system:masters\n")),
        ("kubeconfig", kubeconfig(folder, port, &token).to_string()),
    ];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).expect("a file in a folder of ours");
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// As JSON, which is YAML too.
fn kubeconfig(folder: &Path, port: u16, token: &str) -> Value {
    let cluster = json!({
        "server": format!("https://127.0.0.1:{port}"),
        "certificate-authority": folder.join("authority.pem"),
    });
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "throw-away",
        "clusters": [{ "name": "throw-away", "cluster": cluster }],
        "users": [{ "name": "admin", "user": { "token": token } }],
        "contexts": [{ "name": "throw-away", "context": { "cluster": "throw-away", "user": "admin" } }],
    })
}
