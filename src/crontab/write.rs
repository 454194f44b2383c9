//! The YAML of one CronJob, with what a reader should know beside it.
//!
//! Strings are written as JSON writes them, which is YAML too and needs no thought about `*`, `%` or `yes`.

use std::collections::BTreeMap;
use std::fmt;

use super::command::Command;
use super::timing::Timing;
use super::{Account, Import, Surroundings};
use crate::schedule::Zone;

/// What cron does at clock changes. cron(8): jobs "that would have run in the interval that has been skipped will be run
/// immediately", and those of a time that is repeated "are not run a second time".
const AS_CRON_AT_CLOCK_CHANGES: &str = "  annotations:
    # As cron does: what a clock change skips runs after it, what it repeats runs once.
    punctual.dev/clock-gap: RunAfter
    punctual.dev/clock-repeat: First";

/// Where cron looks for programs, unless the crontab says so.
const PATH: &str = "/usr/bin:/bin";

/// The home of those who have none, on Debian.
const NO_HOME: &str = "/nonexistent";

/// What a document is made of.
pub(super) struct CronJob<'a> {
    pub(super) name: &'a str,
    pub(super) import: &'a Import,
    pub(super) time_zone: &'a Zone,
    pub(super) timing: &'a Timing,
    pub(super) command: &'a Command,
    /// Whom it ran as, where it names a user that is known.
    pub(super) user: Option<&'a Account<'a>>,
    /// Where cron starts it.
    pub(super) home: Option<&'a str>,
    /// Where a reader should look twice.
    pub(super) notes: &'a [String],
    pub(super) around: &'a Surroundings,
    pub(super) comments: &'a [&'a str],
}

impl fmt::Display for CronJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &str| serde_json::Value::from(value).to_string();
        writeln!(f, "---")?;
        for comment in self.comments {
            writeln!(f, "# {}", printable(comment))?;
        }
        for note in self.notes {
            writeln!(f, "# LOOK TWICE: {note}.")?;
        }
        writeln!(f, "apiVersion: batch/v1\nkind: CronJob\nmetadata:")?;
        writeln!(f, "  name: {}", text(self.name))?;
        writeln!(f, "  namespace: {}", text(&self.import.namespace))?;
        if self.follows_clock_changes() {
            writeln!(f, "{AS_CRON_AT_CLOCK_CHANGES}")?;
        }
        writeln!(f, "spec:\n  schedule: {}", text(&self.timing.schedule))?;
        writeln!(f, "  timeZone: {}", text(self.time_zone.name()))?;
        writeln!(
            f,
            "  # As cron does: runs may overlap, …\n  concurrencyPolicy: Allow"
        )?;
        writeln!(
            f,
            "  # … what was missed while the machine was off is not made up for, …\n  startingDeadlineSeconds: 60"
        )?;
        writeln!(f, "  jobTemplate:\n    spec:")?;
        writeln!(
            f,
            "      # … and what fails is not tried again.\n      backoffLimit: 0"
        )?;
        writeln!(
            f,
            "      template:\n        spec:\n          restartPolicy: Never"
        )?;
        if let Some(user) = self.user {
            writeln!(f, "          securityContext: {{runAsUser: {}}}", user.id)?;
        }
        writeln!(
            f,
            "          containers:\n            - name: {}",
            text(self.name)
        )?;
        writeln!(f, "              image: {}", text(&self.import.image))?;
        let shell = self.around.shell.as_deref().unwrap_or("/bin/sh");
        let (shell, script) = (text(&literal(shell)), text(&literal(&self.command.script())));
        writeln!(f, "              command: [{shell}, \"-c\", {script}]")?;
        if let Some(home) = self.home.filter(|home| home.starts_with('/') && *home != NO_HOME) {
            writeln!(
                f,
                "              # As cron does, in the home of its user.\n              workingDir: {}",
                text(home)
            )?;
        }
        writeln!(f, "              env:")?;
        for (name, value) in self.env() {
            let value = text(&literal(value));
            writeln!(f, "                - {{name: {}, value: {value}}}", text(name))?;
        }
        Ok(())
    }
}

impl CronJob<'_> {
    /// The variables of the crontab, and those that cron sets. Who names no user finds their own `HOME` and `LOGNAME`.
    fn env(&self) -> BTreeMap<&str, &str> {
        let mut env = BTreeMap::from([("PATH", PATH)]);
        env.extend(self.user.map(|user| ("HOME", user.home)));
        env.extend(
            self.around
                .env
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        // cron takes no other.
        env.extend(self.user.map(|user| ("LOGNAME", user.name)));
        env
    }

    /// Whether Punctual has to be told what cron does at clock changes: where its own rule is another, and there are any.
    fn follows_clock_changes(&self) -> bool {
        self.timing.is_at_fixed_times && self.time_zone.keeps_changing(self.import.now)
    }
}

/// A text that Kubernetes' expansion of `$(NAME)`, which cron does not do, leaves as it is. That takes two dollars for
/// one, and one that stands before another or a parenthesis for something else.
fn literal(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        let after = from.trim_start_matches('$');
        let dollars = &from[..from.len() - after.len()];
        let has_meaning = dollars.len() > 1 || after.starts_with('(');
        written.extend([before, dollars, if has_meaning { dollars } else { "" }]);
        rest = after;
    }
    written + rest
}

/// A text that can stand in a comment.
pub(super) fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}
