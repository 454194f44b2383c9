//! A script and its output.

use std::path::{Path, PathBuf};
use std::{env, fs};

use libtest_mimic::{Failed, Trial};

use crate::language::{Line, Script};
use crate::simulated;
use crate::world::{Runtime, World};

/// Writes the outputs anew instead of comparing them.
const UPDATE: &str = "UPDATE_SCRIPTS";

/// One test for each script.
pub(crate) fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/cases");
    let mut scripts: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of the scripts")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "script"))
        .collect();
    scripts.sort();
    let trial = |path: PathBuf| Trial::test(stem(&path), move || check(&path));
    let simulated = scripts.clone().into_iter().filter_map(simulated::trial);
    simulated.chain(scripts.into_iter().map(trial)).collect()
}

pub(crate) fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn check(path: &Path) -> Result<(), Failed> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let script = Script::parse(&file, &fs::read_to_string(path)?)?;
    let output = play(&script)?;
    let expected_at = path.with_extension("out");
    if env::var_os(UPDATE).is_some() {
        fs::write(&expected_at, output)?;
        return Ok(());
    }
    let expected = fs::read_to_string(&expected_at).unwrap_or_default();
    if output == expected {
        return Ok(());
    }
    let change = difference(&expected, &output);
    Err(format!("{file} ends differently; {UPDATE}=1 accepts it:\n{change}").into())
}

/// What happens in a script.
fn play(script: &Script) -> Result<String, Failed> {
    let begin = script.begin().ok_or("a script begins with `at` and an instant")?;
    let output = Runtime::new().run(|idle| async move {
        let mut world = World::new(begin, idle).await;
        for line in &script.lines {
            match line {
                Line::Comment(comment) => world.remark(comment),
                Line::Command(command) => world.perform(command).await,
            }
        }
        world.show_end().await;
        world.output()
    });
    Ok(output)
}

/// The first place at which two texts differ, with a little of what is around it.
pub(crate) fn difference(expected: &str, found: &str) -> String {
    let same = expected
        .lines()
        .zip(found.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let marked = |text: &str, mark: char, from: usize, count: usize| -> Vec<String> {
        text.lines()
            .skip(from)
            .take(count)
            .map(|line| format!("{mark} {line}"))
            .collect()
    };
    let mut lines = marked(found, ' ', same.saturating_sub(3), same.min(3));
    lines.extend(marked(expected, '-', same, 8));
    lines.extend(marked(found, '+', same, 8));
    lines.join("\n")
}
