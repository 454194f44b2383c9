//! Where two containers of a pod want different things at one place of a volume that they share.
//!
//! A process finds a mount in another mount by a link in the volume of the other (see `root`), and every container of the
//! pod finds that link. Where each is to find something else, as containers in their own file systems do, the pod can't be
//! processes. Containers that never run at one time are in nobody's way: the link is made anew for the later one.

use std::path::PathBuf;

use k8s_openapi::api::core::v1::{Container, PodSpec, VolumeMount};

use super::fitness::{host_path, is_at_its_own_place};
use crate::standalone::runtime::volumes::stays_inside;

/// A mount that is linked in the volume of another.
#[derive(Debug, Clone)]
pub(super) struct Linked<'p> {
    pub(super) container: &'p Container,
    pub(super) mount: &'p VolumeMount,
    /// The volume of the other.
    pub(super) volume: &'p str,
    /// Its place in there.
    place: PathBuf,
}

/// The first two that are in each other's way; the later one comes last.
pub(super) fn find(spec: &PodSpec) -> Option<[Linked<'_>; 2]> {
    let init = spec.init_containers.iter().flatten();
    let init = init.map(|container| (container, container.restart_policy.as_deref() == Some("Always")));
    let main = spec.containers.iter().map(|container| (container, true));
    let mut before: Vec<Linked<'_>> = Vec::new();
    for (container, is_beside_the_next) in init.chain(main) {
        let links = links(container, spec);
        for link in &links {
            if let Some(at) = before.iter().position(|other| other.is_in_the_way_of(link)) {
                return Some([before.swap_remove(at), link.clone()]);
            }
        }
        if is_beside_the_next {
            before.extend(links);
        }
    }
    None
}

impl Linked<'_> {
    fn is_in_the_way_of(&self, later: &Linked<'_>) -> bool {
        let is_same_place = self.place == later.place;
        let is_on_the_way = later.place.starts_with(&self.place) || self.place.starts_with(&later.place);
        self.volume == later.volume
            && is_on_the_way
            && !(is_same_place && what(self.mount) == what(later.mount))
    }
}

/// What is mounted. Where that depends on variables, the same words mean the same.
fn what(mount: &VolumeMount) -> (&str, Option<PathBuf>, Option<&str>) {
    let below = stays_inside(mount.sub_path.as_deref().unwrap_or_default());
    (&mount.name, below, mount.sub_path_expr.as_deref())
}

/// The mounts of a container that are linked in the pod's own volumes.
fn links<'p>(container: &'p Container, spec: &'p PodSpec) -> Vec<Linked<'p>> {
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    let mounts = container.volume_mounts.iter().flatten();
    let mut mounts: Vec<(PathBuf, &VolumeMount)> = mounts
        .filter(|mount| !is_at_its_own_place(mount, volumes))
        .filter_map(|mount| Some((stays_inside(mount.mount_path.trim_start_matches('/'))?, mount)))
        .collect();
    // What is mounted in another mount comes after it.
    mounts.sort_by(|(one, _), (other, _)| one.cmp(other));
    let link = |at: usize| {
        let (path, mount) = &mounts[at];
        let mut around = mounts[..at].iter().rev();
        let (inside, around) = around.find_map(|(outer, around)| {
            let inside = path.strip_prefix(outer).ok()?;
            Some((inside, around)).filter(|_| outer != path)
        })?;
        // Nothing is linked in a folder of this machine, and a place that depends on variables is not known.
        if host_path(around, volumes).is_some() || around.sub_path_expr.is_some() {
            return None;
        }
        let below = stays_inside(around.sub_path.as_deref().unwrap_or_default())?;
        Some(Linked {
            container,
            mount,
            volume: &around.name,
            place: below.join(inside),
        })
    };
    (0..mounts.len()).filter_map(link).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Containers by their mounts: `volume[/sub]:path`, with spaces between.
    fn in_the_way(init: &[(&str, &str)], main: &[(&str, &str)]) -> String {
        let container = |(name, mounts): &(&str, &str)| {
            let mounts = mounts.split(' ').map(|mount| {
                let (volume, path) = mount.split_once(':').unwrap();
                let (volume, below) = volume.split_once('/').unwrap_or((volume, ""));
                json!({"name": volume, "mountPath": path, "subPath": below})
            });
            let is_sidecar = name.starts_with("sidecar");
            json!({
                "name": name,
                "volumeMounts": mounts.collect::<Vec<_>>(),
                "restartPolicy": is_sidecar.then_some("Always"),
            })
        };
        let spec = json!({
            "initContainers": init.iter().map(container).collect::<Vec<Value>>(),
            "containers": main.iter().map(container).collect::<Vec<Value>>(),
            "volumes": [{"name": "host", "hostPath": {"path": "/srv"}}, {"name": "data", "emptyDir": {}}],
        });
        let spec: PodSpec = serde_json::from_value(spec).unwrap();
        find(&spec).map_or("none".to_owned(), |[one, other]| {
            let (name, at) = (&other.container.name, &other.mount.mount_path);
            format!("{} before {name} at {at} in {}", one.container.name, one.volume)
        })
    }

    #[test]
    fn containers_that_run_at_one_time_share_what_is_linked() {
        let main = |one: &str, other: &str| in_the_way(&[], &[("one", one), ("other", other)]);
        let rows = [
            ("the same", main("data:d a:d/x", "data:d a:d/x")),
            ("another volume", main("data:d a:d/x", "data:d b:d/x")),
            ("another part", main("data:d a/1:d/x", "data:d a/2:d/x")),
            ("another place", main("data:d a:d/x", "data:d b:d/y")),
            ("another volume around", main("data:d a:d/x", "more:d b:d/x")),
            ("by another path", main("data:d a:d/s/x", "data/s:e b:e/x")),
            ("on the way", main("data:d a:d/x", "data:d b:d/x/y")),
            ("in the other order", main("data:d b:d/x/y", "data:d a:d/x")),
            ("beside the volume", main("data:d a:x", "data:d b:x")),
            (
                "in a folder of this machine",
                main("host:d a:d/x", "host:d b:d/x"),
            ),
            ("where it is", main("data:srv host:/srv", "data:srv host:/srv")),
            (
                "one of its own in the other",
                main("data:d a:d/x b:d/x/y", "data:d a:d/x"),
            ),
            (
                "one after the other",
                in_the_way(&[("init", "data:d a:d/x")], &[("main", "data:d b:d/x")]),
            ),
            (
                "beside a sidecar",
                in_the_way(&[("sidecar", "data:d a:d/x")], &[("main", "data:d b:d/x")]),
            ),
            (
                "before a sidecar",
                in_the_way(&[("init", "data:d a:d/x"), ("sidecar", "data:d b:d/x")], &[]),
            ),
            (
                "after a sidecar",
                in_the_way(&[("sidecar", "data:d a:d/x"), ("init", "data:d b:d/x")], &[]),
            ),
        ];
        let rows = rows.map(|(what, found)| format!("{what}: {found}"));
        insta::assert_snapshot!(rows.join("\n"), @r"
        the same: none
        another volume: one before other at d/x in data
        another part: one before other at d/x in data
        another place: none
        another volume around: none
        by another path: one before other at e/x in data
        on the way: one before other at d/x/y in data
        in the other order: one before other at d/x in data
        beside the volume: none
        in a folder of this machine: none
        where it is: none
        one of its own in the other: none
        one after the other: none
        beside a sidecar: sidecar before main at d/x in data
        before a sidecar: none
        after a sidecar: sidecar before init at d/x in data
        ");
    }
}
