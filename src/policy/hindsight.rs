//! What an edit or a resume makes of the time before it (`on-edit`, `on-resume`), across restarts.

use chrono::SubsecRound;

use crate::cronjob::extension::Hindsight;
use crate::cronjob::{CronJob, Record, Spec};
use crate::policy::situation::Memory;
use crate::schedule::Timestamp;

/// Has the record say what is followed now, and forget what it says of before an edit or a pause.
///
/// `before` is what was remembered before this decision, `memory` what is now.
pub(super) fn look_back(
    record: &mut Record,
    cronjob: &CronJob,
    before: &Memory,
    memory: &mut Memory,
    now: Timestamp,
) {
    let (spec, policies) = (&cronjob.spec, &cronjob.spec.policies);
    let seen = fingerprint(spec);
    let is_known = before.schedule.is_some() || record.schedule.is_none();
    let edited_unseen = !is_known && record.schedule != Some(seen);
    let edited = edited_unseen
        || memory
            .in_force_since
            .is_some_and(|since| Some(since) != before.in_force_since);
    if edited && policies.on_edit != Some(Hindsight::Latest) {
        memory.in_force_since = Some(now);
        forget(record, now, policies.keep_a_line() || policies.on_edit.is_some());
    }
    record.schedule = policies.on_edit.map(|_| seen);

    let asks_for_it = policies.on_resume == Some(Hindsight::Skip);
    let resumed = record.paused && !is_paused(record, spec, now);
    if resumed && asks_for_it {
        forget(record, now, true);
    }
    record.paused = asks_for_it && is_paused(record, spec, now);
}

fn is_paused(record: &Record, spec: &Spec, now: Timestamp) -> bool {
    spec.is_suspended(now) || record.suspended.is_some()
}

/// Nobody waits any more, and nothing up to now is due. That is written down where somebody asked for it.
fn forget(record: &mut Record, now: Timestamp, is_written: bool) {
    record.missed.clear();
    record.queue.clear();
    record.passed = Some(now.trunc_subsecs(0)).filter(|_| is_written);
}

/// The schedule and the zone as a number (FNV-1a): enough to see that they are not those of before.
fn fingerprint(spec: &Spec) -> u64 {
    let zone = spec.time_zone.as_deref().unwrap_or_default();
    let bytes = spec.schedule_text.bytes().chain(*b"\n").chain(zone.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
