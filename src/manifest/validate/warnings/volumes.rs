//! Volumes: sources that are no more, and files that become the same one.

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, KeyToPath, PodSpec, ProjectedVolumeSource, Volume, VolumeProjection,
};

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

/// A file, and in brackets the source that it is of where there are several.
type File<'a> = (&'a str, String);

fn check_files(volume: &Volume, warnings: &mut Warnings) {
    let (called, files): (_, Vec<&str>) = if let Some(map) = &volume.config_map {
        (of_map(&map.name), of_keys(map.items.as_ref()))
    } else if let Some(secret) = &volume.secret {
        let name = secret.secret_name.as_deref().unwrap_or_default();
        (of_secret(name), of_keys(secret.items.as_ref()))
    } else if let Some(downward) = &volume.downward_api {
        (OF_FIELDS.to_owned(), of_fields(downward.items.as_ref()))
    } else if let Some(projected) = &volume.projected {
        return check_projected(&volume.name, projected, warnings);
    } else {
        return;
    };
    let files: Vec<File<'_>> = files.into_iter().map(|file| (file, String::new())).collect();
    overlaps(&volume.name, &called, &files, warnings);
}

fn check_projected(volume: &str, projected: &ProjectedVolumeSource, warnings: &mut Warnings) {
    let sources = projected.sources.as_deref().unwrap_or_default();
    if sources.contains(&VolumeProjection::default()) {
        warnings.say(format!("volume {volume:?} (Projected) has no sources provided"));
    }
    let mut all: Vec<File<'_>> = Vec::new();
    for source in sources {
        let (called, files) = if let Some(secret) = &source.secret {
            (of_secret(&secret.name), of_keys(secret.items.as_ref()))
        } else if let Some(map) = &source.config_map {
            (of_map(&map.name), of_keys(map.items.as_ref()))
        } else if let Some(downward) = &source.downward_api {
            (OF_FIELDS.to_owned(), of_fields(downward.items.as_ref()))
        } else if let Some(token) = &source.service_account_token {
            ("ServiceAccountToken".to_owned(), vec![token.path.as_str()])
        } else {
            continue;
        };
        all.extend(files.into_iter().map(|file| (file, format!(" ({called})"))));
    }
    overlaps(volume, "Projected", &all, warnings);
}

const OF_FIELDS: &str = "DownwardAPI";

fn of_map(name: &str) -> String {
    format!("ConfigMap {name:?}")
}

fn of_secret(name: &str) -> String {
    format!("Secret {name:?}")
}

fn of_keys(items: Option<&Vec<KeyToPath>>) -> Vec<&str> {
    items
        .into_iter()
        .flatten()
        .map(|item| item.path.as_str())
        .collect()
}

fn of_fields(items: Option<&Vec<DownwardAPIVolumeFile>>) -> Vec<&str> {
    items
        .into_iter()
        .flatten()
        .map(|item| item.path.as_str())
        .collect()
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
