//! Which schedules a command is asked about: an expression in a dialect, or those of some manifests.
//!
//! Both become a CronJob as policy sees it, so that whatever a CronJob can say is known to every command.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::calendars::CalendarArgs;
use crate::cli::exit::{Exit, Failure};
use crate::cli::zoneinfo::TzdataArgs;
use crate::cli::{complain, diagnostics, say};
use crate::cronjob::{self, BadSchedule, Calendars, Key};
use crate::manifest::validate::schedule::{ZONE_NAMED, instead_of_naming};
use crate::manifest::{self, CronJob, DEFAULT_NAMESPACE, Object};
use crate::schedule::{Dialect, Expression, Schedule, Spread, TimeZones, Timestamp, UnknownDialect, Zone};
use crate::telemetry::chain;

/// What the CronJob of an expression is called where it is not said.
const UNNAMED: &str = "cronjob";

/// How many words are taken for a schedule with a mistake in it. No dialect has more than seven fields, and a time zone;
/// what is much longer are the names of files.
const MOST_WORDS: usize = 16;

/// How many of too many words are shown.
const SHOWN_WORDS: usize = 6;

/// The arguments that say which schedules.
#[derive(Debug, clap::Args)]
pub(super) struct AskedArgs {
    /// A schedule as `spec.schedule` takes it, e.g. '*/5 * * * *'
    #[arg(value_name = "EXPR", allow_hyphen_values = true, value_parser = no_option)]
    expression: Option<String>,

    /// What a shell makes of an expression that is not quoted
    #[arg(hide = true, requires = "expression")]
    more: Vec<String>,

    /// Read the CronJobs in this file or folder (- for standard input); may be given several times
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The time zone of EXPR
    #[arg(
        long,
        alias = "tz",
        value_name = "ZONE",
        default_value = "UTC",
        conflicts_with = "files"
    )]
    time_zone: String,

    /// The dialect of EXPR: kubernetes, extended or quartz
    #[arg(long, value_name = "DIALECT", default_value_t, conflicts_with = "files", value_parser = dialect)]
    dialect: Dialect,

    /// The CronJob that EXPR belongs to, by which `H` of the dialect `extended` is spread
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with = "files")]
    name: Option<String>,

    #[command(flatten)]
    calendars: CalendarArgs,
}

/// The arguments that say how to answer about schedules.
#[derive(Debug, clap::Args)]
pub(super) struct AnswerArgs {
    /// Look at what comes after this instant (RFC 3339) instead of after now
    #[arg(long, visible_alias = "after", value_name = "INSTANT", value_parser = instant)]
    pub(super) at: Option<Timestamp>,

    /// How to show it
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,

    #[command(flatten)]
    pub(super) tzdata: TzdataArgs,
}

impl AnswerArgs {
    /// Says what there is to say about each schedule: a JSON object a line, or texts with a blank line between them.
    pub(super) fn say_each(
        &self,
        found: &Found,
        json: impl Fn(&Asked) -> Result<String, Failure>,
        text: impl Fn(&Asked) -> String,
    ) -> Result<Exit, Failure> {
        for (index, asked) in found.asked.iter().enumerate() {
            match self.output {
                Output::Json => say(&json(asked)?),
                Output::Text => {
                    let gap = if index > 0 { "\n" } else { "" };
                    say(&format!("{gap}{}", text(asked)));
                }
            }
        }
        Ok(found.exit())
    }
}

/// How to show what there is to say about schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    /// For people, with wall-clock times and their offsets
    #[value(alias = "table")]
    Text,
    /// One JSON object for each schedule, with instants in UTC
    Json,
}

/// An expression on the command line. It may begin with a hyphen, as a mistake, but not as an option does that there is not.
fn no_option(text: &str) -> Result<String, &'static str> {
    if text.starts_with("--") {
        return Err("there is no such option here");
    }
    Ok(text.to_owned())
}

/// A dialect on the command line.
pub(super) fn dialect(text: &str) -> Result<Dialect, UnknownDialect> {
    text.parse()
}

/// An instant on the command line.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.to_utc())
        .map_err(|_| "not an instant of RFC 3339; write it like 2026-11-23T12:00:00Z".into())
}

/// A zone on the command line.
pub(super) fn zone(name: &str, zones: &TimeZones) -> Result<Arc<Zone>, Failure> {
    if name.is_empty() {
        return Ok(Zone::utc());
    }
    zones.zone(name).map_err(|error| {
        let help = error
            .help()
            .map(|help| format!("\nhelp: {help}"))
            .unwrap_or_default();
        Failure::refused(format!("{error}{help}"))
    })
}

