//! Why a container was not started, or can't be seen.

use std::io;
use std::path::PathBuf;

use bollard::errors::Error as ApiError;
use thiserror::Error;

use super::connect::{NoEngine, Reached};
use crate::standalone::runtime::engine::STATUS_UNKNOWN;

/// The kubelet's word for a container whose image could not be fetched.
pub(in crate::standalone::runtime) const ERR_IMAGE_PULL: &str = "ErrImagePull";

/// Why a container was not started, or what keeps it from being seen.
#[derive(Debug, Error)]
pub(in crate::standalone::runtime) enum ContainerError {
    #[error(transparent)]
    NoEngine(#[from] NoEngine),
    #[error(
        "image {image:?} could not be pulled; check its name, and that its registry can be reached from here"
    )]
    Pull {
        image: String,
        #[source]
        source: ApiError,
    },
    #[error(
        "{image:?} can't be the name of an image; write `name:tag`, in small letters, with the registry before it if it is not the engine's own"
    )]
    InvalidImage { image: String },
    #[error(
        "image {image:?} is not here, and `imagePullPolicy: Never` forbids to pull it; load it into the engine, or change the policy"
    )]
    NeverPulled { image: String },
    #[error(
        "container {container:?} has `runAsNonRoot`, and would run as root; set `runAsUser` to the number of somebody else"
    )]
    WouldBeRoot { container: String },
    #[error(
        "container {container:?} has `runAsNonRoot`, and its image runs as {user:?}, which may be root under another name; set `runAsUser` to a number"
    )]
    MayBeRoot { container: String, user: String },
    #[error("the folder {} for what the container writes could not be made", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the container engine could not {asked}")]
    Engine {
        asked: &'static str,
        #[source]
        source: ApiError,
    },
    #[error(
        "the container engine could not start the container; check its `command`, `workingDir` and `user`"
    )]
    NotStarted {
        #[source]
        source: ApiError,
    },
    #[error(
        "the end of the container can't be seen; it is asked for every second, and recorded when it is known"
    )]
    Unfollowed {
        #[source]
        source: Box<ContainerError>,
    },
    #[error("the container may run, and nobody can tell; it is left alone, and looked for again")]
    Unseen {
        #[source]
        source: Box<ContainerError>,
    },
}

impl ContainerError {
    /// For `map_err`: that the engine could not do what it was asked.
    pub(super) fn engine(asked: &'static str) -> impl FnOnce(ApiError) -> Self {
        move |source| Self::Engine { asked, source }
    }

    /// For `map_err`: what happened after the container may have been started.
    pub(super) fn unseen(self) -> Self {
        Self::Unseen { source: self.into() }
    }

    /// Whether the container may run all the same.
    pub(in crate::standalone::runtime) fn leaves_open(&self) -> bool {
        matches!(self, Self::Unseen { .. } | Self::Unfollowed { .. })
    }

    /// What it means: that there is no engine any more, when it is none of the engine's answers and it gives none now.
    pub(super) async fn explained(self, engine: &Reached) -> Self {
        if self.is_answer() {
            return self;
        }
        match engine.is_gone().await {
            Some(gone) if self.leaves_open() => Self::from(gone).unseen(),
            Some(gone) => gone.into(),
            None => self,
        }
    }

    /// Whether it is more than that a request was not answered.
    fn is_answer(&self) -> bool {
        match self {
            Self::Pull { source, .. } | Self::Engine { source, .. } => status_code(source).is_some(),
            Self::Unseen { source } | Self::Unfollowed { source } => source.is_answer(),
            Self::NoEngine(_)
            | Self::InvalidImage { .. }
            | Self::NeverPulled { .. }
            | Self::WouldBeRoot { .. }
            | Self::MayBeRoot { .. }
            | Self::NotStarted { .. }
            | Self::Folder { .. } => true,
        }
    }

    /// The kubelet's word for a container that waits for this to change; nothing, when it is of no use to wait.
    pub(in crate::standalone::runtime) fn waits(&self) -> Option<&'static str> {
        match self {
            Self::NoEngine(_) | Self::Engine { .. } | Self::Folder { .. } => Some("CreateContainerError"),
            Self::Pull { .. } => Some(ERR_IMAGE_PULL),
            Self::InvalidImage { .. } => Some("InvalidImageName"),
            Self::NeverPulled { .. } => Some("ErrImageNeverPull"),
            Self::WouldBeRoot { .. } | Self::MayBeRoot { .. } => Some("CreateContainerConfigError"),
            Self::Unseen { .. } | Self::Unfollowed { .. } => Some(STATUS_UNKNOWN),
            Self::NotStarted { .. } => None,
        }
    }
}

pub(super) fn status_code(error: &ApiError) -> Option<u16> {
    match error {
        ApiError::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// Whether what was asked for is not there.
pub(super) fn is_missing(error: &ApiError) -> bool {
    status_code(error) == Some(404)
}

/// Whether what was to be made has the name of something that is there. Podman gives a conflict of its own the code of a fault.
pub(super) fn is_taken(error: &ApiError) -> bool {
    match error {
        ApiError::DockerResponseServerError {
            status_code: 500,
            message,
        } => message.contains("already in use"),
        error => status_code(error) == Some(409),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_known_by_either_engine() {
        for (status_code, message, taken) in [
            (409, "Conflict. The container name \"/a\" is already in use", true),
            (
                500,
                "creating container storage: the container name \"a\" is already in use by 1f. You have to remove that container to be able to reuse that name: that name is already in use",
                true,
            ),
            (500, "no space left on device", false),
            (404, "No such image: already in use:1", false),
        ] {
            let error = ApiError::DockerResponseServerError {
                status_code,
                message: message.to_owned(),
            };
            assert_eq!(is_taken(&error), taken, "{error}");
        }
    }
}
