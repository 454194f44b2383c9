//! Calendars as people keep them: iCalendar (RFC 5545) as office suites export it, or a plain list of dates.
//!
//! Of iCalendar, the days of its events are read: all-day events and others, `DTEND` and `DURATION`, `RRULE`, `RDATE`,
//! `EXDATE`, and single occurrences that were moved or cancelled. Days are taken as they are written, in whatever time zone
//! an event is: a holiday is a date. What is not understood refuses the calendar, for half a calendar would start runs on
//! the days of the other half.

use std::collections::HashMap;

use chrono::{Days as Number, NaiveDate};

use super::STRETCHES_MAX;

mod rule;

use rule::Rule;

/// Recurring events are followed up to the end of this year.
const LAST_YEAR: i32 = 2199;

/// Why a text is not a calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct CalendarError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

type Range = (NaiveDate, NaiveDate);

/// The days of a calendar, as ranges with both ends.
pub(super) fn read(text: &str) -> Result<Vec<Range>, CalendarError> {
    let text = text.trim_start_matches('\u{feff}');
    let ranges = if text
        .trim_start()
        .get(..15)
        .is_some_and(|begin| begin.eq_ignore_ascii_case("BEGIN:VCALENDAR"))
    {
        events(text)?
    } else {
        list(text)?
    };
    if ranges.len() > STRETCHES_MAX {
        let problem = format!(
            "the calendar holds {} days or ranges, more than {STRETCHES_MAX}",
            ranges.len()
        );
        return Err(CalendarError { line: 1, problem });
    }
    Ok(ranges)
}

/// `2026-12-25` or `2026-12-24..2027-01-06`, one a line; `#` begins a comment.
fn list(text: &str) -> Result<Vec<Range>, CalendarError> {
    let mut ranges = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        let range = range(entry).ok_or_else(|| CalendarError {
            line: index + 1,
            problem: format!(
                "{entry:?} is neither a date nor a range; write 2026-12-25 or 2026-12-24..2027-01-06"
            ),
        })?;
        ranges.push(range);
    }
    Ok(ranges)
}

/// `2026-12-25`, `2026-12-24..2027-01-06`, or with a `/` in the middle, as ISO 8601 has it.
pub(super) fn range(text: &str) -> Option<Range> {
    let date = |text: &str| NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok();
    let (first, last) = text
        .split_once("..")
        .or_else(|| text.split_once('/'))
        .unwrap_or((text, text));
    Some((date(first)?, date(last)?)).filter(|(first, last)| first <= last)
}

/// A line of iCalendar: `DTSTART;VALUE=DATE:20261225`.
struct Property<'a> {
    line: usize,
    name: String,
    value: &'a str,
}

impl Property<'_> {
    fn error(&self, problem: &str) -> CalendarError {
        CalendarError {
            line: self.line,
            problem: format!("{} {:?}: {problem}", self.name, self.value),
        }
    }

    /// The date of `20261225`, `20261225T090000` or `20261225T090000Z`, and whether it is midnight.
    fn date(&self, text: &str) -> Result<(NaiveDate, bool), CalendarError> {
        let (day, time) = text.trim().split_once('T').unwrap_or((text.trim(), "000000"));
        let date = NaiveDate::parse_from_str(day, "%Y%m%d").map_err(|_| self.error("this is not a date"))?;
        Ok((date, time.trim_end_matches('Z') == "000000"))
    }

    /// The dates of a list; of a period `begin/end`, that of its beginning.
    fn dates(&self) -> Result<Vec<NaiveDate>, CalendarError> {
        let one = |text: &str| self.date(text.split('/').next().unwrap_or_default());
        self.value.split(',').map(|text| Ok(one(text)?.0)).collect()
    }
}

/// An event while it is read.
#[derive(Default)]
struct Event {
    line: usize,
    uid: String,
    start: Option<NaiveDate>,
    /// The last day.
    last: Option<NaiveDate>,
    days: Option<u64>,
    rule: Option<Rule>,
    more: Vec<NaiveDate>,
    except: Vec<NaiveDate>,
    /// The occurrence that it takes the place of.
    replaces: Option<NaiveDate>,
    is_cancelled: bool,
}

