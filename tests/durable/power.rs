//! The power fails: what was not forced to the disk is gone. The disk is a file system in a file, which only root can
//! mount; a copy of the file at any moment is what a power failure would leave, for what the kernel still holds is not in
//! it. For `STRESS_SECONDS` where that is set.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::kills::{duration, seed};
use crate::machine::Place;
use crate::writes::Writes;

/// How long it runs between two failures, in milliseconds.
const LIFE_MS: u64 = 3_000;

/// A disk that is mounted, for as long as this lives.
struct Disk {
    folder: TempDir,
    image: PathBuf,
}

impl Disk {
    /// An empty one.
    fn make() -> Option<Disk> {
        let folder = TempDir::new().ok()?;
        let image = folder.path().join("image-0");
        let file = std::fs::File::create(&image).ok()?;
        file.set_len(64 * 1024 * 1024).ok()?;
        let made = Command::new("mkfs.ext4").arg("-q").arg(&image).output().ok()?;
        let disk = Disk { folder, image };
        std::fs::create_dir(disk.path()).ok()?;
        (made.status.success() && disk.mount()).then_some(disk)
    }

    /// Where it is mounted.
    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn mount(&self) -> bool {
        // The kernel is in no hurry to write what nobody has forced to the disk.
        let mounted = Command::new("mount")
            .args(["-t", "ext4", "-o", "loop,commit=300"])
            .args([&self.image, &self.path()])
            .output();
        mounted.is_ok_and(|mounted| mounted.status.success())
    }

    fn unmount(&self) {
        let _not_mounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }

    /// Goes on with what is in the file at this moment; `ended` ends who still uses the disk.
    fn fail(&mut self, number: usize, ended: impl FnOnce()) {
        let image = self.folder.path().join(format!("image-{number}"));
        std::fs::copy(&self.image, &image).expect("room for a copy");
        ended();
        self.unmount();
        let _still_in_use = std::fs::remove_file(std::mem::replace(&mut self.image, image));
        assert!(self.mount(), "what a power failure leaves can be mounted");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// Whether such a disk can be made here.
pub(crate) fn disk_can_be_made() -> bool {
    Disk::make().is_some()
}

pub(crate) async fn what_was_acknowledged_outlives_a_power_failure() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut disk = Disk::make().expect("the case is ignored where it can't be made");
    let place = Place::with_data_in(disk.path().join("data"));
    place.manifest(
        "{apiVersion: batch/v1, kind: CronJob, metadata: {name: tick}, spec: {schedule: '@every 1s', \
         jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [\
         {name: main, image: none, command: ['true']}]}}}}}}",
    );
    let mut writes = Writes::new(&mut random);
    let end = Instant::now() + duration();
    let mut failures = 0;
    while Instant::now() < end {
        let up = place.up_soon();
        let time = Duration::from_millis(random.u64(..LIFE_MS));
        let _failed = tokio::time::timeout(time, writes.go_on(&up)).await;
        up.signal("STOP");
        failures += 1;
        disk.fail(failures, || up.kill());
        if is_begun(place.data()) {
            let up = place.up().await;
            writes.check(up.client().await.expect("a client")).await;
            up.kill();
        }
    }
    println!(
        "seed {seed}: the power failed {failures} times; {} writes acknowledged",
        writes.acknowledged()
    );
}

/// Whether the first start came as far as a database.
fn is_begun(data: &Path) -> bool {
    data.join("punctual.db").exists()
}
