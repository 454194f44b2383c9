//! What volumes hold, how they lie on disk, and where containers see them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use k8s_openapi::api::core::v1::{Container, Pod};
use rustix::io::Errno;
use serde_json::{Value, json};

use super::content::{Content, Contents};
use super::*;
use crate::standalone::data_dir::DataDir;
use crate::standalone::runtime::variables::sources::Sources;

fn pod(volumes: &Value) -> Pod {
    let labels = json!({"app": "report", "tier": "back"});
    serde_json::from_value(json!({
        "metadata": {"name": "report-1", "namespace": "shop", "uid": "u-1", "labels": labels},
        "spec": {
            "containers": [{"name": "main", "resources": {"limits": {"memory": "64Mi"}}}],
            "volumes": volumes,
        },
    }))
    .unwrap()
}

fn sources() -> Sources {
    let mut sources = Sources::default();
    let look = json!({"data": {"colour": "blue", "size": "9"}, "binaryData": {"icon": "/wA="}});
    sources.add_config_map("look", serde_json::from_value(look).unwrap());
    let door = json!({"data": {"key": "b3Blbg=="}});
    sources.add_secret("door", serde_json::from_value(door).unwrap());
    sources
}

/// What is seen under a folder: mode, path, and what files hold.
fn tree(folder: &Path) -> String {
    let mut text = String::new();
    let mut waiting = vec![folder.to_owned()];
    let mut lines = Vec::new();
    while let Some(folder_now) = waiting.pop() {
        for entry in fs::read_dir(folder_now).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().as_bytes().starts_with(b"..") {
                continue;
            }
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                lines.push((format!("{name}/"), mode, String::new()));
                waiting.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                lines.push((name, mode, format!("{:?}", String::from_utf8_lossy(&bytes))));
            }
        }
    }
    lines.sort();
    for (name, mode, held) in lines {
        writeln!(text, "{}", format!("{mode:o} {name} {held}").trim_end()).unwrap();
    }
    text
}

