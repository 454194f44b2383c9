//! Kubernetes' binary form, as far as it is sent here: objects and reviews that clients write.
//!
//! kubectl 1.32 and newer create config maps, secrets, namespaces, Jobs and CronJobs in it, and are content with JSON
//! for an answer. The form is an envelope (`runtime.Unknown`) behind the bytes `k8s\0`, with the message inside. Messages are
//! read by the [tables of field numbers](wire) into the same JSON that the client could have sent.

pub(super) mod wire;

use serde_json::{Map, Value};

use super::limits::DEPTH_MAX;
use crate::manifest::schema::Schema;

/// The media type.
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

const MAGIC: &[u8] = b"k8s\0";

/// Where the envelope has the message.
const RAW: u32 = 2;

/// The message that many kinds of delete share.
const DELETE_OPTIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProtobufError {
    /// Not what the media type says.
    #[error("it does not begin with the bytes of a Kubernetes object in protobuf")]
    NoEnvelope,
    /// The bytes end within a field, or a length points beyond them.
    #[error("it ends in the middle of a field")]
    Truncated,
    /// A field does not have the form that its type has.
    #[error("field {name} does not have the form of its type")]
    Mistyped {
        /// The field.
        name: &'static str,
    },
    /// The kind is not known here.
    #[error("{api_version} {kind} is not known in this form")]
    UnknownKind {
        /// The `apiVersion` of the envelope.
        api_version: String,
        /// The `kind` of the envelope.
        kind: String,
    },
    /// Messages within messages without end.
    #[error("it nests deeper than {DEPTH_MAX} levels")]
    TooDeep,
}

/// Reads an object.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, ProtobufError> {
    let envelope = bytes.strip_prefix(MAGIC).ok_or(ProtobufError::NoEnvelope)?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for part in parts(envelope) {
        match part? {
            (1, Wire::Bytes(type_meta)) => {
                for part in parts(type_meta) {
                    match part? {
                        (1, Wire::Bytes(text)) => api_version = text_of(text, "apiVersion")?,
                        (2, Wire::Bytes(text)) => kind = text_of(text, "kind")?,
                        _ => {}
                    }
                }
            }
            (RAW, Wire::Bytes(message)) => raw = message,
            _ => {}
        }
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let found = if kind == "DeleteOptions" {
        Schema::named(DELETE_OPTIONS).map(|schema| (DELETE_OPTIONS, schema))
    } else {
        Schema::of_kind(group, version, &kind)
    };
    let Some((name, schema)) = found else {
        return Err(ProtobufError::UnknownKind { api_version, kind });
    };
    let mut object = Map::new();
    message(name, schema, raw, 0, &mut object)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(object))
}

/// Reads the fields of a message into `object`. The types of inlined messages are those of `schema`, too.
fn message(
    name: &str,
    schema: Schema,
    bytes: &[u8],
    depth: usize,
    object: &mut Map<String, Value>,
) -> Result<(), ProtobufError> {
    if depth > DEPTH_MAX {
        return Err(ProtobufError::TooDeep);
    }
    for part in parts(bytes) {
        let (number, content) = part?;
        let Some(field) = wire::field(name, number) else {
            continue;
        };
        if field.is_inlined {
            let package = name.rsplit_once('.').map_or("", |(package, _)| package);
            let inner = content.bytes(field.name)?;
            message(
                &format!("{package}.{}", field.name),
                schema,
                inner,
                depth + 1,
                object,
            )?;
            continue;
        }
        add(field, schema.field(field.name), content, depth, object)?;
    }
    Ok(())
}

/// Adds one occurrence of a field: it is set, or a list or map grows.
fn add(
    field: wire::Field,
    schema: Schema,
    content: Wire<'_>,
    depth: usize,
    object: &mut Map<String, Value>,
) -> Result<(), ProtobufError> {
    let (primitive, _) = schema.primitive();
    if primitive == "array" {
        let items = elements(field.name, schema.items(), content, depth)?;
        let list = object
            .entry(field.name)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.extend(items);
        }
    } else if primitive == "object" && !schema.has_fields() && schema.name().is_none() {
        let (key, value) = entry(field.name, schema.field(""), content.bytes(field.name)?, depth)?;
        let map = object
            .entry(field.name)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(map) = map {
            map.insert(key, value);
        }
    } else {
        let value = value(field.name, schema, content, depth)?;
        if field.keeps_zero || !is_zero(&value) {
            object.insert(field.name.to_owned(), value);
        }
    }
    Ok(())
}

/// The elements in one occurrence of a list: one, or several numbers that are packed.
fn elements(
    name: &'static str,
    items: Schema,
    content: Wire<'_>,
    depth: usize,
) -> Result<Vec<Value>, ProtobufError> {
    match content {
        Wire::Bytes(mut packed) if items.primitive().0 == "integer" => {
            let mut numbers = Vec::new();
            while !packed.is_empty() {
                numbers.push(value(name, items, Wire::Number(varint(&mut packed)?), depth)?);
            }
            Ok(numbers)
        }
        content => Ok(vec![value(name, items, content, depth)?]),
    }
}

