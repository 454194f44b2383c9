//! Runs none of whose pods can start (`pending-deadline`): looked at when their time is over, then ended with the reason.

use chrono::TimeDelta;
use punctual::cronjob::{JobRef, RunState};
use punctual::policy::{Memory, Note, Pods, PodsState, Ruling, Situation, decide};

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

    let why = String::from("ImagePullBackOff");
    for (state, ended) in [
        (PodsState::Began, 0),
        (PodsState::Kept(why.clone()), 1),
        (PodsState::Hidden(why), 0),
    ] {
        let pods = Pods {
            job: waiting.uid.clone(),
            state: state.clone(),
        };
        let memory = Memory {
            pods: vec![pods],
            ..Memory::default()
        };
        let seen = at(&memory, "T+5m");
        assert_eq!((seen.look_at.len(), seen.stop.len()), (0, ended), "{state:?}");
        let told = seen.notes.iter().find_map(|note| match note {
            Note::Ruled(Ruling::NeverStarted { why, .. }) => Some(PodsState::Kept(why.clone())),
            Note::Ruled(Ruling::PodsHidden { why, .. }) => Some(PodsState::Hidden(why.clone())),
            _ => None,
        });
        assert_eq!(told.unwrap_or(PodsState::Began), state, "{:?}", seen.notes);
    }
}
