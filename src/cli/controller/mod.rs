//! `punctual controller`: runs the CronJobs of a cluster, in place of the built-in controller or beside it.
//!
//! `service` starts everything, and stops it in order.

mod service;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::chosen::selector;
use crate::cli::connect::ClusterArgs;
use crate::cli::console;
use crate::cli::duration::duration;
use crate::cli::exit::{Exit, Failure};
use crate::cli::zoneinfo::TzdataArgs;
use crate::controller::{Charge, LeaseDuration, Pace};
use crate::cronjob::CalendarPlaces;
use crate::manifest::Adoption;
use crate::manifest::validate::names;
use crate::telemetry::{Detail, LogFormat, of_punctual, start_logs};

/// What is logged unless `RUST_LOG` says otherwise: every decision.
const LOG_LEVEL: &str = "info";

/// Where metrics are served: on every address, because Prometheus and the kubelet come from outside the pod.
const METRICS_LISTEN: &str = "0.0.0.0:8080";

/// In percent. With one half, a namespace whose herd has been waiting for long leaves the others the other half.
const NAMESPACE_SHARE: u8 = 50;

/// Arguments of `punctual controller`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual controller
      in place of the built-in one (kube-controller-manager --controllers=*,-cronjob-controller)
  punctual controller --adopt opted-in
      beside it, for CronJobs with the annotation punctual.dev/managed: \"true\" and suspend: true
  punctual controller --shadow
      look on while another controller is in charge, and say what would have been different
  punctual controller --context staging -n team-a -l tier=batch
      from outside the cluster, for some CronJobs of one namespace

RUST_LOG says what is logged; PUT /log-level changes it while the controller runs.
SIGTERM or Ctrl-C finishes what is under way, releases the lease and exits 0; a second one exits
at once.")]
pub(super) struct ControllerArgs {
    #[command(flatten)]
    cluster: ClusterArgs,

    /// Run the CronJobs of this namespace only; may be given several times
    #[arg(short, long = "namespace", value_name = "NAMESPACE")]
    namespaces: Vec<String>,

    /// Run the CronJobs whose labels match, e.g. tier=batch,team!=a
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = selector)]
    selector: Option<String>,

    /// Which CronJobs to be in charge of
    #[arg(long, value_enum, default_value_t = Adopt::All)]
    adopt: Adopt,

    /// Write nothing; decide beside the controller that is in charge, and report what would have been done
    /// differently from what it does
    #[arg(long, conflicts_with = "max_start_rate")]
    shadow: bool,

    /// Start no more runs than this in a second; what is due at once starts one after the other, the oldest due
    /// first
    #[arg(long, value_name = "RATE", value_parser = rate)]
    max_start_rate: Option<f64>,

    /// The part of --max-start-rate that one namespace has at most while others wait
    #[arg(long, value_name = "PERCENT", default_value_t = NAMESPACE_SHARE, requires = "max_start_rate",
          value_parser = clap::value_parser!(u8).range(1..=100))]
    namespace_share: u8,

    /// Where to look for calendars, which are ConfigMaps (punctual.dev/exclude)
    #[arg(long, value_enum, default_value_t = CalendarsArg::Shared)]
    calendars: CalendarsArg,

    /// Keep the lease in this namespace [default: the namespace of this pod or of the kubeconfig's context]
    #[arg(long, value_name = "NAMESPACE")]
    lease_namespace: Option<String>,

    /// The lease by which replicas agree who decides; controllers in charge of different CronJobs need
    /// different ones
    #[arg(long, value_name = "NAME", default_value = "punctual", value_parser = object_name)]
    lease_name: String,

    /// How long after the leader has died another replica leads at the latest, from 2s to 60s. A request that
    /// writes the lease has a quarter of it
    #[arg(long, value_name = "DURATION", default_value_t = LeaseDuration::USUAL, value_parser = lease_duration)]
    lease_duration: LeaseDuration,

    /// Serve /metrics, /livez, /readyz and /log-level here
    #[arg(long, value_name = "ADDRESS", default_value = METRICS_LISTEN)]
    metrics_listen: SocketAddr,

    /// Which CronJobs have metrics of their own
    #[arg(long, value_enum, default_value_t = CronJobMetrics::Trouble)]
    cronjob_metrics: CronJobMetrics,

    /// How log lines are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    log_format: Format,

    #[command(flatten)]
    tzdata: TzdataArgs,
}