fn stored(volumes: &Value) -> String {
    let data = DataDir::ephemeral().unwrap();
    let dir = data.pod("u-1");
    match contents(&pod(volumes), &sources()).and_then(|contents| store(&contents, &dir, None)) {
        Ok(()) => tree(dir.path()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_kind_on_disk() {
    let volumes = json!([
        {"name": "scratch", "emptyDir": {}},
        {"name": "look", "configMap": {"name": "look"}},
        {"name": "some", "configMap": {
            "name": "look", "defaultMode": 0o440,
            "items": [{"key": "colour", "path": "etc/colour.txt"}, {"key": "size", "path": "size", "mode": 0o700}],
        }},
        {"name": "door", "secret": {"secretName": "door", "defaultMode": 0o400}},
        {"name": "absent", "secret": {"secretName": "absent", "optional": true}},
        {"name": "me", "downwardAPI": {"items": [
            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
            {"path": "mem", "resourceFieldRef": {"containerName": "main", "resource": "limits.memory", "divisor": "1Mi"}},
        ]}},
        {"name": "all", "projected": {"defaultMode": 0o600, "sources": [
            {"configMap": {"name": "look", "items": [{"key": "size", "path": "size"}]}},
            {"secret": {"name": "door"}},
            {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        ]}},
    ]);
    insta::assert_snapshot!(stored(&volumes), @r#"
        700 volumes/
        755 volumes/absent/
        755 volumes/all/
        600 volumes/all/key "open"
        600 volumes/all/name "report-1"
        600 volumes/all/size "9"
        755 volumes/door/
        400 volumes/door/key "open"
        755 volumes/look/
        644 volumes/look/colour "blue"
        644 volumes/look/icon "�\0"
        644 volumes/look/size "9"
        755 volumes/me/
        644 volumes/me/labels "app=\"report\"\ntier=\"back\""
        644 volumes/me/mem "64"
        777 volumes/scratch/
        755 volumes/some/
        755 volumes/some/etc/
        440 volumes/some/etc/colour.txt "blue"
        700 volumes/some/size "9"
        "#);
}

#[test]
fn what_cannot_be_had_says_so() {
    let secret = |extra: Value| {
        let mut secret = json!({"secretName": "door"});
        secret
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        stored(&json!([{"name": "door", "secret": secret}]))
    };
    insta::assert_snapshot!(secret(json!({"secretName": "safe"})), @r#"volume "door" is made from secret "safe", which does not exist; create it, or mark the volume `optional: true`"#);
    insta::assert_snapshot!(secret(json!({"items": [{"key": "no", "path": "no"}]})), @r#"volume "door" takes key "no" from secret "door", which has no such key; add the key, or mark the volume `optional: true`"#);
    insta::assert_snapshot!(secret(json!({"items": [{"key": "key", "path": "../../key"}]})), @r#"volume "door" has a file "../../key"; the paths of `items` must be relative and without `..`"#);
    insta::assert_snapshot!(secret(json!({"items": [{"key": "key", "path": "..data/key"}]})), @r#"volume "door" has a file "..data/key"; the paths of `items` must be relative and without `..`"#);
    insta::assert_snapshot!(secret(json!({"items": [{"key": "key", "path": "/etc/passwd"}]})), @r#"volume "door" has a file "/etc/passwd"; the paths of `items` must be relative and without `..`"#);
    let claim = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    insta::assert_snapshot!(stored(&claim), @r#"volume "data" is of a kind that is not to be had here: `persistentVolumeClaim`; name a folder of this machine by `hostPath`, where it may be mounted, or take an `emptyDir` for what need not be kept"#);
    let token =
        json!([{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]);
    insta::assert_snapshot!(stored(&token), @r#"volume "t" is of a kind that is not to be had here: `projected.sources.serviceAccountToken`; take it out"#);
    let host = json!([{"name": "h", "hostPath": {"path": "/nowhere/at/all", "type": "Directory"}}]);
    insta::assert_snapshot!(stored(&host), @r#"volume "h" wants /nowhere/at/all of this machine to be a folder; create it, or change `hostPath.type`"#);
}

#[test]
fn what_a_disk_refuses_says_what_to_do() {
    let told = [Errno::NOSPC, Errno::IO, Errno::NAMETOOLONG].map(|errno| {
        let error = VolumeError::io("scratch", "/data/volumes/scratch")(errno.into());
        crate::telemetry::chain(&error)
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    volume "scratch" could not be made at /data/volumes/scratch (the disk is full: make room): No space left on device (os error 28)
    volume "scratch" could not be made at /data/volumes/scratch (the disk fails, in a way that `dmesg` shows: copy what can be read of it to another one): Input/output error (os error 5)
    volume "scratch" could not be made at /data/volumes/scratch: File name too long (os error 36)
    "#);
}

#[test]
fn what_a_container_wrote_outlives_a_second_start() {
    let data = DataDir::ephemeral().unwrap();
    let dir = data.pod("u-1");
    let volumes =
        json!([{"name": "scratch", "emptyDir": {}}, {"name": "look", "configMap": {"name": "look"}}]);
    let contents = contents(&pod(&volumes), &sources()).unwrap();
    store(&contents, &dir, None).unwrap();
    let written = dir.volume("scratch").join("half-done");
    fs::write(&written, "42").unwrap();
    store(&contents, &dir, None).unwrap();
    assert_eq!(fs::read_to_string(written).unwrap(), "42");
}

/// A config map of these files, as a volume.
fn look(data: &Value) -> Contents {
    let mut sources = Sources::default();
    sources.add_config_map("look", serde_json::from_value(json!({"data": data})).unwrap());
    let items: Vec<Value> = data
        .as_object()
        .unwrap()
        .keys()
        .map(|key| json!({"key": key, "path": key.replace('-', "/")}))
        .collect();
    let volumes = json!([{"name": "look", "configMap": {"name": "look", "items": items}}]);
    contents(&pod(&volumes), &sources).unwrap()
}

#[test]
fn a_later_start_finds_all_of_a_config_map_new_and_a_process_never_some_of_it() {
    let data = DataDir::ephemeral().unwrap();
    let dir = data.pod("u-1");
    let volume = dir.volume("look");
    let versions = [
        json!({"colour": "blue", "size": "9", "etc-a": "1"}),
        json!({"colour": "red", "shape": "round", "etc-b": "2"}),
        json!({"colour": "red", "etc": "a file now"}),
    ];
    let mut seen = Vec::new();
    for version in &versions {
        let contents = look(version);
        store(&contents, &dir, None).unwrap();
        let before = fs::read_link(volume.join("..data")).unwrap();
        store(&contents, &dir, None).unwrap();
        let after = fs::read_link(volume.join("..data")).unwrap();
        assert_eq!(before, after, "what has not changed is left alone");
        let own = fs::read_dir(&volume)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().as_bytes().starts_with(b".."));
        assert_eq!(own.count(), 2, "one version is kept, and the link to it");
        seen.push(tree(&volume));
    }
    insta::assert_snapshot!(seen.join("\n"), @r#"
    644 colour "blue"
    755 etc/
    644 etc/a "1"
    644 size "9"

    644 colour "red"
    755 etc/
    644 etc/b "2"
    644 shape "round"

    644 colour "red"
    644 etc "a file now"
    "#);
}

#[test]
fn what_a_crash_or_an_earlier_punctual_has_left_is_in_nobodys_way() {
    let data = DataDir::ephemeral().unwrap();
    let dir = data.pod("u-1");
    let volume = dir.volume("look");
    // An earlier one has put the files there themselves.
    fs::create_dir_all(volume.join("etc")).unwrap();
    for file in ["etc/a", "colour", "of-a-process"] {
        fs::write(volume.join(file), "old").unwrap();
    }
    // This one was killed in the midst of a version.
    fs::create_dir(volume.join("..1")).unwrap();
    fs::write(volume.join("..1/colour"), "ha").unwrap();
    fs::set_permissions(volume.join("..1/colour"), fs::Permissions::from_mode(0o400)).unwrap();
    std::os::unix::fs::symlink("..1", volume.join("..next")).unwrap();
    store(&look(&json!({"colour": "blue", "etc-a": "1"})), &dir, None).unwrap();
    insta::assert_snapshot!(tree(&volume), @r#"
    644 colour "blue"
    755 etc/
    644 etc/a "1"
    644 of-a-process "old"
    "#);
    let mut own: Vec<_> = fs::read_dir(&volume)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    own.sort();
    assert_eq!(own, ["..1", "..data", "colour", "etc", "of-a-process"]);
}

/// Another container of the pod may be looking through the link when the files are replaced.
#[test]
fn what_is_mounted_in_a_folder_of_a_config_map_stays_there_in_its_next_version() {
    let data = DataDir::ephemeral().unwrap();
    let dir = data.pod("u-1");
    let contents = [
        json!({"etc-a": "1"}),
        json!({"etc-a": "1"}),
        json!({"etc-a": "2"}),
    ]
    .map(|data| look(&data));
    store(&contents[0], &dir, None).unwrap();
    let mount = json!([{"name": "look", "mountPath": "/app"}]);
    let container = serde_json::from_value(json!({"name": "main", "volumeMounts": mount})).unwrap();
    let app = &binds(&container, &contents[0], &dir, &BTreeMap::new()).unwrap()[0];
    let folder = app.reach(Path::new("etc/x")).unwrap();
    folder.link("y".as_ref(), Path::new("/elsewhere")).unwrap();
    for contents in contents {
        store(&contents, &dir, None).unwrap();
        let link = fs::read_link(dir.volume("look").join("etc/x/y"));
        assert_eq!(link.unwrap(), Path::new("/elsewhere"));
    }
}

/// They are read-only when an engine comes to it.
#[test]
fn folders_to_mount_in_are_there_in_a_volume_of_files() {
    let data = DataDir::ephemeral().unwrap();
    let dir = data.pod("u-1");
    let mut contents = look(&json!({"etc-a": "1"}));
    contents.insert("scratch".to_owned(), Content::Empty);
    store(&contents, &dir, None).unwrap();
    let container = json!({"name": "main", "volumeMounts": [
        {"name": "scratch", "mountPath": "app/etc/x"},
        {"name": "scratch", "mountPath": "/app/etc/x/own"},
        {"name": "look", "mountPath": "/app"},
        {"name": "scratch", "mountPath": "/app/top"},
    ]});
    let container = serde_json::from_value(container).unwrap();
    let binds = binds(&container, &contents, &dir, &BTreeMap::new()).unwrap();
    make_mount_points(&binds).unwrap();
    insta::assert_snapshot!(tree(&dir.volumes()), @r#"
    755 look/
    755 look/etc/
    644 look/etc/a "1"
    755 look/etc/x/
    755 look/top/
    777 scratch/
    "#);
}

/// Another container of the pod has written to what is read-only in this one.
#[test]
fn what_is_in_the_way_of_a_folder_to_mount_in_is_named() {
    let data = DataDir::ephemeral().unwrap();
    let dir = data.pod("u-1");
    let contents = [("scratch", Content::Empty), ("shared", Content::Empty)];
    let contents = contents.map(|(name, content)| (name.to_owned(), content)).into();
    store(&contents, &dir, None).unwrap();
    std::os::unix::fs::symlink("/etc", dir.volume("shared").join("link")).unwrap();
    fs::write(dir.volume("shared").join("file"), "").unwrap();
    let refused = |inside: &str| {
        let container = json!({"name": "main", "volumeMounts": [
            {"name": "shared", "mountPath": "/app", "readOnly": true},
            {"name": "scratch", "mountPath": format!("/app/{inside}")},
        ]});
        let container = serde_json::from_value(container).unwrap();
        let binds = binds(&container, &contents, &dir, &BTreeMap::new()).unwrap();
        make_mount_points(&binds).unwrap_err().to_string()
    };
    let told = ["link/x", "link", "file/x"].map(refused);
    insta::assert_snapshot!(told.join("\n"), @r"
    mount path /app/link/x: a link is in the way, which something that runs in the pod has put there; mount it at another path
    mount path /app/link: a link is in the way, which something that runs in the pod has put there; mount it at another path
    mount path /app/file/x: the volume around it has something else there; mount it at another path
    ");
}

#[test]
fn a_sub_path_that_leads_out_is_refused() {
    let data = DataDir::ephemeral().unwrap();
    let dir = data.pod("u-1");
    let pod = pod(&json!([{"name": "scratch", "emptyDir": {}}]));
    let contents = contents(&pod, &sources()).unwrap();
    store(&contents, &dir, None).unwrap();
    let settled = |sub_path: &str| {
        let mount = json!({"name": "scratch", "mountPath": "/data", "subPath": sub_path});
        let container = serde_json::from_value(json!({"name": "main", "volumeMounts": [mount]})).unwrap();
        settle(
            &binds(&container, &contents, &dir, &[].into()).unwrap()[0],
            "main",
        )
    };
    settled("a/b").unwrap();
    assert!(dir.volume("scratch").join("a/b").is_dir());
    std::os::unix::fs::symlink("/etc", dir.volume("scratch").join("link")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), dir.volume("scratch").join("out")).unwrap();
    std::os::unix::fs::symlink("a", dir.volume("scratch").join("inner")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.volume("scratch").join("loose")).unwrap();
    settled("inner/c").unwrap();
    assert!(dir.volume("scratch").join("a/c").is_dir());
    for planted in ["link", "out", "out/made", "loose", "loose/made"] {
        let refused = settled(planted);
        assert!(
            matches!(refused, Err(VolumeError::BadSubPath { .. })),
            "{planted}: {refused:?}"
        );
    }
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_group_is_given_the_volume_and_nothing_that_links_in_it_lead_to() {
    let place = tempfile::tempdir().unwrap();
    let at = |path: &str| place.path().join(path);
    fs::create_dir_all(at("volume/sub")).unwrap();
    for file in ["volume/sub/own", "foreign"] {
        fs::write(at(file), "").unwrap();
        fs::set_permissions(at(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    std::os::unix::fs::symlink(at("foreign"), at("volume/link")).unwrap();
    let ours = rustix::process::getgid().as_raw();
    ownership::give(&at("volume"), ours, false).unwrap();
    let mode = |path| fs::metadata(at(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("volume/sub/own"), 0o660);
    assert_eq!(mode("foreign"), 0o600);
    assert_eq!(mode("volume/sub") & 0o2770, 0o2770);
}

#[test]
fn hostile_keys_stay_inside() {
    let mut hostile = Sources::default();
    let data = json!({"data": {"../../evil": "1"}});
    hostile.add_config_map("look", serde_json::from_value(data).unwrap());
    let pod = pod(&json!([{"name": "look", "configMap": {"name": "look"}}]));
    assert!(matches!(
        contents(&pod, &hostile),
        Err(VolumeError::BadPath { .. })
    ));
}

fn bound(mount: &Value) -> String {
    let pod = pod(&json!([
        {"name": "scratch", "emptyDir": {}},
        {"name": "look", "configMap": {"name": "look"}},
        {"name": "logs", "hostPath": {"path": "/var/log"}},
    ]));
    let container: Container =
        serde_json::from_value(json!({"name": "main", "volumeMounts": [mount]})).unwrap();
    let contents = contents(&pod, &sources()).unwrap();
    let variables = [("POD".to_owned(), "report-1".to_owned())].into();
    let data = DataDir::ephemeral().unwrap();
    match binds(&container, &contents, &data.pod("u-1"), &variables) {
        Ok(binds) => {
            let bind = &binds[0];
            let mode = if bind.read_only { "ro" } else { "rw" };
            let made = if bind.made_in.is_some() {
                ", made when missing"
            } else {
                ""
            };
            let source = bind.source.display().to_string();
            let source = source.replace(&data.path().display().to_string(), "");
            format!("{source} at {} {mode}{made}", bind.target)
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn mounts() {
    let scratch = |extra: Value| {
        let mut mount = json!({"name": "scratch", "mountPath": "/data"});
        mount
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        bound(&mount)
    };
    let told = [
        scratch(json!({})),
        scratch(json!({"readOnly": true})),
        scratch(json!({"mountPath": "relative/path"})),
        scratch(json!({"subPath": "a/b"})),
        scratch(json!({"subPathExpr": "of/$(POD)"})),
        scratch(json!({"subPath": "../other"})),
        scratch(json!({"subPath": "/etc"})),
        bound(&json!({"name": "look", "mountPath": "/etc/colour", "subPath": "colour"})),
        bound(&json!({"name": "logs", "mountPath": "/logs"})),
        bound(&json!({"name": "none", "mountPath": "/none"})),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
        /pods/u-1/volumes/scratch at /data rw
        /pods/u-1/volumes/scratch at /data ro
        /pods/u-1/volumes/scratch at /relative/path rw
        /pods/u-1/volumes/scratch/a/b at /data rw, made when missing
        /pods/u-1/volumes/scratch/of/report-1 at /data rw, made when missing
        container "main" mounts "../other" of volume "scratch"; a `subPath` must stay inside its volume
        container "main" mounts "/etc" of volume "scratch"; a `subPath` must stay inside its volume
        /pods/u-1/volumes/look/colour at /etc/colour ro
        /var/log at /logs rw
        container "main" mounts volume "none", which the pod does not have; add it to `volumes`
        "#);
}