/// The schedules that are meant, as far as they can be used.
#[derive(Default)]
pub(super) struct Found {
    pub(super) asked: Vec<Asked>,
    /// How many CronJobs are left out, each of which was told.
    left_out: usize,
}

impl Found {
    /// How a command ends that has done what it could with them.
    pub(super) fn exit(&self) -> Exit {
        if self.left_out > 0 {
            Exit::Refused
        } else {
            Exit::Fine
        }
    }
}

/// A CronJob whose schedule is asked about.
pub(super) struct Asked {
    /// Whether it is one of a manifest or of a cluster; else it was made for an expression.
    pub(super) is_named: bool,
    /// As it was written.
    pub(super) object: CronJob,
    /// As policy sees it.
    pub(super) cronjob: cronjob::CronJob,
    /// The expressions: several where an annotation holds several.
    pub(super) expressions: Vec<Expression>,
    /// All of them in their zone.
    pub(super) schedule: Schedule,
}

impl Asked {
    /// What is asked about a CronJob of a manifest or of a cluster; or, in a line, why its schedule can't be used.
    pub(super) fn of(object: CronJob, zones: &TimeZones, calendars: &Calendars) -> Result<Asked, String> {
        let cronjob = manifest::lower_with(&object, zones, calendars, None);
        let schedule = cronjob.spec.schedule.clone().map_err(|error| match error {
            // It names the annotation itself.
            BadSchedule::Annotation { source, .. } => source.to_string(),
            other => chain(&other),
        })?;
        Ok(Asked {
            is_named: true,
            expressions: object.expressions().map_err(|error| chain(&error))?,
            object,
            cronjob,
            schedule,
        })
    }

    /// Namespace and name, where they mean something.
    pub(super) fn name(&self) -> Option<&Key> {
        self.is_named.then_some(&self.cronjob.key)
    }

    /// Whether it is suspended, and still will be at `end`.
    pub(super) fn is_suspended_until(&self, end: Timestamp) -> bool {
        self.cronjob.is_suspended(end)
    }

    /// The expressions as they are written, on one line.
    pub(super) fn text(&self) -> String {
        let texts: Vec<&str> = self.expressions.iter().map(Expression::as_str).collect();
        texts.join("; ")
    }

    /// The expressions as one sentence, without a full stop.
    pub(super) fn said(&self) -> String {
        let mut said = self.expressions.iter().map(Expression::describe);
        let first = said.next().unwrap_or_default();
        said.fold(first, |text, next| {
            let mut letters = next.chars();
            let begin = letters.next().map(|letter| letter.to_lowercase().to_string());
            format!("{text}; and {}{}", begin.unwrap_or_default(), letters.as_str())
        })
    }

    /// The same with the zone where that is not UTC, for a place where zones stand side by side.
    pub(super) fn said_with_zone(&self) -> String {
        let zone = self.schedule.zone();
        match zone.name() {
            "UTC" => self.said(),
            name => format!("{}, {name}", self.said()),
        }
    }
}

impl AskedArgs {
    /// The schedules that are meant.
    ///
    /// # Errors
    ///
    /// When the expression, its zone or the manifest is refused.
    pub(super) fn find(&self, zones: &TimeZones) -> Result<Found, Failure> {
        match &self.expression {
            Some(expression) if !self.more.is_empty() => {
                Err(unquoted([expression].into_iter().chain(&self.more)))
            }
            Some(expression) if expression.split_whitespace().nth(MOST_WORDS).is_some() => {
                Err(unquoted(expression.split_whitespace()))
            }
            Some(expression) => Ok(Found {
                asked: vec![self.parse(expression, zones)?],
                left_out: 0,
            }),
            None if self.files.is_empty() => Ok(Found::default()),
            None => from_files(&self.files, zones, &self.calendars),
        }
    }

