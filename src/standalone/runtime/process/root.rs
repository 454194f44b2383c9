//! The folder that a process with volumes starts in: each of its mounts is a link there, to the volume's own folder.
//!
//! It stands for the root of a container, so a relative mount path, which Kubernetes takes from there, leads a process to
//! the same file in both.
//!
//! A mount in another mount is a link in the other's volume, when that is the pod's own. What lies in a `hostPath` is the
//! user's, who would find our links there, and miss what had their names: nothing is ever linked in one.

use std::io;
use std::path::{Path, PathBuf};

use crate::standalone::data_dir::create_private;
use crate::standalone::runtime::volumes::within::Place;
use crate::standalone::runtime::volumes::{self, Bind};

/// A folder on the way to a mount: whoever the process runs as can pass.
const READABLE: u32 = 0o755;

/// Makes the folder with its links, anew when it is there; nothing, when there is nothing to link. What the process
/// finds at its place on this machine anyway needs no link.
pub(super) fn make(folder: &Path, binds: &[Bind]) -> io::Result<Option<PathBuf>> {
    let own = |bind: &&Bind| bind.source != Path::new(&bind.target);
    let links = volumes::in_order(binds.iter().filter(own));
    let links = links.ok_or_else(|| io::Error::other("a mount path leads out of the container"))?;
    if links.is_empty() {
        return Ok(None);
    }
    create_private(folder).map_err(io::Error::other)?;
    for (at, (path, bind)) in links.iter().enumerate() {
        link(folder, path, bind, &links[..at]).map_err(bind.not_laid_out())?;
    }
    Ok(Some(folder.to_owned()))
}

/// Makes one link: in the volume of the mount that it lies in, of those before it, or else in the folder.
fn link(folder: &Path, path: &Path, bind: &Bind, before: &[(PathBuf, &Bind)]) -> io::Result<()> {
    let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_owned();
    let place = match volumes::around(path, before) {
        Some((_, Bind { is_host: true, .. })) => {
            return Err(io::Error::other(
                "it lies in a `hostPath`, in which nothing is ever made",
            ));
        }
        Some((inside, outer)) => outer.reach(&parent(inside))?,
        None => Place::folder(folder)?.walk(&parent(path), READABLE)?,
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    place.link(name, &bind.source)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn bind(source: &Path, target: &str) -> Bind {
        Bind {
            source: source.to_owned(),
            target: target.to_owned(),
            read_only: false,
            made_in: None,
            is_host: false,
        }
    }

    #[test]
    fn a_mount_in_another_mount_is_linked_in_its_volume() {
        let place = tempfile::tempdir().unwrap();
        let at = |path: &str| place.path().join(path);
        for folder in ["data", "conf"] {
            fs::create_dir(at(folder)).unwrap();
        }
        let binds = [
            bind(&at("conf"), "/data/etc/conf"),
            bind(&at("data"), "/data"),
            bind(&at("conf"), "/var/lib/x"),
        ];
        for _start in 0..2 {
            make(&at("root"), &binds).unwrap();
            assert_eq!(fs::read_link(at("data/etc/conf")).unwrap(), at("conf"));
            assert_eq!(fs::read_link(at("root/data")).unwrap(), at("data"));
        }
        for open in ["root/var", "root/var/lib", "data/etc"] {
            let mode = fs::metadata(at(open)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, READABLE, "{open}");
        }
    }

    #[test]
    fn a_mount_in_a_folder_of_a_config_map_is_linked_in_its_version() {
        let place = tempfile::tempdir().unwrap();
        let at = |path: &str| place.path().join(path);
        fs::create_dir_all(at("conf/..1/sub")).unwrap();
        symlink("..1", at("conf/..data")).unwrap();
        symlink("..data/sub", at("conf/sub")).unwrap();
        let binds = [bind(&at("conf"), "/app"), bind(&at("data"), "/app/sub/x")];
        make(&at("root"), &binds).unwrap();
        assert_eq!(fs::read_link(at("root/app/sub/x")).unwrap(), at("data"));
    }

    #[test]
    fn a_link_that_a_process_has_put_in_its_volume_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let at = |path: &str| place.path().join(path);
        for folder in ["data", "conf", "etc"] {
            fs::create_dir(at(folder)).unwrap();
        }
        fs::write(at("etc/app.yaml"), "ours").unwrap();
        symlink(at("etc"), at("data/conf")).unwrap();
        let binds = [
            bind(&at("data"), "/data"),
            bind(&at("conf"), "/data/conf/app.yaml"),
        ];
        let refused = make(&at("root"), &binds).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "mount path /data/conf/app.yaml: a link is in the way, which something that runs in the pod has put there; mount it at another path"
        );
        assert_eq!(fs::read_to_string(at("etc/app.yaml")).unwrap(), "ours");
    }

    #[test]
    fn what_is_not_our_link_is_never_taken_away() {
        let place = tempfile::tempdir().unwrap();
        let at = |path: &str| place.path().join(path);
        for folder in ["data", "conf"] {
            fs::create_dir(at(folder)).unwrap();
            fs::write(at(folder).join("app.yaml"), folder).unwrap();
        }
        let refused = |is_host, inside: &str| {
            let around = Bind {
                is_host,
                ..bind(&at("data"), "/data")
            };
            let binds = [around, bind(&at("conf/app.yaml"), inside)];
            make(&at("root"), &binds).unwrap_err().to_string()
        };
        let told = [
            refused(false, "/data/app.yaml"),
            refused(true, "/data/app.yaml"),
            refused(true, "/data/new/app.yaml"),
        ];
        insta::assert_snapshot!(told.join("\n"), @r"
        mount path /data/app.yaml: the volume around it has something else there; mount it at another path
        mount path /data/app.yaml: it lies in a `hostPath`, in which nothing is ever made
        mount path /data/new/app.yaml: it lies in a `hostPath`, in which nothing is ever made
        ");
        assert_eq!(fs::read_to_string(at("data/app.yaml")).unwrap(), "data");
        assert_eq!(fs::read_dir(at("data")).unwrap().count(), 1, "nothing was made");
    }
}
