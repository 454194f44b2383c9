//! What a CronJob says about its runs beside their schedule: each rule with what it means.

use serde::Serialize;

use crate::cli::asked::Asked;
use crate::cli::present::span;
use crate::cronjob::extension::{ANNOTATION_PREFIX, Extensions, Hindsight, MissedRuns, Overlap, REGISTER};
use crate::cronjob::{Concurrency, Spec};
use crate::manifest::CronJob;
use crate::schedule::{ClockGap, ClockRepeat, OnExcluded};

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
    let meaning = match (spec.policies.overlap, spec.policies.max_active) {
        (Some(_), _) => "Has no effect: punctual.dev/overlap says what happens",
        (None, Some(_)) if spec.concurrency == Concurrency::Allow => {
            "Runs may overlap, as many as punctual.dev/max-active says"
        }
        (None, _) => meaning,
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
            let value = value.trim().replace('\n', "; ");
            let meaning = meaning_of(extension.short_name(), spec).unwrap_or(extension.doc);
            rule(extension.name, value, meaning.into());
        }
    }
    rules
}

/// What the value of an annotation means, where it is one of a few; the others are explained by what they are for.
fn meaning_of(annotation: &str, spec: &Spec) -> Option<&'static str> {
    let policies = &spec.policies;
    let terms = &policies.terms;
    Some(match annotation {
        "on-excluded" => match terms.on_excluded {
            OnExcluded::Skip => "What would run on an excluded day does not run",
            OnExcluded::After => {
                "What would run on an excluded day runs at the same time of the next day that is not excluded"
            }
            OnExcluded::Before => {
                "What would run on an excluded day runs at the same time of the last day before that is not excluded"
            }
        },
        "clock-gap" => match terms.clock_gap {
            ClockGap::Skip => "A run whose time a clock change skips does not happen",
            ClockGap::RunAfter => "A run whose time a clock change skips happens when the gap ends",
        },
        "clock-repeat" => match terms.clock_repeat {
            ClockRepeat::Twice => "A run whose time a clock change repeats happens both times",
            ClockRepeat::First => "A run whose time a clock change repeats happens the first time only",
            ClockRepeat::Second => "A run whose time a clock change repeats happens the second time only",
        },
        "missed-runs" => match policies.missed_runs {
            MissedRuns::Latest => "Of the runs that nobody could start in time, the newest starts late",
            MissedRuns::Skip => "A run that nobody could start in time does not happen",
            MissedRuns::All => "Each run that nobody could start in time starts late, the oldest first",
        },
        "overlap" => match policies.overlap? {
            Overlap::Skip => "A run that is due while another is active does not happen",
            Overlap::Queue => "A run that is due while another is active waits for its turn",
            Overlap::ReplaceWhenStopped => {
                "A run that is due ends the one that is active, and starts when its pods are gone"
            }
        },
        "on-resume" => match policies.on_resume? {
            Hindsight::Latest => "A resume may start what came due during the pause",
            Hindsight::Skip => "What came due during a pause does not happen",
        },
        "on-edit" => match policies.on_edit? {
            Hindsight::Latest => "An edit of schedule or time zone may start an instant of before the edit",
            Hindsight::Skip => "An edit of schedule or time zone starts no instant of before the edit",
        },
        _ => return None,
    })
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
