//! Starts everything, and stops it in order: no new decisions, what is under way is finished, the last events are
//! written, the lease is released.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use kube::Config;
use rustix::io::Errno;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::cli::connect;
use crate::cli::controller::ControllerArgs;
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupts::Interrupts;
use crate::clock::{SharedClock, SystemClock};
use crate::controller::{Charge, Controller, ControllerOptions, Elector, Leadership, LeaseName};
use crate::schedule::TimeZones;
use crate::submit::{EventWriting, Gate, open_gate, watched_client, write_events};
use crate::telemetry::{Endpoint, Health, LogLevel, Metrics, Teller, tell_time_zones};

/// How long one request of a watch lasts. The server says something at its end at the latest, so a connection that has been
/// silent for longer (`read_timeout`) is dead.
const LONGEST_WATCH: Duration = Duration::from_secs(30);

/// After so much silence a connection is given up. client-go notices in about the same time. A write may take 35 s, which is
/// shorter.
const SILENCE: Duration = Duration::from_secs(45);

/// How often it is asked whether everything has been listed, before the lease is asked for.
const READY_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// How long the last events may take when the controller stops. A standby waits for the lease meanwhile.
const EVENTS_GRACE: Duration = Duration::from_secs(1);

/// Runs until a signal asks to stop.
pub(super) async fn run(
    args: &ControllerArgs,
    zones: Arc<TimeZones>,
    log_level: LogLevel,
) -> Result<Exit, Failure> {
    // Signals are caught before anything runs that they would have to stop.
    let mut signals = Interrupts::catch()?;
    let clock = SystemClock::shared();
    let config = giving_up_after(SILENCE, args.cluster.config()?);
    introduce(args, &config, &zones, &clock);

    let (metrics, health) = (Metrics::new(&zones), Health::default());
    metrics.set_detail(args.detail());
    metrics.set_shadow(args.shadow);
    let endpoint = Endpoint {
        metrics: metrics.clone(),
        health: health.clone(),
        log_level,
        clock: Arc::clone(&clock),
        zones: Arc::clone(&zones),
    };
    let listener = listen(args).await?;
    let mut serving = tokio::spawn(endpoint.serve(listener));
    let mut parts = Parts::start(args, &config, &clock, zones, metrics, health)?;
    tokio::select! {
        () = signals.next() => {}
        ended = &mut parts.controller => return Err(Failure::died("the controller", ended.err())),
        ended = &mut parts.elector => return Err(Failure::died("the leader election", ended.err())),
        ended = &mut serving => return Err(Failure::died("the metrics endpoint", ended.err())),
    }
    tracing::info!("stopping: no new decisions; what is under way is finished");
    tokio::select! {
        () = parts.stop() => Ok(Exit::Fine),
        () = signals.next() => Err(Failure::new("stopped before everything under way was finished")),
    }
}

/// The configuration of a client that takes a connection which has been silent for so long for dead.
fn giving_up_after(silence: Duration, mut config: Config) -> Config {
    config.read_timeout = Some(silence);
    // One that has been idle for a while is silent from when it is used again.
    config.reset_reader_on_write = true;
    config
}

/// What runs at the same time.
struct Parts {
    controller: JoinHandle<()>,
    elector: JoinHandle<()>,
    events: JoinHandle<()>,
    stop_controller: watch::Sender<bool>,
    stop_elector: watch::Sender<bool>,
}

impl Parts {
    fn start(
        args: &ControllerArgs,
        config: &Config,
        clock: &SharedClock,
        zones: Arc<TimeZones>,
        metrics: Metrics,
        health: Health,
    ) -> Result<Self, Failure> {
        let (stop_elector, elector_stops) = watch::channel(false);
        let (leadership, elector) = if args.shadow {
            (Leadership::always(), tokio::spawn(until(elector_stops)))
        } else {
            let (elector, leadership) = elector(args, config, clock, &metrics)?;
            let elector = contend(elector, health.clone(), elector_stops);
            (leadership, tokio::spawn(elector))
        };
        let (leads, writes) = (leadership.clone(), !args.shadow);
        let gate: Gate = Arc::new(move || writes && leads.is_held());
        let client = watched_client(&connect::client(config)?, &metrics, clock, gate);

        let mut teller = Teller::new(metrics.clone());
        let told = teller.listen("events");
        let options = ControllerOptions {
            charge: Charge {
                calendars_in: Some(lease_name(args, config).namespace),
                ..args.charge()
            },
            longest_watch: Some(LONGEST_WATCH),
            pace: args.pace(),
            shadow: args.shadow,
            leadership,
            health,
            ..ControllerOptions::new(client.clone(), Arc::clone(clock), zones, teller)
        };
        let (stop_controller, controller_stops) = watch::channel(false);
        Ok(Parts {
            controller: tokio::spawn(Controller::new(options).run(controller_stops)),
            elector,
            events: tokio::spawn(write_events(client, told, metrics, EventWriting::ONE_BY_ONE)),
            stop_controller,
            stop_elector,
        })
    }

    /// Stops one after the other. None of them is waited for that has died by itself.
    async fn stop(&mut self) {
        self.stop_controller.send_replace(true);
        let _ended = (&mut self.controller).await;
        let _ended = timeout(EVENTS_GRACE, &mut self.events).await;
        self.stop_elector.send_replace(true);
        let _ended = (&mut self.elector).await;
    }
}

