//! What a CronJob says about its runs beside their schedule: each rule with what it means.

use serde::Serialize;

use crate::cli::asked::Asked;
use crate::cli::present::span;
use crate::cronjob::Concurrency;
use crate::cronjob::extension::{ANNOTATION_PREFIX, Extensions, REGISTER};
use crate::manifest::CronJob;

/// Something that a CronJob says, and what it means.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Rule {
    /// The field or the annotation.
    pub(super) field: &'static str,
    /// What it says.
    pub(super) value: String,
    /// What that means, in a sentence without a full stop.
    pub(super) meaning: String,
}

/// The rules of a CronJob: its fields, then its annotations in the order of the register.
pub(super) fn rules(asked: &Asked) -> Vec<Rule> {
    let spec = &asked.cronjob.spec;
    let mut rules = Vec::new();
    let mut rule = |field, value: String, meaning: String| {
        rules.push(Rule {
            field,
            value,
            meaning,
        });
    };
    if spec.suspend {
        rule("suspend", "true".into(), "Nothing is started".into());
    }
    let (policy, meaning) = match spec.concurrency {
        Concurrency::Allow => ("Allow", "Runs may overlap"),
        Concurrency::Forbid => (
            "Forbid",
            "A run that is due while another is active waits for its end; of several that wait, the newest starts",
        ),
        Concurrency::Replace => ("Replace", "A run that is due ends the one that is active"),
    };
    rule("concurrencyPolicy", policy.into(), meaning.into());
    if let Some(deadline) = spec.starting_deadline {
        let seconds = deadline.num_seconds().to_string();
        let meaning = format!("A run that could not start within {} is skipped", span(deadline));
        rule("startingDeadlineSeconds", seconds, meaning);
    }
    for extension in &REGISTER {
        let found = annotations(&asked.object).find(|(name, _)| *name == extension.name);
        if let Some((_, value)) = found {
            rule(
                extension.name,
                value.trim().replace('\n', "; "),
                extension.doc.into(),
            );
        }
    }
    rules
}

/// What is wrong with the annotations of a CronJob.
pub(super) fn mistakes(asked: &Asked) -> Vec<String> {
    let (_, mistakes) = Extensions::read(&asked.cronjob.key, annotations(&asked.object));
    mistakes.iter().map(ToString::to_string).collect()
}

fn annotations(object: &CronJob) -> impl Iterator<Item = (&str, &str)> {
    let all = object.metadata.annotations.iter().flatten();
    let all = all.map(|(name, value)| (name.as_str(), value.as_str()));
    all.filter(|(name, _)| name.starts_with(ANNOTATION_PREFIX))
}
