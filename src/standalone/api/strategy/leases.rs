//! Leases (`pkg/registry/coordination/lease`).

use k8s_openapi::api::coordination::v1::Lease;
use serde_json::{Value, json};

use super::{ObjectType, Strategy, check_metadata};
use crate::schedule::TimeZones;
use crate::standalone::api::cause::Cause;

/// Leases.
#[derive(Debug)]
pub struct Leases;

impl Strategy for Leases {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<Lease>()
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let mut causes = check_metadata::<Lease>(object, old)?;
        causes.extend(lease_numbers(object));
        Ok(causes)
    }

    /// A lease is a lock: who takes it must know whom it takes it from.
    fn update_needs_revision(&self) -> bool {
        true
    }
}

/// The complaints about the numbers of a lease.
fn lease_numbers(lease: &Value) -> Vec<Cause> {
    [
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ]
    .into_iter()
    .filter_map(|(field, least, rule)| {
        let number = lease["spec"][field].as_i64().filter(|number| *number < least)?;
        Some(Cause::invalid(format!("spec.{field}"), &json!(number), rule))
    })
    .collect()
}
