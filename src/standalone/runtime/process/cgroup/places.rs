//! Where on this machine control groups can be made, and for which limits.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crc::{CRC_64_XZ, Crc};
use k8s_openapi::api::core::v1::Container;
use rustix::fs::{Access, access};

use super::Resource;
use super::group::{Folder, Group, enter};

/// Where the kernel shows its control groups.
const ROOT: &str = "/sys/fs/cgroup";

/// The group that this process goes to when it has to make room: of version 2, only a group without processes of its own
/// can share its resources out.
const LEAF: &str = "punctual";

/// What the names of our groups begin with.
const PREFIX: &str = "punctual-";

/// Makes the mark of a pod of its uid.
const MARK: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);

/// Over which time, in microseconds, use of the CPU is measured; the kernel's and Kubernetes' usual one.
const CPU_PERIOD: i64 = 100_000;

/// The least time in a period, in microseconds, that the kernel takes for a limit.
const CPU_LEAST: i64 = 1_000;

/// Billionths of a CPU in one microsecond of each period.
const NANOS_PER_SHARE: i64 = 1_000_000_000 / CPU_PERIOD;

/// Where groups are made for each resource; nowhere, where that is not allowed.
#[derive(Debug, Clone, Default)]
pub(in crate::standalone::runtime) struct Places {
    memory: Option<Place>,
    cpu: Option<Place>,
}

/// A folder that groups are made in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    folder: PathBuf,
    /// The group that this process is in.
    home: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Places {
    /// Those of this machine.
    pub(in crate::standalone::runtime) fn here() -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::find(Path::new(ROOT), &own)
    }

    /// Those below a root; `own` tells the groups of this process, as `/proc/self/cgroup` does.
    fn find(root: &Path, own: &str) -> Self {
        if root.join("cgroup.controllers").exists() {
            return Self::of_version_two(root, own);
        }
        let of = |resource: Resource| {
            let mount = root.join(resource.name());
            let home = below(&mount, group_of(own, resource.name())?);
            // A container may show another tree than the one that its groups are named in.
            let home = if home.is_dir() { home } else { mount };
            access(&home, Access::WRITE_OK).ok()?;
            Some(Place {
                folder: home.clone(),
                home,
                version: Version::One,
            })
        };
        Places {
            memory: of(Resource::Memory),
            cpu: of(Resource::Cpu),
        }
    }

    fn of_version_two(root: &Path, own: &str) -> Self {
        let own = group_of(own, "").map_or_else(|| root.to_owned(), |path| below(root, path));
        let Some((place, resources)) = shared_out(&own).or_else(|| {
            let shared = share_out(root).ok()?;
            Some((
                Place {
                    folder: root.to_owned(),
                    home: own.clone(),
                    version: Version::Two,
                },
                shared,
            ))
        }) else {
            return Places::default();
        };
        let of = |resource| resources.contains(&resource).then(|| place.clone());
        Places {
            memory: of(Resource::Memory),
            cpu: of(Resource::Cpu),
        }
    }

    fn of(&self, resource: Resource) -> Option<&Place> {
        match resource {
            Resource::Memory => self.memory.as_ref(),
            Resource::Cpu => self.cpu.as_ref(),
        }
    }

    /// Whether a resource can be limited here.
    pub(in crate::standalone::runtime) fn limit(&self, resource: Resource) -> bool {
        self.of(resource).is_some()
    }

    /// Removes the groups of a pod in which nothing runs: one whose supervisor was killed before it began is nobody's to
    /// remove.
    pub(in crate::standalone::runtime) fn tidy(&self, uid: &str) {
        let prefix = prefix(uid);
        for place in self.memory.iter().chain(&self.cpu) {
            let entries = fs::read_dir(&place.folder).into_iter().flatten().flatten();
            let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
            for group in ours {
                let _in_use = fs::remove_dir(group.path());
            }
        }
    }

    /// Makes the group of an attempt at a container of a pod, with its limits; none, when it has none that can be limited
    /// here.
    pub(in crate::standalone::runtime) fn make(
        &self,
        uid: &str,
        attempt: u32,
        container: &Container,
    ) -> io::Result<Option<Group>> {
        let mut group = Group::default();
        for resource in Resource::ALL {
            let Some((place, limit)) = self.of(resource).zip(resource.limit(container)) else {
                continue;
            };
            let name = format!("{}{}-{attempt}", prefix(uid), container.name);
            let path = place.folder.join(name);
            if !group.folders.iter().any(|folder| folder.path == path) {
                make_folder(&path)?;
                group.folders.push(Folder {
                    path: path.clone(),
                    home: place.home.clone(),
                });
            }
            set(&path, place.version, resource, limit)?;
        }
        Ok(Some(group).filter(|group| !group.folders.is_empty()))
    }
}

