//! Which schedules a command is asked about: an expression in a dialect, or those of some manifests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::exit::Failure;
use crate::cli::{complain, diagnostics};
use crate::manifest::{self, DEFAULT_NAMESPACE, Object};
use crate::schedule::{Dialect, Expression, Schedule, Spread, TimeZones, Timestamp, UnknownDialect, Zone};

/// The arguments that say which schedules.
#[derive(Debug, clap::Args)]
pub(super) struct AskedArgs {
    /// A schedule as `spec.schedule` takes it, e.g. '*/5 * * * *'
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: Option<String>,

    /// Read the schedules of the CronJobs in this file or folder (- for standard input)
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The time zone of EXPR
    #[arg(long, value_name = "ZONE", default_value = "UTC", conflicts_with = "file")]
    time_zone: String,

    /// The dialect of EXPR: kubernetes, extended or quartz
    #[arg(long, value_name = "DIALECT", default_value_t, conflicts_with = "file", value_parser = dialect)]
    dialect: Dialect,

    /// The CronJob that EXPR belongs to, by which `H` of the dialect `extended` is spread
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with = "file")]
    name: Option<String>,
}

fn dialect(text: &str) -> Result<Dialect, UnknownDialect> {
    text.parse()
}

/// An instant on the command line.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.to_utc())
        .map_err(|_| "not an instant of RFC 3339; write it like 2026-11-23T12:00:00Z".into())
}

/// A schedule that is asked about.
pub(super) struct Asked {
    /// Namespace and name, when it comes from a manifest.
    pub(super) cronjob: Option<(String, String)>,
    /// The expressions: several where an annotation holds several.
    pub(super) expressions: Vec<Expression>,
    pub(super) schedule: Schedule,
}

impl Asked {
    /// The expressions as they are written, on one line.
    pub(super) fn text(&self) -> String {
        let texts: Vec<&str> = self.expressions.iter().map(Expression::as_str).collect();
        texts.join("; ")
    }
}

impl AskedArgs {
    /// The schedules that are meant.
    ///
    /// # Errors
    ///
    /// When the expression, its zone or the manifest is refused.
    pub(super) fn find(&self, zones: &TimeZones) -> Result<Vec<Asked>, Failure> {
        match (&self.expression, &self.file) {
            (Some(expression), _) => Ok(vec![self.parse(expression, zones)?]),
            (None, Some(file)) => from_file(file, zones),
            (None, None) => Ok(vec![]),
        }
    }

    fn parse(&self, text: &str, zones: &TimeZones) -> Result<Asked, Failure> {
        let spread = self.name.as_deref().map(|name| {
            let (namespace, name) = name.split_once('/').unwrap_or((DEFAULT_NAMESPACE, name));
            Spread::of(namespace, name)
        });
        let expression = Expression::parse_in(text, self.dialect, spread).map_err(|error| {
            let others = error.good_in(self.dialect).into_iter();
            let notes =
                others.map(|dialect| format!("\nnote: it is good in another dialect: `--dialect {dialect}`"));
            Failure::refused(format!("{}{}", error.render(), notes.collect::<String>()))
        })?;
        let name = expression.zone_prefix().unwrap_or(&self.time_zone);
        let zone = if name.is_empty() {
            Ok(Zone::utc())
        } else {
            zones.zone(name)
        };
        let zone = zone.map_err(|error| {
            let help = error
                .help()
                .map(|help| format!("\nhelp: {help}"))
                .unwrap_or_default();
            Failure::refused(format!("{error}{help}"))
        })?;
        Ok(Asked {
            cronjob: None,
            schedule: Schedule::new(&expression, Arc::clone(&zone)),
            expressions: vec![expression],
        })
    }
}

fn from_file(file: &Path, zones: &TimeZones) -> Result<Vec<Asked>, Failure> {
    let loaded = manifest::load(&[file.to_owned()], &mut std::io::stdin(), zones);
    diagnostics::print(&loaded.diagnostics);
    if loaded.has_errors() {
        return Err(Failure::refused(String::new()));
    }
    let asked = loaded.objects.iter().filter_map(|manifest| {
        let Object::CronJob(object) = &manifest.object else {
            return None;
        };
        let cronjob = manifest::lower(object, zones, None);
        Some(Asked {
            expressions: object.expressions().ok()?,
            cronjob: Some((cronjob.key.namespace, cronjob.key.name)),
            schedule: cronjob.spec.schedule.ok()?,
        })
    });
    let asked: Vec<Asked> = asked.collect();
    if asked.is_empty() {
        complain(&format!(
            "there is no CronJob in {}: nothing to list",
            file.display()
        ));
    }
    Ok(asked)
}
