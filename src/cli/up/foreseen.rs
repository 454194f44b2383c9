//! What is known by now to keep the runs of a CronJob from starting here. It is told when the CronJob comes, and not only when
//! it is due.

use kube::Client;

use crate::cli::complain;
use crate::cli::up::item::Item;
use crate::standalone::runtime::{Runtimes, hindrance};

/// Warns of a CronJob whose runs could not start as things are.
pub(super) async fn warn(client: &Client, item: &Item, runtimes: &Runtimes) {
    let template = item.json.pointer("/spec/jobTemplate/spec/template");
    let template = template.and_then(|template| serde_json::from_value(template.clone()).ok());
    // A Job says so itself at once.
    let (Some(template), "CronJob") = (template, item.id.kind) else {
        return;
    };
    // What can't be found out now is told when it is due.
    if let Ok(Some(why)) = hindrance(client, &item.id.key.namespace, &template, runtimes).await {
        let Item { id, file, .. } = item;
        complain(&format!(
            "warning: {file}: {id}: its runs can't start as things are: {why}"
        ));
    }
}