    fn parse(&self, text: &str, zones: &TimeZones) -> Result<Asked, Failure> {
        let name = self.name.as_deref();
        let (namespace, name) = name.map_or((DEFAULT_NAMESPACE, UNNAMED), |name| {
            name.split_once('/').unwrap_or((DEFAULT_NAMESPACE, name))
        });
        let spread = self.name.is_some().then(|| Spread::of(namespace, name));
        let expression = Expression::parse_in(text, self.dialect, spread).map_err(|error| {
            let notes = error.good_in(self.dialect).into_iter().map(|dialect| {
                let caution = if dialect == Dialect::Quartz {
                    ", where Sunday is 1"
                } else {
                    ""
                };
                format!("\nnote: it is good in another dialect: `--dialect {dialect}`{caution}")
            });
            let is_file = !text.contains(char::is_whitespace) && Path::new(text).exists();
            let file = if is_file {
                format!("\nnote: there is a file of this name; to read it, write `-f {text}`")
            } else {
                String::new()
            };
            Failure::refused(format!("{}{}{file}", error.render(), notes.collect::<String>()))
        })?;
        // It is read all the same, as Kubernetes reads that of a CronJob which has it from before.
        if let Some(zone) = expression.zone_prefix() {
            complain(&format!("note: {ZONE_NAMED}\nhelp: {}", instead_of_naming(zone)));
        }
        let zone = zone(expression.zone_prefix().unwrap_or(&self.time_zone), zones)?;
        let object = self.object(namespace, name, text);
        let mut cronjob = manifest::lower(&object, zones, None);
        let schedule = Schedule::new(&expression, zone);
        cronjob.spec.schedule = Ok(schedule.clone());
        Ok(Asked {
            is_named: false,
            object,
            cronjob,
            expressions: vec![expression],
            schedule,
        })
    }

    /// The CronJob that an expression would be written in. Whatever is wrong with it was told before.
    fn object(&self, namespace: &str, name: &str, schedule: &str) -> CronJob {
        let mut object = json!({
            "metadata": { "namespace": namespace, "name": name },
            "spec": { "schedule": schedule, "timeZone": self.time_zone, "jobTemplate": Value::Null },
        });
        if self.dialect != Dialect::Kubernetes {
            object["metadata"]["annotations"] = json!({
                "punctual.dev/schedules": schedule,
                "punctual.dev/dialect": self.dialect.name(),
            });
        }
        serde_json::from_str(&object.to_string()).unwrap_or_default()
    }
}

/// An expression came as many words.
fn unquoted<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Failure {
    let words: Vec<S> = words.into_iter().collect();
    let shown: Vec<&str> = words.iter().take(SHOWN_WORDS).map(AsRef::as_ref).collect();
    let more = if words.len() > SHOWN_WORDS { " …" } else { "" };
    Failure::usage(format!(
        "the schedule came as {} words ({}{more}): a shell splits what is not quoted, and puts the names of files in the place \
         of each *\nhelp: put the schedule in single quotes, e.g. '*/5 * * * *'",
        words.len(),
        shown.join(" "),
    ))
}

/// The CronJobs of some manifests, with the calendars among them. Whatever there is to say about them is said; that there
/// are none, too.
///
/// # Errors
///
/// When a manifest is refused.
pub(super) fn from_files(
    files: &[PathBuf],
    zones: &TimeZones,
    calendars: &CalendarArgs,
) -> Result<Found, Failure> {
    let mut loaded = manifest::load(files, &mut std::io::stdin(), zones);
    loaded.diagnostics.extend(manifest::passed_over(files));
    diagnostics::print(&loaded.diagnostics);
    if loaded.has_errors() {
        return Err(Failure::refused(String::new()));
    }
    let calendars = calendars.among(&loaded);
    let cronjobs = loaded
        .objects
        .into_iter()
        .filter_map(|manifest| match manifest.object {
            Object::CronJob(object) => Some(*object),
            Object::Job(_) => None,
        });
    let cronjobs: Vec<CronJob> = cronjobs.collect();
    if cronjobs.is_empty() {
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        complain(&format!("there is no CronJob in {}", files.join(", ")));
    }
    Ok(usable(cronjobs, zones, &calendars))
}

/// The CronJobs that run by what they say. Of the others it is said why they do not.
pub(super) fn usable(cronjobs: Vec<CronJob>, zones: &TimeZones, calendars: &Calendars) -> Found {
    let given = cronjobs.len();
    let asked = cronjobs.into_iter().filter_map(|object| {
        let key = object.key();
        let asked = Asked::of(object, zones, calendars);
        asked
            .map_err(|problem| complain(&format!("warning: {key} is left out: {problem}")))
            .ok()
    });
    let asked: Vec<Asked> = asked.collect();
    Found {
        left_out: given - asked.len(),
        asked,
    }
}
