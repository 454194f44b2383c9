//! What an edit or a resume makes of the time before it (`on-edit`, `on-resume`), across restarts.

use chrono::{SubsecRound, TimeDelta};

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
        let since = memory.in_force_since.filter(|_| !edited_unseen).unwrap_or(now);
        memory.in_force_since = Some(since);
        forget(
            record,
            since,
            policies.keep_a_line() || policies.on_edit.is_some(),
        );
    }
    record.schedule = policies.on_edit.map(|_| seen);

    let asks_for_it = policies.on_resume == Some(Hindsight::Skip);
    let is_paused = spec.is_suspended(now) || record.suspended.is_some();
    if asks_for_it && !is_paused {
        match spec.pause_ended(now) {
            Some(until) => forget_pause(record, cronjob, until),
            None if record.paused => forget(record, now, true),
            None => {}
        }
    }
    record.paused = asks_for_it && is_paused;
}

/// A pause that ended by itself ended when it says, also where nobody was there to see it begin or end; an instant at its
/// end is due, and so is what came after it.
fn forget_pause(record: &mut Record, cronjob: &CronJob, until: Timestamp) {
    let last = until - TimeDelta::seconds(1);
    let dealt_with = record.passed.max(cronjob.status.last_schedule_time);
    if dealt_with < Some(last) {
        forget(record, last, true);
    }
}

/// Nobody waits any more who came up to an instant, and nothing up to there is due. That is written down where somebody
/// asked for it.
fn forget(record: &mut Record, until: Timestamp, is_written: bool) {
    record.missed.retain(|at| *at > until);
    record.queue.retain(|at| *at > until);
    record.passed = Some(until.trunc_subsecs(0)).filter(|_| is_written);
}

/// The schedule and the zone as a number (FNV-1a): enough to see that they are not those of before.
fn fingerprint(spec: &Spec) -> u64 {
    let zone = spec.time_zone.as_deref().unwrap_or_default();
    let bytes = spec.schedule_text.bytes().chain(*b"\n").chain(zone.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
