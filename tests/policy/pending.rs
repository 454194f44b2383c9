//! Runs none of whose pods can start (`pending-deadline`): looked at when their time is over, then ended with the reason.

use chrono::TimeDelta;
use punctual::cronjob::{JobRef, RunState};
use punctual::policy::{Memory, Note, Pods, Ruling, Situation, decide};

use crate::world::{cronjob, instant, run};

#[test]
fn a_run_that_never_starts_is_looked_at_and_ended() {
    let mut cronjob = cronjob("0 * * * *", None);
    cronjob.spec.policies.pending_deadline = Some(TimeDelta::minutes(5));
    let mut waiting = run(instant("T"), RunState::Active);
    waiting.began = false;
    cronjob.status.active = vec![JobRef::from(&waiting)];
    cronjob.status.last_schedule_time = Some(instant("T"));
    let runs = [waiting.clone()];
    let at = |memory: &Memory, now: &str| {
        decide(
            Situation {
                cronjob: &cronjob,
                runs: &runs,
                memory,
            },
            instant(now),
        )
    };

    let early = at(&Memory::default(), "T+4m59s");
    assert_eq!((early.look_at.len(), early.stop.len()), (0, 0));
    assert_eq!(
        early.wake,
        Some(instant("T+5m")),
        "it is looked at when its time is over"
    );
    let over = at(&Memory::default(), "T+5m");
    assert_eq!(
        (over.look_at.len(), over.stop.len()),
        (1, 0),
        "nothing is ended unseen"
    );

    for (began, ended) in [(true, 0), (false, 1)] {
        let pods = Pods {
            job: waiting.uid.clone(),
            began,
            why: "ImagePullBackOff".into(),
        };
        let memory = Memory {
            pods: vec![pods],
            ..Memory::default()
        };
        let seen = at(&memory, "T+5m");
        assert_eq!(
            (seen.look_at.len(), seen.stop.len()),
            (0, ended),
            "began: {began}"
        );
        let is_told = |note: &Note| matches!(note, Note::Ruled(Ruling::NeverStarted { why, .. }) if why == "ImagePullBackOff");
        assert_eq!(seen.notes.iter().any(is_told), !began);
    }
}
