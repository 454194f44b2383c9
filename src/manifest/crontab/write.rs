//! The YAML of one CronJob, with what a reader should know beside it.
//!
//! Strings are written as JSON writes them, which is YAML too and needs no thought about `*`, `%` or `yes`.

use std::fmt;

use super::command::Command;
use super::timing::Timing;
use super::{Import, Surroundings};

/// What a document is made of.
pub(super) struct CronJob<'a> {
    pub(super) name: &'a str,
    pub(super) import: &'a Import,
    pub(super) time_zone: &'a str,
    pub(super) timing: &'a Timing,
    pub(super) command: &'a Command,
    pub(super) user: Option<&'a str>,
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
        for note in &self.timing.notes {
            writeln!(f, "# LOOK TWICE: {note}.")?;
        }
        if let Some(user) = self.user {
            writeln!(
                f,
                "# Ran as the user {user}; here it runs as whoever runs punctual."
            )?;
        }
        writeln!(f, "apiVersion: batch/v1\nkind: CronJob\nmetadata:")?;
        writeln!(f, "  name: {}", text(self.name))?;
        writeln!(f, "  namespace: {}", text(&self.import.namespace))?;
        writeln!(f, "spec:\n  schedule: {}", text(&self.timing.schedule))?;
        writeln!(f, "  timeZone: {}", text(self.time_zone))?;
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
        writeln!(
            f,
            "          containers:\n            - name: {}",
            text(self.name)
        )?;
        writeln!(f, "              image: {}", text(&self.import.image))?;
        let shell = self.around.shell.as_deref().unwrap_or("/bin/sh");
        let script = text(&self.command.script());
        writeln!(f, "              command: [{}, \"-c\", {script}]", text(shell))?;
        if let Some(home) = &self.around.home {
            writeln!(f, "              workingDir: {}", text(home))?;
        }
        if !self.around.env.is_empty() {
            writeln!(f, "              env:")?;
        }
        for (name, value) in &self.around.env {
            // `$(NAME)` is Kubernetes' own expansion, which cron does not do.
            let value = text(&value.replace("$(", "$$("));
            writeln!(f, "                - {{name: {}, value: {value}}}", text(name))?;
        }
        Ok(())
    }
}

/// A text that can stand in a comment.
pub(super) fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}
