//! The numbers of fields in Kubernetes' binary form, `application/vnd.kubernetes.protobuf`, and which of them are pointers.
//!
//! `fields.txt` holds them, from the `generated.proto` files of Kubernetes 1.36 (Apache-2.0).

use std::collections::HashMap;
use std::sync::LazyLock;

/// A field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name in JSON; of a message whose fields stand in this one's place, the name of that message's type.
    pub(super) name: &'static str,
    /// Whether zero is written: the field is a pointer in Go, so that zero differs from nothing.
    pub(super) keeps_zero: bool,
    /// Whether it is a message whose fields stand in this one's place.
    pub(super) is_inlined: bool,
}

type Messages = HashMap<&'static str, HashMap<u32, Field>>;

static MESSAGES: LazyLock<Messages> = LazyLock::new(|| read(include_str!("fields.txt")));

/// The field of this number in a message; `None` for one that is newer than these tables.
pub(super) fn field(message: &str, number: u32) -> Option<Field> {
    MESSAGES.get(message)?.get(&number).copied()
}

/// Whether a field of this name is a pointer in Go; `None` for one that these tables don't have.
pub(in crate::standalone::api) fn is_pointer(message: &str, name: &str) -> Option<bool> {
    let fields = MESSAGES.get(message)?;
    let own = fields
        .values()
        .find(|field| !field.is_inlined && field.name == name);
    let package = || message.rsplit_once('.').map_or("", |(package, _)| package);
    let inlined = || {
        let mut inner = fields.values().filter(|field| field.is_inlined);
        inner.find_map(|inner| is_pointer(&format!("{}.{}", package(), inner.name), name))
    };
    own.map(|field| field.keeps_zero).or_else(inlined)
}

/// Reads lines such as `io.k8s.api.core.v1.Volume 1=name 2=+VolumeSource`.
fn read(text: &'static str) -> Messages {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(message, fields)| (message, fields.split(' ').filter_map(entry).collect()))
        .collect()
}

fn entry(text: &'static str) -> Option<(u32, Field)> {
    let (number, name) = text.split_once('=')?;
    let field = Field {
        name: name.trim_start_matches('+').trim_end_matches('?'),
        keeps_zero: name.ends_with('?'),
        is_inlined: name.starts_with('+'),
    };
    Some((number.parse().ok()?, field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::schema::{Schema, definitions};

    #[test]
    fn fields_have_the_names_of_the_definitions() {
        assert_eq!(
            field("io.k8s.api.batch.v1.JobSpec", 7).unwrap(),
            Field {
                name: "backoffLimit",
                keeps_zero: true,
                is_inlined: false
            }
        );
        assert!(field("io.k8s.api.core.v1.Volume", 2).unwrap().is_inlined);
        let mut compared = 0;
        for (message, fields) in MESSAGES.iter() {
            // Messages that are inlined everywhere have no definition of their own.
            let Some(schema) = Schema::named(message).filter(Schema::has_fields) else {
                continue;
            };
            for field in fields.values().filter(|field| !field.is_inlined) {
                assert!(
                    definitions()[*message]["properties"].get(field.name).is_some(),
                    "{message}.{}",
                    field.name
                );
                compared += 1;
            }
            assert!(schema.has_fields());
        }
        assert!(compared > 800, "{compared}");
    }
}
