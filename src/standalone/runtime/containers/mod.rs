//! Containers, by an engine that speaks the Docker API: Docker, or Podman's service.
//!
//! | file | one idea |
//! |---|---|
//! | `connect` | where the engine is |
//! | `image` | whether an image is fetched, and fetching it |
//! | `request` | what is asked of the engine for a container; pure |
//! | `error` | why a container was not started, or can't be seen |
//! | `follow` | a container's end, and how it is told to end |
//! | `copy` | a container's output, on its way to its log |
//! | `copied` | how far that was copied before |
//! | `abandoned` | removing what an ephemeral `punctual` has left |
//!
//! A container is known by its name, which is made of the pod's uid, the container and the attempt. So the engine
//! refuses to make an attempt twice, and whoever comes after a `punctual` that died finds what it started. It is kept,
//! ended, until its pod is forgotten: its exit code must be there when nobody has recorded it yet.

mod abandoned;
mod connect;
mod copied;
mod copy;
mod error;
mod follow;
mod image;
mod request;

#[cfg(test)]
mod tests;

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bollard::Docker;
use bollard::errors::Error as ApiError;
use bollard::models::{ContainerStateStatusEnum, ContainerSummary};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions,
};
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Container, Pod};

use super::engine::{Attempt, Engine, Found, Setup, Started};
use super::process::credentials;
use super::process::fitness::{self, Unfit};
use super::start_error::StartError;
use super::volumes::{self, Bind, VolumeError};
use crate::clock::SharedClock;
use crate::standalone::data_dir::{DataDir, create_private};
use abandoned::Bond;
pub(super) use connect::version;
pub use connect::{NoEngine, reach_engine};
use connect::{Reached, Search};
pub(super) use error::{ContainerError, ERR_IMAGE_PULL};
use error::{is_missing, is_taken, status_code};

/// Where a container says something of its end when its spec does not say where: Kubernetes' default.
const MESSAGE_PATH: &str = "/dev/termination-log";

/// Runs attempts as containers.
#[derive(Debug)]
pub(super) struct Containers {
    search: Search,
    clock: SharedClock,
    /// The data folder: what tells our containers from those of another `punctual` on this machine.
    machine: String,
    /// Whom they are to end with, where nobody would ever find them.
    bond: Option<Bond>,
}

impl Containers {
    /// Containers by the engine at `asked`, or by the first one that answers.
    pub(super) fn new(asked: Option<&str>, clock: SharedClock, data: &DataDir) -> Self {
        Self {
            search: Search::new(connect::candidates_here(asked)),
            clock,
            machine: data.path().display().to_string(),
            bond: data.is_ephemeral().then(Bond::own),
        }
    }

    async fn engine(&self) -> Result<&Reached, NoEngine> {
        let (reached, is_new) = self.search.engine().await?;
        if is_new {
            tracing::info!(address = reached.address, "the container engine answers");
            let engine = reached.clone();
            tokio::spawn(async move { abandoned::remove(&engine).await });
        }
        Ok(reached)
    }

    /// What an error means, as far as that can be found out now.
    async fn explain(&self, error: ContainerError) -> ContainerError {
        match self.search.found() {
            Some(engine) => error.explained(engine).await,
            None => error,
        }
    }

    /// Removes what nobody would ever find any more when this process has ended.
    pub(super) async fn release(&self) {
        if let (Some(bond), Some(engine)) = (&self.bond, self.search.found()) {
            abandoned::release(&engine.docker, bond).await;
        }
    }

