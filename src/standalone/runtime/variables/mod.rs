//! The environment of a container, and what it is taken from.
//!
//! | file | one idea |
//! |---|---|
//! | [`environment`] | `env` and `envFrom`: the variables of a container |
//! | [`expansion`] | `$(NAME)` in commands, arguments and variables |
//! | `sources`, `fields` | what variables and files are taken from: config maps, secrets, the pod, the machine |

pub mod environment;
pub mod expansion;

pub(super) mod fields;
pub(super) mod sources;

#[cfg(test)]
mod tests;
