//! The command of an entry.
//!
//! crontab(5): "A '%' character in the command, unless escaped with a backslash (\), will be changed into newline
//! characters, and all data after the first % will be sent to the command as standard input."

/// A command for the shell, and what it reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    line: String,
    /// Each line of standard input; none where nothing follows a `%`.
    input: Option<Vec<String>>,
}

/// Longer names leave no room for what Kubernetes adds to them.
const LONGEST_NAME: usize = 40;

/// Words before a program that say nothing about what it does.
const WRAPPERS: [&str; 9] = [
    "sudo", "nice", "ionice", "nohup", "time", "exec", "env", "flock", "timeout",
];

/// Commands that only prepare another.
const PREPARATIONS: [&str; 5] = ["cd", "test", "[", "sleep", "umask"];

impl Command {
    pub(super) fn read(text: &str) -> Command {
        let mut parts = split_at_percents(text).into_iter();
        let line = parts.next().unwrap_or_default().trim().to_owned();
        let mut rest: Vec<String> = parts.collect();
        // The last line ends where the text does; a `%` at its end has ended it already.
        rest.pop_if(|last| last.is_empty());
        let input = (!rest.is_empty()).then_some(rest);
        Command { line, input }
    }

    /// What the shell is to run.
    pub(super) fn script(&self) -> String {
        match &self.input {
            None => self.line.clone(),
            Some(lines) => {
                let lines: Vec<String> = lines.iter().map(|line| quoted(line)).collect();
                format!("printf '%s\\n' {} | {{ {}\n}}", lines.join(" "), self.line)
            }
        }
    }

    /// A name for it: that of the program it runs, as far as Kubernetes takes it.
    pub(super) fn name(&self) -> String {
        let simple = self.line.split(['&', '|', ';', '(', ')', '{', '}']);
        let programs: Vec<&str> = simple.filter_map(program).collect();
        let telling = programs.iter().find(|program| !PREPARATIONS.contains(program));
        let program = telling.or(programs.first()).copied().unwrap_or_default();
        let stem = program.rsplit_once('.').map_or(program, |(stem, _)| stem);
        let label: String = stem
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .take(LONGEST_NAME)
            .collect();
        match label.trim_matches('-') {
            "" => "job".into(),
            label => label.to_owned(),
        }
    }
}

/// The program that a simple command runs, without its folder.
fn program(command: &str) -> Option<&str> {
    let says_nothing = |word: &str| {
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        number || word.contains('=') || word.starts_with('-') || WRAPPERS.contains(&word)
    };
    let word = command.split_whitespace().find(|word| !says_nothing(word))?;
    word.trim_matches(['"', '\'']).rsplit('/').next()
}

/// Splits at each `%` that has no backslash before it, and takes that backslash away. In the command, a backslash that
/// has one before it escapes nothing; in the input it does.
fn split_at_percents(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' if characters.peek() == Some(&'%') => {
                characters.next();
                push(&mut parts, '%');
            }
            '\\' if parts.len() == 1 && characters.peek() == Some(&'\\') => {
                characters.next();
                push(&mut parts, '\\');
                push(&mut parts, '\\');
            }
            '%' => parts.push(String::new()),
            c => push(&mut parts, c),
        }
    }
    parts
}

fn push(parts: &mut [String], c: char) {
    if let Some(last) = parts.last_mut() {
        last.push(c);
    }
}

/// A word that the shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
