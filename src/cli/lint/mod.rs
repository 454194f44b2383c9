//! `punctual lint`: what is wrong with manifests, and what is likely not meant?

mod github;
mod json;
mod sarif;
mod text;

use std::path::PathBuf;

use crate::cli::exit::{Exit, Failure};
use crate::cli::zoneinfo::TzdataArgs;
use crate::cli::{asked, complain, say};
use crate::clock::{Clock, SystemClock};
use crate::lint::{self, Depth, Options, Rule, find, rules};
use crate::manifest::{NotAVersion, Severity, Version};
use crate::schedule::{Dialect, Timestamp};

/// What `--explain` takes in place of a code.
const EVERY_RULE: &str = "all";

/// Arguments of `punctual lint`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual lint cron.yaml
  helm template my-chart | punctual lint -
  punctual lint -R k8s/ --fail-on warning --ignore P027,P038
  punctual lint k8s/ -o sarif > lint.sarif
  punctual lint --explain P042

Exits with 0, or with 3 when something was found that is as severe as --fail-on says.")]
pub(super) struct LintArgs {
    /// Manifests: files, folders, - for standard input
    #[arg(value_name = "PATH", required_unless_present = "explain")]
    paths: Vec<PathBuf>,

    /// Look into folders within folders, but not into hidden ones
    #[arg(short = 'R', long)]
    recursive: bool,

    /// Show the page of a rule, by its code or name; all lists the rules
    #[arg(long, value_name = "RULE", conflicts_with = "paths")]
    explain: Option<String>,

    /// Rules that are not applied, by code or name, with commas between them
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = rule)]
    ignore: Vec<&'static Rule>,

    /// How to show what was found
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,

    /// Exit with 3 when something as severe as this was found
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    fail_on: FailOn,

    /// The version of Kubernetes that the manifests are for, such as 1.29
    #[arg(long, value_name = "VERSION", default_value_t = Version::KNOWN, value_parser = version)]
    kubernetes_version: Version,

    /// The dialect that schedules are meant in where nothing else says: kubernetes, extended or quartz
    #[arg(long, value_name = "DIALECT", value_parser = asked::dialect)]
    dialect: Option<Dialect>,

    /// Look at schedules from this instant on (RFC 3339) instead of from now
    #[arg(long, value_name = "INSTANT", value_parser = asked::instant)]
    at: Option<Timestamp>,

    #[command(flatten)]
    tzdata: TzdataArgs,
}

/// How `lint` shows what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people: the lines, with carets.
    Text,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, which code-scanning services read.
    Sarif,
    /// Annotations of a GitHub Actions run.
    Github,
}

/// From which severity on a finding fails a lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    /// Kubernetes refuses it, or drops what is written.
    Error,
    /// It is accepted, but likely not what was meant.
    Warning,
    /// It is worth knowing.
    Note,
    /// Nothing does.
    Never,
}

fn rule(word: &str) -> Result<&'static Rule, String> {
    find(word.trim())
        .ok_or_else(|| "there is no such rule; `punctual lint --explain all` lists them".to_owned())
}

fn version(text: &str) -> Result<Version, NotAVersion> {
    text.parse()
}

/// Lints manifests, or explains a rule.
///
/// # Errors
///
/// When there is no such rule, or the output can't be written.
pub(super) fn lint(args: &LintArgs) -> Result<Exit, Failure> {
    if let Some(word) = &args.explain {
        return explain(word);
    }
    let zones = args.tzdata.load()?;
    let options = Options {
        kubernetes: args.kubernetes_version,
        ignore: args.ignore.clone(),
        dialect: args.dialect,
        now: args.at.unwrap_or_else(|| SystemClock.now()),
    };
    let depth = if args.recursive {
        Depth::Recursive
    } else {
        Depth::Flat
    };
    let report = lint::lint(&args.paths, depth, &mut std::io::stdin(), &zones, &options);
    let shown = match args.output {
        Output::Text => text::findings(&report),
        Output::Json => json::report(&report)?,
        Output::Sarif => sarif::log(&report)?,
        Output::Github => github::annotations(&report),
    };
    if !shown.is_empty() {
        say(&shown);
    }
    if matches!(args.output, Output::Text | Output::Github) {
        complain(&text::summary(&report));
    }
    let fails = match args.fail_on {
        FailOn::Error => report.has(Severity::Error),
        FailOn::Warning => report.has(Severity::Warning),
        FailOn::Note => report.has(Severity::Note),
        FailOn::Never => false,
    };
    Ok(if fails { Exit::Refused } else { Exit::Fine })
}

/// Shows the page of a rule, or what rules there are.
fn explain(word: &str) -> Result<Exit, Failure> {
    if word == EVERY_RULE {
        say(&text::list(rules()));
        return Ok(Exit::Fine);
    }
    let found = rule(word).map_err(|error| Failure::usage(format!("{word}: {error}")))?;
    say(&text::page(found));
    Ok(Exit::Fine)
}
