//! What is said about a field that is not where it belongs.

use super::{Stray, Verdict};
use crate::manifest::diagnostic::{Diagnostic, Severity};
use crate::manifest::path::{FieldPath, Step};
use crate::manifest::report::Reporter;
use crate::manifest::schema::Schema;
use crate::manifest::source::Place;
use crate::manifest::suggest::listed;
use crate::manifest::tree::{Node, Value};

/// A field that its type does not have.
const UNKNOWN: &str = "unknown-field";

/// A field that belongs to another mapping.
const MISPLACED: &str = "misplaced-field";

/// Fields of Deployments, stateful sets and the like. A Job has a selector, but nobody is to write one.
const OF_WORKLOADS: [&str; 6] = [
    "selector",
    "replicas",
    "strategy",
    "updateStrategy",
    "serviceName",
    "minReadySeconds",
];

impl Stray {
    /// Tells of the fields. `reporter` knows the tree as it was written.
    pub(in crate::manifest) fn tell(&self, reporter: &Reporter<'_>, severity: Severity) -> Diagnostic {
        let (name, span) = &self.fields[0];
        let (code, message) = match &self.verdict {
            Verdict::Misspelt { .. } | Verdict::Unknown => {
                (UNKNOWN, format!("unknown field `{}`", name.trim()))
            }
            Verdict::Misplaced { home, .. } => (MISPLACED, self.misplaced(home, reporter)),
            Verdict::Ambiguous(_) => (MISPLACED, format!("`{name}` does not belong here")),
        };
        let path = self.parent.child_named(name);
        let mut told = reporter.place(Diagnostic::new(severity, code, message), &path, span.clone());
        told.label = Some(self.label());
        told.help = self.help(reporter);
        for (_, span) in &self.fields[1..] {
            told = told.related(Place::new(reporter.source, span.clone()), "and this");
        }
        if let Verdict::Misplaced { home, .. } = &self.verdict
            && let Some((place, label)) = signpost(&self.parent, home, reporter)
        {
            told = told.related(place, label);
        }
        told
    }

    /// The way from here to where the fields belong, in a sentence.
    fn misplaced(&self, home: &FieldPath, reporter: &Reporter<'_>) -> String {
        let fields = listed(self.fields.iter().map(|(name, _)| format!("`{}`", name.trim())));
        let one = self.fields.len() == 1;
        let (belongs, is, it) = if one {
            ("belongs", "is", "it")
        } else {
            ("belong", "are", "they")
        };
        let (up, down) = way(&self.parent, home);
        match (up.as_slice(), down.as_slice()) {
            ([], []) => format!("{fields} {is} not called so"),
            ([], [Step::Field(child), rest @ ..]) if rest.iter().all(is_item) => {
                let written = reporter.node.at(&self.parent.child_named(child));
                let is_there = written.is_some();
                let is_list = !rest.is_empty() || written.is_some_and(is_list);
                match (is_there, !is_list) {
                    (true, true) => format!("{fields} {is} beside `{child}`, and {belongs} inside it"),
                    (true, false) => {
                        format!("{fields} {is} beside `{child}`, and {belongs} in an item of it")
                    }
                    (false, true) => format!("{fields} {belongs} in a `{child}`, which is missing here"),
                    (false, false) => {
                        format!("{fields} {belongs} in an item of `{child}`, which is missing here")
                    }
                }
            }
            ([first, ..], []) => format!(
                "{fields} {is} indented too far: {it} {belongs} beside `{}`, not inside it",
                name_of(first)
            ),
            _ => format!(
                "{fields} {is} in the wrong place: {it} {belongs} in `{}`",
                shown(home)
            ),
        }
    }

    fn label(&self) -> String {
        match &self.verdict {
            Verdict::Misspelt { .. } | Verdict::Unknown => {
                format!("{} has no field of this name", self.parent_type)
            }
            Verdict::Misplaced { .. } | Verdict::Ambiguous(_) => {
                format!("not a field of {}", self.parent_type)
            }
        }
    }

    fn help(&self, reporter: &Reporter<'_>) -> Option<String> {
        let (name, _) = &self.fields[0];
        match &self.verdict {
            _ if name.starts_with(|c: char| c.is_whitespace() && c != ' ') => {
                Some("the line begins with spaces that are no plain spaces; type them anew".to_owned())
            }
            Verdict::Misspelt { meant } => Some(format!("did you mean `{meant}`?")),
            Verdict::Unknown => of_another_kind(self.parent_type, name),
            Verdict::Misplaced {
                is_taken: true, home, ..
            } => Some(format!(
                "`{}` is written already; take this one out",
                shown(&home.child_named(name))
            )),
            Verdict::Misplaced {
                meant: Some(meant),
                home,
                ..
            } => Some(format!("did you mean `{}`?", shown(&home.child_named(meant)))),
            Verdict::Misplaced { home, .. } => Some(self.way_home(home, reporter)),
            Verdict::Ambiguous(homes) => {
                let places: Vec<String> = homes.iter().map(|home| format!("`{}`", shown(home))).collect();
                Some(format!("it is a field of {}", places.join(" and of ")))
            }
        }
    }

