//! Crontabs to manifests: what `punctual import crontab` writes.
//!
//! A crontab says more than its five fields: variables, a time zone, text for standard input after a `%`, and what cron
//! does without being asked (runs overlap, nothing is tried again, nothing is caught up on). All of that is written into
//! the manifest; what has no equivalent becomes a comment where it stood, so that nothing is lost without a word.
//!
//! The rules are crontab(5)'s, as Vixie cron and cronie have them.
//!
//! | file | one idea |
//! |---|---|
//! | `line` | what a line is: a comment, a variable, an entry |
//! | `timing` | cron's five fields in Kubernetes' dialect |
//! | `command` | the shell command, and what `%` means in it |
//! | `write` | the YAML |

mod command;
mod line;
mod timing;
mod write;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use command::Command;
use line::{Entry, Line};
use timing::Timing;

/// The two formats of a crontab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `crontab -e`: five fields and a command.
    User,
    /// `/etc/crontab` and `/etc/cron.d`: five fields, a user, and a command.
    System,
}

/// How the manifests are to be.
#[derive(Debug, Clone)]
pub struct Import {
    /// The format of the crontab.
    pub format: Format,
    /// The zone of the machine that the crontab comes from, where the crontab names none.
    pub time_zone: String,
    /// The namespace of the CronJobs.
    pub namespace: String,
    /// The image of their containers; for a process it is not used, but a manifest must name one.
    pub image: String,
}

/// A crontab as manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The manifests, with comments.
    pub yaml: String,
    /// How many CronJobs there are.
    pub cronjobs: usize,
    /// The lines, counted from 1, that could not be carried over, and why. They are comments in the text, too.
    pub left_out: Vec<(usize, String)>,
}

/// What holds from a line on.
#[derive(Debug, Clone, Default)]
struct Surroundings {
    time_zone: Option<String>,
    shell: Option<String>,
    home: Option<String>,
    env: BTreeMap<String, String>,
}

impl Import {
    /// Writes a crontab as manifests.
    pub fn read(&self, crontab: &str) -> Imported {
        let mut imported = Imported {
            yaml: String::new(),
            cronjobs: 0,
            left_out: vec![],
        };
        let mut around = Surroundings::default();
        let mut comments: Vec<&str> = vec![];
        let mut names = HashSet::new();
        for (number, text) in (1..).zip(crontab.lines()) {
            match Line::read(text, self.format) {
                Line::Blank => comments.clear(),
                Line::Comment(comment) => comments.push(comment),
                Line::Variable { name, value } => {
                    if let Some(reason) = around.set(name, value) {
                        imported.leave_out(number, text, reason);
                    }
                }
                Line::Entry(entry) => {
                    match self.cronjob(&entry, &around, &comments, &mut names) {
                        Ok(cronjob) => imported.add(&cronjob),
                        Err(reason) => imported.leave_out(number, text, reason),
                    }
                    comments.clear();
                }
                Line::Unknown(reason) => imported.leave_out(number, text, reason),
            }
        }
        imported
    }

    /// The document of one entry.
    fn cronjob(
        &self,
        entry: &Entry,
        around: &Surroundings,
        comments: &[&str],
        names: &mut HashSet<String>,
    ) -> Result<String, String> {
        let looks_like_a_user = entry.command.split_whitespace().next() == Some("root");
        if self.format == Format::User && looks_like_a_user {
            return Err(
                "its command begins with root, as entries of a system crontab do; then add --system".into(),
            );
        }
        let timing = Timing::read(entry.timing)?;
        let command = Command::read(entry.command);
        let name = unique(&command.name(), names);
        let zone = around.time_zone.as_ref().unwrap_or(&self.time_zone);
        Ok(write::CronJob {
            name: &name,
            import: self,
            time_zone: zone,
            timing: &timing,
            command: &command,
            user: entry.user,
            around,
            comments,
        }
        .to_string())
    }
}

impl Imported {
    fn add(&mut self, cronjob: &str) {
        self.cronjobs += 1;
        self.yaml.push_str(cronjob);
    }

    fn leave_out(&mut self, number: usize, text: &str, reason: String) {
        // Writing to a string does not fail.
        let _ = write!(
            self.yaml,
            "# Line {number} has no equivalent here: {reason}\n#     {}\n",
            write::printable(text.trim())
        );
        self.left_out.push((number, reason));
    }
}

impl Surroundings {
    /// Takes a variable in; says so if it means something that has no equivalent.
    fn set(&mut self, name: &str, value: &str) -> Option<String> {
        match name {
            "CRON_TZ" => self.time_zone = Some(value.to_owned()),
            "SHELL" => self.shell = Some(value.to_owned()),
            "MAILTO" | "MAILFROM" | "CONTENT_TYPE" | "CONTENT_TRANSFER_ENCODING" => {
                return Some(format!(
                    "{name}: output is kept in the pod's log, and nothing is mailed"
                ));
            }
            "RANDOM_DELAY" => return Some("runs start at their due instant, without a random delay".into()),
            "HOME" => {
                self.home = Some(value.to_owned());
                self.env.insert(name.to_owned(), value.to_owned());
            }
            _ => {
                self.env.insert(name.to_owned(), value.to_owned());
            }
        }
        None
    }
}

/// A name that no other CronJob of the crontab has.
fn unique(name: &str, names: &mut HashSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2;
    while !names.insert(candidate.clone()) {
        candidate = format!("{name}-{number}");
        number += 1;
    }
    candidate
}
