//! What a controller is made of: the world it speaks to, what it is in charge of, and how it goes about it.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;

use crate::clock::SharedClock;
use crate::controller::charge::Charge;
use crate::controller::leadership::Leadership;
use crate::controller::pace::Pace;
use crate::controller::upcoming::Upcoming;
use crate::cronjob::Key;
use crate::policy::SeenSchedule;
use crate::schedule::TimeZones;
use crate::telemetry::{Health, Teller};

/// What a controller is made of.
pub struct ControllerOptions {
    /// The API server.
    pub client: Client,
    /// The time.
    pub clock: SharedClock,
    /// The rules of time zones.
    pub zones: Arc<TimeZones>,
    /// Who is told about decisions.
    pub teller: Teller,
    /// Which CronJobs to run.
    pub charge: Charge,
    /// How long one request of a watch lasts at most, where a connection may die without a word; none for as long as kube
    /// has it.
    pub longest_watch: Option<Duration>,
    /// How fast runs may start; none for as soon as they are due.
    pub pace: Option<Pace>,
    /// Whether to look on only, and say what would have been done differently.
    pub shadow: bool,
    /// Whether to decide, or to stand by.
    pub leadership: Leadership,
    /// Where signs of life are left.
    pub health: Health,
    /// The schedules that were in force before: one that has been edited since is not due in the past (D9).
    pub seen: Vec<(Key, SeenSchedule)>,
    /// Who is told what will be due next, if somebody can prepare for it.
    pub upcoming: Option<watch::Sender<Option<Upcoming>>>,
}

impl ControllerOptions {
    /// A controller that is alone and in charge of everything.
    pub fn new(client: Client, clock: SharedClock, zones: Arc<TimeZones>, teller: Teller) -> Self {
        ControllerOptions {
            client,
            clock,
            zones,
            teller,
            charge: Charge::default(),
            longest_watch: None,
            pace: None,
            shadow: false,
            leadership: Leadership::always(),
            health: Health::default(),
            seen: Vec::new(),
            upcoming: None,
        }
    }
}
