//! What is asked of a schedule beyond its expressions: a window, excluded days, another rule for clock changes.
//!
//! Each is a layer around the schedule beneath it, and answers `next` and `previous` by asking that one. A schedule without
//! terms has no layers and pays nothing for them.
//!
//! ```text
//!  expression ─ clock changes ─┐
//!  expression ─ clock changes ─┼─ any of them ─ excluded days ─ window ─▶ due
//! ```

mod clock_changes;
mod edited;
mod excluded;
mod window;

use std::sync::Arc;

use chrono::NaiveDateTime;

pub use clock_changes::{ClockGap, ClockRepeat};
pub use excluded::OnExcluded;

use super::compiled::Timing;
use super::{Days, Expression, Schedule, Timestamp, Zone};
use clock_changes::ClockChanges;
use edited::Edited;
use excluded::Excluded;
use window::Window;

/// What is asked of a schedule beyond its expressions. The default asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Nothing is due before.
    pub start_at: Option<Timestamp>,
    /// Nothing is due after.
    pub end_at: Option<Timestamp>,
    /// What becomes of readings that a clock change skips.
    pub clock_gap: ClockGap,
    /// What becomes of readings that a clock change repeats.
    pub clock_repeat: ClockRepeat,
    /// Days on which nothing is due.
    pub excluded: Days,
    /// What becomes of what would be due on them.
    pub on_excluded: OnExcluded,
}

/// A layer around a schedule.
#[derive(Clone, Debug)]
pub(super) struct Amended {
    pub(super) base: Schedule,
    layer: Layer,
}

#[derive(Clone, Debug)]
enum Layer {
    ClockChanges(ClockChanges),
    Excluded(Excluded),
    Window(Window),
    Edited(Edited),
}

impl Terms {
    /// Several expressions on the wall clock of one zone, under these terms.
    pub fn apply(&self, expressions: &[Expression], zone: &Arc<Zone>) -> Schedule {
        let changes = ClockChanges {
            gap: self.clock_gap,
            repeat: self.clock_repeat,
        };
        let mut schedule = if changes == ClockChanges::default() {
            Schedule::any(expressions, zone)
        } else {
            Schedule::any_of(expressions, zone, |expression, alone| {
                // What fires every hour or more often keeps running through: one more or less makes no difference to
                // it, and an hour without it does.
                if expression.fires_hourly() {
                    alone
                } else {
                    alone.amended(Layer::ClockChanges(changes))
                }
            })
        };
        if !self.excluded.is_empty() {
            schedule = schedule.amended(Layer::Excluded(Excluded {
                days: self.excluded.clone(),
                then: self.on_excluded,
                repeat: self.clock_repeat,
            }));
        }
        if self.start_at.is_some() || self.end_at.is_some() {
            schedule = schedule.amended(Layer::Window(Window {
                opens: self.start_at,
                closes: self.end_at,
            }));
        }
        schedule
    }
}

impl Schedule {
    /// The same schedule with nothing due up to an instant but what is due `before`, oldest first.
    #[must_use]
    pub fn since(self, since: Timestamp, before: &Arc<[Timestamp]>) -> Schedule {
        let before = Arc::clone(before);
        self.amended(Layer::Edited(Edited { since, before }))
    }

    fn amended(self, layer: Layer) -> Schedule {
        Schedule {
            zone: Arc::clone(&self.zone),
            timing: Timing::Amended(Arc::new(Amended { base: self, layer })),
        }
    }
}

impl Amended {
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.layer {
            Layer::ClockChanges(layer) => layer.next(&self.base, after),
            Layer::Excluded(layer) => layer.next(&self.base, after),
            Layer::Window(layer) => layer.next(&self.base, after),
            Layer::Edited(layer) => layer.next(&self.base, after),
        }
    }

    pub(super) fn previous(&self, at: Timestamp) -> Option<Timestamp> {
        match &self.layer {
            Layer::ClockChanges(layer) => layer.previous(&self.base, at),
            Layer::Excluded(layer) => layer.previous(&self.base, at),
            Layer::Window(layer) => layer.previous(&self.base, at),
            Layer::Edited(layer) => layer.previous(&self.base, at),
        }
    }

    /// The same around another schedule.
    pub(super) fn around(&self, base: Schedule) -> Amended {
        Amended {
            base,
            layer: self.layer.clone(),
        }
    }

    /// Whether a reading that a change of the clock skips would have been due.
    pub(super) fn asks_for(&self, wall: NaiveDateTime, change: Timestamp) -> bool {
        let by_layer = match &self.layer {
            Layer::ClockChanges(_) => true,
            Layer::Excluded(layer) => layer.asks_for(&self.base, wall),
            Layer::Window(layer) => layer.holds(change),
            Layer::Edited(layer) => layer.since < change,
        };
        by_layer && self.base.asks_for(wall, change)
    }

    /// See [`Schedule::put_off`].
    pub(super) fn put_off(&self, at: Timestamp) -> Option<i64> {
        match &self.layer {
            Layer::ClockChanges(layer) => layer.put_off(&self.base, at),
            Layer::Excluded(layer) => layer.put_off(&self.base, at),
            Layer::Window(_) | Layer::Edited(_) => self.base.put_off(at),
        }
    }

    /// Whether a reading that a clock change skips is lost.
    pub(super) fn loses_skipped(&self) -> bool {
        !matches!(&self.layer, Layer::ClockChanges(layer) if layer.gap == ClockGap::RunAfter)
    }
}
