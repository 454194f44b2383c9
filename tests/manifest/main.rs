//! Manifests as people write them: what is loaded from the good ones, and what is said of the broken ones.
//!
//! Every file of `fixtures/broken` has one mistake, or one family of them; what punctual says of it is a snapshot
//! beside this file. `INSTA_UPDATE=always cargo test --test manifest` writes them anew; read what was written.

use std::io;
use std::path::{Path, PathBuf};

use punctual::manifest::{Diagnostic, Loaded, Object, Paint, load, load_bytes, render_all};
use punctual::schedule::TimeZones;

mod robust;

fn load_path(path: impl Into<PathBuf>) -> Loaded {
    load(&[path.into()], &mut io::empty(), &TimeZones::built_in())
}

fn load_text(text: &str) -> Loaded {
    load_bytes([("cron.yaml", text.as_bytes())], &TimeZones::built_in())
}

fn render(loaded: &Loaded) -> String {
    render_all(&loaded.diagnostics, Paint::Plain)
}

/// The files of a folder of fixtures, sorted.
fn fixtures(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Path::new("fixtures")
        .join(folder)
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_broken_manifest_is_explained() {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        for file in fixtures("broken") {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let loaded = load_path(&file);
            assert!(!loaded.diagnostics.is_empty(), "nothing is said of {name}");
            insta::assert_snapshot!(name, render(&loaded));
        }
    });
}

#[test]
fn every_good_manifest_is_loaded_without_a_word() {
    for file in fixtures("good") {
        let loaded = load_path(&file);
        assert!(loaded.diagnostics.is_empty(), "{}", render(&loaded));
        assert!(
            !loaded.objects.is_empty(),
            "nothing was loaded from {}",
            file.display()
        );
    }
}
