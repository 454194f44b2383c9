//! Folders that are taken, and folders that are refused.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use insta::assert_snapshot;
use tempfile::TempDir;

use super::access::{Seen, Verdict, judge};
use super::*;

/// A user who is not us.
const NOBODY: u32 = 65_534;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o7777
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

#[test]
fn the_default_follows_the_environment() {
    let with = |state: Option<&str>, home: Option<&str>| {
        let variable = |name: &str| match name {
            "XDG_STATE_HOME" => state.map(PathBuf::from),
            "HOME" => home.map(PathBuf::from),
            _ => None,
        };
        default_path(variable).map(|path| path.display().to_string())
    };
    assert_eq!(with(Some("/state"), Some("/home/a")).unwrap(), "/state/punctual");
    assert_eq!(
        with(None, Some("/home/a")).unwrap(),
        "/home/a/.local/state/punctual"
    );
    assert_eq!(
        with(Some("relative"), Some("/home/a")).unwrap(),
        "/home/a/.local/state/punctual"
    );
    assert_snapshot!(with(Some(""), None).unwrap_err(), @"there is no home folder to keep data in: set HOME, or name a folder with --data-dir");
}

#[test]
fn a_new_folder_is_private_from_the_start() {
    let above = folder();
    let path = above.path().join("state/punctual");
    let data = DataDir::open(&path).unwrap();
    assert_eq!((mode(&path), mode(&above.path().join("state"))), (0o700, 0o700));
    assert_eq!(mode(&path.join("lock")), 0o600);
    assert!(!data.is_ephemeral());
    assert_eq!(data.kubeconfig(), path.join("kubeconfig"));
}

#[test]
fn a_folder_is_used_by_one_at_a_time_and_by_the_next_one_afterwards() {
    let folder = folder();
    let first = DataDir::open(folder.path()).unwrap();
    let clone = first.clone();
    drop(first);
    let error = DataDir::open(folder.path()).unwrap_err();
    assert!(
        matches!(&error, DataDirError::InUse { pid: Some(pid), .. } if *pid == std::process::id()),
        "{error:?}"
    );
    drop(clone);
    DataDir::open(folder.path()).expect("it is free again");
}

#[test]
fn an_ephemeral_folder_goes_with_its_last_user() {
    let data = DataDir::ephemeral().unwrap();
    let path = data.path().to_owned();
    assert_eq!(mode(&path), 0o700);
    let clone = data.clone();
    fs::create_dir_all(data.pod("uid").path()).unwrap();
    drop(data);
    assert!(path.is_dir());
    drop(clone);
    assert!(!path.exists());
}

#[test]
fn an_ephemeral_folder_that_was_left_goes_with_the_next() {
    let temporary = folder();
    let make = |name: &str, minutes: u64, is_locked: bool| {
        let path = temporary.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("token"), "secret").unwrap();
        if is_locked {
            fs::write(path.join("lock"), "1").unwrap();
        }
        let folder = fs::File::open(&path).unwrap();
        let made = folder.metadata().unwrap().modified().unwrap();
        folder.set_modified(made - Duration::from_mins(minutes)).unwrap();
        path
    };
    let left = make("punctual-5df6c345-cf27-4a77-a065-3e6ea40176f1", 5, true);
    let used = make("punctual-5df6c345-cf27-4a77-a065-3e6ea40176f2", 5, true);
    let _held = Lock::take(&used).unwrap();
    let kept = [
        used,
        make("punctual-5df6c345-cf27-4a77-a065-3e6ea40176f3", 0, true),
        make("punctual-5df6c345-cf27-4a77-a065-3e6ea40176f4", 5, false),
        make("punctual-notes", 5, true),
        make("5df6c345-cf27-4a77-a065-3e6ea40176f5", 5, true),
    ];
    leftovers::remove(temporary.path());
    assert!(!left.exists());
    for path in kept {
        assert!(path.join("token").exists(), "{}", path.display());
    }
}

/// The token goes all the same, and by its lock the next start knows it.
#[test]
fn what_cannot_be_removed_of_an_ephemeral_folder_is_left_with_its_lock() {
    let temporary = folder();
    let path = temporary.path().join("data");
    let pods = path.join("pods");
    fs::create_dir_all(&pods).unwrap();
    for file in ["lock", "token", "pods/log"] {
        fs::write(path.join(file), "").unwrap();
    }
    let is_root = rustix::process::geteuid().is_root();
    for folder in [temporary.path(), &path, &pods].into_iter().filter(|_| is_root) {
        std::os::unix::fs::chown(folder, Some(NOBODY), None).unwrap();
    }
    fs::set_permissions(&pods, Permissions::from_mode(0o500)).unwrap();
    let remove = {
        let path = path.clone();
        move || {
            // Permissions hold everybody back but root. This is of the thread alone.
            if is_root {
                let nobody = rustix::thread::Uid::from_raw(NOBODY);
                rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            leftovers::remove_whole(&path)
        }
    };
    let removed = std::thread::spawn(remove).join().unwrap();
    fs::set_permissions(&pods, Permissions::from_mode(0o700)).unwrap();
    assert!(removed.is_err());
    assert_eq!(
        ["lock", "token"].map(|file| path.join(file).exists()),
        [true, false]
    );
    assert!(leftovers::remove_whole(&path).is_ok() && !path.exists());
}

#[test]
fn a_folder_that_was_made_for_us_becomes_private() {
    let folder = folder();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let data = DataDir::open(folder.path()).unwrap();
    assert_eq!(mode(folder.path()), 0o700, "it was empty");
    drop(data);
    fs::write(folder.path().join("more"), "").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o750)).unwrap();
    DataDir::open(folder.path()).expect("we have used it before");
    assert_eq!(mode(folder.path()), 0o700);
}

