//! What is told of decisions and of the process itself: logs, metrics, health.
//!
//! | file | what it tells |
//! |---|---|
//! | `teller` | every decision with its reason, to the log, the metrics and whoever listens |
//! | `logs` | the log: `tracing`, as text or JSON |
//! | `printer` | lines on standard output and standard error, whoever reads them and however slowly |
//! | `causes` | an error with its causes |
//! | `metrics` | the metrics: counters, histograms, gauges |
//! | `tzdb` | how old the time-zone database is |
//! | `health` | whether the process is alive and ready |
//! | `endpoint` | all but the first over HTTP |

mod causes;
mod endpoint;
mod health;
mod logs;
mod metrics;
mod printer;
mod teller;
mod tzdb;
#[cfg(test)]
pub(crate) mod written;

pub use causes::chain;
pub use endpoint::{Endpoint, metrics_router};
pub use health::{BEAT_EVERY, DEAD_AFTER, Health};
pub use logs::{LogFormat, LogLevel, LogLevelError, of_punctual, start_logs};
pub use metrics::{Detail, METRICS_TYPE, MOST_CRONJOBS, Metrics, RequestLabel, Wellbeing};
pub use printer::{Line, Notice, Pace, Printer};
pub use teller::{LISTENER_QUEUE, Teller, Told};
pub use tzdb::{OLD_AFTER_DAYS, age_in_days, tell_time_zones};
