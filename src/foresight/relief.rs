//! What to do about crowded minutes: which schedules could be spread, what that would come to, and where there is room.

use crate::cronjob::Key;
use crate::foresight::crowd::Crowd;
use crate::schedule::{Dialect, Expression, Schedule, Spread, Timestamp};

/// A peak below this is no crowd, whatever the average.
const CROWD: u32 = 10;

/// So many of the quietest minutes are named.
const QUIET: usize = 3;

/// One CronJob whose starts may be moved.
#[derive(Debug, Clone, Copy)]
pub struct Movable<'a> {
    /// Its number in the simulation.
    pub number: usize,
    /// Its name, by which it is spread.
    pub key: &'a Key,
    /// Its only expression.
    pub expression: &'a Expression,
    /// The expression in its zone.
    pub schedule: &'a Schedule,
}

/// How crowded minutes could be relieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relief {
    /// How many CronJobs could be spread with `H`.
    pub spreadable: usize,
    /// The schedule that most of those have that start in the most crowded minute, and what to write in its place.
    pub example: (String, String),
    /// The most starts in one minute as it is.
    pub most: u32,
    /// The most starts in one minute if all of them were spread.
    pub most_spread: u32,
    /// The minutes of the hour in which least starts, over all hours.
    pub quiet: Vec<u32>,
}

impl Relief {
    /// What would help; `None` where nothing stands out, or where it would not help much.
    pub fn find(crowd: &Crowd, movable: &[Movable<'_>]) -> Option<Relief> {
        let most = crowd.minutes().iter().map(|minute| minute.starts).max()?;
        if most < CROWD {
            return None;
        }
        let mut starts: Vec<i64> = crowd
            .minutes()
            .iter()
            .map(|minute| minute.starts.into())
            .collect();
        let crowded = crowd.minutes().iter().position(|minute| minute.starts == most)?;
        let who = crowd.who(crowded);
        let (mut examples, mut spreadable): (Vec<(String, String)>, usize) = (vec![], 0);
        for each in movable {
            let Some(spread) = spread(each.expression) else {
                continue;
            };
            let key = Spread::of(&each.key.namespace, &each.key.name);
            let Ok(expression) = Expression::parse_in(&spread, Dialect::Extended, Some(key)) else {
                continue;
            };
            move_starts(
                &mut starts,
                crowd,
                each,
                &Schedule::new(&expression, each.schedule.zone().clone()),
            );
            spreadable += 1;
            if who
                .binary_search_by_key(&each.number, |(number, _)| *number)
                .is_ok()
            {
                examples.push((each.expression.as_str().to_owned(), spread));
            }
        }
        let example = most_frequent(examples)?;
        let most_spread = starts
            .iter()
            .copied()
            .max()
            .and_then(|most| u32::try_from(most).ok())?;
        (most_spread <= most / 2).then(|| Relief {
            spreadable,
            example,
            most,
            most_spread,
            quiet: quiet_minutes(crowd),
        })
    }
}

/// Takes the starts of a CronJob out of the minutes, and puts those of another schedule in.
fn move_starts(starts: &mut [i64], crowd: &Crowd, each: &Movable<'_>, schedule: &Schedule) {
    for even in crowd.starts_of(each.number).even() {
        for second in (0..even.count).map(|index| even.first + even.step * index) {
            if let Some(minute) = starts.get_mut(second as usize / 60) {
                *minute -= 1;
            }
        }
    }
    let (from, to) = (crowd.begin_of(0), crowd.begin_of(starts.len()));
    let one = chrono::TimeDelta::seconds(1);
    for due in schedule.due(from - one, to - one) {
        if let Some(minute) = minute_of(from, due).and_then(|minute| starts.get_mut(minute)) {
            *minute += 1;
        }
    }
}

fn minute_of(from: Timestamp, at: Timestamp) -> Option<usize> {
    usize::try_from((at - from).num_seconds() / 60).ok()
}

/// The same schedule at a minute that is spread: `0 3 * * *` as `H 3 * * *`, `*/15 * * * *` as `H/15 * * * *`. None for
/// schedules that leave no choice of a minute.
fn spread(expression: &Expression) -> Option<String> {
    if expression.dialect() == Dialect::Quartz || expression.zone_prefix().is_some() {
        return None;
    }
    let text = match expression.as_str() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        text => text,
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, rest @ ..] = fields.as_slice() else {
        return None;
    };
    let minute = match minute.strip_prefix("*/") {
        Some(step) if step.parse::<u32>().is_ok_and(|step| step > 1) => format!("H/{step}"),
        None if minute.parse::<u32>().is_ok() => "H".to_owned(),
        _ => return None,
    };
    (rest.len() == 4).then(|| format!("{minute} {}", rest.join(" ")))
}

fn most_frequent(mut examples: Vec<(String, String)>) -> Option<(String, String)> {
    examples.sort();
    let most = examples.chunk_by(|a, b| a == b).max_by_key(|alike| alike.len())?;
    most.first().cloned()
}

/// The minutes of the hour with the fewest starts, over all hours.
fn quiet_minutes(crowd: &Crowd) -> Vec<u32> {
    let mut totals = [0_u64; 60];
    for (minute, slot) in crowd.minutes().iter().enumerate() {
        totals[minute % 60] += u64::from(slot.starts);
    }
    let mut minutes: Vec<u32> = (0..60).collect();
    // Of those that are alike, the ones that people think of last.
    minutes.sort_by_key(|minute| (totals[*minute as usize], minute % 5 == 0, *minute));
    minutes.truncate(QUIET);
    minutes.sort_unstable();
    minutes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_spread_where_it_is_one() {
        for (schedule, spread_as) in [
            ("0 * * * *", Some("H * * * *")),
            ("30 3 * * 1-5", Some("H 3 * * 1-5")),
            ("*/15 * * * *", Some("H/15 * * * *")),
            ("@daily", Some("H 0 * * *")),
            ("* * * * *", None),
            ("*/1 * * * *", None),
            ("0,30 * * * *", None),
            ("@every 1h", None),
            ("TZ=Asia/Tokyo 0 * * * *", None),
        ] {
            let expression = Expression::parse(schedule).expect("an expression");
            assert_eq!(spread(&expression).as_deref(), spread_as, "{schedule}");
        }
    }
}
