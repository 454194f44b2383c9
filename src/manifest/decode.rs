//! From a tree to a Kubernetes type, noting every value that does not fit.
//!
//! The types of k8s-openapi say through serde what each of their fields must be. This deserializer reads that off
//! them: where a value does not fit it notes the problem with its place and goes on with an empty value, so that one
//! pass finds every mistake. Fields that a type does not have are passed over; `stray` has looked for them.

use std::cell::RefCell;
use std::fmt::{self, Display};

use serde::Deserialize;
use serde::de::{self, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::path::FieldPath;
use super::source::Span;
use super::tree::{Entry, Node, Value};

mod mismatch;

#[cfg(test)]
mod tests;

/// A value of the wrong kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The field.
    pub path: FieldPath,
    /// Where it stands.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Reads a tree as a `T`. There is a value whenever enough of the tree could be understood, with empty values
/// where something did not fit; the misfits say whether it can be relied on. `text` is what the tree was read
/// from.
pub fn decode<T: for<'de> Deserialize<'de>>(node: &Node, text: &str) -> (Option<T>, Vec<Misfit>) {
    let log = Log {
        text,
        misfits: RefCell::default(),
    };
    let decoded = T::deserialize(Reader {
        node,
        trail: Trail::Root,
        log: &log,
    })
    .ok();
    (decoded, log.misfits.into_inner())
}

/// What was noted so far.
struct Log<'a> {
    text: &'a str,
    misfits: RefCell<Vec<Misfit>>,
}

