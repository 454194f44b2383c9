//! `overlap`, `queue-limit` and `max-active`: what a due run does while others are active, beyond `concurrencyPolicy`.
//!
//! | | while a run is active, one that comes due |
//! |---|---|
//! | `Skip` | is skipped for good; it never starts late |
//! | `Queue` | waits for its turn, first in, first out; when as many wait as `queue-limit`, it is skipped |
//! | `ReplaceWhenStopped` | ends the active one, and starts when that one's pods are gone |
//!
//! While nothing of its own is active and the group of the CronJob is full, the first one waits with `Skip` too.
//!
//! Without `overlap` it is as `concurrencyPolicy` says. `max-active` bounds `Allow` and `Queue`: what is due beyond it
//! waits, of `Allow` the newest only.

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;

/// What a due run does while others are active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// It is skipped for good.
    Skip,
    /// It waits for its turn.
    Queue,
    /// It starts when the others are gone, pods and all.
    ReplaceWhenStopped,
}

/// Without `queue-limit`.
pub(super) const DEFAULT_QUEUE_LIMIT: usize = 1;

/// No more may wait than this: who waits is recorded in an annotation, and has to find room there.
const QUEUE_MAX: usize = 1_000;

/// More than this is no limit.
const ACTIVE_MAX: usize = 10_000;

/// What a due run does while others are active.
pub(super) const OVERLAP: Extension = Extension {
    name: "punctual.dev/overlap",
    values: "Skip, Queue or ReplaceWhenStopped",
    default: "as `spec.concurrencyPolicy` says",
    doc: "What a run does that comes due while another is active: it is skipped for good, waits for its turn, or starts \
          when the old pods are gone",
    meanwhile: Meanwhile::Default("spec.concurrencyPolicy applies"),
    read: |value, _, into| {
        const ALL: [Overlap; 3] = [Overlap::Skip, Overlap::Queue, Overlap::ReplaceWhenStopped];
        into.policies.overlap = Some(word::one_of(
            value,
            &["Skip", "Queue", "ReplaceWhenStopped"],
            &ALL,
        )?);
        Ok(())
    },
};

/// How many may wait.
pub(super) const QUEUE_LIMIT: Extension = Extension {
    name: "punctual.dev/queue-limit",
    values: "a whole number from 1 to 1000",
    default: "1",
    doc: "How many runs may wait for their turn with `overlap: Queue`; one more is skipped",
    meanwhile: Meanwhile::Default("1 may wait"),
    read: |value, _, into| {
        into.policies.queue_limit = word::count(value, QUEUE_MAX)?;
        Ok(())
    },
};

/// How many may be active.
pub(super) const MAX_ACTIVE: Extension = Extension {
    name: "punctual.dev/max-active",
    values: "a whole number from 1 to 10000",
    default: "none; 1 with `overlap: Queue`",
    doc: "How many runs may be active at once, with `concurrencyPolicy: Allow` and with `overlap: Queue`",
    meanwhile: Meanwhile::Default("1 may be active"),
    read: |value, _, into| {
        // A limit that can't be read is still one.
        into.policies.max_active = Some(1);
        into.policies.max_active = Some(word::count(value, ACTIVE_MAX)?);
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn words_and_numbers() {
        let policies = read(&[
            ("punctual.dev/overlap", "Queue"),
            ("punctual.dev/queue-limit", "5"),
            ("punctual.dev/max-active", "2"),
        ])
        .policies;
        assert_eq!(policies.overlap, Some(Overlap::Queue));
        assert_eq!((policies.queue_limit, policies.max_active), (5, Some(2)));
        insta::assert_snapshot!(said(&[("punctual.dev/overlap", "Forbid")]), @r#"annotation punctual.dev/overlap is "Forbid"; write "Skip", "Queue" or "ReplaceWhenStopped". Until then spec.concurrencyPolicy applies"#);
        insta::assert_snapshot!(said(&[("punctual.dev/queue-limit", "many")]), @r#"annotation punctual.dev/queue-limit is "many"; write a whole number from 1 to 1000. Until then 1 may wait"#);
        insta::assert_snapshot!(said(&[("punctual.dev/max-active", "-1")]), @r#"annotation punctual.dev/max-active is "-1"; write a whole number from 1 to 10000. Until then 1 may be active"#);
    }
}
