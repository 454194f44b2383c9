//! Nothing is due before one instant, nor after another (`start-at`, `end-at`). Both belong to the window.

use chrono::TimeDelta;

use super::super::{Schedule, Timestamp};

#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) opens: Option<Timestamp>,
    pub(super) closes: Option<Timestamp>,
}

impl Window {
    pub(super) fn next(&self, base: &Schedule, after: Timestamp) -> Option<Timestamp> {
        // An instant is due at whole seconds, so just before the window means a second before.
        let before = self
            .opens
            .map(|opens| opens - TimeDelta::nanoseconds(1) - TimeDelta::milliseconds(999));
        let after = before.map_or(after, |before| after.max(before));
        base.next(after).filter(|due| self.holds(*due))
    }

    pub(super) fn previous(&self, base: &Schedule, at: Timestamp) -> Option<Timestamp> {
        let at = self.closes.map_or(at, |closes| at.min(closes));
        base.previous(at).filter(|due| self.holds(*due))
    }

    pub(super) fn holds(&self, due: Timestamp) -> bool {
        self.opens.is_none_or(|opens| opens <= due) && self.closes.is_none_or(|closes| due <= closes)
    }
}
