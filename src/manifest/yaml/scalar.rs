//! What a plain YAML scalar means, as Kubernetes reads it.
//!
//! sigs.k8s.io/yaml reads YAML 1.1: `yes` and `on` are booleans, `0755` is octal, `1_000` is a thousand. A
//! quoted or block scalar is always text. A whole number written as a fraction (`3.0`, `1e3`) becomes that
//! whole number, as Go's JSON encoder writes it.
//!
//! What differs: keys stay as they are written (Kubernetes turns the key `on` into `true`), and infinity and
//! "not a number", which JSON cannot carry, stay text.

use serde_json::Number;

use crate::manifest::tree::Value;

/// The largest magnitude below which every whole number has an exact `f64`.
const EXACT_IN_F64: f64 = 9_007_199_254_740_992.0;

/// The value of a plain (unquoted) scalar.
pub(crate) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    match integer(text).or_else(|| fraction(text)) {
        Some(number) => Value::Number(number),
        None => Value::String(text.to_owned()),
    }
}

/// A whole number: decimal, `0x`, `0o` or `0` octal, `0b`, with an optional sign and underscores between
/// digits.
fn integer(text: &str) -> Option<Number> {
    let text = text.replace('_', "");
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text.as_str()),
    };
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    // `from_str_radix` would accept another sign.
    if !digits.bytes().next()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        0_i64.checked_sub_unsigned(magnitude).map(Number::from)
    } else {
        Some(magnitude.into())
    }
}

/// A decimal fraction, with an optional exponent.
fn fraction(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts_well = unsigned.starts_with(|c: char| c.is_ascii_digit())
        || (unsigned.starts_with('.') && unsigned[1..].starts_with(|c: char| c.is_ascii_digit()));
    let is_decimal = unsigned
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if !starts_well || !is_decimal {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    if value.fract() == 0.0 && value.abs() < EXACT_IN_F64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole, and within the exact range of f64"
        )]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::tree::Node;

    #[test]
    fn plain_scalars_mean_what_they_mean_to_kubernetes() {
        #[rustfmt::skip]
        let table = [
            ("",                     json!(null)),
            ("~",                    json!(null)),
            ("Null",                 json!(null)),
            ("yes",                  json!(true)),
            ("Off",                  json!(false)),
            ("n",                    json!(false)),
            ("tRue",                 json!("tRue")),
            ("0",                    json!(0)),
            ("-1",                   json!(-1)),
            ("+5",                   json!(5)),
            ("1_000",                json!(1000)),
            ("0755",                 json!(493)),
            ("0o755",                json!(493)),
            ("0x1F",                 json!(31)),
            ("-0b101",               json!(-5)),
            ("09",                   json!(9)),
            ("1.0",                  json!(1)),
            ("1e3",                  json!(1000)),
            ("0.5",                  json!(0.5)),
            (".5",                   json!(0.5)),
            ("-",                    json!("-")),
            ("+-5",                  json!("+-5")),
            ("1.2.3",                json!("1.2.3")),
            ("12:30",                json!("12:30")),
            ("2026-11-23",           json!("2026-11-23")),
            (".inf",                 json!(".inf")),
            ("1e999",                json!("1e999")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("5m",                   json!("5m")),
            ("é",                    json!("é")),
        ];
        for (text, expected) in table {
            let read = Node {
                span: 0..text.len(),
                value: resolve(text),
            };
            assert_eq!(read.to_json(), expected, "{text:?}");
        }
    }
}
