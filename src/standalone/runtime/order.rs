//! What a pod's containers are ordered to do, and how that is brought about: one rule, whatever they run as.
//!
//! Who is stopped is asked to end, once: a second time makes some programs give up on what they are saving. When the grace
//! is over, the shortest of those that were given, it is killed. What did not reach it is tried again, until it has ended.

use std::convert::Infallible;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long after it a word is said again that could not be passed on.
const SAY_AGAIN: Duration = Duration::from_secs(1);

/// What is ordered. Each order outweighs those before it, and a stop with less grace one with more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Order {
    /// Go on.
    #[default]
    Run,
    /// What runs goes on, and is the last: nothing starts any more.
    Last,
    /// End: SIGTERM now, SIGKILL when the grace is over. Nothing starts any more.
    Stop {
        /// How long it may take to end.
        grace: Duration,
    },
    /// End at once: SIGKILL.
    Kill,
}

impl Order {
    /// Whether this order asks for more than another.
    pub(super) fn outweighs(self, other: Self) -> bool {
        match (self, other) {
            (Self::Run, _) | (_, Self::Kill) => false,
            (Self::Last, other) => other == Self::Run,
            (Self::Stop { grace }, Self::Stop { grace: other }) => grace < other,
            (Self::Stop { .. }, Self::Run | Self::Last) | (Self::Kill, _) => true,
        }
    }

    /// Whether it asks what runs to end.
    pub(super) fn is_end(self) -> bool {
        matches!(self, Self::Stop { .. } | Self::Kill)
    }

    /// Gives this order, unless one was given that asks for no less.
    pub(super) fn give(self, orders: &watch::Sender<Self>) {
        orders.send_if_modified(|given| {
            let more = self.outweighs(*given);
            if more {
                *given = self;
            }
            more
        });
    }
}

/// What is said to who is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Please end.
    End,
    /// SIGKILL.
    Die,
}

/// How far an end has been brought about.
#[derive(Debug, Default)]
struct Stopping {
    /// Whether somebody has tried to ask it to end, and whether it was asked, or need not be.
    was_tried: bool,
    was_asked: bool,
    was_killed: bool,
    kill_at: Option<Instant>,
}

impl Stopping {
    fn obey(&mut self, order: Order, now: Instant) {
        let kill_at = match order {
            Order::Run | Order::Last => return,
            // A moment that there is not never comes.
            Order::Stop { grace } => now.checked_add(grace),
            Order::Kill => {
                self.was_asked = true;
                Some(now)
            }
        };
        self.kill_at = self.kill_at.into_iter().chain(kill_at).min();
    }

    /// What is to be said now.
    fn due(&self, order: Order, now: Instant) -> Option<Word> {
        let is_over = self.kill_at.is_some_and(|at| at <= now);
        if self.was_killed || !order.is_end() {
            None
        } else if is_over && (self.was_asked || self.was_tried) {
            Some(Word::Die)
        } else {
            Some(Word::End).filter(|_| !self.was_asked)
        }
    }

    /// A word was passed on, or could not be.
    fn said(&mut self, word: Word, is_heard: bool) {
        match word {
            Word::End => (self.was_tried, self.was_asked) = (true, is_heard),
            Word::Die => self.was_killed = is_heard,
        }
    }

    /// When there is something to be said next, if something could not be passed on now.
    fn next(&self, now: Instant, is_heard: bool) -> Option<Instant> {
        let kill_at = self.kill_at.filter(|at| *at > now && !self.was_killed);
        let again = Some(now + SAY_AGAIN).filter(|_| !is_heard);
        kill_at.into_iter().chain(again).min()
    }
}

/// What can be told to end.
pub(super) trait Stoppable {
    /// Passes a word on. Whether that is done with: it was heard, or nobody is there to hear it.
    fn say(&self, word: Word) -> impl Future<Output = bool> + Send;
}

/// Carries out what is ordered, for as long as it is polled.
pub(super) async fn carry_out(orders: &mut watch::Receiver<Order>, it: &impl Stoppable) -> Infallible {
    let mut stopping = Stopping::default();
    let mut order = *orders.borrow_and_update();
    stopping.obey(order, Instant::now());
    loop {
        let mut is_heard = true;
        if let Some(word) = stopping.due(order, Instant::now()) {
            is_heard = it.say(word).await;
            stopping.said(word, is_heard);
            if is_heard {
                continue;
            }
        }
        let next = stopping.next(Instant::now(), is_heard);
        tokio::select! {
            () = changed(orders) => {
                order = *orders.borrow_and_update();
                stopping.obey(order, Instant::now());
            }
            () = at(next) => {}
        }
    }
}

