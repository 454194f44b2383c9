//! Where a container sees its volumes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, VolumeMount};

use super::VolumeError;
use super::content::{Content, Contents, stays_inside};
use super::store::READABLE;
use super::within::{self, Place};
use crate::standalone::data_dir::PodDir;
use crate::standalone::runtime::variables::expansion::expand;

const LINK_IN_THE_WAY: &str =
    "a link is in the way, which something that runs in the pod has put there; mount it at another path";
const FILE_IN_THE_WAY: &str = "the volume around it has something else there; mount it at another path";

/// A path of this machine, and where a container sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Bind {
    /// On this machine.
    pub(in super::super) source: PathBuf,
    /// In the container.
    pub(in super::super) target: String,
    pub(in super::super) read_only: bool,
    /// When the source is to be there as a folder (a `subPath` that nobody has made yet), the volume it lies in.
    pub(in super::super) made_in: Option<PathBuf>,
    /// Whether it is the user's (`hostPath`), and not the pod's own.
    pub(in super::super) is_host: bool,
}

impl Bind {
    /// What lies in it at this path; folders are made on the way.
    ///
    /// # Errors
    ///
    /// As [`within::reach`].
    pub(in super::super) fn reach(&self, path: &Path) -> io::Result<Place> {
        let volume = self.made_in.as_ref().unwrap_or(&self.source);
        within::reach(volume, &self.source.join(path), READABLE)
    }

    /// For `map_err`: why it can't be laid out, in words for whoever wrote its path.
    pub(in super::super) fn not_laid_out(&self) -> impl FnOnce(io::Error) -> io::Error {
        move |error| {
            let why = match error.kind() {
                _ if within::is_refused(&error) => LINK_IN_THE_WAY.to_owned(),
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => FILE_IN_THE_WAY.to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("mount path {}: {why}", self.target))
        }
    }
}

/// Mounts by their paths from the root of a container. What is mounted in another mount comes after it. Nothing, when a path
/// leads out of the container.
pub(in super::super) fn in_order<'b>(
    binds: impl IntoIterator<Item = &'b Bind>,
) -> Option<Vec<(PathBuf, &'b Bind)>> {
    let binds = binds.into_iter();
    let binds = binds.map(|bind| Some((stays_inside(bind.target.trim_start_matches('/'))?, bind)));
    let mut binds: Vec<_> = binds.collect::<Option<_>>()?;
    binds.sort_by(|(one, _), (other, _)| one.cmp(other));
    Some(binds)
}

/// The mount that a path lies in, of those that come before, and where in it.
pub(in super::super) fn around<'b>(
    path: &'b Path,
    before: &[(PathBuf, &'b Bind)],
) -> Option<(&'b Path, &'b Bind)> {
    let mut outer = before.iter().rev().filter(|(outer, _)| outer != path);
    outer.find_map(|(outer, bind)| Some((path.strip_prefix(outer).ok()?, *bind)))
}

/// The mounts of a container. `pod` holds the pod's volumes; `variables` are what `subPathExpr` may use.
///
/// # Errors
///
/// A mount of a volume that is not there, or of a path outside it.
pub(in super::super) fn binds(
    container: &Container,
    contents: &Contents,
    pod: &PodDir,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<Bind>, VolumeError> {
    let mounts = container.volume_mounts.iter().flatten();
    mounts
        .map(|mount| bind(container, mount, contents, pod, variables))
        .collect()
}

fn bind(
    container: &Container,
    mount: &VolumeMount,
    contents: &Contents,
    pod: &PodDir,
    variables: &BTreeMap<String, String>,
) -> Result<Bind, VolumeError> {
    let Some(content) = contents.get(&mount.name) else {
        return Err(VolumeError::NoSuchVolume {
            container: container.name.clone(),
            volume: mount.name.clone(),
        });
    };
    let root = match content {
        Content::Host { path, .. } => path.clone(),
        Content::Empty | Content::Files(_) => pod.volume(&mount.name),
    };
    let sub_path = sub_path(mount, variables);
    let inside = stays_inside(&sub_path).ok_or_else(|| VolumeError::BadSubPath {
        container: container.name.clone(),
        volume: mount.name.clone(),
        sub_path: sub_path.clone(),
    })?;
    let fixed = matches!(content, Content::Files(_));
    let is_whole = inside.as_os_str().is_empty();
    Ok(Bind {
        source: if is_whole { root.clone() } else { root.join(inside) },
        // Kubernetes takes a relative mount path from the root of the container.
        target: Path::new("/").join(&mount.mount_path).display().to_string(),
        read_only: fixed || mount.read_only.unwrap_or_default(),
        made_in: Some(root).filter(|_| !is_whole && !fixed),
        is_host: matches!(content, Content::Host { .. }),
    })
}

fn sub_path(mount: &VolumeMount, variables: &BTreeMap<String, String>) -> String {
    match mount
        .sub_path_expr
        .as_deref()
        .filter(|expression| !expression.is_empty())
    {
        Some(expression) => expand(expression, |name| variables.get(name).map(String::as_str)),
        None => mount.sub_path.clone().unwrap_or_default(),
    }
}
