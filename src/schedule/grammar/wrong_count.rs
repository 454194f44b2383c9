//! What was meant by an expression that does not have five fields, or that is wrong as a whole.

use super::wrong_value::time_of_day;
use super::{Fault, Field, Mistake, Piece, ZONE_PREFIXES, from_quartz, list, macros};

/// Quotation marks, of which one pair too many survives where YAML or a shell is quoted twice.
const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

/// What separates values within a field.
const SEPARATORS: [char; 3] = [',', '-', '/'];

/// A time zone that does not end in a space.
pub(super) fn endless_zone(text: Piece) -> Fault {
    match text.find(char::is_whitespace) {
        Some(blank) => Fault::at(blank.span(), Mistake::ZoneEndless).fix(blank.span(), " "),
        None => Fault::at(text.span().end..text.span().end, Mistake::ZoneEndless),
    }
}

/// What is wrong with any number of fields but five.
pub(super) fn fault(body: Piece, words: &[Piece]) -> Fault {
    if words.is_empty() {
        return Fault::at(0..0, Mistake::Empty);
    }
    whole(body, words)
        .or_else(|| macro_without_at(body))
        .or_else(|| comment(words))
        .or_else(|| blank_in_field(body, words))
        .unwrap_or_else(|| {
            if words.len() < 5 {
                too_few(words)
            } else {
                too_many(words)
            }
        })
}

/// What is wrong with the expression as a whole, however many fields it has.
pub(super) fn whole(body: Piece, words: &[Piece]) -> Option<Fault> {
    quoted(body.trim())
        .or_else(|| variable(body))
        .or_else(|| event_bridge(body.trim()))
        .or_else(|| misplaced(body, words))
}

/// `${SCHEDULE}`, which somebody should have replaced.
fn variable(body: Piece) -> Option<Fault> {
    let dollar = body.find(|c| c == '$')?;
    let from = body.skip(dollar.at - body.at);
    let is_end = |c: char| c == '}' || c.is_whitespace();
    let length = from.text.find(is_end).map_or(from.text.len(), |end| {
        end + usize::from(from.text[end..].starts_with('}'))
    });
    let found = from.take(length);
    let mistake = Mistake::Variable {
        found: found.text.to_owned(),
    };
    Some(Fault::at(found.span(), mistake))
}

/// `cron(0 3 * * ? *)` and `rate(5 minutes)`, as AWS writes them: no seconds, a year, and Sunday is 1.
fn event_bridge(body: Piece) -> Option<Fault> {
    let inside = |name: &str| {
        let rest = body.text.strip_prefix(name)?;
        rest.strip_prefix('(')?.strip_suffix(')')
    };
    let fix = match (inside("cron"), inside("rate")) {
        (Some(fields), _) => {
            let quartz = format!("0 {fields}");
            let words: Vec<Piece> = Piece::whole(&quartz).words().collect();
            from_quartz::extended(&words)
        }
        (_, Some(rate)) => every(rate),
        (None, None) => return None,
    };
    Some(Fault::at(body.span(), Mistake::EventBridge).fix_if(body.span(), fix))
}

/// `5 minutes` as `@every 5m`.
fn every(rate: &str) -> Option<String> {
    let (count, unit) = rate.trim().split_once(' ')?;
    let count: u32 = count.parse().ok()?;
    match unit.trim().trim_end_matches('s') {
        "minute" => Some(format!("@every {count}m")),
        "hour" => Some(format!("@every {count}h")),
        "day" => Some(format!("@every {}h", count.checked_mul(24)?)),
        _ => None,
    }
}

/// `"0 2 * * *"`, quotation marks included.
fn quoted(body: Piece) -> Option<Fault> {
    let inner = body.text.strip_prefix(QUOTES)?.strip_suffix(QUOTES)?;
    let first = body.find(|c| QUOTES.contains(&c))?;
    Some(Fault::at(first.span(), Mistake::Quoted).fix(body.span(), inner))
}

