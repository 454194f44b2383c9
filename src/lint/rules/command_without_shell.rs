//! Commands that only a shell would understand.

use k8s_openapi::api::core::v1::Container;

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};

/// Programs that understand lines.
const SHELLS: [&str; 7] = ["sh", "bash", "ash", "dash", "ksh", "zsh", "busybox"];

/// What only a shell understands when it stands alone.
const OPERATORS: [&str; 9] = ["&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"];

/// After what `find` takes the words until `;` for a command.
const BEGIN_A_COMMAND: [&str; 4] = ["-exec", "-execdir", "-ok", "-okdir"];

pub(super) const RULE: Rule = Rule {
    code: "P049",
    name: "command-without-shell",
    severity: Severity::Warning,
    summary: "A command looks like a line for a shell, but there is no shell",
    page: r#"
`command` and `args` are a program and its arguments, each an item. Nothing splits them at blanks or knows
`&&`, `|`, `>` and `$HOME` unless a shell is asked to:

    command: ["sh", "-c", "cd /data && tar czf - . > /backup/data.tgz"]

What follows `-c` is one item: the rest of the list are the script's own `$0`, `$1` and so on. Without a
shell, Kubernetes itself puts in the value of a variable that is written as `$(HOME)`.
"#,
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let Some((spec, path)) = subject
        .pods()
        .and_then(|(pods, path)| Some((pods.spec.as_ref()?, path.child("spec"))))
    else {
        return Vec::new();
    };
    let main = spec
        .containers
        .iter()
        .enumerate()
        .map(|(index, container)| (container, path.child("containers").index(index)));
    let init = spec.init_containers.iter().flatten().enumerate();
    let init = init.map(|(index, container)| (container, path.child("initContainers").index(index)));
    main.chain(init)
        .filter_map(|(container, path)| said(subject, container, &path))
        .collect()
}

fn said(subject: &Subject, container: &Container, path: &FieldPath) -> Option<Diagnostic> {
    let words = words(container, path);
    let ((program, place), rest) = words.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    // Without a `command` it is the image that says what runs, and that can be a shell.
    let is_known = container
        .command
        .as_ref()
        .is_some_and(|command| !command.is_empty());
    if SHELLS.contains(&name) {
        return script(subject, rest);
    }
    let is_line = is_known && program.contains(' ') && !program.starts_with("./") && !program.contains('\n');
    if is_line {
        let said = subject.say(
            place,
            format!("there is no program called `{program}`, blanks and all"),
        );
        return Some(said.help(format!(
            "write each word as an item of its own, or run a shell: `[\"sh\", \"-c\", {program:?}]`"
        )));
    }
    let (_, (word, place)) = rest
        .iter()
        .enumerate()
        .find(|(at, (word, _))| is_for_a_shell(word) && !ends_a_command_of_find(word, &rest[..*at]))
        .filter(|_| is_known)?;
    let said = subject.say(
        place,
        format!("`{word}` reaches `{name}` as it is written: there is no shell that knows it"),
    );
    Some(said.help("run a shell: `command: [\"sh\", \"-c\", \"…\"]`, with the whole line as one item"))
}

/// More items after `sh -c` and its script, which the script does not use.
fn script(subject: &Subject, rest: &[(&str, FieldPath)]) -> Option<Diagnostic> {
    let at = rest
        .iter()
        .position(|(word, _)| word.starts_with('-') && word.ends_with('c'))?;
    let (line, _) = rest.get(at + 1)?;
    let (_, extra) = rest.get(at + 2)?;
    let uses_arguments = line.contains('$');
    (!uses_arguments).then(|| {
        let said = subject.say(
            extra,
            format!("the shell runs only `{line}`: what follows is not part of the line"),
        );
        said.help("write the whole line as one item after `-c`")
    })
}

/// Whether a word has a meaning only to a shell: an operator, or a variable as shells write it. Kubernetes' own `$(NAME)`
/// is none, and `$$` is a dollar.
fn is_for_a_shell(word: &str) -> bool {
    let is_variable = |rest: &str| rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '{');
    OPERATORS.contains(&word)
        || word
            .match_indices('$')
            .any(|(at, _)| !word[..at].ends_with('$') && is_variable(&word[at + 1..]))
}

/// Whether a word is the `;` by which `find` knows the end of a command.
fn ends_a_command_of_find(word: &str, before: &[(&str, FieldPath)]) -> bool {
    word == ";" && before.iter().any(|(word, _)| BEGIN_A_COMMAND.contains(word))
}

/// The words of a container's command line, and where each is.
fn words<'c>(container: &'c Container, path: &FieldPath) -> Vec<(&'c str, FieldPath)> {
    let list = |words: &'c Option<Vec<String>>, field: &str| {
        let path = path.child(field);
        let words = words.iter().flatten().enumerate();
        words
            .map(move |(index, word)| (word.as_str(), path.index(index)))
            .collect::<Vec<_>>()
    };
    [list(&container.command, "command"), list(&container.args, "args")].concat()
}
