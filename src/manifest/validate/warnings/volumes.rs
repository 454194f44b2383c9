//! Volumes: sources that are no more, and files that become the same one.

use k8s_openapi::api::core::v1::{KeyToPath, PodSpec, ProjectedVolumeSource, Volume, VolumeProjection};

use super::Warnings;
use crate::manifest::path::FieldPath;

pub(super) fn check(pod: &PodSpec, path: &FieldPath, warnings: &mut Warnings) {
    for (index, volume) in pod.volumes.iter().flatten().enumerate() {
        let path = path.index(index);
        for (source, is_used, what) in outdated(volume) {
            if is_used {
                warnings.add(&path.child(source), what);
            }
        }
        check_files(volume, warnings);
    }
}

/// Sources that nobody serves any more.
fn outdated(volume: &Volume) -> [(&'static str, bool, &'static str); 9] {
    [
        (
            "photonPersistentDisk",
            volume.photon_persistent_disk.is_some(),
            "deprecated in v1.11, non-functional in v1.16+",
        ),
        (
            "gitRepo",
            volume.git_repo.is_some(),
            "deprecated in v1.11, and disabled by default in v1.33+",
        ),
        (
            "scaleIO",
            volume.scale_io.is_some(),
            "deprecated in v1.16, non-functional in v1.22+",
        ),
        (
            "flocker",
            volume.flocker.is_some(),
            "deprecated in v1.22, non-functional in v1.25+",
        ),
        (
            "storageOS",
            volume.storageos.is_some(),
            "deprecated in v1.22, non-functional in v1.25+",
        ),
        (
            "quobyte",
            volume.quobyte.is_some(),
            "deprecated in v1.22, non-functional in v1.25+",
        ),
        (
            "glusterfs",
            volume.glusterfs.is_some(),
            "deprecated in v1.25, non-functional in v1.26+",
        ),
        (
            "cephfs",
            volume.cephfs.is_some(),
            "deprecated in v1.28, non-functional in v1.31+",
        ),
        (
            "rbd",
            volume.rbd.is_some(),
            "deprecated in v1.28, non-functional in v1.31+",
        ),
    ]
}

/// A file, and the source that it is of where there are several.
type File<'a> = (&'a str, String);

fn check_files(volume: &Volume, warnings: &mut Warnings) {
    let keys = |items: Option<&Vec<KeyToPath>>| -> Vec<String> {
        items
            .into_iter()
            .flatten()
            .map(|item| item.path.clone())
            .collect()
    };
    let (called, files): (String, Vec<String>) = if let Some(map) = &volume.config_map {
        (format!("ConfigMap {:?}", map.name), keys(map.items.as_ref()))
    } else if let Some(secret) = &volume.secret {
        let name = secret.secret_name.as_deref().unwrap_or_default();
        (format!("Secret {name:?}"), keys(secret.items.as_ref()))
    } else if let Some(downward) = &volume.downward_api {
        let files = downward.items.iter().flatten().map(|item| item.path.clone());
        ("DownwardAPI".to_owned(), files.collect())
    } else if let Some(projected) = &volume.projected {
        let sources = projected.sources.as_deref();
        if sources.is_some_and(|sources| {
            sources
                .iter()
                .any(|source| source == &VolumeProjection::default())
        }) {
            warnings.say(format!(
                "volume {:?} (Projected) has no sources provided",
                volume.name
            ));
        }
        overlaps(&volume.name, "Projected", &projected_files(projected), warnings);
        return;
    } else {
        return;
    };
    let files: Vec<File<'_>> = files.iter().map(|file| (file.as_str(), String::new())).collect();
    overlaps(&volume.name, &called, &files, warnings);
}

fn projected_files(projected: &ProjectedVolumeSource) -> Vec<File<'_>> {
    let mut files = Vec::new();
    for source in projected.sources.iter().flatten() {
        if let Some(secret) = &source.secret {
            let called = format!(" (Secret {:?})", secret.name);
            files.extend(
                secret
                    .items
                    .iter()
                    .flatten()
                    .map(|item| (item.path.as_str(), called.clone())),
            );
        }
        if let Some(map) = &source.config_map {
            let called = format!(" (ConfigMap {:?})", map.name);
            files.extend(
                map.items
                    .iter()
                    .flatten()
                    .map(|item| (item.path.as_str(), called.clone())),
            );
        }
        if let Some(downward) = &source.downward_api {
            let called = " (DownwardAPI)".to_owned();
            files.extend(
                downward
                    .items
                    .iter()
                    .flatten()
                    .map(|item| (item.path.as_str(), called.clone())),
            );
        }
        if let Some(token) = &source.service_account_token {
            files.push((token.path.as_str(), " (ServiceAccountToken)".to_owned()));
        }
    }
    files
}

/// Says which files are in the way of others: the same, or a folder of theirs.
fn overlaps(volume: &str, called: &str, files: &[File<'_>], warnings: &mut Warnings) {
    let is_below = |file: &str, folder: &str| {
        file.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    for (index, (file, source)) in files.iter().enumerate() {
        let earlier = files[..index]
            .iter()
            .find(|(earlier, _)| file == earlier || is_below(file, earlier) || is_below(earlier, file));
        if let Some((earlier, other)) = earlier {
            let what = format!("overlapping paths: {file:?}{source} with {earlier:?}{other}");
            warnings.say(format!("volume {volume:?} ({called}): {what}"));
        }
    }
}
