//! What Chromium makes of the HTML pages: that they are drawn, whole, without a request to anybody.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;

/// The browser.
pub(crate) const PROGRAM: &str = "chromium";

/// As many as a page has to be readable with.
const MANY: usize = 5_000;

/// The cases, ignored where there is no browser.
pub(crate) fn trials(is_there: bool) -> Vec<Trial> {
    vec![
        Trial::test("browser::a_forecast_of_thousands", forecast_of_thousands).with_ignored_flag(!is_there),
        Trial::test("browser::a_simulation_marks_what_went_wrong", simulation).with_ignored_flag(!is_there),
    ]
}

fn forecast_of_thousands() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let manifest = folder.path().join("many.yaml");
    std::fs::write(&manifest, manifests(MANY))?;
    let from = ["--from", "2026-11-24T12:00:00Z"];
    let dom = page(
        &folder,
        &[&["forecast", "-f", text(&manifest)?], &from[..]].concat(),
    )?;
    // Every CronJob is in the list, and only those in sight are drawn.
    contains(&dom, "data-drawn=\"5000\"")?;
    contains(&dom, "5,000 CronJobs")?;
    let rows = dom.matches("class=\"row\"").count();
    if !(5..50).contains(&rows) {
        return Err(format!("{rows} rows are drawn").into());
    }
    // The most crowded minute is looked at first.
    contains(
        &dom,
        "Tue 24 Nov 12:00: 5,000 starts, 5,000 running at once. shop/job-0, ",
    )
}

fn simulation() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let shop = "fixtures/forecast/shop.yaml";
    let range = ["--from", "2026-11-24T00:00:00Z", "--run-time", "backup=65m"];
    let dom = page(&folder, &[&["simulate", "-f", shop], &range[..]].concat())?;
    contains(&dom, "data-drawn=\"4\"")?;
    contains(&dom, ">shop/backup</b>")?;
    contains(&dom, "waits for backup-29924640 (concurrencyPolicy: Forbid)")
}

/// The page of a command, after its script has run.
fn page(folder: &TempDir, arguments: &[&str]) -> Result<String, Failed> {
    let made = Command::new(env!("CARGO_BIN_EXE_punctual"))
        .args(arguments)
        .args(["-o", "html"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()?;
    let file = folder.path().join("page.html");
    std::fs::write(&file, made.stdout)?;
    let profile = folder.path().join("profile");
    let shown = Command::new(PROGRAM)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
        ])
        .args([
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,800",
        ])
        .arg(format!("--user-data-dir={}", text(&profile)?))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}", text(&file)?))
        .stdin(Stdio::null())
        .output()?;
    Ok(String::from_utf8(shown.stdout)?)
}

fn contains(dom: &str, expected: &str) -> Result<(), Failed> {
    if dom.contains(expected) {
        return Ok(());
    }
    let shown: String = dom
        .split("<script")
        .next()
        .unwrap_or_default()
        .chars()
        .take(4_000)
        .collect();
    Err(format!("{expected:?} is not in the page:\n{shown}").into())
}

fn text(path: &Path) -> Result<&str, Failed> {
    path.to_str().ok_or_else(|| "a path that is not UTF-8".into())
}

/// So many CronJobs that are due at the same minute.
fn manifests(count: usize) -> String {
    let mut all = String::new();
    for number in 0..count {
        let _ = write!(
            all,
            "---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: job-{number}, namespace: shop}}\n\
             spec:\n  schedule: \"0 * * * *\"\n  jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, \
             containers: [{{name: main, image: busybox, command: [\"true\"]}}]}}}}}}}}\n"
        );
    }
    all
}
