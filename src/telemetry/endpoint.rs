//! What is served over HTTP for those who watch over the process.
//!
//! | path | answer |
//! |---|---|
//! | `GET /metrics` | the metrics, as Prometheus reads them |
//! | `GET /livez` | 200 while the controller shows signs of life |
//! | `GET /readyz` | 200 once the caches are full; a standby is ready without leading |
//! | `GET /log-level` | what is logged |
//! | `PUT /log-level` | changes it: `debug` for Punctual itself, or a filter like `punctual=debug,kube=info` |
//!
//! The log level can be changed from the machine itself only, which `kubectl port-forward` counts as: a log in full
//! detail is costly and tells more than a stranger should read.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{StatusCode, header};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::clock::SharedClock;
use crate::schedule::TimeZones;
use crate::telemetry::{Health, LogLevel, METRICS_TYPE, Metrics};

/// Everything that is served.
#[derive(Clone)]
pub struct Endpoint {
    /// For `/metrics`.
    pub metrics: Metrics,
    /// For `/livez` and `/readyz`.
    pub health: Health,
    /// For `/log-level`.
    pub log_level: LogLevel,
    /// The time, for metrics that tell an age.
    pub clock: SharedClock,
    /// The time-zone database in use.
    pub zones: Arc<TimeZones>,
}

impl Endpoint {
    /// Serves on `listener` for ever.
    ///
    /// # Errors
    ///
    /// When the listener fails for good.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let service = router(self).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await
    }
}

fn router(endpoint: Endpoint) -> Router {
    let metrics = metrics_router(
        endpoint.metrics.clone(),
        endpoint.clock.clone(),
        endpoint.zones.clone(),
    );
    Router::new()
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
        .route("/log-level", get(log_level).put(set_log_level))
        .with_state(endpoint)
        .merge(metrics)
}

/// `/metrics` alone, for a server that has other things to serve.
pub fn metrics_router(metrics: Metrics, clock: SharedClock, zones: Arc<TimeZones>) -> Router {
    let answer = || async move {
        let text = metrics.render(&zones, clock.now());
        ([(header::CONTENT_TYPE, METRICS_TYPE)], text)
    };
    Router::new().route("/metrics", get(answer))
}

async fn alive(State(endpoint): State<Endpoint>) -> (StatusCode, &'static str) {
    if endpoint.health.is_alive() {
        (StatusCode::OK, "ok\n")
    } else {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the controller shows no sign of life\n",
        )
    }
}

async fn ready(State(endpoint): State<Endpoint>) -> (StatusCode, String) {
    let health = &endpoint.health;
    let status = if health.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, health.readiness())
}

async fn log_level(State(endpoint): State<Endpoint>) -> String {
    format!("{}\n", endpoint.log_level.get())
}

async fn set_log_level(
    State(endpoint): State<Endpoint>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    filter: String,
) -> (StatusCode, String) {
    if !peer.ip().to_canonical().is_loopback() {
        let refusal = "the log level can be changed from the machine itself only; use kubectl port-forward\n";
        return (StatusCode::FORBIDDEN, refusal.into());
    }
    match endpoint.log_level.set(&filter) {
        Ok(()) => {
            tracing::info!(filter = endpoint.log_level.get(), "log level changed");
            (StatusCode::OK, format!("{}\n", endpoint.log_level.get()))
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}
