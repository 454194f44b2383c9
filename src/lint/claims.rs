//! The volumes that a `StatefulSet` gives to its pods by `volumeClaimTemplates`, beside those of their template.

use crate::manifest::path::FieldPath;
use crate::manifest::tree::{Entry, Node, Value};

/// Adds them to the template, so that a mount finds them there.
pub(super) fn add(node: &mut Node) {
    let templates = node.at(&FieldPath::of("spec.volumeClaimTemplates"));
    let Some(Value::Sequence(templates)) = templates.map(|templates| &templates.value) else {
        return;
    };
    let names = templates
        .iter()
        .filter_map(|template| template.get("metadata")?.entry("name"));
    let claimed: Vec<Node> = names.map(volume).collect();
    let Some(first) = claimed.first() else { return };
    let place = FieldPath::of("spec.template.spec.volumes");
    let mut volumes = node.take(&place).unwrap_or_else(|| Entry {
        key: "volumes".to_owned(),
        key_span: first.span.clone(),
        value: Node {
            span: first.span.clone(),
            value: Value::Sequence(vec![]),
        },
    });
    if let Value::Sequence(written) = &mut volumes.value.value {
        // A claim takes the place of a volume of its name.
        let name = |volume: &Node| volume.get("name").and_then(Node::as_str).map(ToOwned::to_owned);
        written.retain(|volume| claimed.iter().all(|claim| name(claim) != name(volume)));
        written.extend(claimed);
    }
    node.put(&place, &volumes);
}

/// A volume of that name; of which kind does not matter.
fn volume(name: &Entry) -> Node {
    let span = name.value.span.clone();
    let kind = Entry {
        key: "emptyDir".to_owned(),
        key_span: span.clone(),
        value: Node {
            span: span.clone(),
            value: Value::Mapping(vec![]),
        },
    };
    Node {
        span,
        value: Value::Mapping(vec![name.clone(), kind]),
    }
}
