//! A calendar: a `ConfigMap` whose label says that it is one. Of other kinds than those with pods it alone is looked at,
//! for one that can't be read is not there when a CronJob names it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;

use crate::cronjob::extension::CALENDAR_LABEL;
use crate::manifest::decode::decode;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::path::FieldPath;
use crate::manifest::report::Reporter;
use crate::manifest::source::Source;
use crate::manifest::tree::Node;

/// The values of a calendar that are not of the kind that they have to be, such as a label without quotes.
pub(super) fn mistakes(source: &Arc<Source>, node: &Node) -> Vec<Diagnostic> {
    let metadata = |field| node.get("metadata").and_then(|metadata| metadata.get(field));
    let is_config_map = node.get("kind").and_then(Node::as_str) == Some("ConfigMap");
    let labels = metadata("labels").filter(|_| is_config_map);
    if labels.and_then(|labels| labels.get(CALENDAR_LABEL)).is_none() {
        return vec![];
    }
    let name = metadata("name")
        .and_then(Node::as_str)
        .unwrap_or("without a name");
    let reporter = Reporter {
        source,
        node,
        within: &FieldPath::root(),
        subject: &format!("ConfigMap {name}"),
    };
    let (_, misfits) = decode::<ConfigMap>(node, &source.text);
    reporter.all(misfits, &[])
}
