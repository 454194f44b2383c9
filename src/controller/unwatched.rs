//! What may not be listed or watched, as it is told: in the log when it changes, and to whoever asks whether we are ready.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::controller::charge::Scope;
use crate::telemetry::Health;

/// A watch that is refused for less long than this is not told of: an API server that has just started refuses everything for a
/// moment.
const TOLD_AFTER: Duration = Duration::from_secs(10);

/// A watch that was refused is taken for one that goes on when nothing was heard of it for so long: it is tried again within a
/// minute, and says nothing when that goes well.
const HEARD_AGAIN_WITHIN: Duration = Duration::from_mins(3);

/// What may not be listed or watched.
#[derive(Debug, Default)]
pub(super) struct Unwatched {
    /// What has never been listed.
    never: BTreeSet<Scope>,
    /// What was listed, and may not be watched any more: the scope, and of what.
    no_more: BTreeMap<(Scope, &'static str), Lost>,
}

/// A watch that is refused.
#[derive(Debug)]
struct Lost {
    since: Instant,
    heard: Instant,
    is_told: bool,
}

/// What comes of a scope that may not be listed.
pub(super) fn never_listed(scope: &Scope) -> String {
    let (others, there, advice) = match scope.0 {
        Some(_) => (
            "; those elsewhere are, and it",
            " there",
            ". A namespace that is gone for good is best left out (--namespace)",
        ),
        None => (
            ". It",
            " in all of them",
            "; or name the namespaces that may be (--namespace)",
        ),
    };
    format!(
        "may not be listed, so no CronJob is run in {scope}{others} is tried again. It takes list and watch of cronjobs and \
         of jobs{there}{advice}"
    )
}

impl Unwatched {
    /// The CronJobs, or the Jobs, of a scope that has been listed may not be watched any more. Where the watch `went_on` since it
    /// was refused before, that is another matter. Whether it is to be told.
    pub(super) fn lost(&mut self, of: &'static str, scope: &Scope, went_on: bool, health: &Health) -> bool {
        let now = Instant::now();
        let key = (scope.clone(), of);
        if went_on {
            self.no_more.remove(&key);
        }
        let lost = self.no_more.entry(key).or_insert(Lost {
            since: now,
            heard: now,
            is_told: false,
        });
        lost.heard = now;
        let is_news = !lost.is_told && now - lost.since >= TOLD_AFTER;
        lost.is_told |= is_news;
        self.tell(health);
        is_news
    }

    /// These scopes may not be listed and never have been.
    pub(super) fn never_listed(&mut self, never: &BTreeSet<Scope>, health: &Health) {
        if *never == self.never {
            return;
        }
        for scope in self.never.difference(never) {
            tracing::info!(
                namespace = scope.0,
                "can be listed by now: CronJobs are run there"
            );
        }
        self.never.clone_from(never);
        self.tell(health);
    }

    /// Takes note of watches that go on again.
    pub(super) fn look(&mut self, health: &Health) {
        let before = self.no_more.len();
        self.no_more.retain(|(scope, of), lost| {
            let still = lost.heard.elapsed() < HEARD_AGAIN_WITHIN;
            if !still && lost.is_told {
                tracing::info!(of, namespace = scope.0, "can be watched again");
            }
            still
        });
        if self.no_more.len() < before {
            self.tell(health);
        }
    }

    fn tell(&self, health: &Health) {
        let never = self.never.iter().map(ToString::to_string);
        let no_more = self.no_more.iter().filter(|(_, lost)| lost.is_told);
        let no_more: BTreeSet<_> = no_more.map(|((scope, _), _)| scope.to_string()).collect();
        health.set_refused(never.collect(), no_more.into_iter().collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_may_be_listed_nothing_is_run_elsewhere() {
        let scopes = [Scope(Some("shop".into())), Scope::CLUSTER];
        insta::assert_snapshot!(scopes.map(|scope| never_listed(&scope)).join("\n"), @r"
        may not be listed, so no CronJob is run in shop; those elsewhere are, and it is tried again. It takes list and watch of cronjobs and of jobs there. A namespace that is gone for good is best left out (--namespace)
        may not be listed, so no CronJob is run in any namespace. It is tried again. It takes list and watch of cronjobs and of jobs in all of them; or name the namespaces that may be (--namespace)
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_told_until_it_is_not_heard_of_any_more() {
        let (mut unwatched, health) = (Unwatched::default(), Health::default());
        health.set_ready();
        let [a, b] = ["a", "b"].map(|namespace| Scope(Some(namespace.into())));
        unwatched.never_listed(&[a].into(), &health);
        let lost = |unwatched: &mut Unwatched, went_on| unwatched.lost("Jobs", &b, went_on, &health);
        assert!(!lost(&mut unwatched, false), "it may pass");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!lost(&mut unwatched, true), "it has passed, and there is another");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(lost(&mut unwatched, false));
        assert!(!lost(&mut unwatched, false), "no news");
        tokio::time::advance(Duration::from_mins(2)).await;
        unwatched.look(&health);
        insta::assert_snapshot!(health.readiness(), @"ok, but none is run in a, where they may not be listed, and no change is seen in b, where they may not be watched any more; the log says why");
        tokio::time::advance(Duration::from_mins(1)).await;
        unwatched.look(&health);
        insta::assert_snapshot!(health.readiness(), @"ok, but none is run in a, where they may not be listed; the log says why");
        unwatched.never_listed(&BTreeSet::new(), &health);
        assert_eq!(health.readiness(), "ok\n");
    }
}
