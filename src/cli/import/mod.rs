//! `punctual import`: manifests from what people have.

mod zone;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::cli::exit::{Exit, Failure};
use crate::cli::{complain, say, zoneinfo};
use crate::clock::{Clock as _, SystemClock};
use crate::crontab::{Format, Import};
use crate::manifest::validate::names;
use crate::schedule::TimeZones;
use crate::telemetry::chain;

/// A crontab is not longer than this, in bytes; cron itself takes far less.
const LONGEST_CRONTAB: u64 = 1024 * 1024;

/// Where this machine is described.
const ETC: &str = "/etc";

/// Who is who on this machine.
const ACCOUNTS: &str = "/etc/passwd";

/// Arguments of `punctual import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  crontab -l | punctual import crontab - > cron.yaml")]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    source: SourceKind,
}

/// What manifests are made from.
#[derive(Debug, clap::Subcommand)]
enum SourceKind {
    /// Write the entries of a crontab as CronJobs
    Crontab(CrontabArgs),
}

/// Arguments of `punctual import crontab`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  crontab -l | punctual import crontab - > cron.yaml
  punctual import crontab /etc/crontab --system > system.yaml
  punctual up cron.yaml

What has no equivalent, or runs differently, becomes a comment where it stood, and is listed on standard error. Where an \
entry is left out the exit code is 3, and the others are written all the same.")]
struct CrontabArgs {
    /// The crontab (- for standard input)
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Entries name a user before the command, as in /etc/crontab and /etc/cron.d
    #[arg(long)]
    system: bool,

    /// The zone of entries without `CRON_TZ` [default: this machine's]
    #[arg(long, alias = "tz", value_name = "ZONE")]
    time_zone: Option<String>,

    /// The namespace of the CronJobs
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default", value_parser = namespace)]
    namespace: String,

    /// The image of their containers; a process does not use it, a cluster does
    #[arg(long, value_name = "IMAGE", default_value = "busybox", value_parser = image)]
    image: String,
}

/// Writes manifests to standard output.
///
/// # Errors
///
/// When the source can't be read or the zone is none.
pub(super) fn import(args: &ImportArgs) -> Result<Exit, Failure> {
    match &args.source {
        SourceKind::Crontab(args) => crontab(args),
    }
}

fn crontab(args: &CrontabArgs) -> Result<Exit, Failure> {
    let zones = zoneinfo::load(None)?;
    let time_zone = match &args.time_zone {
        Some(name) => name.clone(),
        None => machine_zone(&zones)?,
    };
    let time_zone = zones
        .zone(&time_zone)
        .map_err(|error| Failure::usage(format!("{}; name another with --time-zone", chain(&error))))?;
    let import = Import {
        format: if args.system { Format::System } else { Format::User },
        time_zone,
        now: SystemClock.now(),
        // Without it, no user is known.
        passwd: std::fs::read_to_string(ACCOUNTS).unwrap_or_default(),
        is_program,
        home: std::env::var("HOME").ok(),
        namespace: args.namespace.clone(),
        image: args.image.clone(),
    };
    let imported = import.read(&text(&args.file)?, &zones);
    say(imported.yaml.trim_end());
    for (line, remark) in &imported.remarks {
        complain(&format!("{}:{line}: {remark}", args.file.display()));
    }
    let file = args.file.display();
    match (imported.cronjobs, imported.left_out) {
        (0, 0) => complain(&format!("{file}: there is no entry in it")),
        (0, _) => return Err(Failure::refused(format!("no entry of {file} became a CronJob"))),
        (_, 0) => {}
        (_, 1) => return Err(Failure::refused(format!("1 entry of {file} was left out"))),
        (_, lost) => {
            return Err(Failure::refused(format!(
                "{lost} entries of {file} were left out"
            )));
        }
    }
    Ok(Exit::Fine)
}

/// An image as a container can have it.
fn image(text: &str) -> Result<String, String> {
    if text.is_empty() || text.trim() != text {
        return Err("an image has a name, with no space before or after it".into());
    }
    Ok(text.to_owned())
}

/// A namespace as the manifests can name it.
fn namespace(text: &str) -> Result<String, String> {
    match &names::dns_label(text)[..] {
        [] => Ok(text.to_owned()),
        wrong => Err(wrong.join("; ")),
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    let read = |source: &mut dyn Read| {
        let mut text = String::new();
        // One byte more than the limit is enough to know that there is more.
        let read = source.take(LONGEST_CRONTAB + 1).read_to_string(&mut text);
        read.map(|_| text)
    };
    let text = if path.as_os_str() == "-" {
        read(&mut io::stdin())
    } else {
        std::fs::File::open(path).and_then(|mut file| read(&mut file))
    };
    let text = text.map_err(|error| {
        Failure::from_error(&format!("the crontab {} can't be read", path.display()), &error)
    })?;
    if text.len() as u64 > LONGEST_CRONTAB {
        let limit = LONGEST_CRONTAB / 1024 / 1024;
        let message = format!(
            "{} is longer than {limit} MiB, which no crontab is; nothing was written",
            path.display()
        );
        return Err(Failure::refused(message));
    }
    Ok(text)
}

/// Whether the shell would find a program of this name.
fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn machine_zone(zones: &TimeZones) -> Result<String, Failure> {
    let found = zone::machine_zone(Path::new(ETC), Path::new(zoneinfo::SYSTEM), &zones.names());
    found.ok_or_else(|| {
        let message = format!(
            "which time zone {ETC}/localtime holds can't be told: it is none of {}; name it with --time-zone",
            zoneinfo::SYSTEM
        );
        Failure::usage(message)
    })
}
