//! Words to types: manifests in YAML or JSON become objects that can be run, or diagnostics that can be acted upon.
//!
//! ```text
//!  paths ─ read ─▶ Source ─ yaml ─▶ tree of Nodes ─ kinds ─▶ CronJob? Job? ─ decode ─▶ k8s-openapi type
//!                                       │                                               │ defaults
//!          Diagnostic ◀─ report ────────┴── a path is looked up only to be shown ◀──── validate
//! ```
//!
//! [`load`] goes the whole way and never stops at the first problem. Every value in a tree knows its place, every
//! problem knows its [path](path::FieldPath); the two meet in `report`.
//!
//! | file | what it is for |
//! |---|---|
//! | `read` | files, folders, standard input: the only I/O |
//! | [`source`], [`tree`], [`path`] | a text, the values in it, the way to a field |
//! | [`yaml`] | text to trees, and what is wrong with texts that are neither YAML nor JSON |
//! | `document`, `kinds` | the objects of a text, and what becomes of each kind |
//! | `stray` | fields that are not where they belong, and where that is |
//! | [`decode`] | trees to Kubernetes types, noting all that does not fit |
//! | `shape` | what the schema asks for: fields that must be written, values among a few |
//! | `misfit` | JSON to the same types, and where it does not fit |
//! | [`defaults`] | what is meant where nothing is written |
//! | [`validate`] | the rules of the API server, in its words; also for the embedded API |
//! | [`resource`] | the CronJob that the rest of the program uses, its Job template as it was written |
//! | `quantity` | amounts of a resource, such as `500m` and `64Mi` |
//! | `schema` | Kubernetes' own description of its types |
//! | [`diagnostic`] | what is told, and how it is drawn |
//! | `examine`, `object`, `report` | all of that together, for one object |
//! | `load` | the objects that can be run |
//! | `calendars` | the calendars among what was read |
//! | `adoption` | who is in charge of a CronJob, and whether it is paused: the annotations of a hand-over |
//! | `annotation` | what is wrong with annotations under `punctual.dev/`, at its place |
//! | `lower` | the CronJob on the wire to the one that policy decides on |

pub mod decode;
pub mod defaults;
pub mod diagnostic;
pub(crate) mod misfit;
pub mod path;
pub(crate) mod quantity;
pub mod resource;
pub(crate) mod schema;
pub mod source;
pub mod tree;
pub mod validate;
pub mod yaml;

mod adoption;
pub(crate) mod annotation;
mod calendars;
pub(crate) mod document;
pub(crate) mod examine;
pub(crate) mod kinds;
mod load;
pub(crate) mod lower;
pub(crate) mod object;
pub(crate) mod read;
pub(crate) mod report;
mod shape;
mod stray;
pub(crate) mod suggest;

pub use adoption::{Adoption, MANAGED_ANNOTATION, SUSPEND_ANNOTATION, suspended};
pub use calendars::read_calendar;
pub use diagnostic::{Diagnostic, Paint, Severity, render_all};
pub use load::{COMPANIONS, Companion, DEFAULT_NAMESPACE, Loaded, Manifest, load, load_bytes};
pub use lower::{key_of, lower, lower_with, timestamp};
pub use object::Object;
pub use read::{files, passed_over};
pub use resource::CronJob;
pub use schema::{NotAVersion, Version};
