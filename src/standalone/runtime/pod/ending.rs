//! In which order the containers of a pod end: its sidecars after all the others, the last one first.
//!
//! Pure. The kubelet's rule (`kuberuntime_termination_order.go`, and `killContainer` in `kuberuntime_container.go`): who
//! has waited for its turn has what is left of the pod's grace period, and two seconds at least; when that is over, nobody
//! waits any longer. What ends by itself meanwhile is not started again.

use std::time::Duration;

use tokio::time::Instant;

use crate::standalone::runtime::order::Order;

/// The least that a sidecar has to end in, unless the whole pod has less: the kubelet's `minimumGracePeriodInSeconds`.
const LEAST_GRACE: Duration = Duration::from_secs(2);

/// How far the end of a pod was ordered.
#[derive(Debug, Default)]
pub(super) struct Ending {
    order: Order,
    /// When the shortest grace period that was given is over.
    over_at: Option<Instant>,
}

impl Ending {
    /// Takes an order in, unless one was given that asks for no less.
    pub(super) fn give(&mut self, order: Order, now: Instant) {
        if !order.outweighs(self.order) {
            return;
        }
        self.order = order;
        if let Order::Stop { grace } = order {
            // A moment that there is not never comes.
            self.over_at = self.over_at.into_iter().chain(now.checked_add(grace)).min();
        }
    }

    /// What is ordered, and holds at once for all but the sidecars.
    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// When nobody waits for its turn any longer.
    pub(super) fn over_at(&self) -> Option<Instant> {
        self.over_at
    }

    /// What a sidecar is to do now, by whether it is its turn to end.
    pub(super) fn of_sidecar(&self, is_its_turn: bool, now: Instant) -> Order {
        let Order::Stop { grace } = self.order else {
            return self.order;
        };
        let left = self.over_at.map_or(grace, |at| at.saturating_duration_since(now));
        if is_its_turn || left.is_zero() {
            Order::Stop {
                grace: left.max(LEAST_GRACE.min(grace)),
            }
        } else {
            Order::Last
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(seconds: u64) -> Order {
        Order::Stop {
            grace: Duration::from_secs(seconds),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sidecar_waits_for_its_turn_and_has_what_is_left_then() {
        let begun = Instant::now();
        // What is ordered after so many seconds, and what a sidecar is to do after so many, in its turn or not.
        let told = |orders: &[(u64, Order)], after: u64, is_its_turn: bool| {
            let at = |seconds| begun + Duration::from_secs(seconds);
            let mut ending = Ending::default();
            for (second, order) in orders {
                ending.give(*order, at(*second));
            }
            ending.of_sidecar(is_its_turn, at(after))
        };
        let of_30 = [(0, stop(30))];
        let rows = [
            ("nothing is ordered", told(&[], 5, true), Order::Run),
            ("others still run", told(&of_30, 5, false), Order::Last),
            ("its turn", told(&of_30, 5, true), stop(25)),
            ("its turn, late", told(&of_30, 29, true), stop(2)),
            ("the grace is over", told(&of_30, 30, false), stop(2)),
            ("no grace for anybody", told(&[(0, stop(0))], 0, false), stop(0)),
            ("one second for all", told(&[(0, stop(1))], 1, false), stop(1)),
            ("for ever", told(&[(0, stop(u64::MAX))], 9, true), stop(u64::MAX)),
            (
                "less grace",
                told(&[(0, stop(30)), (5, stop(10))], 6, true),
                stop(9),
            ),
            (
                "less, and yet later",
                told(&[(0, stop(10)), (9, stop(5))], 9, true),
                stop(2),
            ),
            (
                "a kill",
                told(&[(0, stop(30)), (5, Order::Kill)], 6, false),
                Order::Kill,
            ),
        ];
        for (what, told, wanted) in rows {
            assert_eq!(told, wanted, "{what}");
        }
    }
}
