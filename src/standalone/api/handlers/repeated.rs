//! Fields that stand in a JSON text more than once. The last one counts, so that whoever wrote the others is told.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::manifest::path::FieldPath;

/// How many are told of at most. Nobody repeats so many by mistake.
const TOLD_MOST: usize = 100;

/// The fields that are repeated in a JSON text, each once; none if the text is not JSON.
pub(super) fn fields(json: &[u8]) -> Vec<FieldPath> {
    let mut repeated = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let walk = Walk {
        path: &FieldPath::root(),
        repeated: &mut repeated,
    };
    // What is wrong with the text is said where it is read.
    let _read = walk.deserialize(&mut deserializer);
    repeated
}

/// Goes through a value, with what was found so far.
struct Walk<'a> {
    path: &'a FieldPath,
    repeated: &'a mut Vec<FieldPath>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = self.path.child_named(&name);
            let is_again = !seen.insert(name);
            if is_again && self.repeated.len() < TOLD_MOST && !self.repeated.contains(&path) {
                self.repeated.push(path.clone());
            }
            map.next_value_seed(Walk {
                path: &path,
                repeated: self.repeated,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(()) = items.next_element_seed(Walk {
            path: &self.path.index(index),
            repeated: self.repeated,
        })? {
            index += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_twice_is_named_once() {
        let json = r#"{"a": 1, "a": 2, "a": 3, "b": [{"c": null, "c": true}, {"c": 1.5}], "d": {"a": "x", "a": -1}}"#;
        let found: Vec<String> = fields(json.as_bytes()).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["a", "b[0].c", "d.a"]);
        assert!(fields(b"[1, ").is_empty());
    }
}
