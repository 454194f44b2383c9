//! What an edit that nobody saw, or a resume, makes of the time before it (`on-edit`, `on-resume`).

use chrono::{SubsecRound, TimeDelta};

use crate::cronjob::extension::Hindsight;
use crate::cronjob::{CronJob, Record, Spec, Status};
use crate::fnv::fnv1a;
use crate::policy::situation::Memory;
use crate::policy::{Edit, Edited, Note};
use crate::schedule::Timestamp;

/// Has the record say what is followed now, and forget what it says of before an edit or a pause.
///
/// `before` is what was remembered before this decision, `memory` what is now.
pub(super) fn look_back(
    status: &mut Status,
    cronjob: &CronJob,
    before: &Memory,
    memory: &mut Memory,
    notes: &mut Vec<Note>,
    now: Timestamp,
) {
    let (spec, policies) = (&cronjob.spec, &cronjob.spec.policies);
    let anchor = status.last_schedule_time.unwrap_or(cronjob.created);
    let record = &mut status.record;
    let seen = fingerprint(spec);
    let edited_unseen = before.schedule.is_none() && record.schedule.is_some_and(|known| known != seen);
    if edited_unseen && policies.on_edit != Some(Hindsight::Latest) {
        memory.edit = Some(Edit {
            since: now - policies.jitter_of(&cronjob.uid),
            still_due: [].into(),
            of: Edited::Schedule,
        });
    }
    if let Some(edit) = &memory.edit {
        edit.leave_behind(record, cronjob, anchor, notes);
    }
    record.schedule = policies.on_edit.map(|_| seen);

    let asks_for_it = policies.on_resume == Some(Hindsight::Skip);
    let is_paused = spec.is_suspended(now) || record.suspended.is_some();
    if asks_for_it && !is_paused {
        match spec.pause_ended(now) {
            Some(until) => forget_pause(record, cronjob, until),
            None if record.paused => forget(record, now),
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
        forget(record, last);
    }
}

/// Nobody waits any more who came up to an instant, and nothing up to there is due.
fn forget(record: &mut Record, until: Timestamp) {
    record.missed.retain(|at| *at > until);
    record.queue.retain(|at| *at > until);
    record.passed = Some(until.trunc_subsecs(0));
}

/// The schedule and the zone as a number: enough to see that they are not those of before.
fn fingerprint(spec: &Spec) -> u64 {
    let zone = spec.time_zone.as_deref().unwrap_or_default();
    fnv1a(spec.schedule_text.bytes().chain(*b"\n").chain(zone.bytes()))
}
