//! The volumes of a pod: folders of its own, beside its logs, that its containers see at their mount paths.
//!
//! ```text
//!  pod + sources ──▶ content (pure) ──▶ store (files under pods/<uid>/volumes/<name>) ──▶ mount (pure) ──▶ binds
//! ```
//!
//! `emptyDir`, `configMap`, `secret`, `downwardAPI`, `projected` and `hostPath` are to be had. What they hold is made out
//! anew at each start of a container, and then it is all new, for the containers beside it as well (`versions`); between
//! starts nobody is told of a config map that changes. `within` reaches what lies below a folder that others can write to,
//! without following what they have put there.

mod content;
mod mount;
mod ownership;
mod store;
mod versions;
pub(super) mod within;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Container;
use thiserror::Error;

pub(super) use content::{contents, references, stays_inside, unsupported};
pub(super) use mount::{Bind, around, binds, in_order};
pub(super) use store::{make_mount_points, settle, store};

use super::variables::sources::Kind;
use crate::standalone::data_dir::Obstacle;

/// What the kind of a source begins with that is projected into a volume.
const PROJECTED: &str = "projected.sources.";

/// Why a pod's volumes can't be had.
#[derive(Debug, Error)]
pub(super) enum VolumeError {
    #[error(
        "volume {volume:?} is made from {kind} {name:?}, which does not exist; create it, or mark the volume `optional: true`"
    )]
    MissingObject {
        volume: String,
        kind: Kind,
        name: String,
    },
    #[error(
        "volume {volume:?} takes key {key:?} from {kind} {name:?}, which has no such key; add the key, or mark the volume `optional: true`"
    )]
    MissingKey {
        volume: String,
        kind: Kind,
        name: String,
        key: String,
    },
    #[error("volume {volume:?} has a file {path:?}; the paths of `items` must be relative and without `..`")]
    BadPath { volume: String, path: String },
    #[error("volume {volume:?} refers to {what:?}, which can't be told here")]
    UnknownField { volume: String, what: String },
    #[error(
        "volume {volume:?} is of a kind that is not to be had here: `{kind}`; {}",
        instead_of(kind)
    )]
    Unsupported { volume: String, kind: String },
    #[error("volume {volume:?} wants {path} of this machine to be a {wanted}; create it, or change `hostPath.type`", path = .path.display())]
    HostPath {
        volume: String,
        path: PathBuf,
        wanted: &'static str,
    },
    #[error(
        "container {container:?} mounts {sub_path:?} of volume {volume:?}; a `subPath` must stay inside its volume"
    )]
    BadSubPath {
        container: String,
        volume: String,
        sub_path: String,
    },
    #[error(
        "container {container:?} mounts volume {volume:?}, which the pod does not have; add it to `volumes`"
    )]
    NoSuchVolume { container: String, volume: String },
    #[error("the volumes of container {container:?} could not be laid out")]
    Layout {
        container: String,
        #[source]
        source: io::Error,
    },
    #[error("volume {volume:?} could not be made at {path}{remedy}", path = .path.display(), remedy = remedy(path, source))]
    Io {
        volume: String,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// What to do about a disk that is full, or fails.
fn remedy(path: &Path, error: &io::Error) -> String {
    let obstacle = Obstacle::behind(error, path);
    obstacle.map_or_else(String::new, |obstacle| format!(" ({obstacle})"))
}

/// What to do without a kind of volume, or of what is projected into one.
fn instead_of(kind: &str) -> &'static str {
    if kind.starts_with(PROJECTED) {
        "take it out"
    } else {
        "name a folder of this machine by `hostPath`, where it may be mounted, or take an `emptyDir` for what need not be kept"
    }
}

/// Works at the volumes of a container beside everything else: a disk may take its time, and a volume may hold much.
///
/// # Errors
///
/// Those of the work; that it was given up, when this program ends.
pub(super) async fn beside<T: Send + 'static>(
    container: &Container,
    work: impl FnOnce(&Container) -> Result<T, VolumeError> + Send + 'static,
) -> Result<T, VolumeError> {
    let given = container.clone();
    let done = tokio::task::spawn_blocking(move || work(&given)).await;
    done.unwrap_or_else(|given_up| {
        Err(VolumeError::Layout {
            container: container.name.clone(),
            source: io::Error::other(given_up),
        })
    })
}

impl VolumeError {
    /// For `map_err`: what went wrong with a path of a volume.
    fn io(volume: &str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let (volume, path) = (volume.to_owned(), path.into());
        move |source| Self::Io { volume, path, source }
    }
}
