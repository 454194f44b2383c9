//! The way from an object's root to one of its fields, written as Kubernetes writes it.
//!
//! Problems carry a path, not a place: the same validation serves manifests, where a path is looked up in the
//! text, and the API, where it is sent back as the `field` of a cause.

use std::fmt;

/// A path such as `spec.jobTemplate.spec.template.spec.containers[0].name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FieldPath {
    steps: Vec<Step>,
}

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// A field of an object.
    Field(String),
    /// An item of a list, counted from 0.
    Index(usize),
    /// A key of a map of strings, such as a label.
    Key(String),
}

impl FieldPath {
    /// The object itself.
    pub fn root() -> FieldPath {
        FieldPath::default()
    }

    /// A path from its steps.
    pub fn from_steps(steps: &[Step]) -> FieldPath {
        FieldPath {
            steps: steps.to_vec(),
        }
    }

    /// A path from dotted field names: `FieldPath::of("spec.schedule")`.
    pub fn of(dotted: &str) -> FieldPath {
        FieldPath::root().child(dotted)
    }

    /// The field (or, dotted, the fields) below this one.
    #[must_use]
    pub fn child(&self, dotted: &str) -> FieldPath {
        self.with(dotted.split('.').map(|name| Step::Field(name.to_owned())))
    }

    /// The one field below this one that is called `name`, dots and all.
    #[must_use]
    pub fn child_named(&self, name: &str) -> FieldPath {
        self.with([Step::Field(name.to_owned())])
    }

    /// What the last step is called: the name of the field, or of the list that an item is in.
    pub fn name(&self) -> String {
        let names = self.steps.iter().rev().filter_map(|step| match step {
            Step::Field(name) | Step::Key(name) => Some(name.clone()),
            Step::Index(_) => None,
        });
        names.into_iter().next().unwrap_or_default()
    }

    /// The last field with what follows it, as in `command`, `values[1]` or `labels[app]`: short enough for a
    /// sentence.
    pub fn tail(&self) -> String {
        let is_field = |step: &Step| matches!(step, Step::Field(_));
        let last_field = self.steps.iter().rposition(is_field).unwrap_or(0);
        FieldPath {
            steps: self.steps[last_field..].to_vec(),
        }
        .to_string()
    }

    /// The item of this list at `index`, counted from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> FieldPath {
        self.with([Step::Index(index)])
    }

    /// The entry of this map under `key`.
    #[must_use]
    pub fn key(&self, key: &str) -> FieldPath {
        self.with([Step::Key(key.to_owned())])
    }

    /// The path to what this one is in; none for the object itself.
    pub fn parent(&self) -> Option<FieldPath> {
        let (_, before) = self.steps.split_last()?;
        Some(FieldPath {
            steps: before.to_vec(),
        })
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether `self` is `other` or lies within it.
    pub fn is_within(&self, other: &FieldPath) -> bool {
        self.steps.starts_with(&other.steps)
    }

    /// The path to this one from `other`, which it is within.
    pub fn below(&self, other: &FieldPath) -> Option<FieldPath> {
        self.steps
            .strip_prefix(other.steps.as_slice())
            .map(FieldPath::from_steps)
    }

    /// The path below this one that `other` is from its own root.
    #[must_use]
    pub fn join(&self, other: &FieldPath) -> FieldPath {
        self.with(other.steps.iter().cloned())
    }

    fn with(&self, more: impl IntoIterator<Item = Step>) -> FieldPath {
        FieldPath {
            steps: self.steps.iter().cloned().chain(more).collect(),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Field(name) if position == 0 => write!(f, "{name}")?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}