/// Which CronJobs to be in charge of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Adopt {
    /// All of them; the built-in controller must be switched off
    All,
    /// Those annotated punctual.dev/managed: "true"; the built-in controller runs the others
    OptedIn,
}

/// Where to look for calendars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CalendarsArg {
    /// Nowhere: no ConfigMap is read
    Off,
    /// In the namespace of the lease, for every CronJob
    Shared,
    /// In each CronJob's namespace too, where its own come first
    All,
}

/// Which CronJobs have metrics of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CronJobMetrics {
    /// None
    Off,
    /// Those whose newest runs failed, and those with punctual.dev/expected-within
    Trouble,
    /// All, up to 5000
    All,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// A number of starts in a second that makes a pace.
fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_| "write a number of starts in a second, such as 20 or 0.5".to_owned())?;
    let paced = Pace::new(rate, 1.0).map(|_| rate);
    paced.ok_or_else(|| "it has to be more than 0".to_owned())
}

/// What a Lease may be called. An API server refuses any other again and again, and nobody would lead.
fn object_name(text: &str) -> Result<String, String> {
    match names::dns_subdomain(text).first() {
        Some(rule) => Err(rule.clone()),
        None => Ok(text.to_owned()),
    }
}

/// How long a lease lasts.
fn lease_duration(text: &str) -> Result<LeaseDuration, String> {
    let asked = duration(text)?;
    let whole = Some(asked.as_secs()).filter(|seconds| Duration::from_secs(*seconds) == asked);
    whole.and_then(LeaseDuration::of_seconds).ok_or_else(|| {
        format!(
            "write whole seconds from {}, or one slow write costs the lead, to {}, for which nothing is started when the \
             leader has died",
            LeaseDuration::SHORTEST,
            LeaseDuration::LONGEST,
        )
    })
}

impl ControllerArgs {
    fn pace(&self) -> Option<Pace> {
        Pace::new(self.max_start_rate?, f64::from(self.namespace_share) / 100.0)
    }

    fn detail(&self) -> Detail {
        match self.cronjob_metrics {
            CronJobMetrics::Off => Detail::Off,
            CronJobMetrics::Trouble => Detail::Trouble,
            CronJobMetrics::All => Detail::All,
        }
    }

    fn charge(&self) -> Charge {
        Charge {
            adoption: match self.adopt {
                Adopt::All => Adoption::All,
                Adopt::OptedIn => Adoption::OptedIn,
            },
            namespaces: self.namespaces.clone(),
            selector: self.selector.clone(),
            calendars: match self.calendars {
                CalendarsArg::Off => CalendarPlaces::Nowhere,
                CalendarsArg::Shared => CalendarPlaces::Shared,
                CalendarsArg::All => CalendarPlaces::All,
            },
            calendars_in: None,
        }
    }
}

/// Runs the controller until it is told to stop.
///
/// # Errors
///
/// When the cluster is not known, the address to serve on is taken, or it is told to stop a second time.
pub(super) fn controller(args: &ControllerArgs) -> Result<Exit, Failure> {
    let format = match args.log_format {
        Format::Text => LogFormat::Text,
        Format::Json => LogFormat::Json,
    };
    let (log_level, log) = start_logs(format, &of_punctual(LOG_LEVEL));
    // It says nothing but what it logs, and why it ends.
    console::begin(log.clone(), log);
    let zones = args.tzdata.load()?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::from_error("the asynchronous runtime could not be started", &error))?;
    let result = runtime.block_on(service::run(args, Arc::new(zones), log_level));
    // Whoever insisted on the end does not wait for requests that hang.
    runtime.shutdown_background();
    result
}