/// Who asks for the lease. It has a connection of its own: a renewal must not queue up behind a thousand Jobs.
fn elector(
    args: &ControllerArgs,
    config: &Config,
    clock: &SharedClock,
    metrics: &Metrics,
) -> Result<(Elector, Leadership), Failure> {
    let client = watched_client(&connect::client(config)?, metrics, clock, open_gate());
    let lease = lease_name(args, config);
    let lasts = args.lease_duration;
    Ok(Elector::new(
        client,
        Arc::clone(clock),
        metrics.clone(),
        lease,
        lasts,
    ))
}

/// Contends for the lease, but not before there is something to lead with: a replica that can list nothing would keep the
/// lease from those that can.
async fn contend(elector: Elector, health: Health, mut stop: watch::Receiver<bool>) {
    while !health.is_ready() {
        let stopped = stop.wait_for(|stop| *stop);
        if timeout(READY_AGAIN_AFTER, stopped).await.is_ok() {
            return;
        }
    }
    elector.run(stop).await;
}

/// In place of an elector where nobody has to agree.
async fn until(mut stop: watch::Receiver<bool>) {
    // Whoever could say so is gone: that is the end as well.
    let _ended = stop.wait_for(|stop| *stop).await;
}

/// The lease, and a name for this process that no other has: the pod's, and a number for its restarts.
fn lease_name(args: &ControllerArgs, config: &Config) -> LeaseName {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() {
        "punctual"
    } else {
        host.trim()
    };
    LeaseName {
        namespace: args
            .lease_namespace
            .clone()
            .unwrap_or_else(|| config.default_namespace.clone()),
        name: args.lease_name.clone(),
        identity: format!("{host}_{}", uuid::Uuid::new_v4()),
    }
}

async fn listen(args: &ControllerArgs) -> Result<TcpListener, Failure> {
    let address = args.metrics_listen;
    bound(address, TcpListener::bind).await.map_err(|error| {
        let what =
            format!("metrics can't be served on {address}; choose another address with --metrics-listen");
        Failure::from_error(&what, &error)
    })
}

/// Listens on an address. Every address, `[::]`, is every one of IPv4 where the kernel has no IPv6 (`ipv6.disable=1`): who
/// writes the arguments of a pod can't know on which nodes it will be.
async fn bound<T, F: Future<Output = io::Result<T>>>(
    address: SocketAddr,
    bind: impl Fn(SocketAddr) -> F,
) -> io::Result<T> {
    let error = match bind(address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let no_such_family = Errno::from_io_error(&error) == Some(Errno::AFNOSUPPORT);
    if address.ip() != Ipv6Addr::UNSPECIFIED || !no_such_family {
        return Err(error);
    }
    let instead = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
    tracing::info!("there is no IPv6 here: metrics are served on {instead} in place of {address}");
    bind(instead).await
}

/// The first lines of the log: what runs, where, and by which rules.
fn introduce(args: &ControllerArgs, config: &Config, zones: &TimeZones, clock: &SharedClock) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        cluster = %config.cluster_url,
        charge = %args.charge(),
        shadow = args.shadow,
        metrics = %args.metrics_listen,
        "punctual controller"
    );
    tell_time_zones(zones, clock.now());
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::sleep;

    use super::*;

    /// One row an address that is asked for, and what it comes to on a node without IPv6.
    #[tokio::test]
    async fn every_address_is_every_one_of_ipv4_where_there_is_no_ipv6() {
        let without_ipv6 = async |address: SocketAddr| match (address, address.port()) {
            (SocketAddr::V6(_), _) => Err(io::Error::from(Errno::AFNOSUPPORT)),
            (_, 1) => Err(io::Error::from(Errno::ADDRINUSE)),
            _ => Ok(address.to_string()),
        };
        for (asked, got) in [
            ("[::]:8080", Ok("0.0.0.0:8080")),
            ("0.0.0.0:8080", Ok("0.0.0.0:8080")),
            ("[::1]:8080", Err(Errno::AFNOSUPPORT)),
            ("[::]:1", Err(Errno::ADDRINUSE)),
        ] {
            let bound = bound(asked.parse().expect("an address"), without_ipv6).await;
            let got_so = bound.map_err(|error| Errno::from_io_error(&error).expect("an error of the system"));
            assert_eq!(got_so, got.map(str::to_owned), "{asked}");
        }
        let taken = async |_| Err::<(), _>(io::Error::from(Errno::ADDRINUSE));
        let error = bound("[::]:8080".parse().expect("an address"), taken).await;
        assert!(error.is_err(), "it is another trouble");
    }

    /// The connection was idle for almost as long as silence may last when it was used again.
    #[tokio::test]
    async fn silence_counts_from_when_a_connection_is_used() {
        const SILENCE: Duration = Duration::from_secs(3);
        const ANSWER: &str = r#"{"major":"1","minor":"36","gitVersion":"","gitCommit":"","gitTreeState":"","buildDate":"",
            "goVersion":"","compiler":"","platform":""}"#;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        // One connection, on which each answer is later than the one before.
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            for late in [Duration::ZERO, SILENCE / 3] {
                let mut request = [0; 4096];
                let length = stream.read(&mut request).await.expect("a request");
                assert!(length > 0, "it goes on with this connection");
                sleep(late).await;
                let length = ANSWER.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.expect("a reader");
                stream.write_all(ANSWER.as_bytes()).await.expect("a reader");
            }
        });
        let config = Config::new(format!("http://{address}").parse().expect("a URL"));
        let client = connect::client(&giving_up_after(SILENCE, config)).expect("a client");
        client.apiserver_version().await.expect("an answer");
        sleep(SILENCE * 5 / 6).await;
        client.apiserver_version().await.expect("an answer in time");
        serving.await.expect("both came on one connection");
    }
}
