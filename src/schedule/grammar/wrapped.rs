//! A range that goes past the end of its field and on from the beginning, as the ranges that it is made of: `22-2` is
//! `22-23,0-2`. The value after the last one is the first one: `5-7` is `5-6,0`.

use super::range::number;
use super::{Field, Piece};

/// The ranges that mean what an item would mean if it were allowed to go round; none if its values make no sense.
pub(super) fn wrapped(item: Piece, field: Field) -> Option<String> {
    let (range, step) = item.text.split_once('/').unwrap_or((item.text, "1"));
    let is_single = !range.contains('-');
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    let low = value(low, field)?;
    let high = if is_single && item.text.contains('/') {
        field.max()
    } else {
        value(high, field)?
    };
    let step = usize::try_from(number(step)?).ok().filter(|step| *step > 0)?;

    let runs = runs(low, high, step, field);
    let size = field.max() - field.min() + 1;
    if u32::try_from(runs.iter().flatten().count()) == Ok(size) {
        return Some("*".to_owned());
    }
    let with_names = range.contains(char::is_alphabetic);
    let text = |value: u32| {
        field
            .name_of(value)
            .filter(|_| with_names)
            .unwrap_or_else(|| value.to_string())
    };
    let written: Vec<String> = runs.iter().map(|run| written(run, step, field, text)).collect();
    Some(written.join(","))
}

/// A value, or the one after the last.
fn value(text: &str, field: Field) -> Option<u32> {
    let value = field
        .value_of(text)
        .or_else(|| u32::try_from(number(text)?).ok())?;
    (field.min()..=field.max() + 1).contains(&value).then_some(value)
}

/// The values from `low` on and around to `high`, cut into runs that rise; each value once.
fn runs(low: u32, high: u32, step: usize, field: Field) -> Vec<Vec<u32>> {
    let size = field.max() - field.min() + 1;
    let distance = if high < low { high + size - low } else { high - low };
    let mut runs: Vec<Vec<u32>> = Vec::new();
    for far in (0..=distance).step_by(step) {
        let value = (low - field.min() + far) % size + field.min();
        if runs.iter().flatten().any(|seen| *seen == value) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.last() < Some(&value) => run.push(value),
            _ => runs.push(vec![value]),
        }
    }
    runs
}

/// Rising values, `step` apart, as one range.
fn written(run: &[u32], step: usize, field: Field, text: impl Fn(u32) -> String) -> String {
    let (Some(&first), Some(&last)) = (run.first(), run.last()) else {
        return String::new();
    };
    if first == last {
        return text(first);
    }
    let reaches_end = usize::try_from(field.max() - last).is_ok_and(|left| left < step);
    let range = if first == field.min() && reaches_end {
        "*".into()
    } else {
        format!("{}-{}", text(first), text(last))
    };
    if step == 1 {
        range
    } else {
        format!("{range}/{step}")
    }
}
