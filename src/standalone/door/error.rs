//! Why the door cannot be opened, in words for the person who has to act on it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::standalone::data_dir::DataDirError;

/// Why the door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The address can be reached from other machines, and nobody has said that they may come in.
    #[error(
        "other machines can reach {address}, and whoever has the token can start processes here; if that is what you \
         want, say by which name they reach this machine: --exposed-as HOST"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },

    /// Others are meant to come in, and the address is one that they cannot reach.
    #[error(
        "--exposed-as lets other machines in, but they can't reach {address}; give --listen 0.0.0.0:PORT with it"
    )]
    OnlyLoopback {
        /// The address.
        address: SocketAddr,
    },

    /// Somebody else listens there, or it is not an address of this machine.
    #[error("the API can't listen on {address}{}", remedy(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },

    /// A file of the data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),

    /// The token is so short that it could be guessed.
    #[error(
        "the token in {} does not protect anything: it must have at least {least} characters, letters, digits, - and _ \
         only; remove the file, and a new one is made",
        path.display()
    )]
    Token {
        /// The file.
        path: PathBuf,
        /// The least length, in characters.
        least: usize,
    },

    /// The key of the authority is damaged.
    #[error(
        "the key in {} can't be read; remove the folder it is in, and a new authority is made (copies of the kubeconfig \
         have to be made anew)",
        path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rcgen::Error,
    },

    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Certificate {
        /// Why not.
        source: rcgen::Error,
    },

    /// The TLS library refuses what we give it.
    #[error("TLS could not be set up")]
    Tls {
        /// Why not.
        #[from]
        source: tokio_rustls::rustls::Error,
    },
}

/// What to do about an address that can't be had.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            " (another program does; name another port with --listen, or 0 for a free one)"
        }
        io::ErrorKind::AddrNotAvailable => {
            " (it is not an address of this machine; --listen 127.0.0.1:0 takes a free port)"
        }
        io::ErrorKind::PermissionDenied => " (ports below 1024 are root's; name a higher one with --listen)",
        _ => "",
    }
}
