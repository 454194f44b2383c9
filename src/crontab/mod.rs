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
use std::fmt::{self, Write as _};
use std::sync::Arc;

use command::Command;
use line::{Entry, Line};
use timing::Timing;

use crate::schedule::{TimeZones, Timestamp, Zone};

/// A byte order mark, with which some editors begin a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Whoever names this user names no program.
const ROOT: &str = "root";

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
    pub time_zone: Arc<Zone>,
    /// The instant from which on it is to run.
    pub now: Timestamp,
    /// The users that entries can name, as `/etc/passwd` lists them.
    pub passwd: String,
    /// Whether a word is the name of a program, where it is one of a user, too.
    pub is_program: fn(&str) -> bool,
    /// The home of whom the crontab belongs to, where entries name no user.
    pub home: Option<String>,
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
    /// How many entries are none, for they could not be carried over.
    pub left_out: usize,
    /// What to know of lines, which are counted from 1. They are comments in the text, too.
    pub remarks: Vec<(usize, Remark)>,
}

/// What to know of a line of a crontab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// It could not be carried over, and why.
    LeftOut(String),
    /// It was carried over, and this is different.
    LookTwice(String),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::LeftOut(reason) => write!(f, "left out: {reason}"),
            Remark::LookTwice(difference) => write!(f, "look twice: {difference}"),
        }
    }
}

/// What holds from a line on.
#[derive(Debug, Clone, Default)]
struct Surroundings {
    time_zone: Option<Arc<Zone>>,
    shell: Option<String>,
    home: Option<String>,
    env: BTreeMap<String, String>,
}

impl Import {
    /// Writes a crontab as manifests. `zones` are those that it can name.
    pub fn read(&self, crontab: &str, zones: &TimeZones) -> Imported {
        let mut imported = Imported {
            yaml: String::new(),
            cronjobs: 0,
            left_out: 0,
            remarks: vec![],
        };
        let crontab = crontab.strip_prefix(BYTE_ORDER_MARK).unwrap_or(crontab);
        let all_name_users = self.all_name_users(crontab);
        let mut around = Surroundings::default();
        let mut comments: Vec<&str> = vec![];
        let mut names = HashSet::new();
        for (number, text) in (1..).zip(crontab.lines()) {
            match Line::read(text, self.format) {
                Line::Blank => comments.clear(),
                Line::Comment(comment) => comments.push(comment),
                Line::Variable { name, value } => {
                    if let Some(remark) = around.set(name, value, zones) {
                        imported.remark(number, text, remark);
                    }
                }
                Line::Entry(entry) => {
                    let made = match self.of_the_other_format(&entry, all_name_users) {
                        Some(reason) => Err(reason),
                        None => self.cronjob(&entry, &around, &comments, &mut names),
                    };
                    match made {
                        Ok((cronjob, notes)) => imported.add(number, &cronjob, notes),
                        Err(reason) => imported.leave_out(number, text, reason),
                    }
                    comments.clear();
                }
                Line::Unknown(reason) => imported.leave_out(number, text, reason),
            }
        }
        imported
    }

    /// The document of one entry, and where to look twice.
    fn cronjob(
        &self,
        entry: &Entry,
        around: &Surroundings,
        comments: &[&str],
        names: &mut HashSet<String>,
    ) -> Result<(String, Vec<String>), String> {
        let timing = Timing::read(entry.timing)?;
        let command = Command::read(entry.command);
        let name = unique(&command.name(), names);
        let user = entry.user.and_then(|name| Account::of(name, &self.passwd));
        let home = match entry.user {
            Some(_) => user.as_ref().map(|user| user.home),
            None => self.home.as_deref(),
        };
        let mut notes = timing.notes.clone();
        notes.extend(entry.user.filter(|_| user.is_none()).map(|name| {
            format!(
                "it ran as the user {name}, who is not in /etc/passwd; here it runs as whoever runs punctual"
            )
        }));
        let begins_with = entry
            .user
            .is_none()
            .then(|| self.user_of(entry.command))
            .flatten();
        notes.extend(begins_with.map(|word| {
            format!(
                "its command begins with {word}, which is a user of this machine and no program that is found; in a \
                 system crontab it would run as {word} (--system)"
            )
        }));
        let cronjob = write::CronJob {
            name: &name,
            import: self,
            time_zone: around.time_zone.as_ref().unwrap_or(&self.time_zone),
            timing: &timing,
            command: &command,
            user: user.as_ref(),
            home: around.home.as_deref().or(home),
            notes: &notes,
            around,
            comments,
        };
        Ok((cronjob.to_string(), notes))
    }

