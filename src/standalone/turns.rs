//! Who goes next, when many runs are due at once: what starts work goes before what only records it.
//!
//! A run comes to a dozen writes, and all but two of them tell what became of it. Two hundred runs that are due at one
//! instant would wait for each other's records; so pods go first, that a run which has its Job has its process next,
//! then Jobs, and the rest when nothing is to be started. Of the Jobs only some are ahead of their processes: the others
//! would take the processors from those that are nearly there, and nobody would start any sooner. The rest does not wait
//! for ever, or it would never be recorded what a machine does that always has something to start.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// Writes that are under way at the same time. They share the syncs of the disk, so there is no gain in few; more would
/// only take the processors from each other.
const WRITES_AT_ONCE: usize = 32;

/// How many runs may be on their way, from their Job to their process, before another begins. Fewer would leave the
/// processors idle while the disk syncs.
const RUNS_ON_THEIR_WAY: usize = 16;

/// How long a write waits for its turn at most.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What a write is for. The first go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::standalone) enum Rank {
    /// A new pod: its processes start when it is there.
    Process,
    /// A new Job: its pods come when it is there.
    Run,
    /// Anything else.
    Record,
}

/// The turns of all who write and start. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<Queue>>);

/// A turn, which ends when this is dropped.
#[derive(Debug)]
pub(in crate::standalone) struct Turn {
    turns: Turns,
    rank: Rank,
}

/// A pod whose first process is being started, until this is dropped.
#[derive(Debug)]
pub(in crate::standalone) struct Start(Turns);

#[derive(Debug, Default)]
struct Queue {
    under_way: usize,
    /// How many of them start something.
    starting: usize,
    /// How many pods have been written whose processes are being started.
    pods: usize,
    /// In the order in which they are served. A writer that has gone away does not hear of its turn.
    waiting: BTreeMap<(Rank, u64), oneshot::Sender<Turn>>,
    /// How many have come so far.
    count: u64,
}

impl Turns {
    /// Waits for a turn; nothing, when that took too long: then it is written all the same.
    pub(in crate::standalone) async fn take(&self, rank: Rank) -> Option<Turn> {
        let (sender, turn) = oneshot::channel();
        let place = {
            let mut queue = self.queue();
            queue.count += 1;
            let place = (rank, queue.count);
            queue.waiting.insert(place, sender);
            place
        };
        self.serve();
        match timeout(LONGEST_WAIT, turn).await {
            Ok(turn) => turn.ok(),
            Err(_too_long) => {
                self.queue().waiting.remove(&place);
                None
            }
        }
    }

    /// A pod that is there now, and its process is being started.
    pub(in crate::standalone) fn start(&self) -> Start {
        self.queue().pods += 1;
        Start(self.clone())
    }

    /// Waits until nothing is to be started, or for long enough: before what is not a write, and can wait as well.
    pub(in crate::standalone) async fn calm(&self) {
        let _turn = self.take(Rank::Record).await;
    }

