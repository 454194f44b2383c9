//! The folder in which `punctual up` keeps what it needs: who may use it, and where everything lies in it.
//!
//! ```text
//!  kubeconfig          for kubectl: where the API is, whom to trust, who is asking
//!  address             the address that the API listened on last
//!  token               what a client shows to be let in
//!  pki/                the certificate authority and the server's certificate
//!  punctual.db         the objects
//!  punctual.db.reserve room that is set aside for the day on which the disk is full
//!  pods/<uid>/         a pod: see [`PodDir`]
//!  ahead/              where supervisors prepare for the next start
//!  lock                held for as long as a process uses the folder; holds its id
//! ```
//!
//! Whoever can write here can start processes as us, and whoever can read here can ask the API to. So the folder is
//! ours, with mode 0700, or it is not used. Where a pod runs as another user who has to come to its volumes, it gets mode
//! 0711, and before that all that lies in it is made ours alone as well ([`DataDir::let_pass`]).

mod access;
mod error;
mod files;
mod leftovers;
mod lock;
mod obstacle;
mod pod_dir;
#[cfg(test)]
mod tests;
mod usage;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::DataDirError;
pub use files::{create_new_private, create_private, private_file, suffixed, write_private};
pub use obstacle::{Obstacle, largest_file, survive_too_large};
pub use pod_dir::PodDir;
pub use usage::Usage;

use lock::Lock;

/// The file in the folder that leads kubectl to the API.
pub const KUBECONFIG: &str = "kubeconfig";

/// The folder's name below that of the user's state, and the beginning of an ephemeral folder's.
const NAME: &str = "punctual";

/// A folder that this process, and nobody else, uses. Clones share it; with the last one the lock is let go, and an
/// ephemeral folder is removed.
#[derive(Debug, Clone)]
pub struct DataDir(Arc<Held>);

#[derive(Debug)]
struct Held {
    path: PathBuf,
    is_ephemeral: bool,
    /// Held open for the lock that it carries.
    _lock: Lock,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_ephemeral
            && let Err(error) = leftovers::remove_whole(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "a temporary folder could not be removed; a later start tries it again");
        }
    }
}

impl DataDir {
    /// Where the folder is when nobody says: `$XDG_STATE_HOME/punctual`, or `~/.local/state/punctual`.
    ///
    /// Source: the XDG Base Directory Specification, by which a relative path counts as unset.
    ///
    /// # Errors
    ///
    /// [`DataDirError::NoHome`] when the environment names no home.
    pub fn default_path() -> Result<PathBuf, DataDirError> {
        default_path(|name| std::env::var_os(name).map(PathBuf::from))
    }

    /// Takes a folder for this process; makes it when it is not there.
    ///
    /// # Errors
    ///
    /// When another process has it, when other users could get at it, or when it cannot be written to.
    pub fn open(path: &Path) -> Result<DataDir, DataDirError> {
        // Absolute, because pods start in folders of their own and are given paths below this one.
        let path = std::path::absolute(path).map_err(|source| DataDirError::make(path, source))?;
        create_private(&path)?;
        access::check(&path)?;
        let data = Self::hold(path, false)?;
        data.close()
            .map_err(|source| DataDirError::io("made private", data.path(), source))?;
        Ok(data)
    }

    /// A folder for this process alone, which goes with it; so do those that were left by processes that were killed.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn ephemeral() -> Result<DataDir, DataDirError> {
        leftovers::remove(&std::env::temp_dir());
        let path = std::env::temp_dir().join(format!("{NAME}-{}", uuid::Uuid::new_v4()));
        files::create_new_private(&path)?;
        Self::hold(path, true)
    }

    /// Makes private what was put here since others can pass, e.g. a token by hand.
    fn close(&self) -> io::Result<()> {
        if access::is_passable(self.path())? {
            access::close(self.path(), &[&self.pods()])?;
        }
        Ok(())
    }

    fn hold(path: PathBuf, is_ephemeral: bool) -> Result<DataDir, DataDirError> {
        let lock = Lock::take(&path)?;
        Ok(DataDir(Arc::new(Held {
            path,
            is_ephemeral,
            _lock: lock,
        })))
    }

    /// Whether nothing is to outlive this process.
    pub fn is_ephemeral(&self) -> bool {
        self.0.is_ephemeral
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// For kubectl: where the API is, whom to trust, who is asking.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path().join(KUBECONFIG)
    }

    /// The folder of the certificate authority and the server's certificate.
    pub fn pki(&self) -> PathBuf {
        self.path().join("pki")
    }

    /// What a client shows to be let in.
    pub fn token(&self) -> PathBuf {
        self.path().join("token")
    }

    /// The address that the API listened on last.
    pub fn address(&self) -> PathBuf {
        self.path().join("address")
    }

    /// The objects.
    pub fn database(&self) -> PathBuf {
        self.path().join("punctual.db")
    }

    /// The folder of the pods.
    pub fn pods(&self) -> PathBuf {
        self.path().join("pods")
    }

    /// Where supervisors prepare for the next start.
    pub fn ahead(&self) -> PathBuf {
        self.path().join("ahead")
    }

    /// Where a pod's files are. Nothing is made yet.
    pub fn pod(&self, uid: &str) -> PodDir {
        PodDir::below(&self.pods(), uid)
    }

    /// Lets other users pass to the volumes of a pod, and to the folder that its container's process starts in. What
    /// they are let into is a question of the volumes.
    ///
    /// # Errors
    ///
    /// What the disk refuses; a folder above this one that others can't pass through, which is not ours to open.
    pub fn let_pass(&self, pod: &PodDir, container: &str) -> io::Result<()> {
        if let Some(closed) = access::closed_above(self.path())? {
            return Err(io::Error::other(format!(
                "its volumes are in {}, and only the owner of {} can pass through that; choose another folder (`--data-dir`)",
                self.path().display(),
                closed.display()
            )));
        }
        let root = pod.root(container);
        let roots = root.parent().unwrap_or(&root);
        access::close(self.path(), &[&self.pods()])?;
        access::close(pod.path(), &[&pod.volumes(), roots])?;
        let folders = [
            self.path(),
            &self.pods(),
            pod.path(),
            &pod.volumes(),
            roots,
            &root,
        ];
        let mut there = folders.into_iter().filter(|folder| folder.exists());
        there.try_for_each(access::let_pass)
    }
}

/// See [`DataDir::default_path`]; `variable` reads the environment.
fn default_path(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, DataDirError> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Ok(state.ok_or(DataDirError::NoHome)?.join(NAME))
}
