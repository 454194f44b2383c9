//! Metrics about single CronJobs: bounded, optional, and only while somebody leads.
//!
//! How many CronJobs are healthy, suspended or failing is always told. A series of its own has, by default, who is in
//! trouble or of whom a success is expected; with [`Detail::All`] every CronJob, up to [`MOST_CRONJOBS`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::number;
use crate::cronjob::Key;
use crate::schedule::Timestamp;

/// More CronJobs than this have no series of their own: they would be more than all the others of a Prometheus.
pub const MOST_CRONJOBS: usize = 5_000;

/// Which CronJobs have series of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// None.
    Off,
    /// Those whose newest runs failed, and those of which a success is expected.
    #[default]
    Trouble,
    /// All of them.
    All,
}

/// How a CronJob is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wellbeing {
    /// Nothing is started for now.
    pub suspended: bool,
    /// It can't be started as it is written: its schedule, its zone or an annotation can't be used.
    pub held: bool,
    /// A run has been due for long, and every attempt to start it failed.
    pub refused: bool,
    /// How many runs have failed since the last success.
    pub failing: u32,
    /// When a success is overdue that has not come yet.
    pub expected_success: Option<Timestamp>,
    /// When a run last succeeded.
    pub last_success: Option<Timestamp>,
    /// When it is due next.
    pub next_due: Option<Timestamp>,
}

impl Wellbeing {
    fn state(&self) -> &'static str {
        match self {
            Wellbeing { suspended: true, .. } => "suspended",
            Wellbeing { held: true, .. } => "held",
            Wellbeing { refused: true, .. } => "refused",
            Wellbeing { failing: 1.., .. } => "failing",
            _ => "healthy",
        }
    }
}

/// The states of [`Wellbeing`], which begin at 0: nothing is no number to Prometheus.
const STATES: [&str; 5] = ["healthy", "suspended", "held", "refused", "failing"];

/// Not `namespace`: that is where Punctual itself runs, as Prometheus labels what it scrapes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CronJobLabel {
    cronjob_namespace: String,
    cronjob: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// The metrics. Clones are the same metrics.
#[derive(Clone, Default)]
pub(super) struct CronJobMetrics {
    known: Arc<Mutex<Known>>,
    states: Family<StateLabel, Gauge>,
    failing: Family<CronJobLabel, Gauge>,
    expected_success: Family<CronJobLabel, Gauge>,
    last_success: Family<CronJobLabel, Gauge>,
    next_due: Family<CronJobLabel, Gauge>,
    without_series: Gauge,
}

#[derive(Default)]
struct Known {
    detail: Detail,
    cronjobs: HashMap<Key, Wellbeing>,
    /// Those that have series.
    told: usize,
}

impl CronJobMetrics {
    pub(super) fn register(&self, ours: &mut Registry) {
        self.clear();
        ours.register(
            "cronjobs",
            "CronJobs that this replica is in charge of, by how they are doing; a standby has none",
            self.states.clone(),
        );
        ours.register(
            "cronjobs_without_series",
            "CronJobs that would have series of their own, were there not so many",
            self.without_series.clone(),
        );
        ours.register(
            "cronjob_failing_streak",
            "Failed runs of a CronJob since its last success",
            self.failing.clone(),
        );
        for (name, help, family) in [
            (
                "expected_success_timestamp",
                "When a success of a CronJob with punctual.dev/expected-within is overdue that has not come yet",
                &self.expected_success,
            ),
            (
                "cronjob_last_success_timestamp",
                "When a run of a CronJob last succeeded",
                &self.last_success,
            ),
            (
                "cronjob_next_due_timestamp",
                "When a CronJob is due next",
                &self.next_due,
            ),
        ] {
            ours.register_with_unit(name, help, Unit::Seconds, family.clone());
        }
    }

    pub(super) fn set_detail(&self, detail: Detail) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).detail = detail;
    }

    /// Takes in how a CronJob is doing; `None` when it is gone.
    pub(super) fn set(&self, key: &Key, now: Option<Wellbeing>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match now {
            Some(now) => known.cronjobs.insert(key.clone(), now),
            None => known.cronjobs.remove(key),
        };
        for (wellbeing, step) in [(before, -1), (now, 1)] {
            if let Some(wellbeing) = wellbeing {
                let state = wellbeing.state();
                self.states.get_or_create(&StateLabel { state }).inc_by(step);
            }
        }
        let detail = known.detail;
        let had = before.is_some_and(|before| has_series(detail, &before));
        let has = now.filter(|now| has_series(detail, now));
        known.told = known.told + usize::from(has.is_some()) - usize::from(had);
        self.tell(key, has.filter(|_| had || known.told <= MOST_CRONJOBS));
        let without = known.told.saturating_sub(MOST_CRONJOBS);
        self.without_series.set(number(without));
    }

    /// Nobody is told of any more: another replica leads.
    pub(super) fn clear(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.cronjobs.clear();
        known.told = 0;
        self.without_series.set(0);
        for family in [
            &self.failing,
            &self.expected_success,
            &self.last_success,
            &self.next_due,
        ] {
            family.clear();
        }
        for state in STATES {
            self.states.get_or_create(&StateLabel { state }).set(0);
        }
    }

    fn tell(&self, key: &Key, wellbeing: Option<Wellbeing>) {
        let label = CronJobLabel {
            cronjob_namespace: key.namespace.clone(),
            cronjob: key.name.clone(),
        };
        let seconds = |at: fn(&Wellbeing) -> Option<Timestamp>| {
            wellbeing.as_ref().and_then(at).map(|at| at.timestamp())
        };
        for (family, value) in [
            (&self.failing, wellbeing.map(|now| i64::from(now.failing))),
            (&self.expected_success, seconds(|now| now.expected_success)),
            (&self.last_success, seconds(|now| now.last_success)),
            (&self.next_due, seconds(|now| now.next_due)),
        ] {
            match value {
                Some(value) => {
                    family.get_or_create(&label).set(value);
                }
                None => {
                    family.remove(&label);
                }
            }
        }
    }
}