    /// Gives turns to those who may have one now. A turn that nobody takes is over at once.
    fn serve(&self) {
        loop {
            let next = self.queue().next();
            let Some((rank, writer)) = next else { return };
            let turns = self.clone();
            let _gone = writer.send(Turn { turns, rank });
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Takes out the next writer whose turn it is.
    fn next(&mut self) -> Option<(Rank, oneshot::Sender<Turn>)> {
        // A turn that comes back serves the next one, which may have gone as well: they are passed over here, not one inside
        // of the other.
        while let Some(first) = self.waiting.first_entry().filter(|first| first.get().is_closed()) {
            first.remove();
        }
        let (rank, _) = *self.waiting.first_key_value()?.0;
        let on_their_way = self.starting + self.pods;
        let is_too_early = match rank {
            Rank::Process => false,
            Rank::Run => on_their_way >= RUNS_ON_THEIR_WAY,
            Rank::Record => on_their_way > 0,
        };
        if is_too_early || self.under_way >= WRITES_AT_ONCE {
            return None;
        }
        let (_, writer) = self.waiting.pop_first()?;
        self.under_way += 1;
        self.starting += usize::from(rank < Rank::Record);
        Some((rank, writer))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut queue = self.turns.queue();
            queue.under_way -= 1;
            queue.starting -= usize::from(self.rank < Rank::Record);
        }
        self.turns.serve();
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        self.0.queue().pods -= 1;
        self.0.serve();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets writers of these ranks come while every turn is taken, then ends those turns; the order in which they write.
    async fn order(ranks: &[Rank]) -> Vec<Rank> {
        let turns = Turns::default();
        let mut taken = Vec::new();
        for _ in 0..WRITES_AT_ONCE {
            taken.push(turns.take(Rank::Process).await.expect("a turn"));
        }
        let written = Arc::new(Mutex::new(Vec::new()));
        let writers = ranks.iter().map(|rank| {
            let (turns, written, rank) = (turns.clone(), written.clone(), *rank);
            tokio::spawn(async move {
                let _turn = turns.take(rank).await.expect("a turn");
                written.lock().expect("no panic").push(rank);
                tokio::time::sleep(Duration::from_millis(1)).await;
            })
        });
        let writers: Vec<_> = writers.collect();
        tokio::time::sleep(Duration::from_millis(1)).await;
        // One after the other, so that the next one is served before there is room for two.
        for turn in taken {
            drop(turn);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        for writer in writers {
            writer.await.expect("no panic");
        }
        let written = written.lock().expect("no panic");
        written.clone()
    }

    #[tokio::test(start_paused = true)]
    async fn what_starts_work_goes_first_whoever_came_first() {
        use Rank::{Process, Record, Run};
        let written = order(&[Record, Run, Run, Process, Record, Process]).await;
        assert_eq!(written, [Process, Process, Run, Run, Record, Record]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_waits_for_every_start_and_not_for_ever() {
        let turns = Turns::default();
        let start = turns.take(Rank::Run).await;
        let before = tokio::time::Instant::now();
        assert!(turns.take(Rank::Record).await.is_none());
        assert_eq!(before.elapsed(), LONGEST_WAIT);
        drop(start);
        assert!(turns.take(Rank::Record).await.is_some());
        assert_eq!(before.elapsed(), LONGEST_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_jobs_are_ahead_of_their_processes() {
        let turns = Turns::default();
        let mut starts: Vec<Start> = (0..RUNS_ON_THEIR_WAY).map(|_| turns.start()).collect();
        let before = tokio::time::Instant::now();
        assert!(
            turns.take(Rank::Process).await.is_some(),
            "a pod is ahead of nobody"
        );
        assert_eq!(before.elapsed(), Duration::ZERO);
        let run = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(Rank::Run).await.is_some() }
        });
        tokio::time::sleep(LONGEST_WAIT / 2).await;
        assert!(!run.is_finished());
        starts.pop();
        assert!(
            run.await.expect("no panic"),
            "it has its turn when one has started"
        );
        assert_eq!(before.elapsed(), LONGEST_WAIT / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_ended_waits_for_what_is_to_be_started() {
        let turns = Turns::default();
        let start = turns.start();
        let before = tokio::time::Instant::now();
        tokio::join!(turns.calm(), async {
            tokio::time::sleep(LONGEST_WAIT / 2).await;
            drop(start);
        });
        assert_eq!(before.elapsed(), LONGEST_WAIT / 2);
        turns.calm().await;
        assert_eq!(before.elapsed(), LONGEST_WAIT / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_writers_may_have_gone_in_a_row() {
        let turns = Turns::default();
        let start = turns.take(Rank::Run).await;
        for _ in 0..100_000 {
            let mut writer = Box::pin(turns.take(Rank::Record));
            assert!(futures::poll!(&mut writer).is_pending());
        }
        drop(start);
        assert!(turns.take(Rank::Record).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_turn_of_a_writer_that_has_gone_is_the_next_ones() {
        let turns = Turns::default();
        let start = turns.take(Rank::Run).await;
        let gone = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(Rank::Record).await.map(drop) }
        });
        tokio::time::sleep(Duration::from_millis(1)).await;
        gone.abort();
        let _cancelled = gone.await;
        drop(start);
        assert!(turns.take(Rank::Record).await.is_some());
        let queue = turns.queue();
        assert_eq!((queue.under_way, queue.starting, queue.waiting.len()), (0, 0, 0));
    }
}
