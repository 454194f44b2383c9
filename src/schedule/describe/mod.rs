//! A schedule in plain English, as a person would say it.
//!
//! What is described is what the expression *means*, not how it is written: `0 9 * * 1-5` and `0 9 * * MON-FRI` read
//! the same, and so does the Quartz for it. The sentence has two halves, the time of day and the day.
//!
//! | file | what it is for |
//! |---|---|
//! | `pattern` | the shape of a field's values: all of them, one, a range, every third |
//! | `time` | seconds, minutes and hours |
//! | `day` | days, months and years |
//! | `write` | the same schedule as an expression of another dialect |
//! | `words` | lists, ordinals, names |

mod day;
mod pattern;
mod time;
mod words;
mod write;

pub(super) use words::{month, ordinal, weekday};

use super::expression::Rule;
use super::{Dialect, Expression};

impl Expression {
    /// The schedule as a sentence, without a full stop and without its time zone: `At 02:30 every day`.
    pub fn describe(&self) -> String {
        let sentence = match (self.rule(), self.fields()) {
            (Rule::Every { seconds }, _) => {
                format!("every {}, counted from the run before", words::duration(*seconds))
            }
            _ if self.never_fires() => "never".to_owned(),
            (_, Some(fields)) => {
                let time = time::of(fields);
                let day = day::of(fields, time.is_frequent);
                let joined = match day.strip_prefix("from ") {
                    _ if day.is_empty() => time.text,
                    Some(range) => format!("{}, {range}", time.text),
                    None if day.starts_with(|c: char| c.is_ascii_digit()) => format!("{}, {day}", time.text),
                    None => format!("{} {day}", time.text),
                };
                joined + &time.detail
            }
            (_, None) => String::new(),
        };
        words::capitalised(&sentence)
    }

    /// The same schedule written in another dialect; none if it cannot say that, or if this one says it already.
    pub fn written_in(&self, dialect: Dialect) -> Option<String> {
        let fields = self.fields().filter(|_| dialect != self.dialect())?;
        write::in_dialect(fields, dialect)
    }
}