/// The days of all events.
fn events(text: &str) -> Result<Vec<Range>, CalendarError> {
    let unfolded = unfold(text);
    let mut events = Vec::new();
    let mut within: Vec<String> = Vec::new();
    let mut event = Event::default();
    for (line, text) in &unfolded {
        let Some(property) = property(*line, text) else {
            continue;
        };
        match property.name.as_str() {
            "BEGIN" => {
                within.push(property.value.to_ascii_uppercase());
                if property.value.eq_ignore_ascii_case("VEVENT") {
                    event = Event {
                        line: *line,
                        ..Event::default()
                    };
                }
            }
            "END" => {
                let is_event = within.pop().as_deref() == Some("VEVENT");
                events.extend(is_event.then(|| std::mem::take(&mut event)));
            }
            _ if within.last().is_some_and(|inner| inner == "VEVENT") => event.take(&property)?,
            _ => {}
        }
    }
    if !within.is_empty() {
        let line = unfolded.last().map_or(1, |(line, _)| *line);
        let problem = format!("the calendar ends before END:{}", within.join(", END:"));
        return Err(CalendarError { line, problem });
    }
    occurrences(&events)
}

fn occurrences(events: &[Event]) -> Result<Vec<Range>, CalendarError> {
    let mut replaced: HashMap<&str, Vec<NaiveDate>> = HashMap::new();
    for event in events {
        replaced.entry(&event.uid).or_default().extend(event.replaces);
    }
    let mut ranges = Vec::new();
    for event in events.iter().filter(|event| !event.is_cancelled) {
        let start = event.start.ok_or_else(|| CalendarError {
            line: event.line,
            problem: "this event has no DTSTART".into(),
        })?;
        let more_days = match (event.days, event.last) {
            (Some(days), _) => days.saturating_sub(1),
            (None, Some(last)) => u64::try_from((last - start).num_days()).unwrap_or(0),
            (None, None) => 0,
        };
        let none = Vec::new();
        let moved = if event.replaces.is_none() {
            &replaced[event.uid.as_str()]
        } else {
            &none
        };
        let mut starts = match &event.rule {
            Some(rule) => rule.days(start, LAST_YEAR),
            None => vec![start],
        };
        starts.extend(&event.more);
        let stays = |day: &NaiveDate| !event.except.contains(day) && !moved.contains(day);
        let range = |day: NaiveDate| Some((day, day.checked_add_days(Number::new(more_days))?));
        ranges.extend(starts.into_iter().filter(stays).filter_map(range));
    }
    Ok(ranges)
}

impl Event {
    fn take(&mut self, property: &Property<'_>) -> Result<(), CalendarError> {
        match property.name.as_str() {
            "UID" => property.value.clone_into(&mut self.uid),
            "DTSTART" => self.start = Some(property.date(property.value)?.0),
            "DTEND" => {
                let (end, is_midnight) = property.date(property.value)?;
                // The end does not belong to the event. One that is no longer than a moment still has its day.
                let last = if is_midnight {
                    end.pred_opt().unwrap_or(end)
                } else {
                    end
                };
                self.last = Some(last);
            }
            "DURATION" => {
                let days = days_of(property.value).ok_or_else(|| property.error("this is not a duration"))?;
                self.days = Some(days);
            }
            "RRULE" => {
                let rule = Rule::parse(property.value).map_err(|problem| property.error(&problem))?;
                self.rule = Some(rule);
            }
            "RDATE" => self.more.extend(property.dates()?),
            "EXDATE" => self.except.extend(property.dates()?),
            "RECURRENCE-ID" => self.replaces = Some(property.date(property.value)?.0),
            "STATUS" => self.is_cancelled = property.value.eq_ignore_ascii_case("CANCELLED"),
            _ => {}
        }
        Ok(())
    }
}

/// The lines of a text: a line that begins with a blank goes on with the one before. Each with its number.
fn unfold(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ => lines.push((index + 1, line.to_owned())),
        }
    }
    lines
}

fn property(line: usize, text: &str) -> Option<Property<'_>> {
    let mut quoted = false;
    let colon = text.find(|c: char| {
        quoted ^= c == '"';
        c == ':' && !quoted
    })?;
    let name = text[..colon].split(';').next().unwrap_or_default();
    Some(Property {
        line,
        name: name.trim().to_ascii_uppercase(),
        value: text[colon + 1..].trim(),
    })
}

/// How many days a duration touches that begins with a day: `P1D`, `P2W`, `PT8H`, `P1DT12H`.
fn days_of(text: &str) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let (mut days, mut seconds, mut number, mut in_time) = (0, 0, String::new(), false);
    for c in text.chars() {
        match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'T' => {
                in_time = true;
                continue;
            }
            _ => {}
        }
        let count: u64 = std::mem::take(&mut number).parse().ok()?;
        match (c, in_time) {
            ('W', false) => days += count.checked_mul(7)?,
            ('D', false) => days += count,
            ('H', true) => seconds += count.checked_mul(3_600)?,
            ('M', true) => seconds += count.checked_mul(60)?,
            ('S', true) => seconds += count,
            _ => return None,
        }
    }
    number
        .is_empty()
        .then_some((days + seconds.div_ceil(86_400)).max(1))
}
