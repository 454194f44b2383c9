//! The rules, one file each: its code, its severity, its page and how it is found.
//!
//! | codes | what they are about |
//! |---|---|
//! | P001–P009 | texts, and what is in them |
//! | P010–P027 | the structure of an object and its values |
//! | P030–P039 | schedules |
//! | P040–P050 | what happens to runs |
//! | P051–P059 | policies under `punctual.dev/` that make no sense together |
//!
//! A code is never given to another rule. `fixtures/lint` has a manifest that breaks each rule and one that does not.

mod annotation_without_effect;
mod command_without_shell;
mod crowded_minute;
mod day_without_effect;
mod deadline_short;
mod deadline_zero;
mod dotted_name;
mod duplicate_key;
mod duplicate_object;
mod duplicate_value;
mod either_day;
mod endless_run;
mod every_minute;
mod fires_seldom;
mod forbidden_field;
mod group_disagrees;
mod hidden_failures;
mod history_and_ttl;
mod indexed_host_name;
mod invalid_annotation;
mod invalid_job_metadata;
mod invalid_name;
mod invalid_schedule;
mod invalid_value;
mod jitter_beyond_interval;
mod long_name;
mod long_step;
mod misplaced_field;
mod missed_runs_not_all;
mod name_without_effect;
mod never_fires;
mod newer_field;
mod no_instant_left;
mod not_a_manifest;
mod removed_version;
mod repeated_run;
mod required_field;
mod short_months;
mod skipped_run;
mod uneven_step;
mod unknown_annotation;
mod unknown_field;
mod unknown_kind;
mod unknown_reference;
mod unknown_time_zone;
mod unquoted_value;
mod unreadable;
mod unrendered_template;
mod unsupported_value;
mod wrong_type;
mod yaml_syntax;
mod zone_in_schedule;

use super::rule::{Finds, Rule};
use super::subject::Subject;
use crate::manifest::diagnostic::{Diagnostic, Severity};
use crate::manifest::path::FieldPath;

/// All rules, in the order of their codes.
pub(super) static ALL: [Rule; 52] = [
    unreadable::RULE,
    yaml_syntax::RULE,
    unquoted_value::RULE,
    unrendered_template::RULE,
    duplicate_key::RULE,
    not_a_manifest::RULE,
    unknown_kind::RULE,
    removed_version::RULE,
    unknown_field::RULE,
    misplaced_field::RULE,
    wrong_type::RULE,
    required_field::RULE,
    forbidden_field::RULE,
    unsupported_value::RULE,
    invalid_value::RULE,
    invalid_name::RULE,
    invalid_schedule::RULE,
    zone_in_schedule::RULE,
    unknown_time_zone::RULE,
    duplicate_value::RULE,
    unknown_reference::RULE,
    duplicate_object::RULE,
    newer_field::RULE,
    unknown_annotation::RULE,
    invalid_annotation::RULE,
    invalid_job_metadata::RULE,
    name_without_effect::RULE,
    never_fires::RULE,
    fires_seldom::RULE,
    either_day::RULE,
    day_without_effect::RULE,
    uneven_step::RULE,
    long_step::RULE,
    every_minute::RULE,
    short_months::RULE,
    skipped_run::RULE,
    repeated_run::RULE,
    deadline_zero::RULE,
    deadline_short::RULE,
    endless_run::RULE,
    hidden_failures::RULE,
    history_and_ttl::RULE,
    long_name::RULE,
    dotted_name::RULE,
    indexed_host_name::RULE,
    crowded_minute::RULE,
    command_without_shell::RULE,
    annotation_without_effect::RULE,
    missed_runs_not_all::RULE,
    jitter_beyond_interval::RULE,
    no_instant_left::RULE,
    group_disagrees::RULE,
];