fn has_series(detail: Detail, wellbeing: &Wellbeing) -> bool {
    match detail {
        Detail::Off => false,
        Detail::Trouble => wellbeing.failing > 0 || wellbeing.expected_success.is_some(),
        Detail::All => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn only_who_is_in_trouble_has_series_until_the_next_success() {
        let world = World::new(Detail::Trouble);
        let failing = Wellbeing {
            failing: 2,
            ..Wellbeing::default()
        };
        world.metrics.set(&key("a"), Some(failing));
        world.metrics.set(&key("b"), Some(Wellbeing::default()));
        let expected = Wellbeing {
            expected_success: Timestamp::from_timestamp(1_000, 0),
            ..Wellbeing::default()
        };
        world.metrics.set(&key("c"), Some(expected));
        assert_eq!(
            world.shown(),
            [
                r#"cronjob_failing_streak{cronjob_namespace="shop",cronjob="a"} 2"#,
                r#"cronjob_failing_streak{cronjob_namespace="shop",cronjob="c"} 0"#,
                r#"cronjobs{state="failing"} 1"#,
                r#"cronjobs{state="healthy"} 2"#,
                r#"expected_success_timestamp_seconds{cronjob_namespace="shop",cronjob="c"} 1000"#,
            ]
        );
        world.metrics.set(&key("a"), Some(Wellbeing::default()));
        world.metrics.set(&key("c"), None);
        assert_eq!(world.shown(), [r#"cronjobs{state="healthy"} 2"#]);
        world.metrics.clear();
        assert_eq!(world.shown(), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_started_is_not_healthy() {
        let world = World::new(Detail::Off);
        let refused = Wellbeing {
            refused: true,
            failing: 1,
            ..Wellbeing::default()
        };
        let held = Wellbeing {
            held: true,
            ..refused
        };
        for (state, wellbeing) in [("refused", refused), ("held", held)] {
            world.metrics.set(&key("a"), Some(wellbeing));
            assert_eq!(world.shown(), [format!(r#"cronjobs{{state="{state}"}} 1"#)]);
        }
    }

    #[test]
    fn the_number_of_series_has_an_end_and_who_is_left_out_is_counted() {
        let world = World::new(Detail::All);
        for number in 0..MOST_CRONJOBS + 2 {
            world
                .metrics
                .set(&key(&format!("c{number}")), Some(Wellbeing::default()));
        }
        let streaks = world.text().matches("cronjob_failing_streak{").count();
        assert_eq!(streaks, MOST_CRONJOBS);
        assert!(world.text().contains("cronjobs_without_series 2\n"));
    }

    #[test]
    fn without_detail_only_the_numbers_are_told() {
        let world = World::new(Detail::Off);
        world.metrics.set(
            &key("a"),
            Some(Wellbeing {
                failing: 9,
                ..Wellbeing::default()
            }),
        );
        assert_eq!(world.shown(), [r#"cronjobs{state="failing"} 1"#]);
    }

    struct World {
        metrics: CronJobMetrics,
        registry: Registry,
    }

    impl World {
        fn new(detail: Detail) -> Self {
            let (metrics, mut registry) = (CronJobMetrics::default(), Registry::default());
            metrics.register(&mut registry);
            metrics.set_detail(detail);
            World { metrics, registry }
        }

        fn text(&self) -> String {
            let mut text = String::new();
            encode(&mut text, &self.registry).expect("text");
            text
        }

        /// The series that are not 0 or of a CronJob, in order.
        fn shown(&self) -> Vec<String> {
            let text = self.text();
            let told = text.lines().filter(|line| !line.starts_with('#'));
            let told = told.filter(|line| line.contains("cronjob=") || !line.ends_with(" 0"));
            let mut shown: Vec<String> = told.map(str::to_owned).collect();
            shown.sort();
            shown
        }
    }

    fn key(name: &str) -> Key {
        Key {
            namespace: "shop".into(),
            name: name.into(),
        }
    }
}