    async fn begin(&self, attempt: &Attempt, setup: &Setup) -> Result<Started, ContainerError> {
        let reached = self.engine().await?;
        let engine = &reached.docker;
        let image = image::config(engine, &attempt.container).await?;
        let wanted = request::Wanted {
            pod: &attempt.pod,
            container: &attempt.container,
            attempt: attempt.number,
            variables: &setup.variables,
            binds: &setup.binds,
            image: &image,
            machine: &self.machine,
            bond: self.bond.as_ref(),
        };
        request::check_user(&wanted)?;
        make_folder(attempt)?;
        let name = name_of(attempt);
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        match engine
            .create_container(Some(options), request::body(&wanted))
            .await
        {
            Ok(_) => {}
            // Made before, by us or by a `punctual` that died. If it was started as well, it is not started again.
            Err(error) if is_taken(&error) => {
                let found = self.look(attempt).await;
                if let Found::Started(started) = found.map_err(ContainerError::unseen)? {
                    return Ok(started);
                }
            }
            Err(source) => return Err(ContainerError::engine("make the container")(source)),
        }
        match engine.start_container(&name, None::<StartContainerOptions>).await {
            Ok(()) => {}
            Err(source) if status_code(&source).is_some() => {
                discard(engine, &name).await;
                return Err(ContainerError::NotStarted { source });
            }
            // It may have got as far as to start it.
            Err(source) => return Err(ContainerError::engine("start the container")(source).unseen()),
        }
        let started = self.follow(reached, attempt).await;
        started.map_err(|source| ContainerError::engine("tell of the container")(source).unseen())
    }

    async fn follow(&self, engine: &Reached, attempt: &Attempt) -> Result<Started, ApiError> {
        let name = name_of(attempt);
        let inspected = follow::inspect(&engine.docker, &name).await?;
        Ok(follow::started(
            engine.clone(),
            &inspected,
            attempt,
            self.clock.clone(),
        ))
    }

    /// Looks an attempt up. Without an answer nothing is known: to take a container that runs for one that never did
    /// would run it twice.
    async fn look(&self, attempt: &Attempt) -> Result<Found, ContainerError> {
        let engine = self.engine().await?;
        let name = name_of(attempt);
        match follow::inspect(&engine.docker, &name).await {
            Err(error) if is_missing(&error) => Ok(Found::Never),
            Err(source) => Err(ContainerError::engine("tell of the container")(source)),
            Ok(inspected) => {
                let status = inspected.state.as_ref().and_then(|state| state.status);
                if status == Some(ContainerStateStatusEnum::CREATED) {
                    return Ok(Found::Never);
                }
                let started = follow::started(engine.clone(), &inspected, attempt, self.clock.clone());
                Ok(Found::Started(started))
            }
        }
    }

    async fn discard_pod(&self, uid: &str) -> Result<(), ContainerError> {
        let engine = &self.engine().await?.docker;
        let labels = vec![
            format!("{}={}", request::MACHINE, self.machine),
            format!("{}={uid}", request::POD_UID),
        ];
        let containers = labelled(engine, labels).await;
        for container in containers.map_err(ContainerError::engine("list the containers of the pod"))? {
            discard(engine, container.id.as_deref().unwrap_or_default()).await;
        }
        Ok(())
    }
}

impl Engine for Containers {
    fn check(&self, pod: &Pod) -> Result<(), Unfit> {
        check(pod)
    }

    fn caveat(&self, container: &Container) -> Option<(&'static str, String)> {
        let names = fitness::unlimited(container, |name| request::LIMITED.contains(&name))?;
        let message = format!(
            "nothing limits the {names} of container {:?}: the container engine limits {} only",
            container.name,
            request::LIMITED.join(" and ")
        );
        Some((fitness::LIMITS_NOT_ENFORCED, message))
    }

    /// Mounts it where the container writes it.
    fn give_message_file(&self, container: &Container, file: &Path, setup: &mut Setup) {
        let target = container.termination_message_path.as_deref();
        let target = target.filter(|path| !path.is_empty()).unwrap_or(MESSAGE_PATH);
        if setup.binds.iter().any(|bind| bind.target == target) {
            return;
        }
        match make_writable(file) {
            Ok(()) => setup.binds.push(Bind {
                source: file.to_owned(),
                target: target.to_owned(),
                read_only: false,
                made_in: None,
                is_host: false,
            }),
            Err(error) => {
                tracing::warn!(path = %file.display(), %error, "a file for a container's last words could not be made");
            }
        }
    }

