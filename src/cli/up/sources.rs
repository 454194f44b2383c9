//! Where what is shown comes from, and in which order: what happened first comes first.
//!
//! Each source tells in its own order and at its own pace. An end waits until no more output of it can come; all of
//! that is in its channel then, so whoever takes in what has come, and then sorts it, never tells the end before the output.

use std::collections::VecDeque;

use tokio::sync::{mpsc, watch};

use crate::cli::up::happening::{Ended, Followed, Happening};
use crate::standalone::runtime;
use crate::telemetry::Told;

/// How much is taken in at one time of each source. As much as waits in any of them: what was there when an end was
/// taken in is taken in with it.
const AT_ONE_TIME: usize = runtime::OUTPUT_QUEUE;

/// The sources, and what was taken in and is not shown yet.
pub(super) struct Sources {
    told: mpsc::Receiver<Told>,
    processes: mpsc::Receiver<runtime::Event>,
    open: watch::Receiver<runtime::Open>,
    ended: mpsc::Receiver<Ended>,
    followed: mpsc::Receiver<Followed>,
    /// Work that has ended, and whose output has not come to its end.
    held: Vec<Ended>,
    waiting: VecDeque<Happening>,
}

impl Sources {
    pub(super) fn new(
        told: mpsc::Receiver<Told>,
        (processes, open): (mpsc::Receiver<runtime::Event>, watch::Receiver<runtime::Open>),
        ended: mpsc::Receiver<Ended>,
        followed: mpsc::Receiver<Followed>,
    ) -> Self {
        Sources {
            told,
            processes,
            open,
            ended,
            followed,
            held: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// What comes next. Nothing is lost when this is dropped.
    pub(super) async fn next(&mut self) -> Happening {
        loop {
            if let Some(happening) = self.waiting.pop_front() {
                return happening;
            }
            tokio::select! {
                Some(told) = self.told.recv() => self.waiting.push_back(Happening::Decision(told)),
                Some(event) = self.processes.recv() => self.waiting.push_back(Happening::Process(event)),
                Some(ended) = self.ended.recv() => self.held.push(ended),
                Some(followed) = self.followed.recv() => self.waiting.push_back(Happening::Followed(followed)),
                Ok(()) = self.open.changed(), if !self.held.is_empty() => {}
                else => std::future::pending().await,
            }
            self.take_in();
        }
    }

    /// What is left when nothing happens any more; waits for output that is still to come.
    pub(super) async fn next_of_rest(&mut self) -> Option<Happening> {
        loop {
            if let Some(happening) = self.waiting.pop_front() {
                return Some(happening);
            }
            let all_came = self.open.borrow_and_update().is_empty() && self.ended.is_closed();
            self.take_in();
            if !self.waiting.is_empty() {
                continue;
            }
            if all_came {
                return None;
            }
            tokio::select! {
                Some(event) = self.processes.recv() => self.waiting.push_back(Happening::Process(event)),
                Some(ended) = self.ended.recv() => self.held.push(ended),
                Ok(()) = self.open.changed() => {}
                else => {}
            }
        }
    }

    /// What was taken in, and is not to wait for anything any more.
    pub(super) fn last(&mut self) -> Vec<Happening> {
        self.take_in();
        let held = self.held.drain(..).map(Happening::Ended);
        self.waiting.drain(..).chain(held).collect()
    }

    /// Takes in what has come. Ends come first, so that the output before them is there when it is its turn.
    fn take_in(&mut self) {
        let Sources {
            told,
            processes,
            open,
            ended,
            followed,
            held,
            waiting,
        } = self;
        held.extend(come(ended));
        if !held.is_empty() {
            let open = open.borrow_and_update();
            let is_due = |ended: &mut Ended| !open.holds(&ended.work);
            waiting.extend(held.extract_if(.., is_due).map(Happening::Ended));
        }
        waiting.extend(come(followed).map(Happening::Followed));
        waiting.extend(come(told).map(Happening::Decision));
        waiting.extend(come(processes).map(Happening::Process));
        waiting.make_contiguous().sort_by_key(Happening::at);
    }
}

fn come<T>(source: &mut mpsc::Receiver<T>) -> impl Iterator<Item = T> {
    std::iter::from_fn(|| source.try_recv().ok()).take(AT_ONE_TIME)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;
    use crate::cronjob::Outcome;
    use crate::schedule::Timestamp;
    use crate::standalone::runtime::{Event, Origin, What, Work, WorkKind};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn ended(second: i64) -> Ended {
        Ended {
            at: at(second),
            work: Work {
                kind: WorkKind::Job,
                namespace: "default".into(),
                name: format!("job-{second}"),
            },
            outcome: Some(Outcome::Succeeded),
            took: TimeDelta::zero(),
            why: None,
        }
    }

    fn exited(second: i64) -> Event {
        let origin = Origin {
            namespace: "default".into(),
            job: None,
            index: None,
            pod: "pod".into(),
            container: "main".into(),
            is_alone: true,
        };
        let what = What::Ended {
            exit_code: 0,
            signal: None,
            unseen: None,
        };
        Event {
            origin: Arc::new(origin),
            at: at(second),
            what,
        }
    }

    fn told_of(happenings: impl IntoIterator<Item = Happening>) -> Vec<String> {
        let one = |happening: Happening| {
            let second = happening.at().unwrap().timestamp();
            match happening {
                Happening::Ended(_) => format!("{second} ended"),
                _ => format!("{second} output"),
            }
        };
        happenings.into_iter().map(one).collect()
    }

    #[tokio::test]
    async fn what_happened_first_comes_first_whoever_tells_it() {
        let (_told_in, told) = mpsc::channel(8);
        let (output, processes) = mpsc::channel(8);
        let (ends, ended_out) = mpsc::channel(8);
        let (_followed_in, followed) = mpsc::channel(8);
        let (_open_in, open) = watch::channel(runtime::Open::default());
        let mut sources = Sources::new(told, (processes, open), ended_out, followed);
        for second in [1, 2, 4] {
            output.send(exited(second)).await.unwrap();
        }
        ends.send(ended(3)).await.unwrap();
        let mut shown = Vec::new();
        for _ in 0..4 {
            shown.push(sources.next().await);
        }
        assert_eq!(told_of(shown), ["1 output", "2 output", "3 ended", "4 output"]);

        ends.send(ended(6)).await.unwrap();
        output.send(exited(5)).await.unwrap();
        drop(ends);
        let mut rest = Vec::new();
        while let Some(happening) = sources.next_of_rest().await {
            rest.push(happening);
        }
        assert_eq!(told_of(rest), ["5 output", "6 ended"]);
    }
}
