//! What is asked of the API server: how much, with which answers, and how long they take; and how far apart the clocks are,
//! as the answers tell.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// How long the API server takes to answer, in seconds.
const REQUEST_BUCKETS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0,
];

/// A request to the API server: what was asked of what, and the answer. Each from a short list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabel {
    /// As Kubernetes counts verbs: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: &'static str,
    /// `cronjobs`, `cronjobs/status`, `jobs`, `events`, `leases`, or `other`.
    pub resource: &'static str,
    /// The status code of the answer; 0 when there was none.
    pub code: u16,
}

/// The metrics. Clones are the same metrics.
#[derive(Clone)]
pub(super) struct RequestMetrics {
    requests: Family<RequestLabel, Counter>,
    seconds: Histogram,
    clock_skew: Gauge<f64, AtomicU64>,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        RequestMetrics {
            requests: Family::default(),
            seconds: Histogram::new(REQUEST_BUCKETS),
            clock_skew: Gauge::default(),
        }
    }
}

impl RequestMetrics {
    pub(super) fn register(&self, ours: &mut Registry) {
        ours.register(
            "api_requests",
            "Requests to the API server; code 0 stands for no answer",
            self.requests.clone(),
        );
        ours.register_with_unit(
            "api_request_duration",
            "How long the API server took to answer, watches excepted",
            Unit::Seconds,
            self.seconds.clone(),
        );
        ours.register_with_unit(
            "clock_skew",
            "How far our clock is ahead of the API server's, to within a second",
            Unit::Seconds,
            self.clock_skew.clone(),
        );
    }

    /// Counts a request that took `seconds`; none for a watch, which lasts as long as it may.
    pub(super) fn count(&self, request: &RequestLabel, seconds: Option<f64>) {
        self.requests.get_or_create(request).inc();
        if let Some(seconds) = seconds {
            self.seconds.observe(seconds);
        }
    }

    /// How many seconds our clock is ahead.
    pub(super) fn set_clock_skew(&self, seconds: f64) {
        self.clock_skew.set(seconds);
    }
}
