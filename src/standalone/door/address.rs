//! Which address to listen on, and by which names it is reached.
//!
//! The address is remembered in the data folder, so that a kubeconfig that was copied or exported still works after a
//! restart.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::TcpListener;

use super::{DoorError, DoorOptions};
use crate::standalone::data_dir::{DataDir, write_private};

/// Where to listen when nothing is said or remembered.
const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A name or address of this machine, without a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A DNS name, in lower case and without a dot at its end.
    Name(String),
}

impl Host {
    pub(super) fn name(text: &str) -> Host {
        let lower = text.to_ascii_lowercase();
        Host::Name(lower.strip_suffix('.').unwrap_or(&lower).to_owned())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The text is neither an address nor a DNS name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neither an IP address nor a DNS name; write it without a port, like build1.example.com or 10.0.0.5")]
pub struct NotAHost;

impl FromStr for Host {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Host, NotAHost> {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Host::Address(address));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let name = text.strip_suffix('.').unwrap_or(text);
        // What ends in digits is an address that was mistyped, and no name.
        let ends_in_digits = name
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if name.len() <= 253 && name.split('.').all(is_label) && !ends_in_digits {
            Ok(Host::name(name))
        } else {
            Err(NotAHost)
        }
    }
}

/// A listener, and how it came about.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    /// The remembered address that was taken.
    pub(super) moved_from: Option<SocketAddr>,
}

/// Listens where it is wanted, or where it was last time, or on a free port; and remembers it.
pub(super) async fn bind(data_dir: &DataDir, options: &DoorOptions) -> Result<Bound, DoorError> {
    let (listener, moved_from) = match options.listen {
        Some(address) => (listen(permitted(address, options)?).await?, None),
        None => listen_as_before(data_dir, options).await?,
    };
    let address = listener.local_addr().map_err(|source| DoorError::Listen {
        address: FREE_PORT,
        source,
    })?;
    write_private(&data_dir.address(), format!("{address}\n").as_bytes())?;
    Ok(Bound {
        listener,
        address,
        moved_from,
    })
}

async fn listen_as_before(
    data_dir: &DataDir,
    options: &DoorOptions,
) -> Result<(TcpListener, Option<SocketAddr>), DoorError> {
    // A memory that is damaged is as good as none.
    let remembered = fs::read_to_string(data_dir.address()).ok();
    let remembered: Option<SocketAddr> = remembered.and_then(|text| text.trim().parse().ok());
    let Some(address) = remembered.filter(|address| permitted(*address, options).is_ok()) else {
        return Ok((listen(permitted(FREE_PORT, options)?).await?, None));
    };
    match listen(address).await {
        Ok(listener) => Ok((listener, None)),
        // Somebody's kubeconfig may say the port of the last time, but no service is worth less than one that moved.
        Err(_) if address.ip().is_loopback() => Ok((listen(FREE_PORT).await?, Some(address))),
        Err(error) => Err(error),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, DoorError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| DoorError::Listen { address, source })
}

/// The address, if it may be listened on.
fn permitted(address: SocketAddr, options: &DoorOptions) -> Result<SocketAddr, DoorError> {
    match (
        address.ip().to_canonical().is_loopback(),
        options.exposed_as.is_empty(),
    ) {
        (false, true) => Err(DoorError::NotLoopback { address }),
        (true, false) => Err(DoorError::OnlyLoopback { address }),
        _ => Ok(address),
    }
}

/// The names and addresses of the server: what its certificate is for, and what requests may be addressed to.
pub(super) fn hosts(address: SocketAddr, exposed_as: &[Host]) -> Vec<Host> {
    let mut hosts = vec![
        Host::Address(Ipv4Addr::LOCALHOST.into()),
        Host::Address(Ipv6Addr::LOCALHOST.into()),
        Host::name("localhost"),
    ];
    if !address.ip().is_unspecified() {
        hosts.push(Host::Address(address.ip()));
    }
    hosts.extend_from_slice(exposed_as);
    hosts.sort();
    hosts.dedup();
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_people_write_them() {
        for text in ["10.0.0.5", "::1", "[::1]", "localhost", "Build1.Example.com."] {
            text.parse::<Host>().expect(text);
        }
        for text in ["", "10.0.0.300", "a b", "name:6443", "-a", "https://x"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
        assert_eq!(
            "Build1.Example.com.".parse::<Host>(),
            "build1.example.com".parse()
        );
    }
}
