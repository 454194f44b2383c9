//! How sure a pod can be of what it uses: its quality-of-service class (`pkg/apis/core/v1/helper/qos`).

use serde_json::Value;

use crate::manifest::quantity::Quantity;

/// The resources that count.
const COUNTED: [&str; 2] = ["cpu", "memory"];

/// The class of a pod: `Guaranteed` when each container is limited to what it asks for, `BestEffort` when none asks for
/// anything, and `Burstable` between the two.
pub(super) fn class(spec: &Value) -> &'static str {
    let lists = ["initContainers", "containers"];
    let containers: Vec<&Value> = lists
        .iter()
        .filter_map(|list| spec[*list].as_array())
        .flatten()
        .collect();
    let amount = |container: &Value, side: &str, name: &str| {
        let amount = container["resources"][side][name]
            .as_str()
            .and_then(Quantity::parse);
        amount.filter(|amount| *amount > Quantity::default())
    };
    let asks = |container: &&Value| {
        COUNTED.iter().any(|name| {
            amount(container, "requests", name).is_some() || amount(container, "limits", name).is_some()
        })
    };
    let is_guaranteed = |container: &&Value| {
        COUNTED.iter().all(|name| {
            let limit = amount(container, "limits", name);
            limit.is_some() && amount(container, "requests", name).is_none_or(|asked| Some(asked) == limit)
        })
    };
    if !containers.iter().any(asks) {
        "BestEffort"
    } else if containers.iter().all(is_guaranteed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_class_follows_from_what_is_asked_for_and_limited() {
        let nothing = json!({});
        let both = json!({ "cpu": "1", "memory": "1Gi" });
        let same = json!({ "cpu": "1000m", "memory": "1024Mi" });
        let half = json!({ "cpu": "500m", "memory": "1Gi" });
        let zero = json!({ "cpu": "0" });
        let table = [
            // requests, limits, class
            (&nothing, &nothing, "BestEffort"),
            (&zero, &nothing, "BestEffort"),
            (&both, &nothing, "Burstable"),
            (&half, &both, "Burstable"),
            (&nothing, &zero, "BestEffort"),
            (&both, &both, "Guaranteed"),
            (&same, &both, "Guaranteed"),
        ];
        for (requests, limits, expected) in table {
            let spec = json!({ "containers": [{ "resources": { "requests": requests, "limits": limits } }] });
            assert_eq!(class(&spec), expected, "{spec}");
        }
        let one_of_two = json!({ "containers": [{ "resources": { "requests": both, "limits": both } }, {}] });
        assert_eq!(class(&one_of_two), "Burstable");
    }
}
