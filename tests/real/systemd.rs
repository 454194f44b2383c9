//! The unit that is offered for systemd.

use std::process::Command;

pub(crate) const PROGRAM: &str = "systemd-analyze";

/// systemd understands every line of it, and finds the program.
pub(crate) fn the_unit_is_valid() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/punctual.service");
    let unit = std::fs::read_to_string(unit).expect("the unit");
    let installed = "ExecStart=/usr/local/bin/punctual up ";
    assert!(unit.contains(installed), "{unit}");
    let ours = format!("ExecStart={} up ", env!("CARGO_BIN_EXE_punctual"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("punctual.service");
    std::fs::write(&path, unit.replace(installed, &ours)).expect("a file");
    let verified = Command::new(PROGRAM).arg("verify").arg(&path).output();
    let verified = verified.expect("it can be started");
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{said}");
}
