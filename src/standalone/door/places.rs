//! The places of connections: how many there are of each sort, and who leaves when one is wanted.
//!
//! A connection is a stranger's until a request on it has shown the token. Strangers have few places, the newest ones
//! keep them, and they never take one of those whom the guard knows. Of these, the one that has been idle for longest
//! leaves for a newcomer. What goes on without an end, such as a watch, has a number of its own, so that the
//! connections of watches always leave some for short requests; whoever finds no place is told, and tries again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// How many places there are. A watch takes some 50 KB. All together, and the pods' files, stay below the 1,024 open files
/// that a service is commonly given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections that have not shown the token yet.
    pub(super) strangers: usize,
    /// Connections that have.
    pub(super) known: usize,
    /// Answers without an end.
    pub(super) streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            strangers: 64,
            known: 400,
            streams: 320,
        }
    }
}

/// All places. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Places {
    limits: Limits,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    /// Counts what happens, so that there is an order.
    steps: u64,
    taken: BTreeMap<u64, Taken>,
}

/// A place that is taken.
#[derive(Debug)]
struct Taken {
    known: bool,
    /// How many requests are under way.
    requests: usize,
    streams: usize,
    /// When it was last used.
    used: u64,
    leaves: bool,
    notice: Arc<Notify>,
}

/// There is no place left, and nobody is idle who could leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// The place of a connection, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    desk: Desk,
    notice: Arc<Notify>,
}

/// Where the requests of a connection report.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    places: Places,
    number: u64,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    desk: Desk,
    streams: bool,
}

impl Places {
    pub(super) fn new(limits: Limits) -> Self {
        Places {
            limits,
            table: Arc::default(),
        }
    }

    /// A place for a stranger. When there are too many of them, the one that came first has to leave.
    pub(super) fn welcome(&self) -> Place {
        let mut table = self.table();
        table.steps += 1;
        let (number, notice) = (table.steps, Arc::new(Notify::new()));
        if table.count(|taken| !taken.known) >= self.limits.strangers {
            table.send_away(|taken| !taken.known);
        }
        let taken = Taken {
            known: false,
            requests: 0,
            streams: 0,
            used: number,
            leaves: false,
            notice: Arc::clone(&notice),
        };
        table.taken.insert(number, taken);
        let places = self.clone();
        Place {
            desk: Desk { places, number },
            notice,
        }
    }

    /// Nothing that is done under the lock can fail half-way.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// How many are of a sort, without those who are leaving.
    fn count(&self, is_meant: impl Fn(&Taken) -> bool) -> usize {
        self.staying().filter(|taken| is_meant(taken)).count()
    }

    fn staying(&self) -> impl Iterator<Item = &Taken> {
        self.taken.values().filter(|taken| !taken.leaves)
    }

    /// Asks the one of a sort to leave that has been idle for longest; whether there was one.
    fn send_away(&mut self, is_meant: impl Fn(&Taken) -> bool) -> bool {
        let idle = self.taken.values_mut().filter(|taken| {
            let idle = taken.requests == 0 && !taken.leaves;
            idle && is_meant(taken)
        });
        let Some(longest) = idle.min_by_key(|taken| taken.used) else {
            return false;
        };
        longest.leaves = true;
        longest.notice.notify_one();
        true
    }
}

impl Place {
    /// Where the requests of this connection report.
    pub(super) fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// Ends when the connection has to leave.
    pub(super) async fn asked_to_leave(&self) {
        self.notice.notified().await;
    }

    /// Whether the guard knows who is here.
    pub(super) fn is_known(&self) -> bool {
        let table = self.desk.places.table();
        table
            .taken
            .get(&self.desk.number)
            .is_some_and(|taken| taken.known)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.desk.places.table().taken.remove(&self.desk.number);
    }
}

impl Desk {
    /// A request begins that has shown the token.
    pub(super) fn begin(&self) -> Result<UnderWay, Full> {
        let limits = self.places.limits;
        let mut table = self.places.table();
        let is_known = table.taken.get(&self.number).is_some_and(|taken| taken.known);
        let has_place = is_known
            || table.count(|taken| taken.known) < limits.known
            || table.send_away(|taken| taken.known);
        match table.taken.get_mut(&self.number) {
            Some(taken) if has_place => {
                taken.known = true;
                taken.requests += 1;
            }
            _ => return Err(Full),
        }
        Ok(UnderWay {
            desk: self.clone(),
            streams: false,
        })
    }
}

impl UnderWay {
    /// The answer will go on without an end.
    pub(super) fn stream(&mut self) -> Result<(), Full> {
        let limit = self.desk.places.limits.streams;
        let mut table = self.desk.places.table();
        if table.taken.values().map(|taken| taken.streams).sum::<usize>() >= limit {
            return Err(Full);
        }
        if let Some(taken) = table.taken.get_mut(&self.desk.number) {
            taken.streams += 1;
            self.streams = true;
        }
        Ok(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut table = self.desk.places.table();
        table.steps += 1;
        let now = table.steps;
        if let Some(taken) = table.taken.get_mut(&self.desk.number) {
            taken.requests -= 1;
            taken.streams -= usize::from(self.streams);
            taken.used = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn places() -> Places {
        Places::new(Limits {
            strangers: 2,
            known: 3,
            streams: 2,
        })
    }

    fn leaves(place: &Place) -> bool {
        place.asked_to_leave().now_or_never().is_some()
    }

    #[test]
    fn the_newest_strangers_stay_and_take_no_place_of_others() {
        let places = places();
        let mut known = Vec::new();
        for _ in 0..3 {
            let place = places.welcome();
            drop(place.desk().begin().unwrap());
            known.push(place);
        }
        let strangers: Vec<Place> = (0..4).map(|_| places.welcome()).collect();
        let left: Vec<bool> = strangers.iter().map(leaves).collect();
        assert_eq!(left, [true, true, false, false]);
        assert!(!known.iter().any(leaves));
        assert!(known.iter().all(Place::is_known) && !strangers.iter().any(Place::is_known));
    }

    #[test]
    fn the_one_that_is_idle_for_longest_leaves_for_a_newcomer() {
        let places = places();
        let use_once = |place: &Place| drop(place.desk().begin().unwrap());
        let known: [Place; 3] = std::array::from_fn(|_| {
            let place = places.welcome();
            use_once(&place);
            place
        });
        let busy = known[0].desk().begin().unwrap();
        use_once(&known[1]);
        let newcomer = places.welcome();
        let under_way = newcomer.desk().begin().unwrap();
        let left: Vec<bool> = known.iter().map(leaves).collect();
        assert_eq!(left, [false, false, true]);
        let other = known[1].desk().begin().unwrap();
        let one_too_many = places.welcome();
        assert_eq!(one_too_many.desk().begin().unwrap_err(), Full);
        drop((busy, under_way, other));
        one_too_many.desk().begin().expect("the others are idle again");
    }

    #[test]
    fn streams_are_counted_while_they_last() {
        let places = places();
        let place = places.welcome();
        let mut begun: Vec<UnderWay> = (0..3).map(|_| place.desk().begin().unwrap()).collect();
        assert_eq!(begun[0].stream(), Ok(()));
        assert_eq!(begun[1].stream(), Ok(()));
        assert_eq!(begun[2].stream(), Err(Full));
        drop(begun.remove(0));
        assert_eq!(begun[1].stream(), Ok(()));
        drop(place);
        drop(begun);
        assert!(places.table().taken.is_empty());
    }
}
