//! The world that a script happens in: the embedded API, the real controller on the other side of a connection that can
//! fail, and time that is simulated.
//!
//! Everything runs on one thread whose clock is tokio's, paused. It moves only when nobody has anything left to do,
//! and then exactly to the next moment for which somebody set a timer: see `runtime`. The wall clock is a
//! [`ManualClock`], which moves with it. So a script takes no time, and gives the same output every time.

mod asked;
mod connection;
mod faults;
mod objects;
mod perform;
mod runtime;
mod show;
mod transcript;
mod watches;

use std::sync::Arc;

use kube::Client;
use punctual::clock::{Clock, ManualClock};
use punctual::controller::{Controller, ControllerOptions, Pace};
use punctual::schedule::{TimeZones, Timestamp};
use punctual::standalone::api::Api;
use punctual::standalone::store::MemoryStore;
use punctual::submit::{EventWriting, write_events};
use punctual::telemetry::Teller;
use tokio::sync::watch;

pub(crate) use connection::{Created, Wire};
pub(crate) use runtime::Runtime;

use connection::Connection;
use runtime::Idle;
use transcript::Transcript;

/// Everything there is.
pub(crate) struct World {
    clock: ManualClock,
    idle: Idle,
    api: Api,
    /// The script's own client, which nothing happens to.
    client: Client,
    wire: Arc<Wire>,
    teller: Teller,
    zones: Arc<TimeZones>,
    pace: Option<Pace>,
    /// Held for as long as the controller may run.
    running: watch::Sender<bool>,
}

impl World {
    /// A world in which it is `now`, with a controller and nothing to do for it.
    pub(crate) async fn new(now: Timestamp, idle: Idle) -> World {
        let clock = ManualClock::starting_at(now);
        let zones = Arc::new(TimeZones::built_in());
        let api = Api::start(
            Arc::new(MemoryStore::new()),
            Arc::new(clock.clone()),
            Arc::clone(&zones),
        )
        .await
        .expect("an API in memory starts");
        // It hears what those hear that make a record of it.
        let mut teller = Teller::default();
        let told = teller.listen("transcript");
        let client = api.client();
        let wire = Wire::new(clock.clone(), Transcript::new(told), client.clone());
        let mut world = World {
            clock,
            idle,
            api,
            client,
            wire,
            teller,
            zones,
            pace: None,
            running: watch::Sender::new(false),
        };
        world.start_controller();
        world.settle().await;
        world
    }

    /// What the wall clock reads.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The client to look at things with.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The connection between the controller and the API.
    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Lets everybody do what there is to do now.
    pub(crate) async fn settle(&self) {
        self.idle.settle().await;
        self.wire.transcript.hear();
        assert!(
            !self.wire.controller_has_ended(),
            "the controller ended by itself; up to then:\n{}",
            self.wire.transcript.text()
        );
    }

    /// Lets time pass until the wall clock reads `instant`.
    pub(crate) async fn pass_until(&self, instant: Timestamp) {
        self.clock.sleep_until(instant).await;
        self.settle().await;
    }

    /// Starts a controller, in place of the one that runs.
    fn start_controller(&mut self) {
        self.wire.kill_controller();
        let connection = Connection::new(self.api.router(), Arc::clone(&self.wire));
        let client = Client::new(connection.clone(), "default");
        let (clock, zones) = (Arc::new(self.clock.clone()), Arc::clone(&self.zones));
        let options = ControllerOptions {
            pace: self.pace,
            ..ControllerOptions::new(client, clock, zones, self.teller.clone())
        };
        let running = tokio::spawn(Controller::new(options).run(self.running.subscribe()));
        connection.belongs_to(running);
    }

    /// From now on, what controllers say becomes Events, too. The one that runs is replaced by one that is heard.
    fn write_events(&mut self) {
        let told = self.teller.listen("events");
        let metrics = self.teller.metrics().clone();
        let writing = EventWriting::ONE_BY_ONE;
        tokio::spawn(write_events(self.client.clone(), told, metrics, writing));
        self.start_controller();
    }

    /// Repeats a comment of the script.
    pub(crate) fn remark(&self, comment: &str) {
        self.wire.transcript.line(format!("# {comment}").trim_end());
    }

    /// The output.
    pub(crate) fn output(&self) -> String {
        self.wire.transcript.text()
    }
}
