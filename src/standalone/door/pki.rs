//! The authority of one data folder, and certificates for the server.
//!
//! Only the authority is kept. The server's certificate is made at each start and again when half its life is over; its
//! key is never written down. Clients trust the authority, so they notice nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::ring::sign::any_ecdsa_type;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::{DoorError, Host};
use crate::clock::SharedClock;
use crate::schedule::Timestamp;
use crate::standalone::data_dir::{DataDirError, create_private, write_private};

/// How long a certificate of the server is valid.
const SERVER_LIFE: TimeDelta = TimeDelta::days(365);

/// How far a client's clock may be behind ours. Certificates begin at midnight before that.
const CLOCK_SKEW: TimeDelta = TimeDelta::days(1);

/// The last second of a day.
const LAST_SECOND: time::Time = time::Time::MAX.truncate_to_second();

/// Who signs the server's certificates. Whoever has its key can pass for the server, so it is as private as the token.
#[derive(Debug)]
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

impl Authority {
    /// The authority in a folder; a new one, which is written there, when there is none.
    pub(super) fn keep(folder: &Path) -> Result<Authority, DoorError> {
        let key_path = folder.join("ca.key");
        let certificate_path = folder.join("ca.crt");
        create_private(folder)?;
        let Some(text) = read(&key_path)? else {
            let key = KeyPair::generate().map_err(|source| DoorError::Certificate { source })?;
            // The certificate first: without its key it is made anew.
            let certificate_pem = certify(&key)?;
            write_private(&certificate_path, certificate_pem.as_bytes())?;
            write_private(&key_path, key.serialize_pem().as_bytes())?;
            return Ok(Authority::new(key, certificate_pem));
        };
        let key = KeyPair::from_pem(&text).map_err(|source| DoorError::Key {
            path: key_path,
            source,
        })?;
        let certificate_pem = if let Some(text) = read(&certificate_path)? {
            text
        } else {
            let text = certify(&key)?;
            write_private(&certificate_path, text.as_bytes())?;
            text
        };
        Ok(Authority::new(key, certificate_pem))
    }

    fn new(key: KeyPair, certificate_pem: String) -> Self {
        Authority {
            issuer: Issuer::new(parameters(), key),
            certificate_pem,
        }
    }

    /// Its certificate.
    pub(super) fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate, with a key of its own, for a server of these names.
    fn issue(&self, hosts: &[Host], now: Timestamp) -> Result<CertifiedKey, DoorError> {
        let failed = |source| DoorError::Certificate { source };
        let mut params = CertificateParams::default();
        params.distinguished_name = name("punctual");
        params.not_before = day(now - CLOCK_SKEW);
        params.not_after = day(now + SERVER_LIFE);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        for host in hosts {
            params.subject_alt_names.push(match host {
                Host::Address(address) => SanType::IpAddress(*address),
                Host::Name(name) => SanType::DnsName(name.as_str().try_into().map_err(failed)?),
            });
        }
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(CertifiedKey::new(
            vec![certificate.der().clone()],
            any_ecdsa_type(&key)?,
        ))
    }
}

fn read(path: &Path) -> Result<Option<String>, DoorError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DataDirError::io("read", path, error).into()),
    }
}

/// The authority's own certificate.
fn certify(key: &KeyPair) -> Result<String, DoorError> {
    let certificate = parameters().self_signed(key);
    Ok(certificate
        .map_err(|source| DoorError::Certificate { source })?
        .pem())
}

/// What the authority's certificate says. It has "no well-defined expiration date" (RFC 5280, 4.1.2.5): it lives as
/// long as the folder, and is withdrawn by removing that.
fn parameters() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("punctual's own authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31).replace_time(LAST_SECOND);
    params
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// The midnight before an instant, as certificates write it.
fn day(at: Timestamp) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(at.timestamp())
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
        .replace_time(time::Time::MIDNIGHT)
}

/// The server's certificate of the moment.
#[derive(Debug)]
pub(super) struct Certificates {
    authority: Arc<Authority>,
    hosts: Vec<Host>,
    clock: SharedClock,
    current: Mutex<(Timestamp, Arc<CertifiedKey>)>,
}

impl Certificates {
    /// Makes the first one.
    pub(super) fn new(
        authority: Arc<Authority>,
        hosts: Vec<Host>,
        clock: SharedClock,
    ) -> Result<Self, DoorError> {
        let now = clock.now();
        let first = Arc::new(authority.issue(&hosts, now)?);
        Ok(Certificates {
            authority,
            hosts,
            clock,
            current: Mutex::new((now, first)),
        })
    }

    /// The certificate for a connection that begins now. A new one is made when half the life of the last is over, or
    /// when the clock was put back to before it.
    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        let now = self.clock.now();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now - current.0;
        if age < -CLOCK_SKEW || age > SERVER_LIFE / 2 {
            match self.authority.issue(&self.hosts, now) {
                Ok(next) => *current = (now, Arc::new(next)),
                // The old one may still do, and the next connection tries again.
                Err(error) => tracing::error!(%error, "the server's certificate could not be renewed"),
            }
        }
        Arc::clone(&current.1)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// How the server speaks TLS.
pub(super) fn server_config(certificates: Arc<Certificates>) -> Result<rustls::ServerConfig, DoorError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test(start_paused = true)]
    async fn the_certificate_is_renewed_before_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::keep(folder.path()).unwrap());
        let clock = ManualClock::starting_at(Timestamp::from_timestamp(1_800_000_000, 0).unwrap());
        let certificates = Certificates::new(
            authority,
            vec!["localhost".parse().unwrap()],
            Arc::new(clock.clone()),
        )
        .unwrap();
        let first = certificates.current();
        clock.step(TimeDelta::days(180));
        assert!(Arc::ptr_eq(&first, &certificates.current()));
        clock.step(TimeDelta::days(10));
        let second = certificates.current();
        assert!(!Arc::ptr_eq(&first, &second));
        clock.step(TimeDelta::days(-300));
        assert!(
            !Arc::ptr_eq(&second, &certificates.current()),
            "it would not be valid yet"
        );
    }

    #[test]
    fn a_damaged_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pki = folder.path().join("pki");
        Authority::keep(&pki).unwrap();
        fs::write(pki.join("ca.key"), "cut o").unwrap();
        let refused = Authority::keep(&pki).unwrap_err().to_string();
        assert_snapshot!(refused.replace(&folder.path().display().to_string(), "/data"), @"the key in /data/pki/ca.key can't be read; remove the folder it is in, and a new authority is made (copies of the kubeconfig have to be made anew)");
    }
}