/// A time zone or a macro that is not the very first thing, or a prefix in small letters.
fn misplaced(body: Piece, words: &[Piece]) -> Option<Fault> {
    let first = words.first()?;
    if first.text.starts_with('@') {
        return Some(Fault::at(body.at..first.at, Mistake::MacroIndented).fix(body.at..first.at, ""));
    }
    let prefix = |word: &Piece| {
        let upper = word.text.to_ascii_uppercase();
        ZONE_PREFIXES.into_iter().find(|prefix| upper.starts_with(prefix))
    };
    let zone = words.iter().find(|word| prefix(word).is_some())?;
    let right = prefix(zone)?;
    let written = zone.take(right.len());
    let mistake = if written.text == right {
        Mistake::ZoneMisplaced
    } else {
        Mistake::ZoneCase {
            found: written.text.to_owned(),
        }
    };
    let others = words
        .iter()
        .filter(|word| word.at != zone.at)
        .map(|word| word.text);
    let name = zone.skip(right.len()).text;
    let moved: Vec<&str> = others.collect();
    Some(Fault::at(written.span(), mistake).fix(body.span(), format!("{right}{name} {}", moved.join(" "))))
}

/// `daily`, `every 5m`.
fn macro_without_at(body: Piece) -> Option<Fault> {
    let trimmed = body.trim();
    let with_at = format!("@{}", trimmed.text.to_lowercase());
    macros::parse(Piece::whole(&with_at)).ok()?;
    let mistake = Mistake::MacroWithoutAt {
        found: trimmed.words().next()?.text.to_owned(),
    };
    Some(Fault::at(trimmed.span(), mistake).fix(body.span(), with_at))
}

/// `0 2 * * * # every night`.
fn comment(words: &[Piece]) -> Option<Fault> {
    let comment = words.iter().skip(5).find(|word| word.text.starts_with('#'))?;
    let (before, end) = (words.get(4)?.span().end, words.last()?.span().end);
    Some(Fault::at(comment.at..end, Mistake::Comment).fix(before..end, ""))
}

/// `0, 30 * * * *`.
fn blank_in_field(body: Piece, words: &[Piece]) -> Option<Fault> {
    let is_broken =
        |pair: &&[Piece]| pair[0].text.ends_with(SEPARATORS) || pair[1].text.starts_with(SEPARATORS);
    let first = words.windows(2).find(is_broken).filter(|_| words.len() > 5)?;
    let mut closed = words[0].text.to_owned();
    for pair in words.windows(2) {
        closed.push_str(if is_broken(&pair) { "" } else { " " });
        closed.push_str(pair[1].text);
    }
    let fields: Vec<Piece> = Piece::whole(&closed).words().collect();
    let blank = first[0].span().end..first[1].at;
    are_fields(&fields).then(|| Fault::at(blank, Mistake::BlankInField).fix(body.trim().span(), closed))
}

/// Fewer than five fields: one may be a time of day, or one is missing.
fn too_few(words: &[Piece]) -> Fault {
    let times = words
        .iter()
        .find_map(|word| Some((word, time_of_day(word.text)?)));
    if let Some((word, (hour, minute))) = times {
        let mistake = Mistake::TimeOfDay {
            found: word.text.to_owned(),
            field: Field::Minute,
        };
        let rest = if words.len() == 1 { " * * *" } else { "" };
        return Fault::at(word.span(), mistake).fix(word.span(), format!("{minute} {hour}{rest}"));
    }
    let end = words.last().map_or(0, |word| word.span().end);
    let found = words.len();
    for (place, field) in Field::ALL.into_iter().enumerate().rev() {
        let mut filled = words.to_vec();
        filled.insert(place.min(found), Piece::whole("*"));
        if are_fields(&filled) {
            let mistake = Mistake::TooFewFields {
                found,
                missing: Some(field),
            };
            let (at, text) = words.get(place).map_or((end, " *"), |word| (word.at, "* "));
            return Fault::at(at..at, mistake).fix(at..at, text);
        }
    }
    Fault::at(end..end, Mistake::TooFewFields { found, missing: None })
}

