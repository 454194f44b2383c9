//! The house rules that a compiler does not check: imports run one way, the core is pure, files stay readable.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts, each of which may use only those before it.
const PARTS: [&str; 14] = [
    "fnv",
    "schedule",
    "cronjob",
    "policy",
    "clock",
    "manifest",
    "lint",
    "crontab",
    "foresight",
    "telemetry",
    "submit",
    "controller",
    "standalone",
    "cli",
];

/// The parts that are values in, values out.
const CORE: [&str; 4] = ["fnv", "schedule", "cronjob", "policy"];

/// What the core must not name: I/O, async, Kubernetes' types, and every way to learn the time.
const NOT_IN_CORE: [&str; 14] = [
    "tokio",
    "kube",
    "k8s_openapi",
    "axum",
    "tracing",
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "SystemTime",
    "now()",
];

/// The only file that reads the machine's clock.
const CLOCK: &str = "src/clock.rs";

#[test]
fn imports_run_one_way() {
    let mut offences = vec![];
    for (part, path, text) in sources() {
        let allowed = &PARTS[..=position(&part)];
        for (number, line) in code_lines(&text) {
            for used in crate_paths(line) {
                if PARTS.contains(&used) && !allowed.contains(&used) {
                    offences.push(format!("{}:{number}: `{part}` uses `{used}`", path.display()));
                }
            }
        }
    }
    assert!(
        offences.is_empty(),
        "imports against the order {PARTS:?}:\n{}",
        offences.join("\n")
    );
}

#[test]
fn the_core_is_pure() {
    let mut offences = vec![];
    for (part, path, text) in sources() {
        if !CORE.contains(&part.as_str()) || path.ends_with("tests.rs") {
            continue;
        }
        for (number, line) in code_lines(&text) {
            for word in NOT_IN_CORE.into_iter().filter(|word| names(line, word)) {
                offences.push(format!("{}:{number}: the core names `{word}`", path.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn one_file_reads_the_clock() {
    let mut offences = vec![];
    for (_, path, text) in sources() {
        for (number, line) in code_lines(&text) {
            let reads = line.contains("SystemTime::now")
                || line.contains("Utc::now")
                || line.contains("Timestamp::now");
            if reads && !path.ends_with(CLOCK) {
                offences.push(format!(
                    "{}:{number}: the time is an argument, or comes from a `Clock`",
                    path.display()
                ));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (_, path, text) in sources() {
        assert!(
            text.starts_with("//! "),
            "{} does not begin with a `//!` line",
            path.display()
        );
    }
}

/// What differs from Kubernetes' CronJob controller is listed in the README, and marked where it is made.
#[test]
fn every_difference_is_listed_and_marked() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    let listed: BTreeSet<&str> = readme.lines().filter_map(listed_difference).collect();
    let texts: Vec<String> = sources().map(|(_, _, text)| text).collect();
    let marked: BTreeSet<&str> = texts.iter().flat_map(|text| marked_differences(text)).collect();
    assert_eq!(
        listed, marked,
        "left: listed in the README, right: marked in the code"
    );
}

/// The checks above see what they are meant to see.
#[test]
fn the_checks_can_fail() {
    assert_eq!(
        crate_paths("use crate::policy::decide;").collect::<Vec<_>>(),
        ["policy"]
    );
    assert_eq!(
        crate_paths("use crate::{cli, policy::Note};").collect::<Vec<_>>(),
        ["cli", "policy"]
    );
    assert_eq!(
        crate_paths("fn f(x: crate::submit::JobView) {}").collect::<Vec<_>>(),
        ["submit"]
    );
    assert!(names("let t = kube::Client::new();", "kube"));
    assert!(names("let t = clock.now();", "now()"));
    assert!(!names("// a kubernetes word", "kube") && !names("let kubernetes = 1;", "kube"));
    assert_eq!(listed_difference("| D7 | a | b |"), Some("D7"));
    assert_eq!(listed_difference("| DUE | IN |"), None);
    assert_eq!(
        marked_differences("// DIFFERENCE (D2): a\n/// DIFFERENCE (D11): b").collect::<Vec<_>>(),
        ["D2", "D11"]
    );
    assert_eq!(code_lines("use a;\n// crate::cli\n/// crate::cli\n").count(), 1);
}

/// Every source file under `src/` that belongs to a part: the part, the path and the text.
fn sources() -> impl Iterator<Item = (String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![];
    collect(&root.join("src"), &mut files);
    files.into_iter().filter_map(move |path| {
        let below = path.strip_prefix(root.join("src")).ok()?.to_path_buf();
        let first = below
            .components()
            .next()?
            .as_os_str()
            .to_str()?
            .trim_end_matches(".rs")
            .to_owned();
        let text = fs::read_to_string(&path).expect("a source file");
        PARTS.contains(&first.as_str()).then_some((first, path, text))
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn position(part: &str) -> usize {
    PARTS
        .iter()
        .position(|known| *known == part)
        .expect("a known part")
}

/// The lines that are not comments, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The difference that a row of the README's table is about: `| D7 | …`.
fn listed_difference(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("| ")?.split_once(" |")?;
    let number = name.strip_prefix('D')?;
    number.parse::<u8>().ok().map(|_| name)
}

/// The differences that a text marks: `DIFFERENCE (D7)`.
fn marked_differences(text: &str) -> impl Iterator<Item = &str> {
    let marks = text.split("DIFFERENCE (").skip(1);
    marks.filter_map(|rest| rest.split_once(')').map(|(name, _)| name))
}

/// The parts that `crate::…` paths of a line lead to, `crate::{…}` lists included.
fn crate_paths(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).flat_map(|rest| {
        let list = rest.strip_prefix('{').map(|list| list.split(','));
        let single = list.is_none().then_some(rest);
        list.into_iter().flatten().chain(single).map(|path| {
            let path = path.trim();
            let end = path
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(path.len());
            &path[..end]
        })
    })
}

/// Whether a line names `word` as a whole path, not as part of a longer word or in a comment at its end.
fn names(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let after = code[start + word.len()..].chars().next();
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !joins(before) && !joins(after)
    })
}