/// Waits for something new, e.g. an order. When nobody is left to give it, nothing comes.
pub(super) async fn changed<T>(news: &mut watch::Receiver<T>) {
    if news.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for a moment; for ever, when there is none.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn stop(seconds: u64) -> Order {
        Order::Stop {
            grace: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn an_order_outweighs_what_asks_for_less() {
        let orders = [Order::Run, Order::Last, stop(30), stop(1), Order::Kill];
        for (number, order) in orders.into_iter().enumerate() {
            for (other_number, other) in orders.into_iter().enumerate() {
                assert_eq!(
                    order.outweighs(other),
                    number > other_number,
                    "{order:?} over {other:?}"
                );
            }
        }
    }

    /// Who notes what is said, and does not hear the first words.
    struct Noted {
        begun: Instant,
        unheard: AtomicU32,
        said: Mutex<Vec<String>>,
    }

    impl Stoppable for Noted {
        async fn say(&self, word: Word) -> bool {
            let left = |left: u32| left.checked_sub(1);
            let is_heard = self
                .unheard
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left)
                .is_err();
            let how = if is_heard { "" } else { ", unheard" };
            let after = self.begun.elapsed().as_secs();
            self.said
                .lock()
                .unwrap()
                .push(format!("{word:?} after {after}{how}"));
            is_heard
        }
    }

    /// What is said, and after how many seconds, when these orders are given after so many; the first words are not
    /// heard.
    async fn said(given: &[(u64, Order)], unheard: u32) -> String {
        let (give, mut orders) = watch::channel(Order::Run);
        let begun = Instant::now();
        let noted = Noted {
            begun,
            unheard: AtomicU32::new(unheard),
            said: Mutex::default(),
        };
        let giving = async {
            for (after, order) in given {
                tokio::time::sleep_until(begun + SECOND * u32::try_from(*after).unwrap()).await;
                order.give(&give);
            }
            tokio::time::sleep(SECOND * 1000).await;
        };
        tokio::select! {
            () = giving => {}
            never = carry_out(&mut orders, &noted) => match never {},
        }
        noted.said.into_inner().unwrap().join("; ")
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_asked_once_and_killed_when_the_shortest_grace_is_over() {
        let rows = [
            ("nothing", said(&[], 0).await),
            ("nothing yet", said(&[(1, Order::Last)], 0).await),
            ("a stop", said(&[(1, stop(30))], 0).await),
            ("no grace", said(&[(1, stop(0))], 0).await),
            ("for ever", said(&[(1, stop(u64::MAX))], 0).await),
            ("less grace", said(&[(1, stop(30)), (5, stop(10))], 0).await),
            (
                "less, and yet later",
                said(&[(1, stop(30)), (29, stop(10))], 0).await,
            ),
            ("more grace", said(&[(1, stop(10)), (2, stop(30))], 0).await),
            ("a kill", said(&[(1, Order::Kill)], 0).await),
            (
                "a kill in the end",
                said(&[(1, stop(30)), (3, Order::Kill)], 0).await,
            ),
            ("who is not heard", said(&[(1, stop(30))], 3).await),
            ("who is not heard in time", said(&[(1, stop(2))], 4).await),
        ];
        let rows = rows.map(|(what, said)| format!("{what}: {said}"));
        insta::assert_snapshot!(rows.join("\n"), @r"
        nothing: 
        nothing yet: 
        a stop: End after 1; Die after 31
        no grace: End after 1; Die after 1
        for ever: End after 1
        less grace: End after 1; Die after 15
        less, and yet later: End after 1; Die after 31
        more grace: End after 1; Die after 11
        a kill: Die after 1
        a kill in the end: End after 1; Die after 3
        who is not heard: End after 1, unheard; End after 2, unheard; End after 3, unheard; End after 4; Die after 31
        who is not heard in time: End after 1, unheard; End after 2, unheard; Die after 3, unheard; Die after 4, unheard; Die after 5
        ");
    }
}