/// What the names of a pod's groups begin with. Everybody can read the group of a process, and the uid leads to the pod's
/// files, which are kept from other users by nothing but a name that can't be guessed where the pod runs as one of them.
fn prefix(uid: &str) -> String {
    let mark = MARK.checksum(uid.as_bytes());
    format!("{PREFIX}{mark:016x}-")
}

/// Makes a folder, which may be there.
fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Writes a limit down.
fn set(folder: &Path, version: Version, resource: Resource, limit: i64) -> io::Result<()> {
    let write = |name: &str, value: String| fs::write(folder.join(name), value);
    let share = (limit / NANOS_PER_SHARE).max(CPU_LEAST);
    match (version, resource) {
        (Version::One, Resource::Memory) => {
            write("memory.limit_in_bytes", limit.to_string())?;
            // Memory with swap, as much as memory alone; not every kernel counts swap.
            if_counted(write("memory.memsw.limit_in_bytes", limit.to_string()))
        }
        (Version::One, Resource::Cpu) => {
            write("cpu.cfs_period_us", CPU_PERIOD.to_string())?;
            write("cpu.cfs_quota_us", share.to_string())
        }
        (Version::Two, Resource::Memory) => {
            write("memory.max", limit.to_string())?;
            if_counted(write("memory.swap.max", "0".to_owned()))?;
            // All of the container ends, not the largest process of it, as in a cluster.
            if_counted(write("memory.oom.group", "1".to_owned()))
        }
        (Version::Two, Resource::Cpu) => write("cpu.max", format!("{share} {CPU_PERIOD}")),
    }
}

/// A setting that this kernel may not have.
fn if_counted(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        written => written,
    }
}

/// Shares the resources of the group out that this process is in, and makes room for that if nobody else is in it.
fn shared_out(own: &Path) -> Option<(Place, Vec<Resource>)> {
    let at = |home: PathBuf| Place {
        folder: own.to_owned(),
        home,
        version: Version::Two,
    };
    if let Ok(shared) = share_out(own) {
        return Some((at(own.to_owned()), shared));
    }
    let leaf = own.join(LEAF);
    let moved = make_folder(&leaf).and_then(|()| enter(&leaf));
    match moved.and_then(|()| share_out(own)) {
        Ok(shared) => Some((at(leaf), shared)),
        Err(_others_are_in_it) => {
            let _was_there = enter(own);
            let _not_made = fs::remove_dir(&leaf);
            None
        }
    }
}

/// Lets the groups in a folder have limits of their own. Which.
fn share_out(folder: &Path) -> io::Result<Vec<Resource>> {
    let known = fs::read_to_string(folder.join("cgroup.controllers"))?;
    let is_known = |resource: &Resource| known.split_whitespace().any(|name| name == resource.name());
    let shared: Vec<Resource> = Resource::ALL.into_iter().filter(is_known).collect();
    if shared.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let words: Vec<String> = shared
        .iter()
        .map(|resource| format!("+{}", resource.name()))
        .collect();
    fs::write(folder.join("cgroup.subtree_control"), words.join(" "))?;
    Ok(shared)
}

/// The group of this process for a controller; of version 2, there is one for all, whose name is empty.
fn group_of<'o>(own: &'o str, controller: &str) -> Option<&'o str> {
    own.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers
            .split(',')
            .any(|name| name == controller)
            .then_some(path)
    })
}

