//! Field ownership: who wrote which field of an object, and what it means to apply a configuration ("Server-Side Apply"
//! of the Kubernetes documentation; Kubernetes has this in `structured-merge-diff`).
//!
//! | file | question |
//! |---|---|
//! | `step`, `set` | which fields? |
//! | `shape` | is a value owned as a whole, or by its parts? |
//! | `compare` | which fields differ? |
//! | `merge` | what becomes of a value when another is merged into it, or fields are taken out? |
//! | `entries` | who owns what? |
//! | `apply` | the rules: what applying means, and what any other write means for those who own something |
//!
//! An object that nobody has ever written to over the network has no owners: what Punctual itself writes is only put down
//! where owners are told apart already. The first time that such an object is applied to, all that was there belongs to
//! `before-first-apply`, as in Kubernetes.

mod apply;
mod compare;
mod entries;
mod merge;
mod set;
mod shape;
mod step;
#[cfg(test)]
mod tests;

pub(super) use apply::{Author, apply, is_unchanged, record, reset};

use crate::standalone::api::cause::Cause;

/// Why ownership cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum OwnershipError {
    /// Others own fields that are to be changed.
    #[error("{message}")]
    Conflict {
        /// All of it, for people.
        message: String,
        /// One for each field.
        causes: Vec<Cause>,
    },
    /// An element of a list has none of the fields by which elements are told apart.
    #[error("an element of a list has none of the fields that tell its elements apart: {keys}")]
    NoKey {
        /// These fields.
        keys: String,
    },
    /// A set has an element that is not a plain value.
    #[error("a list that is a set has an element that is an object, a list or null")]
    NotPlain,
    /// Two elements of an applied list are the same.
    #[error("a list has two elements of one key")]
    Twice,
}