/// One entry of a map: a message of key and value.
fn entry(
    name: &'static str,
    values: Schema,
    bytes: &[u8],
    depth: usize,
) -> Result<(String, Value), ProtobufError> {
    let (mut key, mut content) = (String::new(), &[][..]);
    for part in parts(bytes) {
        match part? {
            (1, text) => key = text_of(text.bytes(name)?, name)?,
            (2, bytes) => content = bytes.bytes(name)?,
            _ => {}
        }
    }
    // Lists as values of maps are messages with the list as their only field.
    if values.primitive().0 == "array" {
        let mut list = Vec::new();
        for part in parts(content) {
            list.extend(elements(name, values.items(), part?.1, depth + 1)?);
        }
        return Ok((key, Value::Array(list)));
    }
    Ok((key, value(name, values, Wire::Bytes(content), depth)?))
}

/// A value of a type.
fn value(
    name: &'static str,
    schema: Schema,
    content: Wire<'_>,
    depth: usize,
) -> Result<Value, ProtobufError> {
    let short = schema
        .name()
        .map(|name| name.rsplit('.').next().unwrap_or_default());
    match short {
        Some("Time" | "MicroTime") => return moment(name, content.bytes(name)?),
        Some("Quantity") => return first_text(name, content.bytes(name)?),
        Some("IntOrString") => return int_or_string(name, content.bytes(name)?),
        Some("FieldsV1") => {
            let raw = first_text(name, content.bytes(name)?)?;
            let text = raw.as_str().unwrap_or_default();
            return serde_json::from_str(text).map_err(|_| ProtobufError::Mistyped { name });
        }
        _ => {}
    }
    match schema.primitive() {
        ("boolean", _) => Ok(Value::Bool(content.number(name)? != 0)),
        // Negative numbers are written as the 64 bits of their two's complement.
        ("integer", _) => Ok(content.number(name)?.cast_signed().into()),
        ("string", "byte") => {
            let bytes = k8s_openapi::ByteString(content.bytes(name)?.to_vec());
            serde_json::to_value(bytes).map_err(|_| ProtobufError::Mistyped { name })
        }
        ("string", _) => text_of(content.bytes(name)?, name).map(Value::String),
        _ => {
            let mut object = Map::new();
            message(
                schema.name().unwrap_or_default(),
                schema,
                content.bytes(name)?,
                depth + 1,
                &mut object,
            )?;
            Ok(Value::Object(object))
        }
    }
}

/// A moment: seconds and nanoseconds; `null` when there are none, as Go writes the zero time.
fn moment(name: &'static str, bytes: &[u8]) -> Result<Value, ProtobufError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let (mut seconds, mut nanos) = (0, 0);
    for part in parts(bytes) {
        match part? {
            (1, number) => seconds = number.number(name)?.cast_signed(),
            (2, number) => nanos = u32::try_from(number.number(name)?).unwrap_or_default(),
            _ => {}
        }
    }
    let moment = chrono::DateTime::from_timestamp(seconds, nanos).ok_or(ProtobufError::Mistyped { name })?;
    Ok(moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into())
}

/// A message whose only field is a text.
fn first_text(name: &'static str, bytes: &[u8]) -> Result<Value, ProtobufError> {
    match parts(bytes).next().transpose()? {
        Some((_, content)) => text_of(content.bytes(name)?, name).map(Value::String),
        None => Ok(Value::String(String::new())),
    }
}

fn int_or_string(name: &'static str, bytes: &[u8]) -> Result<Value, ProtobufError> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for part in parts(bytes) {
        match part? {
            (1, kind) => is_text = kind.number(name)? == 1,
            (2, value) => number = value.number(name)?.cast_signed(),
            (3, value) => text = text_of(value.bytes(name)?, name)?,
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

fn text_of(bytes: &[u8], name: &'static str) -> Result<String, ProtobufError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| ProtobufError::Mistyped { name })
}

/// What Go writes for a field that nobody set.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The content of a field, as far as the wire tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn number(self, name: &'static str) -> Result<u64, ProtobufError> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Bytes(_) => Err(ProtobufError::Mistyped { name }),
        }
    }

    fn bytes(self, name: &'static str) -> Result<&'a [u8], ProtobufError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Number(_) => Err(ProtobufError::Mistyped { name }),
        }
    }
}

/// The fields of a message with their numbers, up to the first that cannot be read.
fn parts(mut bytes: &[u8]) -> impl Iterator<Item = Result<(u32, Wire<'_>), ProtobufError>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let part = part(&mut bytes);
        if part.is_err() {
            bytes = &[];
        }
        Some(part)
    })
}

fn part<'a>(bytes: &mut &'a [u8]) -> Result<(u32, Wire<'a>), ProtobufError> {
    let key = varint(bytes)?;
    let number = u32::try_from(key >> 3).map_err(|_| ProtobufError::Truncated)?;
    let content = match key & 7 {
        0 => Wire::Number(varint(bytes)?),
        1 => Wire::Bytes(take(bytes, 8)?),
        2 => {
            let length = varint(bytes)?;
            Wire::Bytes(take(bytes, usize::try_from(length).unwrap_or(usize::MAX))?)
        }
        5 => Wire::Bytes(take(bytes, 4)?),
        _ => return Err(ProtobufError::Truncated),
    };
    Ok((number, content))
}

fn varint(bytes: &mut &[u8]) -> Result<u64, ProtobufError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(ProtobufError::Truncated)?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(ProtobufError::Truncated)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], ProtobufError> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(ProtobufError::Truncated)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests;
