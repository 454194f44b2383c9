//! Which file an object was applied from: written down with the object, so that it goes with its file also when that
//! vanishes while nobody follows it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf, absolute};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{DynamicObject, ListParams};
use kube::{Api, Client, ResourceExt as _};

use crate::cli::complain;
use crate::cli::exit::Failure;
use crate::cli::up::apply::{MANAGER, delete, find, resource};
use crate::cli::up::item::Id;
use crate::cli::up::refusal::Refusal;
use crate::cronjob::Key;
use crate::cronjob::extension::APPLIED_FROM_ANNOTATION;
use crate::manifest::COMPANIONS;

/// Who is named as the owner of what an object had before the first server-side apply.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// An object of the manifests, and where it came from.
pub(super) struct Origin {
    pub(super) id: Id,
    /// As [`of_file`] has it.
    pub(super) file: String,
}

/// What is written down for a file.
pub(super) fn of_file(file: &str) -> String {
    absolute(file).map_or_else(|_| file.to_owned(), |path| path.display().to_string())
}

/// What came from the followed paths before, and is not among what they hold now.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// What was deleted, and the file that had it.
    pub(super) pruned: Vec<(Id, String)>,
    /// What goes on, and the file that had it, as the path names it.
    pub(super) left: Vec<(Id, String)>,
}

/// Deletes what came from these paths and is `there` no more.
///
/// Where not everything is known that they hold, it may be in what is not known: then it goes on. A path that holds nothing
/// at all may not be there yet (a mount that comes later): what came from it goes on, and that is said.
pub(super) async fn prune(
    client: &Client,
    paths: &[PathBuf],
    there: &[Origin],
    is_all_known: bool,
) -> Result<Former, Failure> {
    let holds_some = |path: &Path| there.iter().any(|origin| as_named(&origin.file, path).is_some());
    let ids: BTreeSet<&Id> = there.iter().map(|origin| &origin.id).collect();
    let mut former = Former::default();
    let mut going = Vec::new();
    let mut spared: BTreeSet<&PathBuf> = BTreeSet::new();
    for kind in ["CronJob", "Job"].into_iter().chain(COMPANIONS) {
        let all = Api::all_with(client.clone(), &resource(kind));
        let all = all
            .list(&ListParams::default())
            .await
            .map_err(|error| Failure::from_error("what was applied before could not be read", &error))?;
        for object in all.items {
            let Some(file) = applied_from(&object) else {
                continue;
            };
            let key = Key {
                namespace: object.namespace().unwrap_or_default(),
                name: object.name_any(),
            };
            let id = Id { kind, key };
            let from: Vec<&PathBuf> = paths
                .iter()
                .filter(|path| as_named(file, path).is_some())
                .collect();
            let named = from.iter().find_map(|path| as_named(file, path));
            let Some(named) = named.filter(|_| !ids.contains(&id)) else {
                continue;
            };
            if is_all_known && from.iter().any(|path| holds_some(path)) {
                going.push((id, file.clone(), object.uid()));
                continue;
            }
            spared.extend(from.into_iter().filter(|_| is_all_known));
            former.left.push((id, named));
        }
    }
    for path in spared {
        complain(&format!(
            "note: {} holds no manifest now; what came from it goes on, until it holds one again or you delete it",
            path.display()
        ));
    }
    for (id, file, uid) in going {
        match delete(client, &id, uid).await {
            Ok(_) => former.pruned.push((id, file)),
            Err(refusal) if refusal.may_pass => return Err(refusal.into()),
            Err(refusal) => complain(&format!("error: {file}: {}", refusal.message)),
        }
    }
    Ok(former)
}

/// Deletes what no file has any more; whether it was there. What somebody has taken over meanwhile did not come from one of
/// these paths, and goes on.
pub(super) async fn prune_one(client: &Client, paths: &[PathBuf], id: &Id) -> Result<bool, Refusal> {
    let Some(object) = find(client, id).await? else {
        return Ok(false);
    };
    let mut paths = paths.iter();
    let is_ours = applied_from(&object).is_some_and(|file| paths.any(|path| as_named(file, path).is_some()));
    Ok(is_ours && delete(client, id, object.uid()).await?)
}