    fn caveat_of_pod(&self, pod: &Pod) -> Option<(&'static str, String)> {
        credentials::caveat_of_containers(pod)
    }

    fn lay_out(&self, attempt: &Attempt, setup: &mut Setup) -> Result<(), VolumeError> {
        let made = volumes::make_mount_points(&setup.binds);
        made.map_err(|source| VolumeError::Layout {
            container: attempt.container.name.clone(),
            source,
        })
    }

    fn fetch<'a>(&'a self, container: &'a Container) -> BoxFuture<'a, Result<(), StartError>> {
        Box::pin(async move {
            let fetched = async { image::ready(&self.engine().await?.docker, container).await };
            match fetched.await {
                Ok(()) => Ok(()),
                Err(error) => Err(self.explain(error).await.into()),
            }
        })
    }

    fn find<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Found, StartError>> {
        Box::pin(async move {
            match self.look(attempt).await {
                Ok(found) => Ok(found),
                Err(error) => Err(self.explain(error).await.into()),
            }
        })
    }

    fn start<'a>(&'a self, attempt: &'a Attempt, setup: Setup) -> BoxFuture<'a, Result<Started, StartError>> {
        Box::pin(async move {
            match self.begin(attempt, &setup).await {
                Ok(started) => Ok(started),
                Err(error) => Err(self.explain(error).await.into()),
            }
        })
    }

    fn discard<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Ok(engine) = self.engine().await {
                discard(&engine.docker, &name_of(attempt)).await;
            }
        })
    }

    fn forget<'a>(&'a self, pod: &'a Pod) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let uid = pod.metadata.uid.as_deref().unwrap_or_default();
            if let Err(error) = self.discard_pod(uid).await {
                let error = self.explain(error).await;
                tracing::warn!(
                    uid,
                    error = crate::telemetry::chain(&error),
                    "the containers of a pod could not be removed"
                );
            }
        })
    }
}

/// Looks for what a container can't have here.
pub(super) fn check(pod: &Pod) -> Result<(), Unfit> {
    volumes::unsupported(pod).map_or(Ok(()), |error| {
        Err(Unfit {
            container: String::new(),
            reason: "VolumeUnsupported",
            message: error.to_string(),
        })
    })
}

/// Makes a file that the container can write to as any user, as the kubelet does; it lies in a folder that only we can enter.
fn make_writable(file: &Path) -> io::Result<()> {
    create_private(file.parent().unwrap_or(Path::new("."))).map_err(io::Error::other)?;
    let made = File::options().create(true).append(true).open(file)?;
    made.set_permissions(Permissions::from_mode(0o666))
}

/// Makes the folder of the attempt's log before there is a container: by a pod's folder its containers are found when
/// nobody knows the pod any more.
fn make_folder(attempt: &Attempt) -> Result<(), ContainerError> {
    let path = attempt.log.parent().unwrap_or(Path::new("."));
    create_private(path).map_err(|error| ContainerError::Folder {
        path: path.to_owned(),
        source: io::Error::other(error),
    })
}

fn name_of(attempt: &Attempt) -> String {
    request::name(&attempt.pod, &attempt.container.name, attempt.number)
}

/// The containers that have all of these labels, whether they run or have ended.
async fn labelled(engine: &Docker, labels: Vec<String>) -> Result<Vec<ContainerSummary>, ApiError> {
    let filters = [("label".to_owned(), labels)].into();
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    follow::understood(|| engine.list_containers(Some(options.clone()))).await
}

async fn discard(engine: &Docker, name: &str) {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match engine.remove_container(name, Some(options)).await {
        Err(error) if !is_missing(&error) => {
            tracing::warn!(name, %error, "a container could not be removed");
        }
        _ => {}
    }
}