/// The way from the root, as a chain on the stack; a [`FieldPath`] is made of it only when something is
/// noted.
#[derive(Clone, Copy)]
enum Trail<'a> {
    Root,
    Field(&'a Trail<'a>, &'a str),
    Key(&'a Trail<'a>, &'a str),
    Index(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    fn path(&self) -> FieldPath {
        match self {
            Trail::Root => FieldPath::root(),
            Trail::Field(parent, name) => parent.path().child_named(name),
            Trail::Key(parent, key) => parent.path().key(key),
            Trail::Index(parent, index) => parent.path().index(*index),
        }
    }
}

/// One value on its way into a type.
#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    trail: Trail<'a>,
    log: &'a Log<'a>,
}

/// Why a type could not be made of a value.
#[derive(Debug)]
enum Unfit {
    /// It has been noted.
    Noted,
    /// The type's own words, not noted yet.
    Because(String),
}

impl de::Error for Unfit {
    fn custom<T: Display>(message: T) -> Unfit {
        Unfit::Because(message.to_string())
    }
}

impl Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Noted => f.write_str("does not fit"),
            Unfit::Because(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Unfit {}

impl<'a> Reader<'a> {
    fn note(&self, misfit: Misfit) {
        self.log.misfits.borrow_mut().push(misfit);
    }

    /// Notes that this value is not `expected`.
    fn mismatch(&self, expected: &str) {
        self.note(mismatch::misfit(
            self.trail.path(),
            self.node,
            self.log.text,
            expected,
        ));
    }

    /// Notes what a type itself had to say of this value.
    fn or_note<T>(&self, outcome: Result<T, Unfit>) -> Result<T, Unfit> {
        outcome.map_err(|unfit| {
            if let Unfit::Because(reason) = unfit {
                self.rejected(&reason);
            }
            Unfit::Noted
        })
    }

    fn rejected(&self, reason: &str) {
        // serde's words for a value of the wrong kind are ours once the name of the Rust type is a kind of
        // value.
        if let Some((_, expected)) = reason
            .strip_prefix("invalid type: ")
            .and_then(|it| it.split_once(", expected "))
        {
            return self.mismatch(if expected == "IntOrString" {
                "a number or a string"
            } else {
                expected
            });
        }
        let path = self.trail.path();
        let span = self.node.start();
        let message = format!("`{}`: {reason}", path.tail());
        self.note(Misfit {
            path,
            span,
            message,
            help: None,
        });
    }

    fn fields<'de, V: Visitor<'de>>(self, are_keys: bool, visitor: V) -> Result<V::Value, Unfit> {
        let entries: &[Entry] = match &self.node.value {
            Value::Mapping(entries) => entries,
            Value::Null => &[],
            _ => {
                self.mismatch("a mapping");
                &[]
            }
        };
        let fields = Fields {
            of: self,
            entries: entries.iter(),
            value: None,
            are_keys,
        };
        self.or_note(visitor.visit_map(fields))
    }

    /// A whole number within the bounds of the type that asked.
    fn integer(&self, min: i64, max: i64) -> i64 {
        match &self.node.value {
            Value::Number(number) => match number.as_i64() {
                Some(number) if (min..=max).contains(&number) => return number,
                Some(number) if number < min => self.mismatch(&format!("at least {min}")),
                Some(_) => self.mismatch(&format!("at most {max}")),
                None if number
                    .as_f64()
                    .is_some_and(|number| number.fract() == 0.0 && number > 0.0) =>
                {
                    self.mismatch(&format!("at most {max}"));
                }
                None => self.mismatch("a whole number"),
            },
            _ => self.mismatch("a whole number"),
        }
        0
    }

    fn string(&self) -> &'a str {
        self.node.as_str().unwrap_or_else(|| {
            // Kubernetes reads a null string as an empty one.
            if self.node.value != Value::Null {
                self.mismatch("a string");
            }
            ""
        })
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.or_note(match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => visitor.visit_i64(number),
                (None, Some(number)) => visitor.visit_u64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Sequence(_) => return self.deserialize_seq(visitor),
            Value::Mapping(_) => return self.fields(true, visitor),
        })
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let Value::Bool(value) = self.node.value else {
            self.mismatch("`true` or `false`");
            return visitor.visit_bool(false);
        };
        visitor.visit_bool(value)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.or_note(visitor.visit_i64(self.integer(i32::MIN.into(), i32::MAX.into())))
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.or_note(visitor.visit_i64(self.integer(i64::MIN, i64::MAX)))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.or_note(visitor.visit_str(self.string()))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let items: &[Node] = match &self.node.value {
            Value::Sequence(items) => items,
            Value::Null => &[],
            _ => {
                self.mismatch("a list");
                &[]
            }
        };
        self.or_note(visitor.visit_seq(Items {
            of: self,
            items: items.iter().enumerate(),
        }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.fields(true, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.fields(false, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        // A quantity written as a number (`cpu: 0.5`) is the text of that number.
        let written = self.log.text.get(self.node.span.clone());
        match (&self.node.value, written) {
            (Value::Number(_), Some(written)) if name == "Quantity" => {
                self.or_note(visitor.visit_newtype_struct(written.into_deserializer()))
            }
            // Kubernetes reads a null quantity as none at all.
            (Value::Null, _) if name == "Quantity" => {
                self.or_note(visitor.visit_newtype_struct("0".into_deserializer()))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum
        identifier
    }
}

/// The entries of a mapping, one after another.
struct Fields<'a> {
    of: Reader<'a>,
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
    /// Whether the keys are data (as in labels) rather than names of fields.
    are_keys: bool,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Unfit;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        self.value = self.entries.next();
        self.value
            .map(|entry| seed.deserialize(entry.key.as_str().into_deserializer()))
            .transpose()
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        let entry = self.value.take().ok_or(Unfit::Noted)?;
        let step = if self.are_keys { Trail::Key } else { Trail::Field };
        let trail = step(&self.of.trail, &entry.key);
        seed.deserialize(Reader {
            node: &entry.value,
            trail,
            log: self.of.log,
        })
    }
}

/// The items of a list, one after another.
struct Items<'a> {
    of: Reader<'a>,
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Unfit;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let trail = Trail::Index(&self.of.trail, index);
        seed.deserialize(Reader {
            node,
            trail,
            log: self.of.log,
        })
        .map(Some)
    }
}
