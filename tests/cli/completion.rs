//! `punctual completion`, `punctual man`, and the name that kubectl plugins have.

use std::process::Command;

use crate::{exit_code, punctual, text};

#[test]
fn every_shell_has_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = punctual(&["completion", shell]);
        assert_eq!(exit_code(&output), 0);
        let script = text(&output.stdout);
        for command in ["up", "controller", "next", "explain", "--time-zone"] {
            assert!(
                script.contains(command.trim_start_matches('-')),
                "{shell} does not know {command}"
            );
        }
    }
}

#[test]
fn there_is_a_page_for_each_command() {
    for (arguments, title) in [
        (&["man"][..], "punctual"),
        (&["man", "next"], "punctual\\-next"),
        (&["man", "import", "crontab"], "punctual\\-import\\-crontab"),
        (&["man", "import-crontab"], "punctual\\-import\\-crontab"),
    ] {
        let page = text(&punctual(arguments).stdout);
        assert!(page.contains(title) && page.contains(".SH SYNOPSIS"), "{page}");
    }
    let refused = punctual(&["man", "dance"]);
    assert_eq!(exit_code(&refused), 2);
    assert!(text(&refused.stderr).contains("there is no command `dance`"));
}

#[test]
fn as_a_plugin_it_speaks_of_itself_as_kubectl_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path().join("kubectl-punctual");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_punctual"), &plugin).expect("a link");
    let output = Command::new(plugin)
        .args(["next", "--help"])
        .output()
        .expect("it starts");
    assert!(
        text(&output.stdout).contains("Usage: kubectl punctual next"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn every_command_has_an_example() {
    let help = text(&punctual(&["--help"]).stdout);
    assert!(help.contains("\nExamples:\n"), "{help}");
    let commands = help
        .split("Commands:\n")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next());
    let commands = commands.expect("a list of commands").lines();
    let names = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
    {
        let help = text(&punctual(&[name, "--help"]).stdout);
        assert!(
            help.contains("\nExamples:\n") && help.contains("punctual "),
            "{name}: {help}"
        );
    }
}