fn below(root: &Path, group: &str) -> PathBuf {
    root.join(group.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    fn container(limits: &serde_json::Value) -> Container {
        serde_json::from_value(json!({"name": "main", "resources": {"limits": limits}})).unwrap()
    }

    /// The files below a folder that say something, with what they say.
    fn written(folder: &Path, root: &Path) -> String {
        let mut text = String::new();
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                text += &written(&path, root);
            } else {
                let shown = path.strip_prefix(root).unwrap().display();
                let said = fs::read_to_string(&path).unwrap();
                let said = said.replace(&std::process::id().to_string(), "PID");
                writeln!(text, "{shown}: {said}").unwrap();
            }
        }
        text
    }

    #[test]
    fn version_two_shares_out_the_group_of_this_process() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("system.slice/punctual.service");
        fs::create_dir_all(&own).unwrap();
        for folder in [root.path(), &own] {
            fs::write(folder.join("cgroup.controllers"), "cpuset cpu io memory pids").unwrap();
        }
        let places = Places::find(root.path(), "0::/system.slice/punctual.service\n");
        assert!(Resource::ALL.into_iter().all(|resource| places.limit(resource)));
        let limits = json!({"cpu": "250m", "memory": "64Mi", "ephemeral-storage": "1Gi"});
        let group = places.make("uid", 0, &container(&limits)).unwrap().unwrap();
        assert_eq!(group.around(|| "started").unwrap(), "started");
        insta::assert_snapshot!(written(root.path(), root.path()));

        let events = own.join(format!("{}main-0/memory.events", prefix("uid")));
        assert!(!group.was_out_of_memory());
        fs::write(&events, "low 0\noom 1\noom_kill 0\n").unwrap();
        assert!(!group.was_out_of_memory());
        fs::write(&events, "low 0\noom 1\noom_kill 1\n").unwrap();
        assert!(group.was_out_of_memory());
    }

    #[test]
    fn version_one_has_a_tree_for_each_resource() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("memory/user")).unwrap();
        fs::create_dir_all(root.path().join("cpu")).unwrap();
        let own = "4:memory:/user\n1:cpu,cpuacct:/elsewhere\n0::/\n";
        let places = Places::find(root.path(), own);
        let limits = json!({"cpu": "1m", "memory": "1G"});
        let group = places.make("uid", 0, &container(&limits)).unwrap().unwrap();
        group.around(|| ()).unwrap();
        insta::assert_snapshot!(written(root.path(), root.path()));
        assert_eq!(places.make("uid", 1, &Container::default()).unwrap(), None);
    }

    #[test]
    fn what_is_left_of_a_pod_goes_unless_something_runs_in_it() {
        let root = tempfile::tempdir().unwrap();
        let (ours, theirs) = (prefix("u-1"), prefix("u-10"));
        let group = |of: &str| root.path().join(of);
        let empty = group(&format!("memory/{ours}main-0"));
        let in_use = group(&format!("cpu/{ours}main-1"));
        let of_another = group(&format!("memory/{theirs}main-0"));
        for folder in [&empty, &in_use.join("member"), &of_another] {
            fs::create_dir_all(folder).unwrap();
        }
        let places = Places::find(root.path(), "4:memory:/\n1:cpu,cpuacct:/\n");
        places.tidy("u-1");
        assert!(!empty.exists());
        assert!(in_use.exists() && of_another.exists());
    }

    #[test]
    fn where_nothing_can_be_made_nothing_is_limited() {
        let root = tempfile::tempdir().unwrap();
        for own in ["0::/\n", "4:memory:/\n", ""] {
            let places = Places::find(root.path(), own);
            assert!(
                !Resource::ALL.into_iter().any(|resource| places.limit(resource)),
                "{own}"
            );
            let group = places
                .make("uid", 0, &container(&json!({"memory": "1G"})))
                .unwrap();
            assert_eq!(group, None);
        }
    }
}