/// The file that an object was applied from.
///
/// The annotation comes along when somebody exports an object and applies a copy of it with kubectl; then the API knows
/// that it was not `up` who wrote it.
pub(super) fn applied_from(object: &DynamicObject) -> Option<&String> {
    let file = object.annotations().get(APPLIED_FROM_ANNOTATION)?;
    let field = format!("f:{APPLIED_FROM_ANNOTATION}");
    let is_owned = |entry: &ManagedFieldsEntry| {
        let fields = entry.fields_v1.as_ref();
        let annotations = fields.map(|fields| &fields.0["f:metadata"]["f:annotations"]);
        annotations.is_some_and(|annotations| annotations.get(&field).is_some())
    };
    let mut owners = object.managed_fields().iter().filter(|entry| is_owned(entry));
    let ours = [Some(MANAGER), Some(BEFORE_FIRST_APPLY)];
    let is_copy = owners.any(|entry| !ours.contains(&entry.manager.as_deref()));
    (!is_copy).then_some(file)
}

/// How a path names a file, if it is that, or the folder that it is in. What lies in folders within it is not loaded with
/// it.
fn as_named(file: &str, path: &Path) -> Option<String> {
    let file = Path::new(file);
    let whole = absolute(path).ok()?;
    if file == whole {
        return Some(path.display().to_string());
    }
    let is_within = file.parent() == Some(&whole);
    let name = file.file_name().filter(|_| is_within)?;
    Some(path.join(name).display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_itself_and_to_its_folder() {
        let table = [
            ("/etc/cron.d/a.yaml", "/etc/cron.d", Some("/etc/cron.d/a.yaml")),
            ("/etc/cron.d/a.yaml", "/etc/cron.d/", Some("/etc/cron.d/a.yaml")),
            (
                "/etc/cron.d/a.yaml",
                "/etc/cron.d/a.yaml",
                Some("/etc/cron.d/a.yaml"),
            ),
            ("/etc/cron.d/a.yaml", "/etc/cron.d/b.yaml", None),
            ("/etc/cron.daily/a.yaml", "/etc/cron.d", None),
            ("/etc/cron.d/old/a.yaml", "/etc/cron.d", None),
        ];
        for (file, path, expected) in table {
            let named = as_named(file, Path::new(path));
            assert_eq!(named.as_deref(), expected, "{file} in {path}");
        }
        let file = of_file("cron.d/./a.yaml");
        for (path, expected) in [
            ("./cron.d", "./cron.d/a.yaml"),
            ("cron.d/a.yaml", "cron.d/a.yaml"),
        ] {
            assert_eq!(as_named(&file, Path::new(path)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_copy_that_kubectl_applied_came_from_no_file() {
        let owned_by = |managers: &[&str]| {
            let entries: Vec<_> = managers
                .iter()
                .map(|manager| {
                    serde_json::json!({ "manager": manager, "fieldsV1": { "f:metadata": { "f:annotations": {
                        "f:punctual.dev/applied-from": {}
                    } } } })
                })
                .collect();
            let object = serde_json::json!({ "metadata": {
                "annotations": { "punctual.dev/applied-from": "/etc/cron.d/a.yaml" }, "managedFields": entries
            } });
            let object: DynamicObject = serde_json::from_value(object).unwrap();
            applied_from(&object).cloned()
        };
        let file = Some("/etc/cron.d/a.yaml".to_owned());
        assert_eq!(owned_by(&[]), file, "what up writes is nobody's");
        assert_eq!(owned_by(&[BEFORE_FIRST_APPLY]), file);
        assert_eq!(owned_by(&["kubectl-client-side-apply"]), None);
        assert_eq!(owned_by(&[BEFORE_FIRST_APPLY, "kubectl"]), None);
    }
}