#[test]
fn a_folder_of_other_things_is_not_closed_to_others() {
    let folder = folder();
    fs::write(folder.path().join("index.html"), "").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let error = DataDir::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, DataDirError::Readable { mode: 0o755, .. }),
        "{error:?}"
    );
    assert_eq!(mode(folder.path()), 0o755);
}

#[test]
fn a_folder_in_a_place_that_everybody_can_write_to_is_refused() {
    let above = folder();
    fs::set_permissions(above.path(), Permissions::from_mode(0o777)).unwrap();
    let error = DataDir::open(&above.path().join("data")).unwrap_err();
    assert!(matches!(error, DataDirError::Replaceable { .. }), "{error:?}");
    fs::set_permissions(above.path(), Permissions::from_mode(0o1777)).unwrap();
    DataDir::open(&above.path().join("data")).expect("the sticky bit keeps it in its place");
}

#[test]
fn a_file_is_not_a_folder() {
    let above = folder();
    let path = above.path().join("file");
    fs::write(&path, "").unwrap();
    for path in [path.clone(), path.join("below")] {
        let error = DataDir::open(&path).unwrap_err();
        assert!(matches!(error, DataDirError::NotAFolder { .. }), "{error:?}");
    }
}

#[test]
fn who_may_get_at_a_folder_decides() {
    let judged = |owner, mode, is_for_us| {
        let seen = Seen {
            owner,
            mode,
            is_for_us,
        };
        judge(Path::new("/data"), seen, 1000)
    };
    assert_eq!(judged(1000, 0o700, false).unwrap(), Verdict::Use);
    assert_eq!(judged(1000, 0o500, false).unwrap(), Verdict::Use);
    assert_eq!(judged(1000, 0o755, true).unwrap(), Verdict::MakePrivate);
    assert_eq!(judged(1000, 0o2750, true).unwrap(), Verdict::MakePrivate);
    for refused in [
        judged(1001, 0o700, true),
        judged(1000, 0o720, true),
        judged(1000, 0o702, true),
    ] {
        refused.unwrap_err();
    }
}

/// Every refusal, as it is read.
#[test]
fn refusals_say_what_to_do() {
    let path = || PathBuf::from("/srv/data");
    let full = io::Error::from(io::ErrorKind::StorageFull);
    let read_only = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
    let refusals = [
        DataDirError::InUse {
            path: path(),
            pid: Some(4711),
        },
        DataDirError::InUse {
            path: path(),
            pid: None,
        },
        DataDirError::NotAFolder { path: path() },
        DataDirError::NotOurs {
            path: path(),
            owner: 0,
            user: 1000,
        },
        DataDirError::Writable {
            path: path(),
            mode: 0o775,
        },
        DataDirError::Readable {
            path: path(),
            mode: 0o755,
        },
        DataDirError::Replaceable {
            path: path(),
            parent: "/srv".into(),
            mode: 0o777,
        },
        DataDirError::io("written", &path(), full),
        DataDirError::make(&path(), read_only),
    ];
    let told: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_file_is_replaced_in_one_step_and_private() {
    let folder = folder();
    let path = folder.path().join("token");
    write_private(&path, b"first").unwrap();
    // What a crash half-way has left behind is no hindrance.
    fs::write(folder.path().join("token.new"), "cut o").unwrap();
    write_private(&path, b"second").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_old_one() {
    let folder = folder();
    let path = folder.path().join("taken");
    fs::create_dir_all(path.join("full")).unwrap();
    write_private(&path, b"text").unwrap_err();
    assert!(path.is_dir());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "and no draft");
}

/// A backup that was put back, or a token that was written by hand, has the mode that the umask gives it.
#[test]
fn what_lies_in_the_folder_is_private_before_others_can_pass() {
    let above = folder();
    fs::set_permissions(above.path(), Permissions::from_mode(0o755)).unwrap();
    let data = DataDir::open(&above.path().join("data")).unwrap();
    let pod = data.pod("uid");
    create_private(&pod.volume("cache")).unwrap();
    fs::set_permissions(pod.volumes(), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(pod.volume("cache"), Permissions::from_mode(0o777)).unwrap();
    fs::create_dir(data.pki()).unwrap();
    let files = [data.token(), data.database(), pod.log("main", 0)];
    let open_all = || {
        for file in &files {
            fs::write(file, "secret").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        }
        fs::set_permissions(data.pki(), Permissions::from_mode(0o755)).unwrap();
    };
    let modes = || {
        let private = files.iter().map(|file| mode(file)).chain([mode(&data.pki())]);
        private.collect::<Vec<_>>()
    };
    open_all();
    data.let_pass(&pod, "main").unwrap();
    assert_eq!(modes(), [0o600, 0o600, 0o600, 0o700]);
    let passable = [data.path(), &data.pods(), pod.path(), &pod.volumes()];
    assert_eq!(passable.map(mode), [0o711; 4]);
    assert_eq!(mode(&pod.volume("cache")), 0o777);

    open_all();
    let path = data.path().to_owned();
    drop(data);
    let again = DataDir::open(&path).unwrap();
    assert_eq!((mode(&again.token()), mode(&again.pki())), (0o600, 0o700));
}
