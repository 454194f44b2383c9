//! A real Podman, with a service, a store and an image of the test's own (Debian: `podman runc busybox-static`).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The image: a static busybox whose entrypoint is `/bin/echo entry`.
pub(crate) const IMAGE: &str = "localhost/punctual-test:1";

/// Its socket.
const SOCKET: &str = "podman.sock";

/// `podman system service` on a socket of its own; it ends with the test, however that ends.
pub(crate) struct Podman {
    service: Child,
    folder: TempDir,
}

impl Podman {
    /// Starts the service, and makes the image.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        configure(folder.path());
        let service = serve(folder.path());
        let podman = Self { service, folder };
        podman.import();
        podman.listens().await;
        podman
    }

    /// Ends the service; containers go on.
    pub(crate) fn halt(&mut self) {
        // Before that: whoever looks for it in between would be told something else.
        fs::remove_file(self.folder.path().join(SOCKET)).unwrap();
        self.service.kill().unwrap();
        self.service.wait().unwrap();
    }

    /// Starts the service again.
    pub(crate) async fn resume(&mut self) {
        self.service = serve(self.folder.path());
        self.listens().await;
    }

    async fn listens(&self) {
        for _ in 0..200 {
            if self.folder.path().join(SOCKET).exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes the image: a static busybox, an entrypoint, a command, a variable.
    fn import(&self) {
        let root = self.folder.path().join("image");
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::create_dir_all(root.join("tmp")).unwrap();
        fs::copy(busybox(), root.join("bin/busybox")).unwrap();
        for applet in ["sh", "echo", "cat", "id", "sleep", "tr"] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        let tar = Command::new("tar")
            .arg("-C")
            .arg(&root)
            .args(["-c", "."])
            .output()
            .unwrap();
        let mut import = command(self.folder.path())
            .args([
                "import",
                "--quiet",
                "--change",
                "ENTRYPOINT [\"/bin/echo\",\"entry\"]",
            ])
            .args([
                "--change",
                "CMD [\"of-image\"]",
                "--change",
                "ENV COLOUR=blue",
                "-",
                IMAGE,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        import.stdin.take().unwrap().write_all(&tar.stdout).unwrap();
        assert!(import.wait().unwrap().success());
    }

    /// Where its service listens.
    pub(crate) fn socket(&self) -> String {
        address(self.folder.path())
    }

    /// How many containers there are, running or ended.
    pub(crate) fn count(&self) -> usize {
        let listed = command(self.folder.path())
            .args(["ps", "--all", "--quiet"])
            .output()
            .unwrap();
        String::from_utf8(listed.stdout).unwrap().lines().count()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _removed = command(self.folder.path())
            .args(["rm", "--all", "--force", "--time", "0"])
            .output();
        let _ended = self.service.kill();
        let _its_end = self.service.wait();
    }
}

/// Starts a service.
fn serve(folder: &Path) -> Child {
    command(folder)
        .args(["system", "service", "--time", "0", &address(folder)])
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn address(folder: &Path) -> String {
    format!("unix://{}", folder.join(SOCKET).display())
}

/// Settles how Podman runs in a folder.
pub(crate) fn configure(folder: &Path) {
    // Limits below the hard ones, and no systemd: so it runs on small machines with cgroup v1.
    let config = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n\
                  [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n";
    fs::write(folder.join("containers.conf"), config).unwrap();
}

/// Podman with everything of its own in a folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new("podman");
    command
        // Where the kernel kills for memory, a file `oom` appears in the folder that podman was started in.
        .current_dir(folder)
        .env("CONTAINERS_CONF", folder.join("containers.conf"))
        .env_remove("DOCKER_HOST");
    for (option, name) in [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp")] {
        command.arg(option).arg(folder.join(name));
    }
    command.args(["--storage-driver", "vfs"]);
    command
}

fn busybox() -> PathBuf {
    let places = ["/bin/busybox", "/usr/bin/busybox"];
    places
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.exists())
        .expect("busybox-static")
}
