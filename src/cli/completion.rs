//! `punctual completion` and `punctual man`: what shells and manual pages know of the command line, made from the
//! same definition that parses it.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::cli::exit::{Exit, Failure};
use crate::cli::say;

/// Arguments of `punctual completion`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  source <(punctual completion bash)\n  \
                        punctual completion zsh > \"${fpath[1]}/_punctual\"\n  \
                        punctual completion fish > ~/.config/fish/completions/punctual.fish")]
pub(super) struct CompletionArgs {
    /// The shell
    shell: Shell,
}

/// Arguments of `punctual man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  punctual man | man -l -\n  punctual man next > punctual-next.1")]
pub(super) struct ManArgs {
    /// The command whose page is wanted, such as `next` or `import crontab`; that of punctual itself if none is named
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints a completion script.
///
/// # Errors
///
/// When it is not text, which would be a mistake in the generator.
pub(super) fn completion(args: &CompletionArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "punctual", &mut script);
    print(script)
}

/// Prints a manual page, in roff.
///
/// # Errors
///
/// When there is no such command.
pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let mut root = Cli::command();
    root.build();
    let pages = pages(&root);
    let asked = args.command.join("-");
    let Some((_, command)) = pages.iter().find(|(name, _)| name.join("-") == asked) else {
        let names: Vec<String> = pages.iter().skip(1).map(|(name, _)| name.join(" ")).collect();
        return Err(Failure::usage(format!(
            "there is no command `{}`; there are {}",
            args.command.join(" "),
            names.join(", ")
        )));
    };
    let mut page = Vec::new();
    clap_mangen::Man::new((*command).clone())
        .render(&mut page)
        .map_err(|error: io::Error| Failure::from_error("the page could not be written", &error))?;
    print(page)
}

/// Every command that has a page, by its words: that of all of them, and those within each.
fn pages(command: &clap::Command) -> Vec<(Vec<&str>, &clap::Command)> {
    let mut all = vec![(vec![], command)];
    for within in command
        .get_subcommands()
        .filter(|within| within.get_name() != "help")
    {
        let named = pages(within)
            .into_iter()
            .map(|(name, command)| ([&[within.get_name()], &name[..]].concat(), command));
        all.extend(named);
    }
    all
}

fn print(bytes: Vec<u8>) -> Result<Exit, Failure> {
    let text =
        String::from_utf8(bytes).map_err(|error| Failure::from_error("the output is not text", &error))?;
    say(text.trim_end());
    Ok(Exit::Fine)
}
