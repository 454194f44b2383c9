//! Tells the program which commit it is made of, where that is known: `PUNCTUAL_COMMIT`, or else git's.
//!
//! Only for a release: otherwise each commit would compile everything anew.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=PUNCTUAL_COMMIT");
    println!("cargo:rerun-if-changed=build.rs");
    let named = std::env::var("PUNCTUAL_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if let Some(commit) = named.or_else(|| is_release.then(of_git).flatten()) {
        println!("cargo:rustc-env=PUNCTUAL_COMMIT={commit}");
    }
}

/// The commit that is checked out, if this is a clone.
fn of_git() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let head = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo:rerun-if-changed={head}");
    git(&["rev-parse", "--short=12", "HEAD"])
}