    /// What to do.
    fn way_home(&self, home: &FieldPath, reporter: &Reporter<'_>) -> String {
        let fields = listed(self.fields.iter().map(|(name, _)| format!("`{name}`")));
        let missing = down_to_missing(&self.parent, home, reporter);
        match missing.as_slice() {
            [] if reporter.node.at(home).is_some_and(is_list) => {
                format!("move {fields} into the item of `{}` that is meant", shown(home))
            }
            [] => format!("move {fields} into `{}`", shown(home)),
            levels if levels.iter().all(|level| matches!(level, Step::Field(_))) => {
                let it = if levels.len() == 1 { "it" } else { "them" };
                let levels = listed(levels.iter().map(|level| format!("`{}:`", name_of(level))));
                let near = match way(&self.parent, home) {
                    (up, _) if up.is_empty() => format!("write {levels} above {fields}"),
                    _ => match shown(&above(home, missing.len())) {
                        root if root.is_empty() => format!("write {levels} in the first column"),
                        parent => format!("write {levels} into `{parent}`"),
                    },
                };
                format!("{near}, and indent {fields} below {it}")
            }
            [Step::Field(list), Step::Index(_)] if way(&self.parent, home).0.is_empty() => {
                format!("write `{list}:`, and below it {fields} as an item that begins with `- `")
            }
            _ => format!("write it as `{}`", shown(&home.child_named(&self.fields[0].0))),
        }
    }
}

/// Where the last few steps of a path begin.
fn above(path: &FieldPath, steps: usize) -> FieldPath {
    (0..steps).fold(path.clone(), |path, _| path.parent().unwrap_or(path))
}

/// Whether it is a field of what always runs.
pub(super) fn is_of_workloads(parent_type: &str, name: &str) -> bool {
    matches!(parent_type, "CronJobSpec" | "JobSpec") && OF_WORKLOADS.contains(&name)
}

/// What has a field of this name, if it is another kind.
fn of_another_kind(parent_type: &str, name: &str) -> Option<String> {
    const CRON_JOB_SPEC: &str = "io.k8s.api.batch.v1.CronJobSpec";
    let is_of_cron_jobs = || Schema::named(CRON_JOB_SPEC)?.own_field(name);
    match parent_type {
        "JobSpec" if !OF_WORKLOADS.contains(&name) => is_of_cron_jobs()
            .map(|_| format!("`{name}` is a field of CronJobs; a Job runs once, when it is created")),
        _ if is_of_workloads(parent_type, name) => Some(format!(
            "`{name}` is for what always runs, such as a Deployment; leave it out"
        )),
        "EnvVar" => Some(format!("write `- name: {name}`, and below it its `value:`")),
        _ => None,
    }
}

/// The steps up from one mapping to what both are in, and down to the other.
fn way(from: &FieldPath, to: &FieldPath) -> (Vec<Step>, Vec<Step>) {
    let shared = from
        .steps()
        .iter()
        .zip(to.steps())
        .take_while(|(from, to)| from == to)
        .count();
    (from.steps()[shared..].to_vec(), to.steps()[shared..].to_vec())
}

/// The last steps of the way home, from the first that is not written on.
fn down_to_missing(from: &FieldPath, home: &FieldPath, reporter: &Reporter<'_>) -> Vec<Step> {
    let shared = way(from, home).1.len();
    let steps = home.steps();
    let first = (steps.len() - shared..steps.len()).find(|end| {
        reporter
            .node
            .at(&FieldPath::from_steps(&steps[..=*end]))
            .is_none()
    });
    first.map_or(Vec::new(), |first| steps[first..].to_vec())
}

/// A line of the text that shows the way, if the fields are next to where they belong.
fn signpost(from: &FieldPath, home: &FieldPath, reporter: &Reporter<'_>) -> Option<(Place, &'static str)> {
    let (up, down) = way(from, home);
    let (path, label) = match (up.is_empty(), down.is_empty()) {
        (true, false) => (home.clone(), "in here"),
        (false, true) => (
            FieldPath::from_steps(&from.steps()[..=home.steps().len()]),
            "beside this",
        ),
        _ => return None,
    };
    reporter.node.at(&path)?;
    Some((Place::new(reporter.source, reporter.node.key_span(&path)), label))
}

fn is_list(node: &Node) -> bool {
    matches!(node.value, Value::Sequence(_))
}

fn is_item(step: &Step) -> bool {
    matches!(step, Step::Index(_))
}

fn name_of(step: &Step) -> String {
    FieldPath::from_steps(std::slice::from_ref(step)).to_string()
}

/// A path without the numbers of items, which say little where there is one.
fn shown(path: &FieldPath) -> String {
    path.to_string().replace("[0]", "[]")
}
