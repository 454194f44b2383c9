//! stub
use super::registry::Registry;
/// Runs.
pub async fn run(_registry: Registry) {
    std::future::pending::<()>().await;
}
