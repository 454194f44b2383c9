//! The door of the embedded API: who may come in over the network.
//!
//! This API starts processes, so it is guarded like a root shell. It listens on loopback unless told otherwise, speaks
//! TLS with an authority of its own, lets in whoever shows the token, and turns web pages away. All that a client needs
//! is in the kubeconfig, which only the owner can read.
//!
//! | file | what it does |
//! |---|---|
//! | `address` | which address to listen on, the same after a restart |
//! | `pki` | the authority, and certificates for the server |
//! | `token` | the secret that clients show |
//! | `guard` | who is let in (pure), and the layer around the API that asks |
//! | `places` | how many connections there are, and who leaves when one more comes (pure) |
//! | `server` | connections: TLS, time limits, an end in good order |
//! | `kubeconfig` | the file for kubectl |

mod address;
mod error;
mod guard;
mod kubeconfig;
mod pki;
mod places;
mod server;
#[cfg(test)]
mod tests;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::rustls::ServerConfig;

use crate::clock::SharedClock;
use crate::standalone::data_dir::{DataDir, write_private};
use address::Bound;
use guard::Guard;
use pki::{Authority, Certificates, server_config};
use places::{Limits, Places};
use token::Token;

pub use address::Host;
pub use error::DoorError;
pub use kubeconfig::server_url;

/// Where to listen, and for whom.
#[derive(Debug, Clone, Default)]
pub struct DoorOptions {
    /// The address to listen on. Without one: the one of the last time, or a free port on loopback.
    pub listen: Option<SocketAddr>,
    /// The names and addresses by which other machines reach this one. Without any, only loopback is listened on.
    pub exposed_as: Vec<Host>,
}

/// A door that is built, and not open yet.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    moved_from: Option<SocketAddr>,
    authority: Arc<Authority>,
    tls: ServerConfig,
    guard: Guard,
}

impl Door {
    /// Takes an address, gets secrets and certificates ready, and writes the kubeconfig. Must be called on a tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// When the address is taken or not allowed, or when a file cannot be read or written.
    pub async fn build(
        data_dir: &DataDir,
        options: &DoorOptions,
        clock: SharedClock,
    ) -> Result<Door, DoorError> {
        let Bound {
            listener,
            address,
            moved_from,
        } = address::bind(data_dir, options).await?;
        let token = Token::keep(&data_dir.token())?;
        let authority = Arc::new(Authority::keep(&data_dir.pki())?);
        let hosts = address::hosts(address, &options.exposed_as);
        let certificates = Certificates::new(Arc::clone(&authority), hosts.clone(), clock)?;
        let tls = server_config(Arc::new(certificates))?;
        let text = kubeconfig::kubeconfig(address, authority.certificate_pem(), &token);
        write_private(&data_dir.kubeconfig(), text.as_bytes())?;
        Ok(Door {
            listener,
            address,
            moved_from,
            authority,
            tls,
            guard: Guard::new(token, hosts),
        })
    }

    /// Where the API is reached.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the last time, when somebody else has taken it since.
    pub fn moved_from(&self) -> Option<SocketAddr> {
        self.moved_from
    }

    /// The certificate of the authority, as PEM: whom clients trust.
    pub fn authority_pem(&self) -> &str {
        self.authority.certificate_pem()
    }

    /// Opens the door to `api` until `stop` becomes true or is dropped. Then no more connections are accepted, watches
    /// are ended, and requests that are under way are answered.
    pub async fn serve(self, api: Router, stop: watch::Receiver<bool>) {
        self.serve_within(Limits::default(), api, stop).await;
    }

    async fn serve_within(self, limits: Limits, api: Router, stop: watch::Receiver<bool>) {
        let api = guard::around(api, self.guard, stop.clone());
        server::serve(self.listener, self.tls, api, Places::new(limits), stop).await;
    }
}
