//! When a container is started again in its pod.
//!
//! The kubelet's rules: the pod's `restartPolicy` says after which exits, and the wait before the n-th restart in a
//! row is nothing, 10 s, 20 s, 40 s … up to five minutes (`CrashLoopBackOff`). A run of ten minutes starts the row
//! anew.

use std::time::Duration;

/// The wait before the second restart in a row.
pub(super) const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
/// The longest wait.
pub(super) const LONGEST_BACK_OFF: Duration = Duration::from_mins(5);
/// A run of this length ends a row of failures.
pub(super) const LONG_RUN: Duration = Duration::from_mins(10);

/// A pod's or a sidecar's `restartPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::standalone::runtime) enum RestartPolicy {
    /// After every exit.
    Always,
    /// After an exit code other than 0.
    OnFailure,
    /// Never.
    Never,
}

impl RestartPolicy {
    /// Reads the policy; Kubernetes takes an absent one as `Always`.
    pub(super) fn read(written: Option<&str>) -> Self {
        match written {
            Some("Never") => Self::Never,
            Some("OnFailure") => Self::OnFailure,
            _ => Self::Always,
        }
    }

    /// Whether a container that ended with this exit code is started again.
    pub(super) fn restarts_after(self, exit_code: i32) -> bool {
        match self {
            Self::Always => true,
            Self::OnFailure => exit_code != 0,
            Self::Never => false,
        }
    }
}

/// The row of restarts of one container.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    in_a_row: u32,
}

impl BackOff {
    /// After so many restarts.
    pub(super) fn after(in_a_row: u32) -> Self {
        Self { in_a_row }
    }

    /// How long to wait before the next restart, after a run of this length.
    pub(super) fn next(&mut self, run: Duration) -> Duration {
        if run >= LONG_RUN {
            self.in_a_row = 0;
        }
        let wait = match self.in_a_row {
            0 => Duration::ZERO,
            restarts => FIRST_BACK_OFF
                .saturating_mul(2_u32.saturating_pow(restarts - 1))
                .min(LONGEST_BACK_OFF),
        };
        self.in_a_row = self.in_a_row.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let mut back_off = BackOff::default();
        let waits: Vec<u64> = (0..9)
            .map(|_| back_off.next(Duration::from_secs(1)).as_secs())
            .collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn a_long_run_starts_the_row_anew() {
        let mut back_off = BackOff::default();
        let runs = [1, 1, 1, 600, 1].map(|seconds| back_off.next(Duration::from_secs(seconds)).as_secs());
        assert_eq!(runs, [0, 10, 20, 0, 10]);
    }

    #[test]
    fn policies() {
        let restarts = |policy| [0, 1, 137].map(|code| RestartPolicy::read(policy).restarts_after(code));
        assert_eq!(restarts(Some("Never")), [false, false, false]);
        assert_eq!(restarts(Some("OnFailure")), [false, true, true]);
        assert_eq!(restarts(Some("Always")), [true, true, true]);
        assert_eq!(restarts(None), [true, true, true]);
    }
}