/// Five fields for six of Quartz, which a `?` in one of its day fields gives away: there Sunday is 1.
fn quartz(words: &[Piece]) -> Option<String> {
    let is_quartz = words[3].text == "?" || words[5].text == "?";
    let text = from_quartz::extended(words).filter(|_| is_quartz)?;
    let five = match words[0].text {
        "0" => text.as_str(),
        seconds => text.strip_prefix(seconds)?.trim_start(),
    };
    let fields: Vec<Piece> = Piece::whole(five).words().collect();
    are_fields(&fields).then(|| five.to_owned())
}

/// More than five fields: another dialect's, or something after them.
fn too_many(words: &[Piece]) -> Fault {
    let (first, last) = (words[0], words[words.len() - 1]);
    let end = last.span().end;
    let (surplus, before) = (words[5], words[4].span().end);
    let is_year = |word: &Piece| {
        word.text
            .get(..2)
            .is_some_and(|century| matches!(century, "19" | "20" | "21"))
            && word.text.len() >= 4
            && word
                .text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b",-/*".contains(&byte))
    };
    let five_first = are_fields(&words[..5]);
    if words.len() == 6 && is_year(&last) && five_first {
        return Fault::at(last.span(), Mistake::YearField).fix(before..end, "");
    }
    if words.len() == 7 && (is_year(&last) || matches!(last.text, "*" | "?")) {
        let fields: Vec<&str> = words[1..6].iter().map(|word| word.text).collect();
        let five = quartz(&words[..6]).unwrap_or_else(|| fields.join(" "));
        return Fault::at(first.span(), Mistake::SecondsAndYearFields).fix(first.at..end, five);
    }
    if words.len() == 6 && words.iter().all(|word| is_fieldlike(word)) {
        let fault = Fault::at(first.span(), Mistake::SecondsField);
        return match quartz(words) {
            Some(five) => fault.fix(first.at..end, five),
            None => fault.fix(first.at..words[1].at, ""),
        };
    }
    if words.len() == 6 && five_first && is_zone(surplus.text) {
        let zone = surplus.text.to_owned();
        return Fault::at(surplus.span(), Mistake::ZoneBehind { zone }).fix(before..end, "");
    }
    if five_first && !is_fieldlike(&surplus) {
        let mistake = Mistake::Command {
            found: surplus.text.to_owned(),
        };
        return Fault::at(surplus.at..end, mistake).fix(before..end, "");
    }
    Fault::at(surplus.at..end, Mistake::TooManyFields { found: words.len() })
}

/// Whether these are five fields that would be accepted.
fn are_fields(words: &[Piece]) -> bool {
    words.len() == 5
        && words
            .iter()
            .zip(Field::ALL)
            .all(|(word, field)| list(*word, field).is_ok())
}

/// Whether a word could be a field of some dialect.
fn is_fieldlike(word: &Piece) -> bool {
    let upper = word.text.to_ascii_uppercase();
    let known = |letters: &str| {
        matches!(letters, "L" | "W" | "LW" | "H")
            || [Field::Month, Field::DayOfWeek]
                .iter()
                .any(|field| field.value_of(letters.trim_end_matches('L')).is_some())
    };
    let mut words = upper
        .split(|c: char| !c.is_alphabetic())
        .filter(|letters| !letters.is_empty());
    words.all(known)
        && upper
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "*?,-/#".contains(c))
}

/// Whether a word reads as the name of a time zone, such as `Europe/Rome`.
fn is_zone(word: &str) -> bool {
    let is_part = |part: &str| part.starts_with(|c: char| c.is_ascii_uppercase());
    word == "UTC" || (word.contains('/') && word.split('/').all(is_part))
}