    /// Why an entry is one of the other format: its words would be read one place off. An entry of a user's crontab may
    /// well begin with a word that is a user's name, too, as `mail`, where the others do not.
    fn of_the_other_format(&self, entry: &Entry, all_name_users: bool) -> Option<String> {
        match entry.user {
            Some(user) if user.contains(['/', '.']) && Account::of(user, &self.passwd).is_none() => {
                Some(format!(
                    "{user}, where a system crontab names a user, is none; if it is a user's crontab, leave --system away"
                ))
            }
            Some(_) => None,
            None => {
                let word = self.user_of(entry.command)?;
                let either = format!(", and if {word} is a program, write its path");
                let either = if word == ROOT { "" } else { &either };
                (word == ROOT || all_name_users).then(|| {
                    format!(
                        "its command begins with {word}, as entries of a system crontab do with their user; then add \
                         --system{either}"
                    )
                })
            }
        }
    }

    /// Whether all entries, read as a user's, have what may be a user where their command begins.
    fn all_name_users(&self, crontab: &str) -> bool {
        let lines = crontab.lines().map(|text| Line::read(text, Format::User));
        let mut commands = lines.filter_map(|line| match line {
            Line::Entry(entry) => Some(entry.command),
            _ => None,
        });
        commands.all(|command| self.user_of(command).is_some())
    }

    /// The user that a command begins with, if it may be one: a command follows, and no option.
    fn user_of<'c>(&self, command: &'c str) -> Option<&'c str> {
        let mut words = command.split_whitespace();
        let word = words.next()?;
        let is_followed = words.next().is_some_and(|next| !next.starts_with('-'));
        let is_known = || Account::of(word, &self.passwd).is_some();
        (word == ROOT || (is_followed && is_known() && !(self.is_program)(word))).then_some(word)
    }
}

/// A user of the machine.
struct Account<'a> {
    name: &'a str,
    id: u32,
    home: &'a str,
}

impl<'a> Account<'a> {
    fn of(name: &str, passwd: &'a str) -> Option<Account<'a>> {
        let mut accounts = passwd.lines().map(|line| line.split(':'));
        let mut account = accounts.find(|account| account.clone().next() == Some(name))?;
        let name = account.next()?;
        let id = account.nth(1)?.parse().ok()?;
        let home = account.nth(2)?;
        Some(Account { name, id, home })
    }
}

impl Imported {
    fn add(&mut self, number: usize, cronjob: &str, notes: Vec<String>) {
        self.cronjobs += 1;
        self.yaml.push_str(cronjob);
        let remarks = notes.into_iter().map(Remark::LookTwice);
        self.remarks.extend(remarks.map(|remark| (number, remark)));
    }

    fn leave_out(&mut self, number: usize, text: &str, reason: String) {
        self.left_out += 1;
        self.remark(number, text, Remark::LeftOut(reason));
    }

    fn remark(&mut self, number: usize, text: &str, remark: Remark) {
        let about = match &remark {
            Remark::LeftOut(reason) => format!("has no equivalent here: {reason}"),
            Remark::LookTwice(difference) => format!("LOOK TWICE: {difference}"),
        };
        let text = write::printable(text.trim());
        // Writing to a string does not fail.
        let _ = write!(self.yaml, "# Line {number} {about}\n#     {text}\n");
        self.remarks.push((number, remark));
    }
}

impl Surroundings {
    /// Takes a variable in; says so if it means something that has no equivalent, or hardly what was meant.
    fn set(&mut self, name: &str, value: &str, zones: &TimeZones) -> Option<Remark> {
        match name {
            "CRON_TZ" => {
                self.time_zone = None;
                if !value.is_empty() {
                    match zones.zone(value) {
                        Ok(zone) => self.time_zone = Some(zone),
                        Err(error) => {
                            let reason = format!("{error}; what follows goes by the machine's zone");
                            return Some(Remark::LeftOut(reason));
                        }
                    }
                }
            }
            "SHELL" => self.shell = filled(value),
            "MAILTO" | "MAILFROM" | "CONTENT_TYPE" | "CONTENT_TRANSFER_ENCODING" => {
                let reason = format!("{name}: output is kept in the pod's log, and nothing is mailed");
                return Some(Remark::LeftOut(reason));
            }
            "RANDOM_DELAY" => {
                let reason = "runs start at their due instant, without a random delay";
                return Some(Remark::LeftOut(reason.into()));
            }
            "TZ" => {
                self.env.insert(name.to_owned(), value.to_owned());
                let error = filled(value).and_then(|name| zones.zone(&name).err())?;
                return Some(Remark::LookTwice(format!(
                    "TZ is handed to the commands as it stands here, and {error}; an entry stands on a line of its own"
                )));
            }
            "HOME" => {
                self.home = filled(value);
                self.env.insert(name.to_owned(), value.to_owned());
            }
            _ => {
                self.env.insert(name.to_owned(), value.to_owned());
            }
        }
        None
    }
}

/// A text, unless it is empty: an empty shell or home is none.
fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
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
