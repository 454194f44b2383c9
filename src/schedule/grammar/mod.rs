//! From text to masks, exactly as robfig/cron v3's standard parser judges it: what it accepts is accepted, and what it
//! rejects is rejected.
//!
//! `extended` and `quartz` (with `from_quartz`) are the other dialects; the rest of this comment is about the standard one.
//!
//! These files are strict and short. What is rejected is handed to `wrong_value`, `wrong_macro` or `wrong_count`, which
//! find out what was meant; they decide nothing about what is accepted.
//!
//! ```text
//! expression := [("TZ=" | "CRON_TZ=") zone " "] (macro | field field field field field)     mod
//! macro      := "@yearly" | … | "@every " duration                                          macros, duration
//! field      := range {"," range}                                                           range
//! range      := ("*" | "?" | value | value "-" value) ["/" step]                            range
//! value      := number | name                                                               range, field
//! ```

mod duration;
mod extended;
mod field;
mod from_quartz;
mod macros;
mod piece;
mod quartz;
mod range;
mod wrapped;
mod wrong_count;
mod wrong_macro;
mod wrong_value;

use std::ops::Range;

pub use field::Field;
use piece::Piece;

use super::calendar::Mask;
use super::expression::Rule;
use super::fields::Fields;
use super::mistake::{Fault, Mistake};
use super::{Dialect, Spread};

/// The prefixes that name a time zone.
const ZONE_PREFIXES: [&str; 2] = ["TZ=", "CRON_TZ="];

/// What a text says: where its time zone stands, if it names one, its rule, and the fields that the rule was made of.
pub(super) struct Parsed {
    pub(super) zone: Option<Range<usize>>,
    pub(super) rule: Rule,
    pub(super) fields: Option<Fields>,
}

/// Parses an expression; `spread` is what `H` stands for in the extended dialect.
pub(super) fn parse(text: &str, dialect: Dialect, spread: Option<Spread>) -> Result<Parsed, Fault> {
    let (zone, body) = match dialect {
        Dialect::Kubernetes => zone_and_body(Piece::whole(text))?,
        Dialect::Extended | Dialect::Quartz => (None, without_zone(text)?),
    };
    let fields = match (body.text.strip_prefix('@'), dialect) {
        (Some(_), _) => match macros::parse(body)? {
            macros::Macro::Fields(text) => fields(Piece::whole(text))?,
            macros::Macro::Every { seconds } => {
                return Ok(Parsed {
                    zone: zone.map(Piece::span),
                    rule: Rule::Every { seconds },
                    fields: None,
                });
            }
        },
        (None, Dialect::Kubernetes) => fields(body)?,
        (None, Dialect::Extended) => extended::parse(body, spread)?,
        (None, Dialect::Quartz) => quartz::parse(body)?,
    };
    Ok(Parsed {
        zone: zone.map(Piece::span),
        rule: Rule::of(&fields),
        fields: Some(fields),
    })
}

/// The body of an expression in a dialect that names no time zone.
fn without_zone(text: &str) -> Result<Piece<'_>, Fault> {
    let body = Piece::whole(text).trim();
    let zone = ZONE_PREFIXES
        .into_iter()
        .find(|prefix| body.text.starts_with(prefix));
    match zone {
        Some(_) => {
            let end = body
                .find(char::is_whitespace)
                .map_or(body.span().end, |blank| blank.at);
            Err(Fault::at(body.at..end, Mistake::ZoneInDialect))
        }
        None => Ok(body),
    }
}

/// Takes the time zone off the front. It ends at the first space: no other blank will do.
fn zone_and_body(text: Piece) -> Result<(Option<Piece>, Piece), Fault> {
    let Some(prefix) = ZONE_PREFIXES
        .into_iter()
        .find(|prefix| text.text.starts_with(prefix))
    else {
        return Ok((None, text));
    };
    // No zone has a blank in its name, so a blank that is not a space has been taken for one.
    let blank = text.find(char::is_whitespace);
    let Some(space) = blank.filter(|blank| blank.text == " ").map(|blank| blank.at) else {
        return Err(wrong_count::endless_zone(text));
    };
    let body = text.skip(space).trim();
    if body.text.is_empty() {
        return Err(Fault::at(body.span(), Mistake::ZoneAlone));
    }
    Ok((Some(text.take(space).skip(prefix.len())), body))
}

/// Parses five fields.
fn fields(body: Piece) -> Result<Fields, Fault> {
    let words: Vec<Piece> = body.words().collect();
    let Ok(words) = <[Piece; 5]>::try_from(words.as_slice()) else {
        return Err(wrong_count::fault(body, &words));
    };
    let mut masks = [Mask::EMPTY; 5];
    for ((mask, field), word) in masks.iter_mut().zip(Field::ALL).zip(words) {
        *mask = list(word, field).map_err(|fault| wrong_count::whole(body, &words).unwrap_or(fault))?;
    }
    Ok(Fields::of_five(masks))
}

/// Parses a field: ranges between commas. Nothing between two commas is nothing.
fn list(word: Piece, field: Field) -> Result<Mask, Fault> {
    let mut mask = Mask::EMPTY;
    for item in word.split(',').filter(|item| !item.text.is_empty()) {
        let range = range::parse(item, field)?;
        mask = Mask {
            bits: mask.bits | range.bits,
            star: mask.star || range.star,
        };
    }
    Ok(mask)
}
