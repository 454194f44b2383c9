//! A session: lines for a shell, and what they print.
//!
//! ```text
//! # What it is about.
//! on: punctual, kubernetes
//!
//! $ kubectl get pods
//! No resources found in default namespace.
//! kubernetes| A line that only a real cluster prints.
//! punctual| A line that only `punctual up` prints.
//! ```
//!
//! A command that ends with a code other than 0 has a last line `[exit 1]`. A command goes on in lines that begin with `> `.

use std::fmt;
use std::path::Path;

/// Whom a session is played against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// `punctual up`.
    Punctual,
    /// kube-apiserver and Kubernetes' own controllers.
    Kubernetes,
}

impl On {
    /// As it is written in a session.
    pub(crate) fn name(self) -> &'static str {
        match self {
            On::Punctual => "punctual",
            On::Kubernetes => "kubernetes",
        }
    }

    fn other(self) -> On {
        match self {
            On::Punctual => On::Kubernetes,
            On::Kubernetes => On::Punctual,
        }
    }

    /// What a line begins with that only this one prints.
    fn mark(self) -> String {
        format!("{}| ", self.name())
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// What stands before the first command.
    head: Vec<String>,
    steps: Vec<Step>,
}

/// A command, with the remarks before it and the lines that it prints.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    remarks: Vec<String>,
    command: String,
    printed: Vec<String>,
}

impl Session {
    /// Reads a session.
    pub(crate) fn read(path: &Path) -> Result<Session, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        Session::parse(&text)
    }

    fn parse(text: &str) -> Result<Session, String> {
        let mut session = Session {
            head: Vec::new(),
            steps: Vec::new(),
        };
        let mut remarks = Vec::new();
        for line in text.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                session.steps.push(Step {
                    remarks: std::mem::take(&mut remarks),
                    command: command.to_owned(),
                    printed: Vec::new(),
                });
                continue;
            }
            let Some(step) = session.steps.last_mut() else {
                session.head.push(line.to_owned());
                continue;
            };
            match line.strip_prefix("> ") {
                _ if line.starts_with("# ") => remarks.push(line.to_owned()),
                _ if !remarks.is_empty() => {
                    return Err(format!("{line:?} stands between a remark and its command"));
                }
                Some(more) if step.printed.is_empty() => {
                    step.command.push('\n');
                    step.command.push_str(more);
                }
                _ => step.printed.push(line.to_owned()),
            }
        }
        for step in &mut session.steps {
            while step.printed.last().is_some_and(String::is_empty) {
                step.printed.pop();
            }
        }
        Ok(session)
    }

    /// Whether it is meant for this server.
    pub(crate) fn is_for(&self, on: On) -> bool {
        let servers = self.head.iter().filter_map(|line| line.strip_prefix("on: "));
        servers
            .flat_map(|servers| servers.split(", "))
            .any(|server| server == on.name())
    }

    /// The same session with what is printed now. What only a real cluster prints is kept.
    pub(crate) fn play(&self, run: impl Fn(&str) -> String) -> Session {
        let step = |step: &Step| {
            let printed: Vec<String> = run(&step.command).lines().map(str::to_owned).collect();
            let unchanged = printed == step.printed_on(On::Punctual);
            Step {
                printed: if unchanged { step.printed.clone() } else { printed },
                ..step.clone()
            }
        };
        Session {
            head: self.head.clone(),
            steps: self.steps.iter().map(step).collect(),
        }
    }

    /// Where another play of this session printed something else.
    pub(crate) fn differences(&self, played: &Session, on: On) -> Vec<String> {
        let pairs = self.steps.iter().zip(&played.steps);
        let different = pairs.filter_map(|(expected, found)| {
            let found_lines = if found.printed == expected.printed {
                expected.printed_on(On::Punctual)
            } else {
                found.printed.clone()
            };
            let expected_lines = expected.printed_on(on);
            (found_lines != expected_lines).then(|| {
                format!(
                    "$ {}\n--- expected\n{}\n--- printed\n{}",
                    expected.command,
                    expected_lines.join("\n"),
                    found_lines.join("\n")
                )
            })
        });
        different.collect()
    }
}

impl Step {
    /// The lines that one of the servers prints.
    fn printed_on(&self, on: On) -> Vec<String> {
        let lines = self
            .printed
            .iter()
            .filter(|line| !line.starts_with(&on.other().mark()));
        lines
            .map(|line| line.strip_prefix(&on.mark()).unwrap_or(line).to_owned())
            .collect()
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.head {
            writeln!(f, "{line}")?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            for line in &step.remarks {
                writeln!(f, "{line}")?;
            }
            writeln!(f, "$ {}", step.command.replace('\n', "\n> "))?;
            for line in &step.printed {
                writeln!(f, "{line}")?;
            }
        }
        Ok(())
    }
}
